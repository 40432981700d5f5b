package io.jenkins.plugins.vastai;

import edu.umd.cs.findbugs.annotations.NonNull;
import hudson.Extension;
import hudson.model.Label;
import hudson.slaves.NodeProvisioner;

/**
 * The safety net under {@link Reviewer}: core's own review counts and orders by the same function, and load averages have
 * no say for our labels.
 */
@Extension(ordinal = 100)
public class VastAiProvisioningStrategy extends NodeProvisioner.Strategy {

    @NonNull
    @Override
    public NodeProvisioner.StrategyDecision apply(@NonNull NodeProvisioner.StrategyState state) {
        Label label = state.getLabel();
        Provisioning provisioning = Provisioning.get();
        if (!provisioning.able(label)) {
            return NodeProvisioner.StrategyDecision.CONSULT_REMAINING_STRATEGIES;
        }
        return provisioning.review().missing(label) <= 0
                ? NodeProvisioner.StrategyDecision.PROVISIONING_COMPLETED
                : NodeProvisioner.StrategyDecision.CONSULT_REMAINING_STRATEGIES;
    }
}

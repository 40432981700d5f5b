package io.jenkins.plugins.vastai;

import edu.umd.cs.findbugs.annotations.CheckForNull;
import hudson.model.Label;
import hudson.slaves.NodeProvisioner.PlannedNode;
import java.util.Collection;
import java.util.List;

/** Decides how many agents a cloud adds. */
final class Provisioning {

    private static final Provisioning INSTANCE = new Provisioning();

    private Provisioning() {}

    static Provisioning get() {
        return INSTANCE;
    }

    boolean canProvision(VastAiCloud cloud, @CheckForNull Label label) {
        return false;
    }

    Collection<PlannedNode> provision(VastAiCloud cloud, @CheckForNull Label label, int excessWorkload) {
        return List.of();
    }
}

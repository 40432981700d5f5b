package io.jenkins.plugins.vastai;

import hudson.BulkChange;
import hudson.slaves.NodeProvisioner.PlannedNode;
import io.jenkins.plugins.vastai.text.Reason;
import io.jenkins.plugins.vastai.text.Texts;
import java.io.IOException;
import java.util.Collection;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.jenkinsci.plugins.cloudstats.CloudStatistics;
import org.jenkinsci.plugins.cloudstats.PhaseExecutionAttachment.ExceptionAttachment;
import org.jenkinsci.plugins.cloudstats.ProvisioningActivity;
import org.jenkinsci.plugins.cloudstats.ProvisioningActivity.Phase;
import org.jenkinsci.plugins.cloudstats.ProvisioningActivity.Status;
import org.jenkinsci.plugins.cloudstats.TrackedItem;

/**
 * Records agents in the cloud statistics that Jenkins keeps for all kinds of clouds. They follow an agent by themselves
 * once they know of it; what they cannot see is told here. Each call writes a file: not under any lock.
 */
final class Statistics {

    private static final Logger LOGGER = Logger.getLogger(Statistics.class.getName());

    /** A reason in the form that the statistics take; where it was made says nothing. */
    private static final class Failure extends Exception {
        private static final long serialVersionUID = 1;

        Failure(Reason why) {
            super(Texts.render(why), null, false, false);
        }
    }

    /** What core is told of an agent that is recorded already: recorded once more it would never complete. */
    private static final class Registered extends PlannedNode implements TrackedItem {

        Registered(VastAiAgent agent) {
            super(agent.getNodeName(), new RegisteredAgent(agent), agent.getNumExecutors());
        }

        @Override
        public ProvisioningActivity.Id getId() {
            return null;
        }
    }

    private Statistics() {}

    static PlannedNode planned(VastAiAgent agent) {
        return new Registered(agent);
    }

    /** The agents are about to be added. One write for all of them: each writes everything that the statistics know. */
    static void started(Collection<VastAiAgent> agents) {
        try (BulkChange all = new BulkChange(CloudStatistics.get())) {
            agents.forEach(agent -> CloudStatistics.ProvisioningListener.get().onStarted(agent.getId()));
            all.commit();
        } catch (IOException | RuntimeException e) {
            LOGGER.log(Level.WARNING, "The cloud statistics cannot be written", e); // nobody waits for them
        }
    }

    /** The agent's rental failed, before it came online or after; does nothing when the activity is over. */
    static void failed(VastAiAgent agent, Reason why) {
        CloudStatistics statistics = CloudStatistics.get();
        ProvisioningActivity activity = statistics.getPotentiallyCompletedActivityFor(agent.getId());
        if (activity != null && activity.getCurrentPhase() != Phase.COMPLETED) {
            statistics.attach(
                    activity, activity.getCurrentPhase(), new ExceptionAttachment(Status.FAIL, new Failure(why)));
        }
    }
}

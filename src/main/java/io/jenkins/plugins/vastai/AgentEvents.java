package io.jenkins.plugins.vastai;

import edu.umd.cs.findbugs.annotations.CheckForNull;
import edu.umd.cs.findbugs.annotations.NonNull;
import hudson.Extension;
import hudson.model.Computer;
import hudson.model.Node;
import hudson.model.TaskListener;
import hudson.slaves.ComputerListener;
import hudson.slaves.OfflineCause;
import io.jenkins.plugins.vastai.rental.Rental;
import jenkins.model.Jenkins;
import jenkins.model.NodeListener;

/** Tells the fleet what becomes of its agents. */
final class AgentEvents {

    private AgentEvents() {}

    /** Online and offline. */
    @Extension
    public static final class Connections extends ComputerListener {

        @Override
        public void onOnline(Computer computer, TaskListener listener) {
            if (computer instanceof VastAiComputer ours) {
                ours.free();
                ours.fleet().ifPresent(fleet -> ours.rental().map(Rental::id).ifPresent(fleet::agentOnline));
            }
        }

        /** A controller that goes down disconnects every agent; that says nothing about them. */
        @Override
        public void onOffline(@NonNull Computer computer, @CheckForNull OfflineCause cause) {
            if (computer instanceof VastAiComputer ours && !Jenkins.get().isTerminating()) {
                ours.cut();
                ours.fleet().ifPresent(fleet -> ours.rental().map(Rental::id).ifPresent(fleet::agentOffline));
            }
        }
    }

    /** Whoever deletes the node, by hand, script or configuration, passes here. */
    @Extension
    public static final class Deletions extends NodeListener {

        @Override
        protected void onDeleted(@NonNull Node node) {
            if (node instanceof VastAiAgent agent) {
                agent.unwanted();
            }
        }
    }
}

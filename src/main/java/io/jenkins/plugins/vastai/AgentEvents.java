package io.jenkins.plugins.vastai;

import edu.umd.cs.findbugs.annotations.CheckForNull;
import edu.umd.cs.findbugs.annotations.NonNull;
import hudson.AbortException;
import hudson.Extension;
import hudson.FilePath;
import hudson.model.Computer;
import hudson.model.Node;
import hudson.model.TaskListener;
import hudson.remoting.Channel;
import hudson.slaves.ComputerListener;
import hudson.slaves.OfflineCause;
import io.jenkins.plugins.vastai.text.Texts;
import java.io.IOException;
import jenkins.model.Jenkins;
import jenkins.model.NodeListener;

/** Tells the fleet what becomes of its agents. */
final class AgentEvents {

    private AgentEvents() {}

    /** Online and offline; after other listeners, since what they do takes time in which a machine may be replaced. */
    @Extension(ordinal = -1000)
    public static final class Connections extends ComputerListener {

        /** A machine that was replaced while its agent started is about to be destroyed: the agent never comes online. */
        @Override
        public void preOnline(Computer computer, Channel channel, FilePath root, TaskListener listener)
                throws IOException {
            if (computer instanceof VastAiComputer ours && !ours.launchedOnPresentMachine()) {
                throw new AbortException(Texts.render(AgentText.ATTEMPT_OVER.of(ours.getName())));
            }
        }

        @Override
        public void onOnline(Computer computer, TaskListener listener) {
            if (computer instanceof VastAiComputer ours) {
                ours.free();
                ours.fleet().ifPresent(fleet -> ours.rental()
                        .ifPresent(rental -> fleet.agentOnline(rental.id(), ours.attempt())));
            }
        }

        /** A controller that goes down disconnects every agent; that says nothing about them. */
        @Override
        public void onOffline(@NonNull Computer computer, @CheckForNull OfflineCause cause) {
            if (computer instanceof VastAiComputer ours && !Jenkins.get().isTerminating()) {
                ours.cut();
                ours.fleet().ifPresent(fleet -> ours.rental()
                        .ifPresent(rental -> fleet.agentOffline(rental.id(), ours.attempt())));
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

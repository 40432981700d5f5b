package io.jenkins.plugins.vastai;

import edu.umd.cs.findbugs.annotations.CheckForNull;
import hudson.model.Node;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import jenkins.model.Jenkins;

/**
 * Tells core of an agent that is already in Jenkins. Core adds whatever a finished future gives, seconds later: a plain
 * one would bring an agent back that was removed meanwhile, without any machine.
 */
final class RegisteredAgent implements Future<Node> {

    private final VastAiAgent agent;

    RegisteredAgent(VastAiAgent agent) {
        this.agent = agent;
    }

    /** Null, which core takes for nothing to do, unless the agent is still there and wanted. */
    @CheckForNull
    @Override
    public Node get() {
        boolean registered = Jenkins.get().getNode(agent.getNodeName()) == agent;
        return registered && agent.rental().filter(rental -> rental.needed()).isPresent() ? agent : null;
    }

    @CheckForNull
    @Override
    public Node get(long timeout, TimeUnit unit) {
        return get();
    }

    @Override
    public boolean isDone() {
        return true;
    }

    @Override
    public boolean isCancelled() {
        return false;
    }

    @Override
    public boolean cancel(boolean mayInterruptIfRunning) {
        return false;
    }
}

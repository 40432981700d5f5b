package io.jenkins.plugins.vastai;

import edu.umd.cs.findbugs.annotations.NonNull;
import hudson.Extension;
import hudson.model.Descriptor;
import hudson.model.Executor;
import hudson.model.ExecutorListener;
import hudson.model.OneOffExecutor;
import hudson.model.Queue;
import hudson.model.Run;
import hudson.slaves.RetentionStrategy;
import java.util.Optional;
import java.util.logging.Level;
import java.util.logging.Logger;
import jenkins.model.Jenkins;
import org.jenkinsci.plugins.durabletask.executors.ContinuableExecutable;

/**
 * When an agent has served: after one build, or after some time without work. Starts nothing by itself: agents connect
 * when their machines are there.
 */
public class VastAiRetention extends RetentionStrategy<VastAiComputer> implements ExecutorListener {

    private static final Logger LOGGER = Logger.getLogger(VastAiRetention.class.getName());

    private final boolean oneShot;
    private final int idleMinutes;

    VastAiRetention(boolean oneShot, int idleMinutes) {
        this.oneShot = oneShot;
        this.idleMinutes = idleMinutes;
    }

    boolean oneShot() {
        return oneShot;
    }

    int idleMinutes() {
        return idleMinutes;
    }

    /** Called when the agent is added and at each start of Jenkins: there may be no machine yet. */
    @Override
    public void start(@NonNull VastAiComputer computer) {
        // the machine decides
    }

    @Override
    public boolean isManualLaunchAllowed(VastAiComputer computer) {
        return computer.isConnectable();
    }

    /** Runs under the queue lock, which nothing here may hold for long: only asks for a look. */
    @Override
    public long check(@NonNull VastAiComputer computer) {
        try {
            Fleets.lookup().ifPresent(fleets -> fleets.upkeep().soon());
        } catch (RuntimeException e) {
            LOGGER.log(Level.WARNING, e, () -> "Cannot look after " + computer.getName());
        }
        return 1;
    }

    @Override
    public void taskAccepted(Executor executor, Queue.Task task) {
        if (executor instanceof OneOffExecutor || !(executor.getOwner() instanceof VastAiComputer computer)) {
            return;
        }
        computer.taken();
        String by = run(executor, task).map(Run::getExternalizableId).orElseGet(task::getFullDisplayName);
        computer.fleet().ifPresent(fleet -> computer.rental().ifPresent(rental -> fleet.used(rental.id(), by)));
    }

    @Override
    public void taskCompleted(Executor executor, Queue.Task task, long durationMS) {
        done(executor);
    }

    @Override
    public void taskCompletedWithProblems(Executor executor, Queue.Task task, long durationMS, Throwable problems) {
        done(executor);
    }

    private void done(Executor executor) {
        if (executor instanceof OneOffExecutor || !(executor.getOwner() instanceof VastAiComputer computer)) {
            return;
        }
        computer.free();
        Queue.Executable executable = executor.getCurrentExecutable();
        if (!oneShot
                || (executable instanceof ContinuableExecutable continuable && continuable.willContinue())
                || Jenkins.get().isTerminating()) {
            return;
        }
        computer.retire(AgentText.BUILD_DONE.of(computer.getName()));
    }

    /** The run that a task belongs to. */
    static Optional<Run<?, ?>> run(Executor executor, Queue.Task task) {
        Queue.Executable owner = task.getOwnerExecutable();
        Queue.Executable executable = owner == null ? executor.getCurrentExecutable() : owner;
        return executable instanceof Run<?, ?> run ? Optional.of(run) : Optional.empty();
    }

    /** Not to be chosen by anybody. */
    @Extension
    public static class DescriptorImpl extends Descriptor<RetentionStrategy<?>> {
        @NonNull
        @Override
        public String getDisplayName() {
            return "Vast.ai";
        }
    }
}

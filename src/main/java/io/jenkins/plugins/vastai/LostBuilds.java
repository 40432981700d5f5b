package io.jenkins.plugins.vastai;

import hudson.Extension;
import hudson.model.AbstractBuild;
import hudson.model.AbstractProject;
import hudson.model.Action;
import hudson.model.BuildListener;
import hudson.model.BuildStepListener;
import hudson.model.Cause;
import hudson.model.CauseAction;
import hudson.model.Executor;
import hudson.model.Queue;
import hudson.model.Result;
import hudson.model.Run;
import hudson.model.TaskListener;
import hudson.model.TopLevelItem;
import hudson.model.listeners.RunListener;
import hudson.remoting.Channel;
import hudson.tasks.BuildStep;
import io.jenkins.plugins.vastai.rental.Fleet;
import io.jenkins.plugins.vastai.rental.Rental;
import io.jenkins.plugins.vastai.rental.RentalText;
import io.jenkins.plugins.vastai.text.Reason;
import io.jenkins.plugins.vastai.text.Texts;
import java.io.IOException;
import java.io.PrintStream;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.logging.Level;
import java.util.logging.Logger;
import jenkins.model.InterruptedBuildAction;
import jenkins.security.MasterToSlaveCallable;

/**
 * Builds whose machine was lost are told in their own logs what happened. A pipeline hears it when its agent is taken
 * away, and retries where it says so. Any other build ends by itself when its connection breaks: it hears it at its end,
 * and is queued again where its template says so.
 */
final class LostBuilds {

    private static final Logger LOGGER = Logger.getLogger(LostBuilds.class.getName());

    private static final Duration LOOK = Duration.ofMillis(100);

    private LostBuilds() {}

    /** Tells every pipeline that has a part on the computer. */
    static void tell(VastAiComputer computer, Rental over) {
        Set<Queue.Executable> builds = new HashSet<>();
        for (Executor executor : computer.getExecutors()) {
            Queue.Executable part = executor.getCurrentExecutable();
            Queue.Executable build = part == null ? null : part.getParentExecutable();
            if (build != null && builds.add(build)) {
                try {
                    Optional<PrintStream> log = BuildConsole.find(build);
                    log.ifPresent(stream -> stream.println(lost(over, over.why())));
                } catch (IOException e) {
                    LOGGER.log(Level.FINE, e, () -> "Cannot write to the log of " + build);
                }
            }
        }
    }

    private static String lost(Rental rental, Reason why) {
        return BuildConsole.line(
                rental.order().cloud(),
                AgentText.LOST_UNDER_BUILD.of(rental.order().agent(), why));
    }

    /** Remembers when builds failed while their machine was there. */
    @Extension
    public static final class Steps extends BuildStepListener {

        @Override
        @SuppressWarnings("rawtypes") // as declared
        public void started(AbstractBuild build, BuildStep step, BuildListener listener) {
            // nothing is lost yet
        }

        @Override
        @SuppressWarnings("rawtypes") // as declared
        public void finished(AbstractBuild build, BuildStep step, BuildListener listener, boolean canContinue) {
            if (!canContinue) {
                computer().filter(VastAiComputer::reachesMachine).ifPresent(here -> here.failed(build));
            }
        }
    }

    /** Looks at builds of which a machine's connection was all they had. */
    @Extension
    public static final class Ends extends RunListener<Run<?, ?>> {

        @Override
        public void onCompleted(Run<?, ?> run, TaskListener listener) {
            Result result = run.getResult();
            if (run instanceof AbstractBuild<?, ?> build && result != null && result.isWorseThan(Result.UNSTABLE)) {
                computer().filter(computer -> isLost(build, computer)).ifPresent(computer -> computer.rental()
                        .ifPresent(rental -> ended(build, computer, rental, listener)));
            }
        }
    }

    /**
     * Whether the machine is gone, and was when the build failed. What runs on a machine that is stopped dies a moment
     * before the connection, and looks as if it had failed by itself. So the agent is asked once whether it is there: if
     * it answers and nothing else says that the machine is lost, the failure is the build's own, and nobody waits. Else
     * only if the machine outlives the build by that moment is the failure its own.
     */
    private static boolean isLost(AbstractBuild<?, ?> build, VastAiComputer computer) {
        Duration moment = Fleets.get().tuning().hindsight();
        Instant failed = computer.failedAt(build).orElse(Instant.MIN);
        if (failed.equals(Instant.MIN)) {
            return !computer.reachesMachine();
        }
        Instant end = failed.plus(moment);
        if (!signOfLoss(computer) && answers(computer, end) && !signOfLoss(computer)) {
            return false;
        }
        while (computer.reachesMachine() && Instant.now().isBefore(end)) {
            try {
                Thread.sleep(LOOK.toMillis());
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return false;
            }
        }
        return !computer.reachesMachine() && !computer.cutAt().orElse(failed).isAfter(end);
    }

    private static boolean signOfLoss(VastAiComputer computer) {
        return !computer.reachesMachine()
                || computer.isOffline()
                || computer.rental().filter(Rental::needed).isEmpty();
    }

    /** Whether the agent answers until then, and is not about to end. */
    private static boolean answers(VastAiComputer computer, Instant end) {
        Channel channel = computer.getChannel();
        if (channel == null) {
            return false;
        }
        long left = Math.max(1, Duration.between(Instant.now(), end).toMillis());
        try {
            return channel.callAsync(new Alive()).get(left, TimeUnit.MILLISECONDS);
        } catch (IOException | ExecutionException | TimeoutException e) {
            LOGGER.log(Level.FINE, e, () -> computer.getName() + " does not answer");
            return false;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    /** False in a process that was told to end: it does not take the hook. */
    private static final class Alive extends MasterToSlaveCallable<Boolean, IOException> {
        private static final long serialVersionUID = 1;

        @Override
        public Boolean call() {
            Thread hook = new Thread();
            try {
                Runtime.getRuntime().addShutdownHook(hook);
                Runtime.getRuntime().removeShutdownHook(hook);
                return true;
            } catch (IllegalStateException e) {
                return false;
            }
        }
    }

    private static Optional<VastAiComputer> computer() {
        Executor executor = Executor.currentExecutor();
        return executor != null && executor.getOwner() instanceof VastAiComputer computer
                ? Optional.of(computer)
                : Optional.empty();
    }

    private static void ended(
            AbstractBuild<?, ?> build, VastAiComputer computer, Rental rental, TaskListener listener) {
        Reason why = why(computer, rental);
        listener.getLogger().println(lost(rental, why));
        Optional<Fleet> fleet = computer.fleet();
        if (computer.oneShot()) {
            // Of no use to anybody: given up at once, with what happened in its story.
            fleet.ifPresent(known -> known.fail(rental.id(), why));
        }
        boolean lost = rental(computer, rental)
                .filter(now -> now.needed() || now.failed())
                .isPresent();
        if (lost && !why.is(RentalText.LIFETIME_OVER) && build.getAction(InterruptedBuildAction.class) == null) {
            queueAgain(build, rental, why, listener);
        }
    }

    private static Optional<Rental> rental(VastAiComputer computer, Rental before) {
        return computer.fleet().flatMap(fleet -> fleet.rental(before.id()));
    }

    /** Waits for the market's word: only the executor of a machine that is lost does that, and not for long. */
    private static Reason why(VastAiComputer computer, Rental rental) {
        if (!rental.needed()) {
            return rental.why();
        }
        Duration limit = Fleets.get().tuning().verdict();
        Optional<CompletableFuture<Reason>> answer = computer.fleet().map(fleet -> fleet.explain(rental.id()));
        if (answer.isPresent()) {
            try {
                return answer.get().get(limit.toMillis(), TimeUnit.MILLISECONDS);
            } catch (TimeoutException | ExecutionException e) {
                LOGGER.log(Level.FINE, e, () -> "Nobody knows what became of " + computer.getName());
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            } finally {
                answer.get().cancel(false);
            }
        }
        return AgentText.MARKET_SILENT.of(limit.toSeconds());
    }

    private static void queueAgain(AbstractBuild<?, ?> build, Rental rental, Reason why, TaskListener listener) {
        int limit = limit(rental);
        AbstractProject<?, ?> job = build.getProject();
        // A part of something larger would not be missed by nobody: whoever started it still waits for the lost one.
        if (limit == 0 || !(job instanceof TopLevelItem) || !job.isBuildable()) {
            return;
        }
        QueuedAgain before = build.getAction(QueuedAgain.class);
        int times = before == null ? 0 : before.times();
        String cloud = rental.order().cloud();
        if (times >= limit) {
            Reason no = AgentText.NOT_QUEUED_AGAIN.of(limit, rental.order().template());
            listener.getLogger().println(BuildConsole.line(cloud, no));
            return;
        }
        List<Cause> causes = new ArrayList<>(build.getCauses());
        causes.removeIf(MachineLostCause.class::isInstance);
        causes.add(new MachineLostCause(build.getFullDisplayName(), Texts.render(why)));
        // What came with the order: parameters, a revision.
        List<Action> actions = new ArrayList<>(build.getActions(Queue.QueueAction.class));
        actions.add(new CauseAction(causes));
        actions.add(new QueuedAgain(times + 1));
        Queue.getInstance().schedule2(job, 0, actions);
        listener.getLogger().println(BuildConsole.line(cloud, AgentText.QUEUED_AGAIN.of(times + 1, limit)));
    }

    /** As the template says now; 0 when it is gone. */
    private static int limit(Rental rental) {
        return Fleets.clouds().stream()
                .filter(cloud -> cloud.getName().equals(rental.order().cloud()))
                .flatMap(cloud -> cloud.template(rental.order().template()).stream())
                .map(VastAiTemplate::getRequeueLimit)
                .findFirst()
                .orElse(0);
    }
}

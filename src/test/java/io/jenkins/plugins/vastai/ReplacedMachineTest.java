package io.jenkins.plugins.vastai;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import hudson.FilePath;
import hudson.model.AbstractBuild;
import hudson.model.BuildListener;
import hudson.model.BuildStepListener;
import hudson.model.Computer;
import hudson.model.FreeStyleBuild;
import hudson.model.FreeStyleProject;
import hudson.model.Label;
import hudson.model.Result;
import hudson.model.Run;
import hudson.model.TaskListener;
import hudson.model.listeners.RunListener;
import hudson.remoting.Channel;
import hudson.slaves.ComputerListener;
import hudson.tasks.BuildStep;
import hudson.tasks.Shell;
import io.jenkins.plugins.vastai.rental.Rental;
import io.jenkins.plugins.vastai.rental.RentalText;
import io.jenkins.plugins.vastai.rental.State;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import okhttp3.Interceptor;
import okhttp3.Response;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.jvnet.hudson.test.JenkinsRule;
import org.jvnet.hudson.test.TestExtension;
import org.jvnet.hudson.test.junit.jupiter.WithJenkins;

/** Agents that come late, and builds that fail by themselves. */
@Timeout(240)
@WithJenkins
class ReplacedMachineTest {

    @RegisterExtension
    final RentedMachines machines =
            new RentedMachines(builder -> builder.boot(Duration.ofSeconds(2))).through(this::call);

    /** The market takes its time to destroy, or the connection to the replaced machine would break by itself. */
    private volatile boolean destroysLate;

    private Response call(Interceptor.Chain chain) throws IOException {
        if (destroysLate && chain.request().method().equals("DELETE")) {
            throw new IOException("not now");
        }
        return chain.proceed(chain.request());
    }

    /** While the first agent connects, its machine is replaced; the first of two moments, or the second. */
    @TestExtension("anAgentThatComesOnlineOnAReplacedMachineTakesNoBuild")
    public static final class ReplacedBefore extends Replacing {
        public ReplacedBefore() {
            super(true);
        }
    }

    @TestExtension("anAgentWhoseMachineIsReplacedAtTheVeryMomentLeavesIt")
    public static final class ReplacedAfter extends Replacing {
        public ReplacedAfter() {
            super(false);
        }
    }

    /** Replaces the machine of the agent that connects first. */
    abstract static class Replacing extends ComputerListener {

        private final boolean before;
        private final AtomicBoolean done = new AtomicBoolean();
        final Queue<String> online = new ConcurrentLinkedQueue<>();

        Replacing(boolean before) {
            this.before = before;
        }

        @Override
        public void preOnline(Computer computer, Channel channel, FilePath root, TaskListener listener) {
            if (before) {
                replace(computer);
            }
        }

        @Override
        public void onOnline(Computer computer, TaskListener listener) {
            if (computer instanceof VastAiComputer ours) {
                online.add(String.valueOf(ours.attempt()));
                if (!before) {
                    replace(computer);
                }
            }
        }

        private void replace(Computer computer) {
            if (computer instanceof VastAiComputer ours && done.compareAndSet(false, true)) {
                ours.machineRefused(RentalText.VANISHED.of("?"));
                await().atMost(RentedMachines.PATIENCE)
                        .until(() -> ours.rental().map(Rental::state).orElse(State.FAILED) != State.REACHABLE);
            }
        }
    }

    @Test
    void anAgentThatComesOnlineOnAReplacedMachineTakesNoBuild(JenkinsRule j) throws Exception {
        assertEquals(List.of("2"), served(j));
    }

    @Test
    void anAgentWhoseMachineIsReplacedAtTheVeryMomentLeavesIt(JenkinsRule j) throws Exception {
        assertEquals(List.of("1", "2"), served(j));
    }

    /** @return attempts whose agent came online */
    private List<String> served(JenkinsRule j) throws Exception {
        machines.cloud(RentedMachines.template("gpu", "gpu"));
        FreeStyleProject project = project(j, "echo machine $VASTAI_MACHINE_ID");
        destroysLate = true;

        FreeStyleBuild build = get(project.scheduleBuild2(0));

        destroysLate = false;
        j.assertBuildStatusSuccess(build);
        machines.nothingLeft();
        Rental rental = RentedMachines.rentals().get(0);
        assertEquals(1, RentedMachines.rentals().size(), RentedMachines::stories);
        assertEquals(2, rental.attempt(), RentedMachines::stories);
        j.assertLogContains("machine " + rental.draws().get(1).machineId(), build);
        return ComputerListener.all().stream()
                .filter(Replacing.class::isInstance)
                .flatMap(listener -> ((Replacing) listener).online.stream())
                .toList();
    }

    /** How long builds held their executors after their last steps. */
    @TestExtension("aBuildThatFailsByItselfDoesNotHoldItsExecutor")
    public static final class Steps extends BuildStepListener {
        private static final Queue<Duration> HELD = new ConcurrentLinkedQueue<>();
        private static volatile Instant last;

        @Override
        @SuppressWarnings("rawtypes") // as declared
        public void started(AbstractBuild build, BuildStep step, BuildListener listener) {
            // its end counts
        }

        @Override
        @SuppressWarnings("rawtypes") // as declared
        public void finished(AbstractBuild build, BuildStep step, BuildListener listener, boolean canContinue) {
            last = Instant.now();
        }
    }

    @TestExtension("aBuildThatFailsByItselfDoesNotHoldItsExecutor")
    public static final class Ends extends RunListener<Run<?, ?>> {
        @Override
        public void onFinalized(Run<?, ?> run) {
            Steps.HELD.add(Duration.between(Steps.last, Instant.now()));
        }
    }

    /** The executor of a machine that is there is free at once for the next build. */
    @Test
    void aBuildThatFailsByItselfDoesNotHoldItsExecutor(JenkinsRule j) throws Exception {
        VastAiTemplate template = RentedMachines.template("gpu", "gpu");
        template.setOneShot(false);
        template.setIdleMinutes(30);
        machines.cloud(template);
        FreeStyleProject project = project(j, "exit 1");
        j.assertBuildStatus(Result.FAILURE, get(project.scheduleBuild2(0)));

        j.assertBuildStatus(Result.FAILURE, get(project.scheduleBuild2(0)));

        Duration hindsight = Fleets.get().tuning().hindsight();
        List<Duration> held = List.copyOf(Steps.HELD);
        assertEquals(2, held.size());
        assertTrue(held.get(1).compareTo(hindsight) < 0, held::toString);
        machines.giveBack();
    }

    /** What is on its way into Jenkins when the fleets stop is no capacity that is on its way for ever after. */
    @Test
    void anAgentThatNeverArrivedIsNotWaitedFor(JenkinsRule j) throws Exception {
        machines.cloud(RentedMachines.template("gpu", "gpu"));
        CountDownLatch never = new CountDownLatch(1);
        for (int i = 0; i < 16; i++) {
            Fleets.get().later(() -> {
                try {
                    never.await();
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                }
            });
        }
        FreeStyleProject project = project(j, "echo here");
        Future<FreeStyleBuild> building = project.scheduleBuild2(0);
        await().atMost(RentedMachines.PATIENCE)
                .until(() -> !RentedMachines.rentals().isEmpty());
        String agent = RentedMachines.rentals().get(0).order().agent();
        assertTrue(Provisioning.get().arriving(agent));

        String before = Fleets.get().identity().orElseThrow().id();
        Fleets.get().renewIdentity();

        assertFalse(Provisioning.get().arriving(agent));
        j.assertBuildStatusSuccess(get(building));
        never.countDown();
        // What the old identity rented before it was given up is another controller's for the new one.
        machines.simulator().books().left().stream()
                .filter(entry -> entry.label().contains(before))
                .forEach(entry -> machines.simulator().destroyFromOutside(entry.id()));
        machines.nothingLeft();
    }

    private static FreeStyleProject project(JenkinsRule j, String command) throws Exception {
        FreeStyleProject project = j.createFreeStyleProject();
        project.setAssignedLabel(Label.get("gpu"));
        project.getBuildersList().add(new Shell(command));
        return project;
    }

    private static FreeStyleBuild get(Future<FreeStyleBuild> build) throws Exception {
        return build.get(RentedMachines.PATIENCE.toSeconds(), TimeUnit.SECONDS);
    }
}

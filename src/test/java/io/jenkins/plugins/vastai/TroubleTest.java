package io.jenkins.plugins.vastai;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import hudson.model.Computer;
import hudson.model.FreeStyleBuild;
import hudson.model.FreeStyleProject;
import hudson.model.Label;
import hudson.model.Slave;
import hudson.slaves.ComputerRetentionWork;
import hudson.slaves.DumbSlave;
import hudson.slaves.JNLPLauncher;
import hudson.slaves.OfflineCause;
import hudson.slaves.RetentionStrategy;
import hudson.slaves.SlaveComputer;
import hudson.tasks.Shell;
import io.jenkins.plugins.vastai.rental.Rental;
import io.jenkins.plugins.vastai.rental.State;
import io.jenkins.plugins.vastai.simulator.Endpoint;
import io.jenkins.plugins.vastai.simulator.Fault;
import io.jenkins.plugins.vastai.simulator.Request;
import io.jenkins.plugins.vastai.ssh.SshText;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import jenkins.model.Jenkins;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.jvnet.hudson.test.JenkinsRule;
import org.jvnet.hudson.test.junit.jupiter.WithJenkins;

/** One machine's trouble is nobody else's, and no agent is left over when its machine is gone. */
@Timeout(300)
@WithJenkins
class TroubleTest {

    @RegisterExtension
    final RentedMachines machines = new RentedMachines(builder -> builder, Duration.ofSeconds(3));

    @Test
    void anAgentWhoseCallsFailHoldsUpNeitherOthersNorThePeriodicWork(JenkinsRule j) throws Exception {
        machines.cloud(RentedMachines.template("gpu", "gpu"));
        FreeStyleProject one = project(j, RentedMachines.WAIT);
        FreeStyleProject two = project(j, RentedMachines.WAIT);
        Future<FreeStyleBuild> first = one.scheduleBuild2(0);
        Rental broken = RentedMachines.inService();
        Future<FreeStyleBuild> second = two.scheduleBuild2(0);
        Rental sound = RentedMachines.inServiceAfter(broken.id());
        machines.untilBegun(broken, one.getName());
        machines.untilBegun(sound, two.getName());
        var fault = machines.simulator()
                .faults()
                .add(Fault.of(Fault.Kind.SERVER_ERROR)
                        .endpoint(Endpoint.DESTROY)
                        .instance(broken.current().orElseThrow().instanceId()));
        machines.letGo(broken, one.getName());
        get(first);
        await().atMost(RentedMachines.PATIENCE).until(() -> fault.hits() >= 2);

        machines.letGo(sound, two.getName());
        get(second);

        await().alias("the other machine is destroyed meanwhile")
                .atMost(RentedMachines.PATIENCE)
                .until(() -> state(sound) == State.DESTROYED);
        assertEquals(State.RETIRING, state(broken));
        assertTrue(RentedMachines.agents().isEmpty(), "nor is any agent left");
        counting(j);
        int before = Counting.CHECKS.get();
        new ComputerRetentionWork().doRun();
        assertTrue(Counting.CHECKS.get() > before, "every computer is looked at");
        fault.remove();
        machines.nothingLeft();
    }

    @Test
    void aMachineThatVanishesWhileItBootsIsReplacedUnderTheSameAgent(JenkinsRule j) throws Exception {
        machines.cloud(RentedMachines.template("gpu", "gpu"));
        machines.simulator().faults().add(Fault.of(Fault.Kind.STUCK_LOADING).once());
        Future<FreeStyleBuild> building = project(j, "echo here").scheduleBuild2(0);
        await().atMost(RentedMachines.PATIENCE)
                .until(() -> RentedMachines.rentals().stream().anyMatch(rental -> rental.state() == State.BOOTING));
        Rental rental = RentedMachines.rentals().get(0);

        machines.simulator().destroyFromOutside(rental.current().orElseThrow().instanceId());

        FreeStyleBuild build = j.assertBuildStatusSuccess(get(building));
        assertEquals(rental.order().agent(), build.getBuiltOnStr());
        machines.nothingLeft();
    }

    @Test
    void anotherHostKeyAtTheMachinesAddressIsCalledThatAndTheMachineReplaced(JenkinsRule j) throws Exception {
        VastAiTemplate template = RentedMachines.template("gpu", "gpu");
        template.setOneShot(false);
        template.setIdleMinutes(1000);
        template.setMaxLifetimeMinutes(2000);
        machines.cloud(template);
        FreeStyleProject project = project(j, "echo here");
        FreeStyleBuild first = j.assertBuildStatusSuccess(get(project.scheduleBuild2(0)));
        Rental rental = RentedMachines.inService();
        machines.simulator()
                .faults()
                .add(Fault.of(Fault.Kind.HOST_KEY_CHANGES)
                        .instance(rental.current().orElseThrow().instanceId()));

        VastAiComputer.of(rental).orElseThrow().disconnect(new OfflineCause.ByCLI("test"));

        await().atMost(RentedMachines.PATIENCE).until(() -> state(rental).ended());
        Rental over = RentedMachines.rentals().get(0);
        assertTrue(over.failed());
        assertTrue(over.why().is(SshText.HOST_KEY_CHANGED), RentedMachines::stories);
        FreeStyleBuild second = j.assertBuildStatusSuccess(get(project.scheduleBuild2(0)));
        assertNotEquals(first.getBuiltOnStr(), second.getBuiltOnStr());
        machines.giveBack();
    }

    @Test
    void anAgentWhoseMachineVanishesWhileItIsIdleIsRemoved(JenkinsRule j) throws Exception {
        VastAiTemplate template = RentedMachines.template("gpu", "gpu");
        template.setOneShot(false);
        template.setIdleMinutes(1000);
        template.setMaxLifetimeMinutes(2000);
        machines.cloud(template);
        FreeStyleProject project = project(j, "echo here");
        FreeStyleBuild first = j.assertBuildStatusSuccess(get(project.scheduleBuild2(0)));
        Rental rental = RentedMachines.inService();

        machines.simulator().destroyFromOutside(rental.current().orElseThrow().instanceId());

        machines.nothingLeft();
        assertTrue(RentedMachines.rentals().get(0).failed());
        FreeStyleBuild second = j.assertBuildStatusSuccess(get(project.scheduleBuild2(0)));
        assertNotEquals(first.getBuiltOnStr(), second.getBuiltOnStr());
        machines.giveBack();
    }

    @Test
    void anAgentThatSomebodyTookOfflineKeepsItsMachine(JenkinsRule j) throws Exception {
        VastAiTemplate template = RentedMachines.template("gpu", "gpu");
        template.setOneShot(false);
        machines.cloud(template);
        FreeStyleProject project = project(j, "echo here");
        get(project.scheduleBuild2(0));
        Rental rental = RentedMachines.inService();
        VastAiComputer computer = VastAiComputer.of(rental).orElseThrow();

        computer.setTemporaryOfflineCause(new OfflineCause.UserCause(null, "a look at it"));
        Thread.sleep(4_000); // longer than any grace

        assertEquals(State.IN_SERVICE, state(rental));
        assertTrue(computer.isTemporarilyOffline());
        machines.giveBack();
    }

    @Test
    void theFirstMachinesFailAtCreateAtBootAndOnceReachedAndTheNextServes(JenkinsRule j) throws Exception {
        machines.cloud(RentedMachines.template("gpu", "gpu"));
        machines.simulator().faults().add(Fault.of(Fault.Kind.OFFER_GONE).once());
        machines.simulator().faults().add(Fault.of(Fault.Kind.EXITED_IN_BOOT).once());
        // The first of the two is that which exits.
        machines.simulator().faults().add(Fault.of(Fault.Kind.WRONG_GPU).times(2));

        FreeStyleBuild build =
                j.assertBuildStatusSuccess(get(project(j, "echo here").scheduleBuild2(0)));

        Rental rental = RentedMachines.rentals().get(0);
        assertEquals(rental.order().agent(), build.getBuiltOnStr());
        machines.nothingLeft();
        List<Request> creates = machines.simulator().requests(Endpoint.CREATE);
        assertTrue(creates.size() >= 4, RentedMachines::stories);
        Set<Long> tried = new HashSet<>();
        RentedMachines.rentals().get(0).draws().forEach(draw -> tried.add(draw.machineId()));
        assertEquals(
                RentedMachines.rentals().get(0).draws().size(),
                tried.size(),
                "no bad machine twice: " + RentedMachines.stories());
    }

    /** Core's own look at all agents ends for ever with the first exception: nothing here may hang on it. */
    @Test
    void anAgentWhoseCheckThrowsEndsNoCleaning(JenkinsRule j) throws Exception {
        VastAiTemplate template = RentedMachines.template("gpu", "gpu");
        template.setOneShot(false);
        template.setIdleMinutes(1);
        machines.cloud(template);
        FreeStyleProject project = project(j, RentedMachines.WAIT);
        Future<FreeStyleBuild> building = project.scheduleBuild2(0);
        Rental rental = RentedMachines.inService();
        machines.untilBegun(rental, project.getName());

        ((VastAiAgent) RentedMachines.node(rental).orElseThrow()).setRetentionStrategy(new ThrowingCheck());
        Jenkins.get().addNode(new Broken());
        assertThrows(IllegalStateException.class, () -> new ComputerRetentionWork().doRun());
        Broken.broken = true;
        try {
            machines.letGo(rental, project.getName());
            j.assertBuildStatusSuccess(get(building));

            machines.nothingLeft();
        } finally {
            Broken.broken = false;
        }
        assertTrue(RentedMachines.tells(RentedMachines.rentals().get(0), "without work for 1 min"));
    }

    /** Ours, and fails. */
    static final class ThrowingCheck extends VastAiRetention {

        ThrowingCheck() {
            super(false, 1);
        }

        @Override
        public long check(VastAiComputer computer) {
            throw new IllegalStateException("check of " + computer.getName());
        }
    }

    /** An agent of another plugin, of which one question is answered by an exception. */
    static final class Broken extends Slave {

        private static final long serialVersionUID = 1;

        static volatile boolean broken;

        Broken() throws Exception {
            super("broken", "/tmp/broken", new JNLPLauncher());
            setRetentionStrategy(RetentionStrategy.NOOP);
        }

        @Override
        public Computer createComputer() {
            return new SlaveComputer(this) {
                @Override
                public boolean isConnecting() {
                    if (broken) {
                        throw new IllegalStateException("is it connecting?");
                    }
                    return super.isConnecting();
                }
            };
        }
    }

    private static State state(Rental rental) {
        return RentedMachines.rentals().stream()
                .filter(now -> now.id().equals(rental.id()))
                .findFirst()
                .orElseThrow()
                .state();
    }

    /** Counts how often its agent is looked at. */
    static final class Counting extends RetentionStrategy<SlaveComputer> {

        static final AtomicInteger CHECKS = new AtomicInteger();

        @Override
        public long check(SlaveComputer computer) {
            CHECKS.incrementAndGet();
            return 0;
        }

        @Override
        public void start(SlaveComputer computer) {
            // never
        }
    }

    /** An agent of another kind. */
    private static void counting(JenkinsRule j) throws Exception {
        DumbSlave other = new DumbSlave("other", "/tmp/other", j.createComputerLauncher(null));
        other.setRetentionStrategy(new Counting());
        Jenkins.get().addNode(other);
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

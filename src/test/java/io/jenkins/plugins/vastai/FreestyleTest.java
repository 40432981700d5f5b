package io.jenkins.plugins.vastai;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import hudson.model.FreeStyleBuild;
import hudson.model.FreeStyleProject;
import hudson.model.Label;
import hudson.model.Result;
import hudson.tasks.Shell;
import io.jenkins.plugins.vastai.rental.Rental;
import io.jenkins.plugins.vastai.rental.State;
import java.time.Duration;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.jvnet.hudson.test.JenkinsRule;
import org.jvnet.hudson.test.junit.jupiter.WithJenkins;

@Timeout(240)
@WithJenkins
class FreestyleTest {

    @RegisterExtension
    final RentedMachines machines = new RentedMachines(builder -> builder, Duration.ofSeconds(5));

    @Test
    void aBuildRunsOnARentedContainerWhichIsDestroyedAfterwards(JenkinsRule j) throws Exception {
        machines.cloud(RentedMachines.template("gpu", "gpu cuda"));
        FreeStyleProject project = project(j, "gpu", "echo rental $VASTAI_RENTAL at $VASTAI_PRICE_PER_HOUR");

        FreeStyleBuild build = get(project.scheduleBuild2(0));

        j.assertBuildStatusSuccess(build);
        machines.nothingLeft();
        Rental rental = RentedMachines.rentals().get(0);
        assertEquals(1, RentedMachines.rentals().size(), RentedMachines::stories);
        assertEquals(State.DESTROYED, rental.state());
        assertEquals(build.getExternalizableId(), rental.usedBy());
        assertEquals(rental.order().agent(), build.getBuiltOnStr());
        j.assertLogContains("rental " + rental.id() + " at 0.", build);
        assertEquals(1, machines.simulator().books().maximumAlive(), "one machine for one build");
    }

    @Test
    void aBuildRunsOnARentedVirtualMachine(JenkinsRule j) throws Exception {
        machines.cloud(RentedMachines.vm("vm", "vm"));

        j.assertBuildStatusSuccess(get(project(j, "vm", "echo here").scheduleBuild2(0)));

        machines.nothingLeft();
        assertTrue(machines.simulator().instances().get(0).vm());
    }

    @Test
    void twoBuildsAtOnceHaveAMachineEach(JenkinsRule j) throws Exception {
        machines.cloud(RentedMachines.template("gpu", "gpu"));

        Future<FreeStyleBuild> one = project(j, "gpu", "echo one").scheduleBuild2(0);
        Future<FreeStyleBuild> two = project(j, "gpu", "echo two").scheduleBuild2(0);

        assertNotEquals(
                j.assertBuildStatusSuccess(get(one)).getBuiltOnStr(),
                j.assertBuildStatusSuccess(get(two)).getBuiltOnStr());
        machines.nothingLeft();
        assertEquals(2, machines.simulator().instances().size(), RentedMachines::stories);
    }

    @Test
    void anAgentThatIsNotOneShotServesAgainAndGoesAfterItsIdleTime(JenkinsRule j) throws Exception {
        VastAiTemplate template = RentedMachines.template("gpu", "gpu");
        template.setOneShot(false);
        template.setIdleMinutes(1);
        machines.cloud(template);
        FreeStyleProject project = project(j, "gpu", "echo here");

        String first =
                j.assertBuildStatusSuccess(get(project.scheduleBuild2(0))).getBuiltOnStr();
        String second =
                j.assertBuildStatusSuccess(get(project.scheduleBuild2(0))).getBuiltOnStr();

        assertEquals(first, second);
        VastAiAgent agent = RentedMachines.agents().get(0);
        VastAiComputer computer = (VastAiComputer) agent.toComputer();
        assertTrue(computer.isOnline(), "still there, idle");
        await().until(() -> computer.idleSince().isPresent());
        machines.nothingLeft();
        assertTrue(RentedMachines.tells(RentedMachines.rentals().get(0), "without work for 1 min"));
        assertEquals(1, machines.simulator().instances().size());
    }

    @Test
    void anAgentWorksToTheEndOfItsBuildAndThenGoesWhenItsLifetimeIsOver(JenkinsRule j) throws Exception {
        VastAiTemplate template = RentedMachines.template("gpu", "gpu");
        template.setOneShot(false);
        template.setIdleMinutes(1000);
        template.setMaxLifetimeMinutes(4);
        machines.cloud(template);
        FreeStyleProject project = project(j, "gpu", RentedMachines.WAIT);
        Future<FreeStyleBuild> building = project.scheduleBuild2(0);
        Rental rental = RentedMachines.inService();
        machines.untilBegun(rental, project.getName());
        VastAiComputer computer = VastAiComputer.of(rental).orElseThrow();

        await().atMost(RentedMachines.PATIENCE).until(() -> !computer.isAcceptingTasks());

        assertTrue(computer.isOnline(), "the build goes on");
        machines.letGo(rental, project.getName());
        j.assertBuildStatusSuccess(get(building));
        machines.nothingLeft();
        assertTrue(RentedMachines.tells(RentedMachines.rentals().get(0), "its longest lifetime"));
    }

    @Test
    void aBuildWhoseHostVanishesFailsAndItsMachineIsDestroyed(JenkinsRule j) throws Exception {
        machines.cloud(RentedMachines.template("gpu", "gpu"));
        FreeStyleProject project = project(j, "gpu", RentedMachines.WAIT);
        Future<FreeStyleBuild> building = project.scheduleBuild2(0);
        Rental rental = RentedMachines.inService();
        machines.untilBegun(rental, project.getName());

        machines.simulator().hostOffline(rental.current().orElseThrow().instanceId());

        j.assertBuildStatus(Result.FAILURE, get(building));
        machines.nothingLeft();
    }

    private static FreeStyleProject project(JenkinsRule j, String label, String command) throws Exception {
        FreeStyleProject project = j.createFreeStyleProject();
        project.setAssignedLabel(Label.get(label));
        project.getBuildersList().add(new Shell(command));
        return project;
    }

    private static FreeStyleBuild get(Future<FreeStyleBuild> build) throws Exception {
        return build.get(RentedMachines.PATIENCE.toSeconds(), TimeUnit.SECONDS);
    }
}

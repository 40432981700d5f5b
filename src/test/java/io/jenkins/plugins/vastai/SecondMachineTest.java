package io.jenkins.plugins.vastai;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import hudson.model.FreeStyleBuild;
import hudson.model.FreeStyleProject;
import hudson.model.Label;
import hudson.tasks.Shell;
import io.jenkins.plugins.vastai.rental.Rental;
import io.jenkins.plugins.vastai.rental.State;
import io.jenkins.plugins.vastai.simulator.Fault;
import java.time.Duration;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.jvnet.hudson.test.JenkinsRule;
import org.jvnet.hudson.test.junit.jupiter.WithJenkins;

/** A second machine beside a slow one: the first that serves is kept, the other goes, and work counts once. */
@Timeout(300)
@WithJenkins
class SecondMachineTest {

    @RegisterExtension
    final RentedMachines machines =
            new RentedMachines(builder -> builder.boot(Duration.ofSeconds(8)), Duration.ofSeconds(2));

    @Test
    void theBuildRunsOnTheSecondMachineWhenTheFirstDoesNotCome(JenkinsRule j) throws Exception {
        machines.cloud(template());
        machines.simulator().faults().add(Fault.of(Fault.Kind.STUCK_LOADING).once());

        FreeStyleBuild build = j.assertBuildStatusSuccess(queue(j, "echo here").get(240, TimeUnit.SECONDS));

        Rental first = oldest();
        Rental second = secondOf(first);
        assertEquals(second.order().agent(), build.getBuiltOnStr());
        await().atMost(RentedMachines.PATIENCE).until(() -> !fresh(first).needed());
        assertTrue(fresh(first).why().is(AgentText.SLOWER), RentedMachines::stories);
        assertFalse(fresh(first).failed(), "a slow machine is no failure");
        machines.nothingLeft();
        assertEquals(2, RentedMachines.rentals().size(), "one item, one machine and its second");
    }

    @Test
    void theSecondMachineGoesWhenTheFirstServes(JenkinsRule j) throws Exception {
        machines.cloud(template());
        Future<FreeStyleBuild> building = queue(j, RentedMachines.WAIT);
        await().atMost(RentedMachines.PATIENCE)
                .until(() -> RentedMachines.rentals().stream().anyMatch(rental -> rental.state() == State.BOOTING));
        var stuck = machines.simulator().faults().add(Fault.of(Fault.Kind.STUCK_LOADING));
        await().atMost(RentedMachines.PATIENCE)
                .until(() -> RentedMachines.rentals().size() == 2);
        Rental first = oldest();
        Rental second = secondOf(first);

        Rental serving = RentedMachines.inService();
        assertEquals(first.id(), serving.id());
        await().atMost(RentedMachines.PATIENCE).until(() -> fresh(second).state() == State.DESTROYED);
        assertNull(fresh(second).onlineAt());
        assertTrue(fresh(second).why().is(AgentText.SLOWER), RentedMachines::stories);
        stuck.remove();
        machines.untilBegun(first, project(j).getName());
        machines.letGo(first, project(j).getName());
        FreeStyleBuild build = j.assertBuildStatusSuccess(building.get(240, TimeUnit.SECONDS));
        assertEquals(first.order().agent(), build.getBuiltOnStr());
        machines.nothingLeft();
        assertEquals(2, RentedMachines.rentals().size(), "no third is rented beside the two");
    }

    private static VastAiTemplate template() {
        VastAiTemplate template = RentedMachines.template("gpu", "gpu");
        template.setSecondMachineMinutes(1);
        return template;
    }

    private static Future<FreeStyleBuild> queue(JenkinsRule j, String script) throws Exception {
        FreeStyleProject project = j.createFreeStyleProject("work");
        project.setAssignedLabel(Label.get("gpu"));
        project.getBuildersList().add(new Shell(script));
        return project.scheduleBuild2(0);
    }

    private static FreeStyleProject project(JenkinsRule j) {
        return j.jenkins.getItemByFullName("work", FreeStyleProject.class);
    }

    private static Rental oldest() {
        return RentedMachines.rentals().get(0);
    }

    private static Rental secondOf(Rental first) {
        Rental second = RentedMachines.rentals().get(1);
        assertNotNull(second);
        assertEquals(first.id(), second.order().secondOf());
        return second;
    }

    private static Rental fresh(Rental rental) {
        return RentedMachines.rentals().stream()
                .filter(other -> other.id().equals(rental.id()))
                .findFirst()
                .orElseThrow();
    }
}

package io.jenkins.plugins.vastai;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import hudson.model.FreeStyleBuild;
import hudson.model.FreeStyleProject;
import hudson.model.Label;
import hudson.tasks.Shell;
import io.jenkins.plugins.vastai.rental.Rental;
import io.jenkins.plugins.vastai.rental.State;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.jvnet.hudson.test.JenkinsRule;
import org.jvnet.hudson.test.junit.jupiter.WithJenkins;

@WithJenkins
class FreestyleTest {

    @RegisterExtension
    final RentedMachines machines = new RentedMachines();

    @Test
    void aBuildRunsOnARentedContainerWhichIsDestroyedAfterwards(JenkinsRule j) throws Exception {
        machines.cloud(RentedMachines.template("gpu", "gpu cuda"));
        FreeStyleProject project = j.createFreeStyleProject();
        project.setAssignedLabel(Label.get("gpu"));
        project.getBuildersList().add(new Shell("echo rental $VASTAI_RENTAL at $VASTAI_PRICE_PER_HOUR"));

        FreeStyleBuild build = project.scheduleBuild2(0).get(180, TimeUnit.SECONDS);

        j.assertBuildStatusSuccess(build);
        machines.nothingLeft();
        Rental rental = RentedMachines.rentals().get(0);
        assertEquals(1, RentedMachines.rentals().size(), RentedMachines::stories);
        assertEquals(State.DESTROYED, rental.state());
        assertEquals(build.getExternalizableId(), rental.usedBy());
        assertEquals(rental.order().agent(), build.getBuiltOnStr());
        j.assertLogContains("rental " + rental.id() + " at 0.", build);
        assertTrue(machines.simulator().books().maximumAlive() == 1, "one machine for one build");
    }
}

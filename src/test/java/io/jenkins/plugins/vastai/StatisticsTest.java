package io.jenkins.plugins.vastai;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import hudson.model.FreeStyleBuild;
import hudson.model.FreeStyleProject;
import hudson.model.Label;
import hudson.model.queue.QueueTaskFuture;
import hudson.tasks.Shell;
import io.jenkins.plugins.vastai.rental.Rental;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jenkinsci.plugins.cloudstats.CloudStatistics;
import org.jenkinsci.plugins.cloudstats.ProvisioningActivity;
import org.jenkinsci.plugins.cloudstats.ProvisioningActivity.Phase;
import org.jenkinsci.plugins.cloudstats.ProvisioningActivity.Status;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.jvnet.hudson.test.JenkinsRule;
import org.jvnet.hudson.test.junit.jupiter.WithJenkins;

/** Each agent is one activity in the cloud statistics, which ends. */
@Timeout(240)
@WithJenkins
class StatisticsTest {

    @RegisterExtension
    final RentedMachines machines = new RentedMachines();

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void anAgentIsRecordedOnceFromOrderToEnd(boolean noDelay, JenkinsRule j) throws Exception {
        machines.cloud(RentedMachines.template("gpu", "gpu")).setNoDelayProvisioning(noDelay);
        FreeStyleProject project = project(j);
        project.getBuildersList().add(new Shell(RentedMachines.WAIT));
        QueueTaskFuture<FreeStyleBuild> build = project.scheduleBuild2(0);
        if (!noDelay) {
            await().atMost(RentedMachines.PATIENCE).until(() -> {
                Label.get("gpu").nodeProvisioner.suggestReviewNow();
                return !RentedMachines.rentals().isEmpty();
            });
        }
        Rental rental = RentedMachines.inService();

        ProvisioningActivity activity = only();
        assertEquals(rental.order().agent(), activity.getName());
        assertEquals("vast", activity.getId().getCloudName());
        assertEquals("gpu", activity.getId().getTemplateName());
        await().until(() -> activity.getCurrentPhase() == Phase.OPERATING);

        machines.untilBegun(rental, project.getName());
        machines.letGo(rental, project.getName());
        j.assertBuildStatusSuccess(build.get(120, TimeUnit.SECONDS));
        machines.nothingLeft();
        await().until(() -> only().getCurrentPhase() == Phase.COMPLETED);
        assertEquals(Status.OK, only().getStatus());
    }

    @Test
    void aRentalThatFailsIsAFailureWithItsReason(JenkinsRule j) throws Exception {
        machines.cloud(RentedMachines.template("gpu", "gpu"));
        machines.simulator().market().clear();
        project(j).scheduleBuild2(0);

        await().atMost(RentedMachines.PATIENCE).until(() -> CloudStatistics.get().getActivities().stream()
                .anyMatch(activity -> activity.getCurrentPhase() == Phase.COMPLETED));

        ProvisioningActivity activity = CloudStatistics.get().getActivities().stream()
                .filter(one -> one.getCurrentPhase() == Phase.COMPLETED)
                .findFirst()
                .orElseThrow();
        assertEquals(Status.FAIL, activity.getStatus());
        String title = activity.getPhaseExecution(Phase.PROVISIONING)
                .getAttachments()
                .get(0)
                .getTitle();
        assertTrue(title.contains("No machine for template gpu"), title);
        assertNotNull(j.createWebClient().goTo("cloud-stats/"));
        machines.giveBack();
    }

    private static FreeStyleProject project(JenkinsRule j) throws Exception {
        FreeStyleProject project = j.createFreeStyleProject();
        project.setAssignedLabel(Label.get("gpu"));
        return project;
    }

    private static ProvisioningActivity only() {
        List<ProvisioningActivity> all = CloudStatistics.get().getActivities();
        assertEquals(1, all.size(), all::toString);
        return all.get(0);
    }
}

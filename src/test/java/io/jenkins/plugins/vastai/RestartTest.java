package io.jenkins.plugins.vastai;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import hudson.model.FreeStyleProject;
import hudson.model.Label;
import hudson.tasks.Shell;
import io.jenkins.plugins.vastai.rental.Rental;
import io.jenkins.plugins.vastai.rental.State;
import java.time.Duration;
import org.jenkinsci.plugins.workflow.cps.CpsFlowDefinition;
import org.jenkinsci.plugins.workflow.job.WorkflowJob;
import org.jenkinsci.plugins.workflow.job.WorkflowRun;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.jvnet.hudson.test.junit.jupiter.JenkinsSessionExtension;

@Timeout(240)
class RestartTest {

    static {
        // Under test it is 15 s, which a busy machine does not keep.
        System.setProperty(
                "org.jenkinsci.plugins.workflow.support.pickles.ExecutorPickle.timeoutForNodeMillis", "120000");
    }

    @RegisterExtension
    final JenkinsSessionExtension sessions = new JenkinsSessionExtension();

    @RegisterExtension
    final RentedMachines machines = new RentedMachines(builder -> builder.boot(Duration.ofSeconds(4)));

    @Test
    void aMachineThatBootsDuringTheRestartServesTheBuild() throws Throwable {
        sessions.then(j -> {
            machines.cloud(RentedMachines.template("gpu", "gpu"));
            FreeStyleProject project = j.createProject(FreeStyleProject.class, "p");
            project.setAssignedLabel(Label.get("gpu"));
            project.getBuildersList().add(new Shell("echo here"));
            project.scheduleBuild2(0);
            await().atMost(RentedMachines.PATIENCE)
                    .until(() -> RentedMachines.rentals().stream().anyMatch(r -> r.state() == State.BOOTING));
        });
        sessions.then(j -> {
            FreeStyleProject project = j.jenkins.getItemByFullName("p", FreeStyleProject.class);
            await().atMost(RentedMachines.PATIENCE)
                    .until(() -> project.getLastBuild() != null
                            && !project.getLastBuild().isBuilding());
            j.assertBuildStatusSuccess(project.getLastBuild());
            machines.nothingLeft();
            assertEquals(1, machines.simulator().instances().size(), RentedMachines::stories);
        });
    }

    @Test
    void aBuildGoesOnAfterTheRestartThoughAnotherItemWaitsForTheSameLabel() throws Throwable {
        sessions.then(j -> {
            VastAiCloud cloud = machines.cloud(RentedMachines.template("gpu", "gpu"));
            cloud.setInstanceCap(1);
            j.jenkins.save();
            WorkflowJob job = j.createProject(WorkflowJob.class, "p");
            job.setDefinition(
                    new CpsFlowDefinition("node('gpu') { sh '" + RentedMachines.WAIT + "'; sh 'echo after' }", true));
            job.scheduleBuild2(0).waitForStart();
            machines.untilBegun(RentedMachines.inService(), "p");
            FreeStyleProject other = j.createProject(FreeStyleProject.class, "other");
            other.setAssignedLabel(Label.get("gpu"));
            other.scheduleBuild2(0);
        });
        sessions.then(j -> {
            WorkflowRun run =
                    j.jenkins.getItemByFullName("p", WorkflowJob.class).getBuildByNumber(1);
            Rental rental = RentedMachines.inService();
            VastAiComputer computer = VastAiComputer.of(rental).orElseThrow();
            await().atMost(RentedMachines.PATIENCE).until(computer::isOnline);
            machines.letGo(rental, "p");
            j.assertBuildStatusSuccess(j.waitForCompletion(run));
            j.assertLogContains("after", run);

            FreeStyleProject other = j.jenkins.getItemByFullName("other", FreeStyleProject.class);
            await().atMost(RentedMachines.PATIENCE)
                    .until(() -> other.getLastBuild() != null
                            && !other.getLastBuild().isBuilding());
            j.assertBuildStatusSuccess(other.getLastBuild());
            assertTrue(
                    !other.getLastBuild().getBuiltOnStr().equals(rental.order().agent()),
                    "the other build has a machine of its own");
            machines.nothingLeft();
            assertEquals(2, machines.simulator().instances().size(), RentedMachines::stories);
        });
    }

    @Test
    void anAgentWhoseBuildDiedWithTheControllerServesNobodyElse() throws Throwable {
        sessions.then(j -> {
            machines.cloud(RentedMachines.template("gpu", "gpu"));
            FreeStyleProject project = j.createProject(FreeStyleProject.class, "p");
            project.setAssignedLabel(Label.get("gpu"));
            project.getBuildersList().add(new Shell(RentedMachines.WAIT));
            project.scheduleBuild2(0);
            machines.untilBegun(RentedMachines.inService(), "p");
        });
        sessions.then(j -> {
            FreeStyleProject project = j.jenkins.getItemByFullName("p", FreeStyleProject.class);
            project.scheduleBuild2(0);
            await().atMost(RentedMachines.PATIENCE)
                    .until(() -> RentedMachines.rentals().size() == 2);
            project.getBuildersList().clear();
            machines.nothingLeft();
            assertEquals(2, machines.simulator().instances().size(), RentedMachines::stories);
        });
    }
}

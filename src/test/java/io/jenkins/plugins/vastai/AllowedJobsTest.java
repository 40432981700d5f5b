package io.jenkins.plugins.vastai;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import hudson.model.FreeStyleBuild;
import hudson.model.FreeStyleProject;
import hudson.model.Label;
import hudson.model.queue.QueueTaskFuture;
import hudson.tasks.Shell;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jenkinsci.plugins.workflow.cps.CpsFlowDefinition;
import org.jenkinsci.plugins.workflow.job.WorkflowJob;
import org.jenkinsci.plugins.workflow.job.WorkflowRun;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.jvnet.hudson.test.JenkinsRule;
import org.jvnet.hudson.test.junit.jupiter.WithJenkins;

/** A template serves the jobs that it names and no other; the others are told so and cost nothing. */
@Timeout(240)
@WithJenkins
class AllowedJobsTest {

    @RegisterExtension
    final RentedMachines machines = new RentedMachines();

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            ''                        | any/job            | true
            team-a/**                 | team-a/train       | true
            team-a/**                 | team-a/deep/train  | true
            team-a/**                 | team-ab/train      | false
            team-a/**                 | train              | false
            train-*                   | train-big          | true
            train-*                   | team-a/train-big   | false
            'team-a/**, train-*'      | train-big          | true
            team-a/two words          | team-a/two words   | true
            """)
    void patternsAreOfFullNamesWithStarsForPartsAndFolders(String patterns, String job, boolean admitted) {
        assertEquals(admitted, AllowedJobs.admit(patterns, job));
    }

    @Test
    void aJobThatIsNotNamedIsToldOnTheQueueAndNothingIsRentedForIt(JenkinsRule j) throws Exception {
        VastAiTemplate template = RentedMachines.template("gpu", "gpu");
        template.setAllowedJobs("allowed-*");
        machines.cloud(template);
        FreeStyleProject refused = project(j, "other");
        refused.scheduleBuild2(0);

        await().atMost(RentedMachines.PATIENCE).untilAsserted(() -> {
            assertTrue(refused.isInQueue());
            String why = refused.getQueueItem().getWhy();
            assertTrue(why.contains("other may not use template gpu, which is for allowed-* only"), why);
        });

        FreeStyleProject allowed = project(j, "allowed-one");
        QueueTaskFuture<FreeStyleBuild> build = allowed.scheduleBuild2(0);
        j.assertBuildStatusSuccess(build.get(120, TimeUnit.SECONDS));
        assertTrue(refused.isInQueue(), "still refused");
        assertEquals(1, RentedMachines.rentals().size(), RentedMachines::stories);
        machines.giveBack();
    }

    @Test
    void aPipelineThatIsNotNamedIsToldInItsOwnLogAndGetsNoAgentOfOthers(JenkinsRule j) throws Exception {
        VastAiTemplate template = RentedMachines.template("gpu", "gpu");
        template.setAllowedJobs("allowed");
        template.setOneShot(false);
        machines.cloud(template);
        FreeStyleProject allowed = project(j, "allowed");
        j.assertBuildStatusSuccess(allowed.scheduleBuild2(0).get(120, TimeUnit.SECONDS));
        assertFalse(RentedMachines.agents().isEmpty(), "an agent idles");

        WorkflowJob refused = j.createProject(WorkflowJob.class, "other");
        refused.setDefinition(new CpsFlowDefinition("node('gpu') { echo 'never' }", true));
        WorkflowRun run = refused.scheduleBuild2(0).waitForStart();
        await().atMost(RentedMachines.PATIENCE)
                .untilAsserted(() -> j.assertLogContains("other may not use template gpu", run));

        assertEquals(1, RentedMachines.rentals().size(), RentedMachines::stories);
        j.assertLogNotContains("never", run);
        run.doKill();
        machines.giveBack();
    }

    @Test
    void ofTwoTemplatesTheOneThatAdmitsTheJobServesIt(JenkinsRule j) throws Exception {
        VastAiTemplate closed = RentedMachines.template("closed", "gpu");
        closed.setAllowedJobs("nobody");
        machines.cloud(closed, RentedMachines.template("open", "gpu"));

        j.assertBuildStatusSuccess(project(j, "any").scheduleBuild2(0).get(120, TimeUnit.SECONDS));

        assertEquals(
                List.of("open"),
                RentedMachines.rentals().stream()
                        .map(rental -> rental.order().template())
                        .toList());
        machines.nothingLeft();
    }

    private static FreeStyleProject project(JenkinsRule j, String name) throws Exception {
        FreeStyleProject project = j.createFreeStyleProject(name);
        project.setAssignedLabel(Label.get("gpu"));
        project.getBuildersList().add(new Shell("true"));
        return project;
    }
}

package io.jenkins.plugins.vastai;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import hudson.model.FreeStyleBuild;
import hudson.model.FreeStyleProject;
import hudson.model.Label;
import hudson.model.Result;
import hudson.model.Run;
import hudson.tasks.Shell;
import io.jenkins.plugins.vastai.rental.Rental;
import io.jenkins.plugins.vastai.rental.State;
import io.jenkins.plugins.vastai.simulator.Fault;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import org.jenkinsci.plugins.workflow.cps.CpsFlowDefinition;
import org.jenkinsci.plugins.workflow.job.WorkflowJob;
import org.jenkinsci.plugins.workflow.job.WorkflowRun;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.jvnet.hudson.test.JenkinsRule;
import org.jvnet.hudson.test.junit.jupiter.WithJenkins;

/** An agent's connection breaks while its machine runs on, and is billed on. */
@Timeout(300)
@WithJenkins
class CutConnectionTest {

    @RegisterExtension
    final RentedMachines machines = new RentedMachines();

    /** Ends what the machine's connections are, and nothing else. */
    private void cut(Rental rental) {
        machines.simulator().cutSsh(rental.current().orElseThrow().instanceId());
    }

    private static List<String> told(Run<?, ?> build) throws IOException {
        return build.getLog(10_000).stream()
                .filter(line -> line.contains("was lost under this build: "))
                .toList();
    }

    @Test
    void anAgentThatConnectsAgainGoesOnWithItsPipeline(JenkinsRule j) throws Exception {
        machines.cloud(RentedMachines.template("gpu", "gpu"));
        WorkflowRun run = pipeline(j, "node('gpu') { sh '" + RentedMachines.WAIT + "' }");
        Rental rental = RentedMachines.serving(run);
        j.waitForMessage("begun", run); // the step is under way, and not only its script
        VastAiComputer computer = VastAiComputer.of(rental).orElseThrow();

        cut(rental);

        await().atMost(RentedMachines.PATIENCE).until(() -> !computer.reachesMachine());
        await().atMost(RentedMachines.PATIENCE).until(() -> computer.isOnline() && computer.reachesMachine());
        machines.letGo(rental, run.getParent().getName());
        j.assertBuildStatusSuccess(j.waitForCompletion(run));
        assertEquals(List.of(), told(run), "nothing was lost");
        machines.nothingLeft();
        assertEquals(1, machines.simulator().instances().size(), RentedMachines::stories);
    }

    @Test
    void anAgentThatDoesNotComeBackInTimeIsGivenUpAndItsPipelineRetriesOnAnother(JenkinsRule j) throws Exception {
        machines.cloud(RentedMachines.template("gpu", "gpu"));
        WorkflowRun run = pipeline(
                j,
                "retry(count: 2, conditions: [agent()]) { node('gpu') { if (!binding.hasVariable('again')) {"
                        + " again = true; sh '" + RentedMachines.WAIT + "' } else { echo 'second time' } } }");
        Rental rental = RentedMachines.serving(run);
        j.waitForMessage("begun", run); // the step is under way, and not only its script
        VastAiComputer computer = VastAiComputer.of(rental).orElseThrow();

        machines.simulator()
                .faults()
                .add(Fault.of(Fault.Kind.KEYS_REFUSED)
                        .instance(rental.current().orElseThrow().instanceId()));
        cut(rental);
        await().atMost(RentedMachines.PATIENCE).until(() -> !computer.reachesMachine());
        Thread.sleep(2_000); // several passes
        assertEquals(State.IN_SERVICE, state(rental), "it has a minute to come back");
        machines.later(Duration.ofSeconds(61));

        j.assertBuildStatusSuccess(j.waitForCompletion(run));
        j.assertLogContains("second time", run);
        List<String> told = told(run);
        assertEquals(1, told.size(), told::toString);
        assertTrue(told.get(0).contains("The agent has been disconnected for 1 min"), told::toString);
        machines.nothingLeft();
        assertEquals(2, machines.simulator().instances().size(), RentedMachines::stories);
    }

    /** Such a build ends with its connection: a machine for one build is of no use to anybody then. */
    @Test
    void aFreestyleBuildIsToldAndItsMachineIsDestroyed(JenkinsRule j) throws Exception {
        machines.cloud(RentedMachines.template("gpu", "gpu"));
        FreeStyleProject project = j.createFreeStyleProject();
        project.setAssignedLabel(Label.get("gpu"));
        project.getBuildersList().add(new Shell(RentedMachines.WAIT));
        FreeStyleBuild build = project.scheduleBuild2(0).waitForStart();
        Rental rental = RentedMachines.serving(build);
        machines.untilBegun(rental, project.getName());

        cut(rental);

        j.assertBuildStatus(Result.FAILURE, j.waitForCompletion(build));
        List<String> told = told(build);
        assertEquals(1, told.size(), told::toString);
        assertTrue(
                told.get(0)
                        .contains("The connection to instance "
                                + rental.current().orElseThrow().instanceId()
                                + " broke although the market shows it as running."),
                told::toString);
        machines.nothingLeft();
        assertEquals(1, machines.simulator().instances().size(), RentedMachines::stories);
    }

    private static State state(Rental rental) {
        return RentedMachines.rentals().stream()
                .filter(now -> now.id().equals(rental.id()))
                .findFirst()
                .orElseThrow()
                .state();
    }

    private static WorkflowRun pipeline(JenkinsRule j, String script) throws Exception {
        WorkflowJob job = j.createProject(WorkflowJob.class);
        job.setDefinition(new CpsFlowDefinition(script, true));
        return job.scheduleBuild2(0).waitForStart();
    }
}

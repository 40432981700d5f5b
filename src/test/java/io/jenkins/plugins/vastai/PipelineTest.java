package io.jenkins.plugins.vastai;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import hudson.model.FreeStyleBuild;
import hudson.model.FreeStyleProject;
import hudson.model.Label;
import hudson.tasks.Shell;
import io.jenkins.plugins.vastai.rental.Rental;
import io.jenkins.plugins.vastai.rental.State;
import io.jenkins.plugins.vastai.simulator.Fault;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import jenkins.model.Jenkins;
import org.jenkinsci.plugins.workflow.cps.CpsFlowDefinition;
import org.jenkinsci.plugins.workflow.job.WorkflowJob;
import org.jenkinsci.plugins.workflow.job.WorkflowRun;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.jvnet.hudson.test.JenkinsRule;
import org.jvnet.hudson.test.junit.jupiter.WithJenkins;

@Timeout(240)
@WithJenkins
class PipelineTest {

    @RegisterExtension
    final RentedMachines machines = new RentedMachines();

    @Test
    void eachBranchFindsItsTemplateByLabelOrExpression(JenkinsRule j) throws Exception {
        VastAiTemplate big = RentedMachines.template("big", "gpu big");
        VastAiTemplate small = RentedMachines.template("small", "gpu small");
        machines.cloud(big, small, RentedMachines.vm("vm", "vm"));
        WorkflowJob job = job(
                j,
                "parallel a: { node('big') { sh 'echo a' } }, b: { node('gpu && !big') { sh 'echo b' } },"
                        + " c: { node('vm') { sh 'echo c' } }");

        j.assertBuildStatusSuccess(job.scheduleBuild2(0));

        machines.nothingLeft();
        Set<String> templates = RentedMachines.rentals().stream()
                .map(rental -> rental.order().template())
                .collect(Collectors.toSet());
        assertEquals(Set.of("big", "small", "vm"), templates);
        assertEquals(3, machines.simulator().instances().size(), RentedMachines::stories);
    }

    @Test
    void theTemplatesEnvironmentReachesBuildsByteForByte(JenkinsRule j) throws Exception {
        Map<String, String> wanted = Map.of(
                "TOKENIZERS_PARALLELISM", "false",
                "BYPASS_CACHE", "1",
                "QUOTES", "it's \"two\" `three` # \\n %s",
                "SPACES", "  a  b ");
        VastAiTemplate template = RentedMachines.template("gpu", "gpu");
        template.setEnvironment(wanted.entrySet().stream()
                .map(variable -> new EnvironmentVariable(variable.getKey(), variable.getValue()))
                .toList());
        machines.cloud(template);
        String show = wanted.keySet().stream()
                .map(name -> "printf '<" + name + "=%s>\\n' \"$" + name + "\"")
                .collect(Collectors.joining("\n"));
        FreeStyleProject project = j.createFreeStyleProject();
        project.setAssignedLabel(Label.get("gpu"));
        project.getBuildersList().add(new Shell(show));
        WorkflowJob job = job(j, "node('gpu') { sh '''" + show.replace("\\", "\\\\") + "''' }");

        FreeStyleBuild build = j.buildAndAssertSuccess(project);
        WorkflowRun run = j.buildAndAssertSuccess(job);

        for (Map.Entry<String, String> variable : wanted.entrySet()) {
            String line = "<" + variable.getKey() + "=" + variable.getValue() + ">";
            j.assertLogContains(line, build);
            j.assertLogContains(line, run);
        }
        machines.nothingLeft();
    }

    @Test
    void aBuildWhoseAgentIsTakenAwayRetriesOnAnother(JenkinsRule j) throws Exception {
        machines.cloud(RentedMachines.template("gpu", "gpu"));
        WorkflowJob job = job(
                j,
                "retry(count: 2, conditions: [agent()]) { node('gpu') { if (!binding.hasVariable('again')) {"
                        + " again = true; sh '" + RentedMachines.WAIT + "' } else { echo 'second time' } } }");
        WorkflowRun run = job.scheduleBuild2(0).waitForStart();
        Rental rental = RentedMachines.inService();
        machines.untilBegun(rental, job.getName());

        Jenkins.get().removeNode(RentedMachines.node(rental).orElseThrow());

        j.assertBuildStatusSuccess(j.waitForCompletion(run));
        j.assertLogContains("second time", run);
        machines.nothingLeft();
        assertEquals(2, machines.simulator().instances().size(), RentedMachines::stories);
    }

    @Test
    void theFirstTwoMachinesFailAndTheThirdServesTheSameAgent(JenkinsRule j) throws Exception {
        machines.cloud(RentedMachines.template("gpu", "gpu"));
        machines.simulator().faults().add(Fault.of(Fault.Kind.EXITED_IN_BOOT).times(2));
        WorkflowJob job = job(j, "node('gpu') { sh 'echo here' }");

        j.assertBuildStatusSuccess(job.scheduleBuild2(0));

        machines.nothingLeft();
        assertEquals(1, RentedMachines.rentals().size(), RentedMachines::stories);
        Rental rental = RentedMachines.rentals().get(0);
        assertEquals(3, rental.draws().size(), RentedMachines::stories);
        assertEquals(State.DESTROYED, rental.state());
        assertTrue(RentedMachines.tells(rental, "Draw 2, machine "), RentedMachines::stories);
    }

    private static WorkflowJob job(JenkinsRule j, String script) throws Exception {
        WorkflowJob job = j.createProject(WorkflowJob.class);
        job.setDefinition(new CpsFlowDefinition(script, true));
        return job;
    }
}

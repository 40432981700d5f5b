package io.jenkins.plugins.vastai;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jenkins.plugins.vastai.rental.Rental;
import io.jenkins.plugins.vastai.rental.State;
import io.jenkins.plugins.vastai.simulator.Fault;
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

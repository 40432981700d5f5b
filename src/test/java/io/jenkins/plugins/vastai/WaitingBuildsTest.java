package io.jenkins.plugins.vastai;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jenkins.plugins.vastai.rental.Rental;
import java.math.BigDecimal;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import org.jenkinsci.plugins.workflow.cps.CpsFlowDefinition;
import org.jenkinsci.plugins.workflow.job.WorkflowJob;
import org.jenkinsci.plugins.workflow.job.WorkflowRun;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.jvnet.hudson.test.JenkinsRule;
import org.jvnet.hudson.test.junit.jupiter.WithJenkins;

/** A build that waits for an agent says in its own log what it waits for. */
@Timeout(240)
@WithJenkins
class WaitingBuildsTest {

    @RegisterExtension
    final RentedMachines machines = new RentedMachines(builder -> builder.boot(Duration.ofSeconds(8)));

    @Test
    void theConsoleFollowsTheMachineOnItsWay(JenkinsRule j) throws Exception {
        machines.cloud(RentedMachines.template("gpu", "gpu"));

        WorkflowRun run = j.assertBuildStatusSuccess(job(j, "echo 'here'").scheduleBuild2(0));

        List<String> told = run.getLog(1000).stream()
                .filter(line -> line.contains("[vast] "))
                .toList();
        assertTrue(told.stream().anyMatch(line -> line.contains("[vast] Booting: ")), told::toString);
        assertTrue(told.size() >= 2, told::toString);
        assertEquals(told.size(), Set.copyOf(told).size(), "each line once: " + told);
        assertTrue(run.getLog(1000).indexOf(told.get(told.size() - 1))
                < run.getLog(1000).indexOf("here"));
    }

    @Test
    void withoutOffersItSaysWhatRemovedHowMany(JenkinsRule j) throws Exception {
        VastAiTemplate template = RentedMachines.template("gpu", "gpu");
        template.setMaxPricePerHour(new BigDecimal("0.01"));
        machines.cloud(template);

        WorkflowRun run = job(j, "echo 'here'").scheduleBuild2(0).waitForStart();

        j.waitForMessage("offers do not meet maxPricePerHour = 0.01", run);
        j.waitForMessage("[vast] Template gpu rests until", run);
        run.doStop();
        j.waitForCompletion(run);
        machines.giveBack();
    }

    @Test
    void aFullCloudIsNamedToThoseWhoWait(JenkinsRule j) throws Exception {
        machines.cloud(RentedMachines.template("gpu", "gpu")).setInstanceCap(1);
        WorkflowJob first = job(j, "sh '" + RentedMachines.WAIT + "'");
        WorkflowRun running = first.scheduleBuild2(0).waitForStart();
        Rental rental = RentedMachines.inService();

        WorkflowRun waiting = job(j, "echo 'here'").scheduleBuild2(0).waitForStart();

        j.waitForMessage("[vast] Cloud vast has all of its 1 machines", waiting);
        machines.untilBegun(rental, first.getName());
        machines.letGo(rental, first.getName());
        j.assertBuildStatusSuccess(j.waitForCompletion(running));
        j.assertBuildStatusSuccess(j.waitForCompletion(waiting));
    }

    private static WorkflowJob job(JenkinsRule j, String body) throws Exception {
        WorkflowJob job = j.createProject(WorkflowJob.class);
        job.setDefinition(new CpsFlowDefinition("node('gpu') { " + body + " }", true));
        return job;
    }
}

package io.jenkins.plugins.vastai;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import hudson.model.Cause;
import hudson.model.FreeStyleBuild;
import hudson.model.FreeStyleProject;
import hudson.model.Label;
import hudson.model.ParametersAction;
import hudson.model.ParametersDefinitionProperty;
import hudson.model.Result;
import hudson.model.StringParameterDefinition;
import hudson.model.StringParameterValue;
import hudson.tasks.Shell;
import io.jenkins.plugins.vastai.rental.Rental;
import io.jenkins.plugins.vastai.simulator.Simulator;
import java.util.List;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.function.BiConsumer;
import org.jenkinsci.plugins.workflow.cps.CpsFlowDefinition;
import org.jenkinsci.plugins.workflow.job.WorkflowJob;
import org.jenkinsci.plugins.workflow.job.WorkflowRun;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.jvnet.hudson.test.JenkinsRule;
import org.jvnet.hudson.test.junit.jupiter.WithJenkins;

/** A build whose machine is lost under it hears what happened, and is tried again where somebody asked for that. */
@Timeout(300)
@WithJenkins
class LostMachineTest {

    /** How a machine can be lost, and what the build is told. */
    enum Loss {
        HOST_OFFLINE(Simulator::hostOffline, "The host "),
        STOPPED(Simulator::stopFromOutside, "The instance is stopped: somebody, or the market, stopped it."),
        OUTBID(Simulator::outbid, "what ran on it is lost"),
        DESTROYED(Simulator::destroyFromOutside, "nstance ");

        private final BiConsumer<Simulator, Long> how;
        private final String told;

        Loss(BiConsumer<Simulator, Long> how, String told) {
            this.how = how;
            this.told = told;
        }
    }

    @RegisterExtension
    final RentedMachines machines = new RentedMachines();

    private void lose(Loss loss, Rental rental) {
        loss.how.accept(machines.simulator(), rental.current().orElseThrow().instanceId());
    }

    private static List<String> told(List<String> log) {
        return log.stream()
                .filter(line -> line.contains("was lost under this build: "))
                .toList();
    }

    @ParameterizedTest
    @EnumSource
    void aPipelineHearsWhatTookItsMachineAndRetriesOnAnother(Loss loss, JenkinsRule j) throws Exception {
        machines.cloud(RentedMachines.template("gpu", "gpu"));
        WorkflowJob job = j.createProject(WorkflowJob.class);
        job.setDefinition(new CpsFlowDefinition(
                "retry(count: 2, conditions: [agent()]) { node('gpu') { if (!binding.hasVariable('again')) {"
                        + " again = true; sh '" + RentedMachines.WAIT + "' } else { echo 'second time' } } }",
                true));
        WorkflowRun run = job.scheduleBuild2(0).waitForStart();
        Rental rental = RentedMachines.inService();
        j.waitForMessage("begun", run);

        lose(loss, rental);

        j.assertBuildStatusSuccess(j.waitForCompletion(run));
        j.assertLogContains("second time", run);
        List<String> told = told(run.getLog(10_000));
        assertEquals(1, told.size(), () -> told + "\n" + RentedMachines.stories());
        assertTrue(told.get(0).contains("[vast] Agent " + rental.order().agent()), told::toString);
        assertTrue(told.get(0).contains(loss.told), told::toString);
        machines.nothingLeft();
        assertEquals(2, machines.simulator().instances().size(), RentedMachines::stories);
    }

    @ParameterizedTest
    @EnumSource
    void aFreestyleBuildHearsItAndIsQueuedAgainWithWhatItCameWith(Loss loss, JenkinsRule j) throws Exception {
        VastAiTemplate template = RentedMachines.template("gpu", "gpu");
        template.setRequeueLimit(1);
        machines.cloud(template);
        FreeStyleProject project = project(j, "echo colour $COLOUR; " + RentedMachines.WAIT);
        project.addProperty(new ParametersDefinitionProperty(new StringParameterDefinition("COLOUR", "none")));
        Future<FreeStyleBuild> building = project.scheduleBuild2(
                0,
                new Cause.RemoteCause("example.org", "because"),
                new ParametersAction(new StringParameterValue("COLOUR", "green")));
        Rental rental = RentedMachines.inService();
        machines.untilBegun(rental, project.getName());

        lose(loss, rental);

        FreeStyleBuild lost = j.assertBuildStatus(Result.FAILURE, get(building));
        List<String> told = told(lost.getLog(10_000));
        assertEquals(1, told.size(), told::toString);
        assertTrue(told.get(0).contains(loss.told), told::toString);
        j.assertLogContains("This build is queued again, for the 1. time of at most 1", lost);
        Rental second = RentedMachines.inServiceAfter(rental.id());
        machines.untilBegun(second, project.getName());
        machines.letGo(second, project.getName());
        FreeStyleBuild again = await().atMost(RentedMachines.PATIENCE)
                .until(() -> project.getBuildByNumber(2), build -> build != null && !build.isBuilding());
        j.assertBuildStatusSuccess(again);
        j.assertLogContains("colour green", again);
        assertNotNull(again.getCause(Cause.RemoteCause.class));
        assertTrue(again.getCause(MachineLostCause.class).getShortDescription().contains(lost.getFullDisplayName()));
        machines.nothingLeft();
        assertEquals(2, project.getLastBuild().getNumber(), "once, and no more");
        assertTrue(RentedMachines.rentals().get(0).failed(), RentedMachines::stories);
    }

    @Test
    void aBuildThatLosesMoreMachinesThanItMayIsNotQueuedAgain(JenkinsRule j) throws Exception {
        VastAiTemplate template = RentedMachines.template("gpu", "gpu");
        template.setRequeueLimit(1);
        machines.cloud(template);
        FreeStyleProject project = project(j, RentedMachines.WAIT);
        project.scheduleBuild2(0);
        String before = "";
        for (int i = 1; i <= 2; i++) {
            Rental rental = RentedMachines.inServiceAfter(before);
            before = rental.id();
            machines.untilBegun(rental, project.getName());
            lose(Loss.STOPPED, rental);
            int number = i;
            await().atMost(RentedMachines.PATIENCE)
                    .until(() -> project.getBuildByNumber(number) != null
                            && !project.getBuildByNumber(number).isBuilding());
        }

        j.assertLogContains(
                "This build is not queued again: that was done 1 times already", project.getBuildByNumber(2));
        machines.nothingLeft();
        assertEquals(2, project.getLastBuild().getNumber());
        assertFalse(project.isInQueue());
    }

    @Test
    void aBuildThatFailsByItselfIsNeverQueuedAgain(JenkinsRule j) throws Exception {
        VastAiTemplate template = RentedMachines.template("gpu", "gpu");
        template.setRequeueLimit(3);
        machines.cloud(template);
        FreeStyleProject project = project(j, "exit 1");

        FreeStyleBuild build = j.assertBuildStatus(Result.FAILURE, get(project.scheduleBuild2(0)));

        assertEquals(List.of(), told(build.getLog(1000)));
        machines.nothingLeft();
        assertFalse(project.isInQueue());
        assertEquals(1, project.getLastBuild().getNumber());
    }

    @Test
    void nothingIsQueuedAgainUnlessTheTemplateSaysSo(JenkinsRule j) throws Exception {
        machines.cloud(RentedMachines.template("gpu", "gpu"));
        FreeStyleProject project = project(j, RentedMachines.WAIT);
        Future<FreeStyleBuild> building = project.scheduleBuild2(0);
        Rental rental = RentedMachines.inService();
        machines.untilBegun(rental, project.getName());

        lose(Loss.STOPPED, rental);

        FreeStyleBuild build = j.assertBuildStatus(Result.FAILURE, get(building));
        assertEquals(1, told(build.getLog(1000)).size());
        machines.nothingLeft();
        assertFalse(project.isInQueue());
        assertEquals(1, project.getLastBuild().getNumber());
    }

    /** The very order matters: the list tells before the connection breaks. */
    @Test
    void whileTheNodeIsThereItShowsWhatTookItsMachine(JenkinsRule j) throws Exception {
        machines.cloud(RentedMachines.template("gpu", "gpu"));
        FreeStyleProject project = project(j, RentedMachines.WAIT);
        Future<FreeStyleBuild> building = project.scheduleBuild2(0);
        Rental rental = RentedMachines.inService();
        machines.untilBegun(rental, project.getName());
        VastAiComputer computer = VastAiComputer.of(rental).orElseThrow();

        lose(Loss.STOPPED, rental);

        await().atMost(RentedMachines.PATIENCE).until(() -> computer.getOfflineCause() instanceof MachineGone);
        MachineGone cause = assertInstanceOf(MachineGone.class, computer.getOfflineCause());
        assertTrue(cause.toString().contains("somebody, or the market, stopped it"), cause.toString());
        get(building);
        machines.nothingLeft();
    }

    private static FreeStyleProject project(JenkinsRule j, String command) throws Exception {
        FreeStyleProject project = j.createFreeStyleProject();
        project.setAssignedLabel(Label.get("gpu"));
        project.getBuildersList().add(new Shell(command));
        return project;
    }

    private static FreeStyleBuild get(Future<FreeStyleBuild> build) throws Exception {
        return build.get(RentedMachines.PATIENCE.toSeconds(), TimeUnit.SECONDS);
    }
}

package io.jenkins.plugins.vastai;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import hudson.model.Cause;
import hudson.model.FreeStyleBuild;
import hudson.model.FreeStyleProject;
import hudson.model.Label;
import hudson.model.ParametersAction;
import hudson.model.ParametersDefinitionProperty;
import hudson.model.Result;
import hudson.model.Run;
import hudson.model.StringParameterDefinition;
import hudson.model.StringParameterValue;
import hudson.tasks.Shell;
import io.jenkins.plugins.vastai.rental.Rental;
import io.jenkins.plugins.vastai.simulator.SimulatedInstance;
import io.jenkins.plugins.vastai.simulator.Simulator;
import java.io.IOException;
import java.time.Duration;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.function.BiConsumer;
import java.util.stream.Collectors;
import okhttp3.Interceptor;
import okhttp3.Request;
import okhttp3.RequestBody;
import okhttp3.Response;
import okio.Buffer;
import org.jenkinsci.plugins.workflow.cps.CpsFlowDefinition;
import org.jenkinsci.plugins.workflow.job.WorkflowJob;
import org.jenkinsci.plugins.workflow.job.WorkflowRun;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
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
        OUTBID(Simulator::outbid, "Somebody outbid instance "),
        OFFER_ENDED(Simulator::endOffer, "The host's offer of instance "),
        DESTROYED(Simulator::destroyFromOutside, "nstance ");

        private final BiConsumer<Simulator, Long> how;
        private final String told;

        Loss(BiConsumer<Simulator, Long> how, String told) {
            this.how = how;
            this.told = told;
        }
    }

    private static final ObjectMapper JSON = new ObjectMapper();

    private static final String TWICE = "retry(count: 2, conditions: [agent()]) { node('gpu') {"
            + " if (!binding.hasVariable('again')) { again = true; sh '" + RentedMachines.WAIT
            + "' } else { echo 'second time' } } }";

    /** Every machine here is rented by bid: those are lost in all of these ways, the others in all but one. */
    @RegisterExtension
    final RentedMachines machines = new RentedMachines().through(LostMachineTest::bid);

    private void lose(Loss loss, Rental rental) {
        loss.how.accept(machines.simulator(), instance(rental));
    }

    private static long instance(Rental rental) {
        return rental.current().orElseThrow().instanceId();
    }

    /** Puts a price into the plugin's order. */
    private static Response bid(Interceptor.Chain chain) throws IOException {
        Request call = chain.request();
        if (!call.method().equals("PUT") || !call.url().encodedPath().contains("/asks/")) {
            return chain.proceed(call);
        }
        Buffer body = new Buffer();
        call.body().writeTo(body);
        ObjectNode order = (ObjectNode) JSON.readTree(body.readUtf8());
        order.put("price", 0.5);
        return chain.proceed(call.newBuilder()
                .put(RequestBody.create(order.toString(), call.body().contentType()))
                .build());
    }

    private static List<String> told(Run<?, ?> build) throws IOException {
        return build.getLog(10_000).stream()
                .filter(line -> line.contains("was lost under this build: "))
                .toList();
    }

    private static void assertTold(Rental rental, String words, Run<?, ?> build) throws IOException {
        List<String> told = told(build);
        assertEquals(1, told.size(), () -> told + "\n" + RentedMachines.stories());
        assertTrue(told.get(0).contains("[vast] Agent " + rental.order().agent()), told::toString);
        assertTrue(told.get(0).contains(words), told::toString);
    }

    @Test
    void aPipelineHearsWhatTookItsMachineAndRetriesOnAnother(JenkinsRule j) throws Exception {
        machines.cloud(RentedMachines.template("gpu", "gpu"));
        Map<Loss, WorkflowRun> runs = new EnumMap<>(Loss.class);
        Map<Loss, Rental> rentals = new EnumMap<>(Loss.class);
        for (Loss loss : Loss.values()) {
            runs.put(loss, pipeline(j, loss.name(), TWICE).scheduleBuild2(0).waitForStart());
        }
        for (Loss loss : Loss.values()) {
            j.waitForMessage("begun", runs.get(loss));
            rentals.put(loss, RentedMachines.serving(runs.get(loss)));
            assertTrue(bids().contains(instance(rentals.get(loss))), "rented by bid");
        }

        rentals.forEach((loss, rental) -> lose(loss, rental));

        for (Loss loss : Loss.values()) {
            j.assertBuildStatusSuccess(j.waitForCompletion(runs.get(loss)));
            j.assertLogContains("second time", runs.get(loss));
            assertTold(rentals.get(loss), loss.told, runs.get(loss));
        }
        machines.nothingLeft();
        assertEquals(2 * Loss.values().length, machines.simulator().instances().size(), RentedMachines::stories);
    }

    @Test
    void aFreestyleBuildHearsItAndIsQueuedAgainWithWhatItCameWith(JenkinsRule j) throws Exception {
        VastAiTemplate template = RentedMachines.template("gpu", "gpu");
        template.setRequeueLimit(1);
        machines.cloud(template);
        Map<Loss, FreeStyleProject> projects = new EnumMap<>(Loss.class);
        Map<Loss, FreeStyleBuild> builds = new EnumMap<>(Loss.class);
        Map<Loss, Rental> rentals = new EnumMap<>(Loss.class);
        for (Loss loss : Loss.values()) {
            FreeStyleProject project = project(j, "echo colour $COLOUR; " + RentedMachines.WAIT);
            project.addProperty(new ParametersDefinitionProperty(new StringParameterDefinition("COLOUR", "none")));
            projects.put(loss, project);
            builds.put(
                    loss,
                    project.scheduleBuild2(
                                    0,
                                    new Cause.RemoteCause("example.org", "because"),
                                    new ParametersAction(new StringParameterValue("COLOUR", loss.name())))
                            .waitForStart());
        }
        for (Loss loss : Loss.values()) {
            rentals.put(loss, RentedMachines.serving(builds.get(loss)));
            machines.untilBegun(rentals.get(loss), projects.get(loss).getName());
        }

        rentals.forEach((loss, rental) -> lose(loss, rental));

        for (Loss loss : Loss.values()) {
            FreeStyleBuild lost = builds.get(loss);
            j.assertBuildStatus(Result.FAILURE, j.waitForCompletion(lost));
            assertTold(rentals.get(loss), loss.told, lost);
            j.assertLogContains("This build is queued again, for the 1. time of at most 1", lost);
        }
        for (Loss loss : Loss.values()) {
            FreeStyleProject project = projects.get(loss);
            FreeStyleBuild again =
                    await().atMost(RentedMachines.PATIENCE).until(() -> project.getBuildByNumber(2), Objects::nonNull);
            Rental second = RentedMachines.serving(again);
            machines.untilBegun(second, project.getName());
            machines.letGo(second, project.getName());
            j.assertBuildStatusSuccess(j.waitForCompletion(again));
            j.assertLogContains("colour " + loss.name(), again);
            assertNotNull(again.getCause(Cause.RemoteCause.class));
            assertTrue(again.getCause(MachineLostCause.class)
                    .getShortDescription()
                    .contains(builds.get(loss).getFullDisplayName()));
        }
        machines.nothingLeft();
        for (Loss loss : Loss.values()) {
            assertEquals(2, projects.get(loss).getLastBuild().getNumber(), "once, and no more");
            String id = rentals.get(loss).id();
            assertTrue(
                    RentedMachines.rentals().stream()
                            .anyMatch(rental -> rental.id().equals(id) && rental.failed()),
                    RentedMachines::stories);
        }
    }

    @Test
    void aBuildThatOutlivesItsMachinesLifetimeIsToldSo(JenkinsRule j) throws Exception {
        VastAiTemplate template = RentedMachines.template("gpu", "gpu");
        template.setMaxLifetimeMinutes(60);
        template.setRequeueLimit(1);
        machines.cloud(template);
        FreeStyleProject project = project(j, RentedMachines.WAIT);
        FreeStyleBuild build = project.scheduleBuild2(0).waitForStart();
        WorkflowRun run = pipeline(j, "p", "node('gpu') { sh '" + RentedMachines.WAIT + "' }")
                .scheduleBuild2(0)
                .waitForStart();
        j.waitForMessage("begun", run);
        Rental its = RentedMachines.serving(build);
        Rental other = RentedMachines.serving(run);
        machines.untilBegun(its, project.getName());

        machines.later(Duration.ofMinutes(65));
        Thread.sleep(2_000); // several passes
        assertTrue(build.isBuilding() && run.isBuilding(), "they may end in the ten minutes after it");
        machines.later(Duration.ofMinutes(6));

        j.assertBuildStatus(Result.FAILURE, j.waitForCompletion(build));
        j.waitForCompletion(run);
        assertTrue(run.getResult().isWorseThan(Result.UNSTABLE), () -> String.valueOf(run.getResult()));
        assertTold(its, "The longest lifetime of 60 min is over.", build);
        assertTold(other, "The longest lifetime of 60 min is over.", run);
        machines.nothingLeft();
        assertFalse(project.isInQueue(), "it would last as long again");
        assertEquals(2, machines.simulator().instances().size(), RentedMachines::stories);
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
            j.waitForCompletion(project.getBuildByNumber(i));
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

        assertEquals(List.of(), told(build));
        machines.nothingLeft();
        assertFalse(project.isInQueue());
        assertEquals(1, project.getLastBuild().getNumber());
    }

    /** The very order matters: the list tells before the connection breaks. */
    @Test
    void whileTheNodeIsThereItShowsWhatTookItsMachineAndNothingIsQueuedAgainUnasked(JenkinsRule j) throws Exception {
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
        FreeStyleBuild build = j.assertBuildStatus(Result.FAILURE, get(building));
        assertEquals(1, told(build).size());
        machines.nothingLeft();
        assertFalse(project.isInQueue());
        assertEquals(1, project.getLastBuild().getNumber());
    }

    private Set<Long> bids() {
        return machines.simulator().instances().stream()
                .filter(SimulatedInstance::bid)
                .map(SimulatedInstance::id)
                .collect(Collectors.toSet());
    }

    private static WorkflowJob pipeline(JenkinsRule j, String name, String script) throws Exception {
        WorkflowJob job = j.createProject(WorkflowJob.class, name);
        job.setDefinition(new CpsFlowDefinition(script, true));
        return job;
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

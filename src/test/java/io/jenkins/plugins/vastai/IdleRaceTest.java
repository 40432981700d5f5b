package io.jenkins.plugins.vastai;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import hudson.model.FreeStyleBuild;
import hudson.model.FreeStyleProject;
import hudson.model.Label;
import hudson.model.Queue;
import hudson.tasks.Shell;
import io.jenkins.plugins.vastai.rental.Rental;
import io.jenkins.plugins.vastai.simulator.Endpoint;
import io.jenkins.plugins.vastai.simulator.Fault;
import java.time.Duration;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.jvnet.hudson.test.JenkinsRule;
import org.jvnet.hudson.test.junit.jupiter.WithJenkins;

/** A build that comes while its agent is given back runs to its end, or has a machine of its own; it never loses one. */
@Timeout(300)
@WithJenkins
class IdleRaceTest {

    /** Two minutes of idle time pass in a second and a half. */
    private static final Duration MINUTE = Duration.ofMillis(750);

    @RegisterExtension
    final RentedMachines machines = new RentedMachines(builder -> builder, MINUTE);

    private FreeStyleProject project(JenkinsRule j) throws Exception {
        VastAiTemplate template = RentedMachines.template("gpu", "gpu");
        template.setOneShot(false);
        template.setIdleMinutes(2);
        template.setMaxLifetimeMinutes(10_000);
        machines.cloud(template);
        FreeStyleProject project = j.createFreeStyleProject();
        project.setAssignedLabel(Label.get("gpu"));
        project.getBuildersList().add(new Shell("sleep 1"));
        return project;
    }

    @Test
    void aBuildThatComesAtAnyMomentAroundTheEndOfTheIdleTimeSucceeds(JenkinsRule j) throws Exception {
        FreeStyleProject project = project(j);
        machines.simulator()
                .faults()
                .add(Fault.of(Fault.Kind.SLOW_ANSWER).endpoint(Endpoint.DESTROY).delay(Duration.ofSeconds(2)));
        build(j, project);

        for (int step = 0; step < 6; step++) {
            Thread.sleep(900 + step * 200L); // from before the idle time's end to after it
            FreeStyleBuild build = build(j, project);
            assertFalse(build.getLog(1000).toString().contains("went offline"), build.getLog(1000)::toString);
        }

        machines.nothingLeft();
        assertFalse(
                RentedMachines.rentals().stream().anyMatch(Rental::failed),
                "nothing was lost: " + RentedMachines.stories());
    }

    @Test
    void aBuildAssignedBeforeTheAgentIsGivenBackKeepsIt(JenkinsRule j) throws Exception {
        FreeStyleProject project = project(j);
        FreeStyleBuild first = build(j, project);
        Rental rental = RentedMachines.inService();
        VastAiComputer computer = VastAiComputer.of(rental).orElseThrow();

        Future<FreeStyleBuild> building = project.scheduleBuild2(0);
        await().atMost(RentedMachines.PATIENCE).until(() -> !computer.isIdle());

        assertFalse(computer.retireIfIdle(AgentText.UNWANTED.of("test")), "it works");
        assertEquals(
                first.getBuiltOnStr(), j.assertBuildStatusSuccess(get(building)).getBuiltOnStr());
        machines.nothingLeft();
        assertEquals(1, RentedMachines.rentals().size());
    }

    @Test
    void aBuildThatComesWhileTheMachineIsBeingDestroyedHasAnother(JenkinsRule j) throws Exception {
        FreeStyleProject project = project(j);
        FreeStyleBuild first = build(j, project);
        VastAiComputer computer = VastAiComputer.of(RentedMachines.inService()).orElseThrow();
        machines.simulator()
                .faults()
                .add(Fault.of(Fault.Kind.SLOW_ANSWER).endpoint(Endpoint.DESTROY).delay(Duration.ofSeconds(5)));

        AtomicBoolean given = new AtomicBoolean();
        AtomicReference<Future<FreeStyleBuild>> building = new AtomicReference<>();
        Queue.runWithLock(() -> {
            // At the very same moment: nobody else decides in between.
            given.set(computer.retireIfIdle(AgentText.UNWANTED.of("test")));
            building.set(project.scheduleBuild2(0));
        });

        assertTrue(given.get(), "it was idle");
        FreeStyleBuild second = j.assertBuildStatusSuccess(get(building.get()));
        assertNotEquals(first.getBuiltOnStr(), second.getBuiltOnStr());
        machines.nothingLeft();
        assertEquals(2, RentedMachines.rentals().size(), RentedMachines::stories);
    }

    private static FreeStyleBuild build(JenkinsRule j, FreeStyleProject project) throws Exception {
        return j.assertBuildStatusSuccess(get(project.scheduleBuild2(0)));
    }

    private static FreeStyleBuild get(Future<FreeStyleBuild> build) throws Exception {
        return build.get(RentedMachines.PATIENCE.toSeconds(), TimeUnit.SECONDS);
    }
}

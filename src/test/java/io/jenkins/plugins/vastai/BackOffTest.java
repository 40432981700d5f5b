package io.jenkins.plugins.vastai;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import hudson.model.FreeStyleProject;
import hudson.model.Label;
import io.jenkins.plugins.vastai.rental.Rental;
import io.jenkins.plugins.vastai.simulator.Endpoint;
import io.jenkins.plugins.vastai.simulator.Fault;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.jvnet.hudson.test.JenkinsRule;
import org.jvnet.hudson.test.junit.jupiter.WithJenkins;

/** A template that keeps failing rests longer and longer, up to a limit, and says why. */
@Timeout(240)
@WithJenkins
class BackOffTest {

    @RegisterExtension
    final RentedMachines machines = new RentedMachines(builder -> builder.ssh(false));

    @Test
    void theRestDoublesUpToItsLimitAndASuccessEndsIt(JenkinsRule j) throws Exception {
        VastAiTemplate template = RentedMachines.template("gpu", "gpu");
        VastAiCloud cloud = machines.cloud(template);
        Circuits circuits = new Circuits(Tuning.PUBLISHED);
        Rental rental = failed(j, cloud);
        Duration before = Duration.ZERO;
        for (int i = 0; i < 12; i++) {
            Instant now = Instant.now().plus(Duration.ofDays(i)); // each rest is over when the next failure comes
            circuits.failed(rental, rental.why(), now);
            Circuits.Rest rest = circuits.resting(cloud, template, now).orElseThrow();
            Duration wait = Duration.between(now, rest.until());
            assertTrue(wait.compareTo(before) >= 0, wait + " after " + before);
            assertTrue(wait.compareTo(Tuning.PUBLISHED.longestBackOff()) <= 0, wait::toString);
            before = wait;
        }
        assertEquals(Tuning.PUBLISHED.longestBackOff(), before);
        circuits.served(rental);
        Instant now = Instant.now().plus(Duration.ofDays(30));
        assertEquals(Optional.empty(), circuits.resting(cloud, template, now));
        circuits.failed(rental, rental.why(), now);
        assertEquals(
                Tuning.PUBLISHED.backOff(),
                Duration.between(
                        now,
                        circuits.resting(cloud, template, now).orElseThrow().until()));
        machines.giveBack();
    }

    @Test
    void aTemplateThatAlwaysFailsIsTriedSeldomAndSaysWhy(JenkinsRule j) throws Exception {
        VastAiCloud cloud = machines.cloud(RentedMachines.template("gpu", "gpu"));
        cloud.getTemplates().get(0).setDraws(1);
        machines.simulator().faults().add(Fault.Kind.EXITED_IN_BOOT);
        Instant begun = Instant.now();
        project(j).scheduleBuild2(0);

        await().atMost(RentedMachines.PATIENCE)
                .until(() -> machines.simulator().requests(Endpoint.CREATE).size() >= 3);

        // Rests of 5 and 10 s lie between the three; without them a failure takes a second.
        assertTrue(Duration.between(begun, Instant.now()).compareTo(Duration.ofSeconds(15)) >= 0);
        await().atMost(RentedMachines.PATIENCE).until(() -> Fleets.get()
                .circuits()
                .resting(cloud, cloud.getTemplates().get(0))
                .filter(rest -> rest.failures() >= 3)
                .isPresent());
        machines.giveBack();
    }

    private static boolean resting(VastAiCloud cloud, VastAiTemplate template) {
        return Fleets.get().circuits().resting(cloud, template).isPresent();
    }

    /** A rental that failed, and a template that rests. */
    private Rental failed(JenkinsRule j, VastAiCloud cloud) throws Exception {
        cloud.getTemplates().get(0).setDraws(1);
        machines.simulator().faults().add(Fault.of(Fault.Kind.EXITED_IN_BOOT));
        FreeStyleProject project = project(j);
        project.scheduleBuild2(0);
        Rental rental = await().atMost(RentedMachines.PATIENCE)
                .until(
                        () -> RentedMachines.rentals().stream()
                                .filter(Rental::failed)
                                .findFirst(),
                        Optional::isPresent)
                .orElseThrow();
        project.getQueueItem().doCancelQueue();
        await().until(() -> resting(cloud, cloud.getTemplates().get(0)));
        return rental;
    }

    private static FreeStyleProject project(JenkinsRule j) throws Exception {
        FreeStyleProject project = j.createFreeStyleProject();
        project.setAssignedLabel(Label.get("gpu"));
        return project;
    }
}

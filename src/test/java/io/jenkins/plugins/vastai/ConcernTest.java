package io.jenkins.plugins.vastai;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import hudson.ExtensionList;
import hudson.model.FreeStyleProject;
import hudson.model.Label;
import hudson.tasks.Shell;
import io.jenkins.plugins.vastai.rental.Rental;
import io.jenkins.plugins.vastai.simulator.Endpoint;
import io.jenkins.plugins.vastai.simulator.Fault;
import java.math.BigDecimal;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.Arrays;
import java.util.Set;
import java.util.stream.Collectors;
import jenkins.model.Jenkins;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.jvnet.hudson.test.JenkinsRule;
import org.jvnet.hudson.test.MockAuthorizationStrategy;
import org.jvnet.hudson.test.junit.jupiter.WithJenkins;

/** Admins hear of what needs them, by one monitor for each concern, and of nothing while all is well. */
@Timeout(240)
@WithJenkins
class ConcernTest {

    @RegisterExtension
    final RentedMachines machines = new RentedMachines();

    @AfterEach
    void usualPermissions() {
        Jenkins.SYSTEM_READ.setEnabled(false);
    }

    @Test
    void eachConcernHasItsMonitorAndNoneSpeaksWhileAllIsWell(JenkinsRule j) throws Exception {
        machines.cloud(RentedMachines.template("gpu", "gpu"));

        Set<String> ids = ExtensionList.lookup(ConcernMonitor.class).stream()
                .map(monitor -> monitor.id)
                .collect(Collectors.toSet());

        assertEquals(
                Arrays.stream(Concern.values())
                        .map(concern -> "vastai-" + concern.name())
                        .collect(Collectors.toSet()),
                ids);
        for (ConcernMonitor monitor : ExtensionList.lookup(ConcernMonitor.class)) {
            assertFalse(monitor.isActivated(), monitor.id);
        }
    }

    @Test
    void aRefusedKeyIsShownToWhoReadsTheSystemWithTheRemedyButNoButton(JenkinsRule j) throws Exception {
        Jenkins.SYSTEM_READ.setEnabled(true);
        j.jenkins.setSecurityRealm(j.createDummySecurityRealm());
        j.jenkins.setAuthorizationStrategy(new MockAuthorizationStrategy()
                .grant(Jenkins.ADMINISTER)
                .everywhere()
                .to("admin")
                .grant(Jenkins.READ, Jenkins.SYSTEM_READ)
                .everywhere()
                .to("looker"));
        machines.cloud(RentedMachines.template("gpu", "gpu"));
        machines.simulator().faults().add(Fault.of(Fault.Kind.KEY_REFUSED));
        ask(j);
        await().atMost(RentedMachines.PATIENCE)
                .until(() -> monitor(Concern.BAD_KEY).isActivated());

        for (String user : new String[] {"admin", "looker"}) {
            try (JenkinsRule.WebClient client = j.createWebClient().withJavaScriptEnabled(false)) {
                String page = client.login(user).goTo("manage/").getBody().getTextContent();
                assertTrue(page.contains("Vast.ai does not accept the API key"), page);
                assertEquals(user.equals("admin"), page.contains("Dismiss"), page);
            }
        }
        machines.simulator().faults().clear();
        machines.giveBack();
    }

    @Test
    void aTemplateThatFitsNothingAgainAndAgainIsTold(JenkinsRule j) throws Exception {
        machines.cloud(RentedMachines.template("gpu", "gpu"));
        machines.simulator().market().clear();
        ask(j);

        await().atMost(RentedMachines.PATIENCE)
                .until(() -> monitor(Concern.NO_MATCH).isActivated());
        String text = monitor(Concern.NO_MATCH).getWarnings().get(0).text();
        assertTrue(text.contains("template gpu") || text.contains("Template gpu"), text);
        machines.giveBack();
    }

    @Test
    void aBalanceBelowTheFloorIsTold(JenkinsRule j) throws Exception {
        VastAiCloud cloud = machines.cloud(RentedMachines.template("gpu", "gpu"));
        cloud.setBalanceFloor(new BigDecimal("1000"));
        ask(j);

        await().atMost(RentedMachines.PATIENCE)
                .until(() -> monitor(Concern.LOW_BALANCE).isActivated());
        String text = monitor(Concern.LOW_BALANCE).getWarnings().get(0).text();
        assertTrue(text.contains("1000.00 $"), text);
        machines.giveBack();
    }

    @Test
    void answersThatCannotBeReadAreTold(JenkinsRule j) throws Exception {
        machines.cloud(RentedMachines.template("gpu", "gpu"));
        machines.simulator().faults().add(Fault.of(Fault.Kind.NOT_JSON).endpoint(Endpoint.SEARCH));
        ask(j);

        await().atMost(RentedMachines.PATIENCE)
                .until(() -> monitor(Concern.API_CHANGED).isActivated());
        machines.simulator().faults().clear();
        machines.giveBack();
    }

    @Test
    void aMachineThatNoRentalKnowsOfIsToldUntilADayLater(JenkinsRule j) throws Exception {
        machines.cloud(RentedMachines.template("gpu", "gpu"));
        FreeStyleProject project = ask(j);
        Rental rental = RentedMachines.inService();
        // The market has one more under this rental's label than it ever asked for.
        String label = rental.current().orElseThrow().label().replaceFirst("[0-9]+$", "99");
        rentBehindItsBack(label);

        await().atMost(RentedMachines.PATIENCE)
                .until(() -> monitor(Concern.ORPHAN).isActivated());
        String text = monitor(Concern.ORPHAN).getWarnings().get(0).text();
        assertTrue(text.contains(label) && text.contains("belongs to no rental"), text);
        try (JenkinsRule.WebClient client = j.createWebClient().withJavaScriptEnabled(false)) {
            assertTrue(client.goTo("manage/").getBody().getTextContent().contains(label), "told to the admin");
            String found = client.goTo("manage/cloud/" + RentedMachines.CLOUD + "/")
                    .getElementById("vastai-found")
                    .getTextContent();
            assertTrue(found.contains(label), found);
        }
        machines.untilBegun(rental, project.getName());
        machines.letGo(rental, project.getName());
        machines.nothingLeft();
    }

    private void rentBehindItsBack(String label) throws Exception {
        long offer = machines.simulator().market().find("RTX 4090", 1).get(0).id();
        HttpResponse<String> answer = HttpClient.newHttpClient()
                .send(
                        HttpRequest.newBuilder(machines.simulator().uri().resolve("/api/v0/asks/" + offer + "/"))
                                .header(
                                        "Authorization",
                                        "Bearer " + machines.simulator().apiKey())
                                .PUT(HttpRequest.BodyPublishers.ofString("""
                                        {"client_id": "me", "image": "%s", "disk": 30, "label": "%s",
                                         "runtype": "ssh_direct", "cancel_unavail": true, "onstart": "true"}
                                        """.formatted(RentedMachines.IMAGE, label)))
                                .build(),
                        HttpResponse.BodyHandlers.ofString());
        assertEquals(200, answer.statusCode(), answer.body());
    }

    @Test
    void aMachineThatCannotEndItselfIsToldWhileItLives(JenkinsRule j) throws Exception {
        VastAiTemplate template = RentedMachines.template("gpu", "gpu");
        // It lies beside the watchdog, runs once that was started, and names another process, which is none, as its
        // successor.
        template.setInitScript(
                "cd \"${0%/*}\"; while [ ! -s watchdog.pid ]; do sleep 0.1; done; echo 9999999 >watchdog.pid");
        machines.cloud(template);
        FreeStyleProject project = ask(j);
        Rental rental = RentedMachines.inService();

        String text = monitor(Concern.NO_WATCHDOG).getWarnings().get(0).text();
        assertTrue(
                text.contains(rental.order().agent())
                        && text.contains("cannot end itself")
                        && text.contains("Vast.ai console"),
                text);
        machines.untilBegun(rental, project.getName());
        machines.letGo(rental, project.getName());
        machines.nothingLeft();
        assertFalse(monitor(Concern.NO_WATCHDOG).isActivated(), "what is gone costs nothing");
    }

    private static FreeStyleProject ask(JenkinsRule j) throws Exception {
        FreeStyleProject project = j.createFreeStyleProject();
        project.setAssignedLabel(Label.get("gpu"));
        project.getBuildersList().add(new Shell(RentedMachines.WAIT));
        project.scheduleBuild2(0);
        return project;
    }

    private static ConcernMonitor monitor(Concern concern) {
        return ExtensionList.lookup(ConcernMonitor.class).stream()
                .filter(monitor -> monitor.id.equals("vastai-" + concern.name()))
                .findFirst()
                .orElseThrow();
    }
}

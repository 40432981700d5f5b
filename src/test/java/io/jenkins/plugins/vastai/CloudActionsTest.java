package io.jenkins.plugins.vastai;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import hudson.model.Computer;
import hudson.model.FreeStyleProject;
import hudson.model.Item;
import hudson.model.Label;
import hudson.slaves.Cloud;
import hudson.tasks.Shell;
import io.jenkins.plugins.vastai.rental.Rental;
import io.jenkins.plugins.vastai.rental.State;
import java.net.URL;
import jenkins.model.Jenkins;
import net.sf.json.JSONObject;
import org.htmlunit.HttpMethod;
import org.htmlunit.WebRequest;
import org.htmlunit.html.HtmlPage;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.jvnet.hudson.test.JenkinsRule;
import org.jvnet.hudson.test.MockAuthorizationStrategy;
import org.jvnet.hudson.test.junit.jupiter.WithJenkins;

/** Those who may order, destroy or only look can do just that, on the cloud's page and where else they can reach it. */
@Timeout(300)
@WithJenkins
class CloudActionsTest {

    @RegisterExtension
    final RentedMachines machines = new RentedMachines();

    @AfterEach
    void usualPermissions() {
        Jenkins.SYSTEM_READ.setEnabled(false);
    }

    @Test
    void aPausedCloudOrdersNothingAndLetsBuildsGoOn(JenkinsRule j) throws Exception {
        secure(j);
        machines.cloud(RentedMachines.template("gpu", "gpu"));
        FreeStyleProject first = project(j, "first", RentedMachines.WAIT);
        first.scheduleBuild2(0);
        Rental rental = RentedMachines.inService();

        assertEquals(200, post(j, "operator", "pause"));
        FreeStyleProject second = project(j, "second", "true");
        second.scheduleBuild2(0);

        String page = get(j, "looker", cloudPage()).getBody().getTextContent();
        assertTrue(page.contains("Paused by operator"), page);
        assertFalse(page.contains("Go on ordering"), "who only looks has no button");
        String agents = get(j, "operator", "computer/").getBody().getTextContent();
        assertTrue(agents.contains("Paused by operator"), agents);
        machines.letGo(rental, "first");
        await().atMost(RentedMachines.PATIENCE)
                .until(() ->
                        first.getLastBuild() != null && !first.getLastBuild().isBuilding());
        j.assertBuildStatusSuccess(first.getLastBuild());
        machines.nothingLeft();
        assertTrue(second.isInQueue());
        assertEquals(1, RentedMachines.rentals().size(), RentedMachines::stories);

        assertEquals(200, post(j, "operator", "resume"));
        await().atMost(RentedMachines.PATIENCE)
                .until(() ->
                        second.getLastBuild() != null && !second.getLastBuild().isBuilding());
        machines.nothingLeft();
    }

    @Test
    void aPauseOutlivesAReloadAndFollowsTheCloudsName(JenkinsRule j) throws Exception {
        machines.cloud(RentedMachines.template("gpu", "gpu"));
        Fleets.get().pauses().pause(RentedMachines.CLOUD, new Pauses.Pause("somebody", 0));

        Pauses later = new Pauses();
        later.load(j.jenkins.getRootDir().toPath().resolve("vastai"));
        assertTrue(later.paused(RentedMachines.CLOUD));

        Fleets.get().renamed(RentedMachines.CLOUD, "market");
        assertFalse(Fleets.get().pauses().paused(RentedMachines.CLOUD));
        assertTrue(Fleets.get().pauses().paused("market"));
    }

    @Test
    void aMachineIsDestroyedByThoseWhoMayDeleteItsAgentAndByNobodyElse(JenkinsRule j) throws Exception {
        secure(j);
        machines.cloud(RentedMachines.template("gpu", "gpu"));
        project(j, "endless", RentedMachines.WAIT).scheduleBuild2(0);
        Rental rental = RentedMachines.inService();
        String what = "destroy?rental=" + rental.id();

        assertEquals(403, post(j, "looker", what));
        assertEquals(403, post(j, "reader", what));
        assertEquals(404, status(j, "operator", HttpMethod.GET, "vastai/" + RentedMachines.CLOUD + "/" + what));
        assertEquals(404, post(j, "operator", "destroy?rental=unknown"));
        assertEquals(State.IN_SERVICE, RentedMachines.rentals().get(0).state());
        HtmlPage agent =
                get(j, "operator", VastAiComputer.of(rental).orElseThrow().getUrl());
        assertTrue(agent.getBody().getTextContent().contains("Destroy the machine"));

        assertEquals(200, post(j, "operator", what));

        await().atMost(RentedMachines.PATIENCE)
                .until(() -> RentedMachines.rentals().get(0).state().ended());
        assertTrue(RentedMachines.tells(RentedMachines.rentals().get(0), "was destroyed by operator"));
        machines.giveBack();
    }

    @Test
    void aMachineIsLeftAloneByHandAndAllowedAgain(JenkinsRule j) throws Exception {
        secure(j);
        machines.cloud(RentedMachines.template("gpu", "gpu"));
        project(j, "endless", RentedMachines.WAIT).scheduleBuild2(0);
        Rental rental = RentedMachines.inService();
        long machine = rental.current().orElseThrow().machineId();

        assertEquals(403, post(j, "looker", "block?rental=" + rental.id()));
        assertEquals(200, post(j, "operator", "block?rental=" + rental.id()));
        await().atMost(RentedMachines.PATIENCE).untilAsserted(() -> {
            String blocked = get(j, "looker", cloudPage())
                    .getHtmlElementById("vastai-blocked")
                    .getTextContent();
            assertTrue(blocked.contains("machine " + machine) && blocked.contains("by operator"), blocked);
        });
        assertEquals(State.IN_SERVICE, RentedMachines.rentals().get(0).state(), "what runs there goes on");

        assertEquals(403, post(j, "looker", "unblock?machine=" + machine));
        assertEquals(200, post(j, "operator", "unblock?machine=" + machine));
        await().atMost(RentedMachines.PATIENCE)
                .untilAsserted(() -> assertNull(get(j, "looker", cloudPage()).getElementById("vastai-blocked")));
        machines.giveBack();
    }

    @Test
    void aTemplateThatRestsIsTriedAtOnceWhenSomebodySaysSo(JenkinsRule j) throws Exception {
        secure(j);
        VastAiTemplate template = RentedMachines.template("gpu", "gpu");
        VastAiCloud cloud = machines.cloud(template);
        machines.simulator().market().clear();
        project(j, "any", "true").scheduleBuild2(0);
        await().atMost(RentedMachines.PATIENCE)
                .until(() -> Fleets.get().circuits().resting(cloud, template).isPresent());

        assertEquals(403, post(j, "looker", "tryNow?template=gpu"));
        assertEquals(200, post(j, "operator", "tryNow?template=gpu"));

        assertTrue(Fleets.get().circuits().failing(cloud, template).isEmpty()
                || RentedMachines.rentals().size() > 1);
        await().atMost(RentedMachines.PATIENCE)
                .until(() -> RentedMachines.rentals().size() > 1);
        machines.giveBack();
    }

    @Test
    void programsReadTheSameAsNumbers(JenkinsRule j) throws Exception {
        secure(j);
        machines.cloud(RentedMachines.template("gpu", "gpu"));
        project(j, "endless", RentedMachines.WAIT).scheduleBuild2(0);
        Rental rental = RentedMachines.inService();

        JSONObject report;
        try (JenkinsRule.WebClient client = client(j, "looker")) {
            report = client.getJSON(cloudPage() + "api/json").getJSONObject();
        }

        assertEquals(1, report.getInt("machines"));
        assertEquals(10, report.getInt("cap"));
        assertFalse(report.getBoolean("paused"));
        JSONObject one = report.getJSONArray("rentals").getJSONObject(0);
        assertEquals(rental.id(), one.getString("id"));
        assertEquals("IN_SERVICE", one.getString("state"));
        assertEquals(rental.current().orElseThrow().machineId(), one.getLong("machine"));
        assertEquals(
                rental.current().orElseThrow().pricePerHour().doubleValue(), one.getDouble("pricePerHour"), 0.000001);
        machines.giveBack();
    }

    private static String cloudPage() {
        return "manage/cloud/" + RentedMachines.CLOUD + "/";
    }

    private static void secure(JenkinsRule j) {
        Jenkins.SYSTEM_READ.setEnabled(true);
        j.jenkins.setSecurityRealm(j.createDummySecurityRealm());
        j.jenkins.setAuthorizationStrategy(new MockAuthorizationStrategy()
                .grant(Jenkins.ADMINISTER)
                .everywhere()
                .to("admin")
                .grant(Jenkins.READ, Jenkins.SYSTEM_READ, Item.READ)
                .everywhere()
                .to("looker")
                .grant(Jenkins.READ, Cloud.PROVISION, Computer.DELETE)
                .everywhere()
                .to("operator")
                .grant(Jenkins.READ)
                .everywhere()
                .to("reader"));
    }

    private static FreeStyleProject project(JenkinsRule j, String name, String script) throws Exception {
        FreeStyleProject project = j.createFreeStyleProject(name);
        project.setAssignedLabel(Label.get("gpu"));
        project.getBuildersList().add(new Shell(script));
        return project;
    }

    private static JenkinsRule.WebClient client(JenkinsRule j, String user) throws Exception {
        return j.createWebClient()
                .withJavaScriptEnabled(false)
                .withThrowExceptionOnFailingStatusCode(false)
                .login(user);
    }

    private static HtmlPage get(JenkinsRule j, String user, String path) throws Exception {
        try (JenkinsRule.WebClient client = client(j, user)) {
            return client.goTo(path);
        }
    }

    private static int post(JenkinsRule j, String user, String action) throws Exception {
        return status(j, user, HttpMethod.POST, "vastai/" + RentedMachines.CLOUD + "/" + action);
    }

    /** Comes from the list of agents, as one of its buttons would. */
    private static int status(JenkinsRule j, String user, HttpMethod method, String path) throws Exception {
        try (JenkinsRule.WebClient client = client(j, user)) {
            WebRequest request = new WebRequest(new URL(j.getURL(), path), method);
            if (method == HttpMethod.POST) {
                client.addCrumb(request);
            }
            request.setAdditionalHeader("Referer", new URL(j.getURL(), "computer/").toString());
            return client.getPage(request).getWebResponse().getStatusCode();
        }
    }
}

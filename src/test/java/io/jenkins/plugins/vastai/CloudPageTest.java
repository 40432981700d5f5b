package io.jenkins.plugins.vastai;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import hudson.model.FreeStyleBuild;
import hudson.model.FreeStyleProject;
import hudson.model.Label;
import hudson.model.queue.QueueTaskFuture;
import hudson.tasks.Shell;
import io.jenkins.plugins.vastai.market.AllInPrice;
import io.jenkins.plugins.vastai.rental.Fleet;
import io.jenkins.plugins.vastai.rental.Order;
import io.jenkins.plugins.vastai.rental.Rental;
import io.jenkins.plugins.vastai.rental.RunnerSpec;
import io.jenkins.plugins.vastai.simulator.Fault;
import java.math.BigDecimal;
import java.time.Duration;
import java.util.Arrays;
import java.util.concurrent.TimeUnit;
import jenkins.model.Jenkins;
import org.htmlunit.html.DomElement;
import org.htmlunit.html.HtmlElement;
import org.htmlunit.html.HtmlPage;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.jvnet.hudson.test.JenkinsRule;
import org.jvnet.hudson.test.MockAuthorizationStrategy;
import org.jvnet.hudson.test.junit.jupiter.WithJenkins;

/** The page of a cloud shows what outlives the agents, to those who may see it, and takes nobody's text for HTML. */
@Timeout(240)
@WithJenkins
class CloudPageTest {

    private static final String HOSTILE =
            "<script>alert(1)</script><img src=x onerror=alert(1)>\"'${7*7}#{7*7}\\u0041&amp;";

    @RegisterExtension
    final RentedMachines machines = new RentedMachines();

    @AfterEach
    void usualPermissions() {
        Jenkins.SYSTEM_READ.setEnabled(false);
    }

    @Test
    void itShowsWhatRunsWhatEndedAndWhatIsLeftAlone(JenkinsRule j) throws Exception {
        machines.cloud(RentedMachines.template("gpu", "gpu"));
        // The cheapest machine stands at a place of its owner's wording, and is left alone for failing.
        machines.simulator().market().list("RTX 4090", 1, new BigDecimal("0.2"), HOSTILE + ", US", fields -> {});
        machines.simulator().faults().add(Fault.of(Fault.Kind.EXITED_IN_BOOT).once());
        FreeStyleProject project = j.createFreeStyleProject();
        project.setAssignedLabel(Label.get("gpu"));
        project.getBuildersList().add(new Shell(RentedMachines.WAIT));
        QueueTaskFuture<FreeStyleBuild> build = project.scheduleBuild2(0);
        Rental rental = RentedMachines.inService();

        HtmlPage page = page(j, "admin");

        HtmlElement row = page.getHtmlElementById("vastai-rental-" + rental.id());
        String shown = row.getTextContent();
        assertTrue(shown.contains("in service"), shown);
        assertTrue(shown.contains(rental.current().orElseThrow().gpus()), shown);
        assertTrue(shown.contains(AllInPrice.show(rental.current().orElseThrow().pricePerHour())), shown);
        String agent = VastAiComputer.of(rental).orElseThrow().getUrl();
        assertEquals(
                1, row.getByXPath(".//a[contains(@href, '/" + agent + "')]").size());
        String blocked = page.getHtmlElementById("vastai-blocked").getTextContent();
        assertTrue(blocked.contains(Long.toString(rental.draws().get(0).machineId())), blocked);

        machines.letGo(rental, project.getName());
        j.assertBuildStatusSuccess(build.get(120, TimeUnit.SECONDS));
        machines.nothingLeft();

        HtmlElement ended = page(j, "admin").getHtmlElementById("vastai-rental-" + rental.id());
        assertTrue(ended.getTextContent().contains("given back"), ended.getTextContent());
        assertEquals(0, ended.getByXPath(".//a[contains(@href, '/computer/')]").size(), "the agent is gone");
        HtmlPage all = page(j, "admin", "rental/" + rental.id() + "/");
        String story = all.getHtmlElementById("vastai-story").getTextContent();
        assertTrue(story.contains("Ordered by template gpu"), story);
        isText(all, all.getHtmlElementById("vastai-story"));
        String tries = all.getHtmlElementById("vastai-tries").getTextContent();
        assertTrue(tries.contains("exited before it ever ran"), tries);
    }

    @Test
    void whatAHostSaysIsTextOnThePagesOfCloudAndAgent(JenkinsRule j) throws Exception {
        machines.cloud(RentedMachines.template("gpu", "gpu"));
        machines.simulator()
                .faults()
                .add(Fault.of(Fault.Kind.FATAL_STATUS)
                        .text("OCI runtime create failed: " + HOSTILE)
                        .once());
        FreeStyleProject project = j.createFreeStyleProject();
        project.setAssignedLabel(Label.get("gpu"));
        project.getBuildersList().add(new Shell(RentedMachines.WAIT));
        project.scheduleBuild2(0);
        Rental rental = RentedMachines.inService();

        for (String path : new String[] {"", "live"}) {
            HtmlPage page = page(j, "admin", path);
            isText(page, page.getHtmlElementById("vastai-blocked"));
        }
        HtmlPage onAgent =
                at(j, "admin", VastAiComputer.of(rental).orElseThrow().getUrl());
        isText(onAgent, onAgent.getHtmlElementById("vastai-tries"));
        machines.untilBegun(rental, project.getName());
        machines.letGo(rental, project.getName());
        machines.nothingLeft();
    }

    /** What a host wrote is read as it was written, and nothing of it became a part of the page. */
    private static void isText(HtmlPage page, HtmlElement where) {
        String shown = where.getTextContent();
        assertTrue(shown.contains(HOSTILE), shown);
        assertEquals(
                0,
                page.getByXPath("//script[contains(text(), 'alert(1)')] | //img[@src='x'] | //*[@onerror]")
                        .size());
    }

    @Test
    void aTemplateThatFailedIsShownToRestWithTheReason(JenkinsRule j) throws Exception {
        machines.cloud(RentedMachines.template("gpu", "gpu"));
        machines.simulator().market().clear();
        FreeStyleProject project = j.createFreeStyleProject();
        project.setAssignedLabel(Label.get("gpu"));
        project.scheduleBuild2(0);
        await().atMost(RentedMachines.PATIENCE).untilAsserted(() -> {
            DomElement resting = page(j, "admin").getElementById("vastai-resting");
            assertNotNull(resting, "no template rests yet");
            String shown = resting.getTextContent();
            assertTrue(shown.contains("No machine for template gpu"), shown);
        });
        machines.giveBack();
    }

    @Test
    void fiveHundredRentalsAreShownAHundredAtATime(JenkinsRule j) throws Exception {
        VastAiCloud cloud = machines.cloud(RentedMachines.template("gpu", "gpu"));
        cloud.setInstanceCap(0);
        machines.simulator().market().clear();
        Fleet fleet = Fleets.get().fleet(cloud).orElseThrow();
        for (int i = 0; i < 500; i++) {
            fleet.order(id -> order("gpu-" + id));
        }

        HtmlPage first = page(j, "admin");
        long[] nanos = new long[9];
        for (int i = 0; i < nanos.length; i++) {
            long begun = System.nanoTime();
            page(j, "admin", "live");
            nanos[i] = System.nanoTime() - begun;
        }
        Arrays.sort(nanos);
        Duration median = Duration.ofNanos(nanos[nanos.length / 2]);
        System.out.println(
                "500 rentals: the part that is asked for every few seconds took " + median.toMillis() + " ms");

        // Those without an agent are given back meanwhile: alive or ended, a hundred of each at most.
        assertTrue(first.getByXPath("//tr[starts-with(@id, 'vastai-rental-')]").size() <= 200);
        assertTrue(first.asNormalizedText().contains("newest first"), first.asNormalizedText());
        assertTrue(median.compareTo(Duration.ofSeconds(1)) <= 0, median.toString());
        await().atMost(RentedMachines.PATIENCE).until(() -> RentedMachines.rentals().stream()
                .allMatch(rental -> rental.state().ended()));
        HtmlPage older = page(j, "admin", "?ended=400");
        assertTrue(older.asNormalizedText().contains("401 to 500 of 500"), older.asNormalizedText());
    }

    private static Order order(String agent) {
        return new Order(
                RentedMachines.CLOUD,
                "gpu",
                agent,
                RunnerSpec.of("1xRTX_4090", RentedMachines.IMAGE, false),
                "/home/jenkins",
                17,
                1,
                Duration.ofMinutes(15),
                Duration.ofHours(8),
                0,
                0,
                null);
    }

    @Test
    void whoMayReadTheSystemSeesItAndNobodyElse(JenkinsRule j) throws Exception {
        machines.cloud(RentedMachines.template("gpu", "gpu"));
        Jenkins.SYSTEM_READ.setEnabled(true);
        j.jenkins.setSecurityRealm(j.createDummySecurityRealm());
        j.jenkins.setAuthorizationStrategy(new MockAuthorizationStrategy()
                .grant(Jenkins.READ, Jenkins.SYSTEM_READ)
                .everywhere()
                .to("looker")
                .grant(Jenkins.READ)
                .everywhere()
                .to("reader"));

        assertTrue(page(j, "looker").asNormalizedText().contains("Nothing is rented now"));
        try (JenkinsRule.WebClient reader = j.createWebClient()) {
            reader.login("reader");
            reader.assertFails("manage/cloud/" + RentedMachines.CLOUD + "/", 403);
        }
        assertFalse(page(j, "looker").getWebResponse().getContentAsString().contains("vastai-rentals"));
    }

    private static HtmlPage page(JenkinsRule j, String user) throws Exception {
        return page(j, user, "");
    }

    private static HtmlPage page(JenkinsRule j, String user, String below) throws Exception {
        return at(j, user, "manage/cloud/" + RentedMachines.CLOUD + "/" + below);
    }

    private static HtmlPage at(JenkinsRule j, String user, String path) throws Exception {
        try (JenkinsRule.WebClient client = j.createWebClient()) {
            client.getOptions().setJavaScriptEnabled(false);
            if (j.jenkins.isUseSecurity()) {
                client.login(user);
            }
            return client.goTo(path);
        }
    }
}

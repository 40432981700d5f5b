package io.jenkins.plugins.vastai;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import hudson.model.FreeStyleBuild;
import hudson.model.FreeStyleProject;
import hudson.model.Label;
import hudson.model.queue.QueueTaskFuture;
import hudson.tasks.Shell;
import io.jenkins.plugins.vastai.market.AllInPrice;
import io.jenkins.plugins.vastai.rental.Rental;
import io.jenkins.plugins.vastai.simulator.Endpoint;
import io.jenkins.plugins.vastai.simulator.Fault;
import java.io.IOException;
import java.math.BigDecimal;
import java.net.URL;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import jenkins.model.Jenkins;
import net.sf.json.JSONObject;
import org.htmlunit.HttpMethod;
import org.htmlunit.WebRequest;
import org.htmlunit.html.HtmlPage;
import org.htmlunit.util.NameValuePair;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.jvnet.hudson.test.JenkinsRule;
import org.jvnet.hudson.test.MockAuthorizationStrategy;
import org.jvnet.hudson.test.junit.jupiter.WithJenkins;

/** The preview of offers on its page, as JSON and for a form that is not saved. */
@Timeout(240)
@WithJenkins
class TemplatePreviewTest {

    private static final String PREVIEW = "manage/cloud/vast/template/gpu/preview/";
    private static final String HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(1)>\"'${7*7}";

    @RegisterExtension
    final RentedMachines machines = new RentedMachines();

    @AfterEach
    void usualPermissions() {
        Jenkins.SYSTEM_READ.setEnabled(false);
    }

    private static HtmlPage page(JenkinsRule j) throws Exception {
        JenkinsRule.WebClient web = j.createWebClient();
        web.getOptions().setJavaScriptEnabled(false);
        return web.goTo(PREVIEW);
    }

    private static JSONObject json(JenkinsRule j) throws Exception {
        return j.getJSON(PREVIEW + "api/json?depth=2").getJSONObject();
    }

    private static String match(JenkinsRule j, VastAiTemplate template) throws Exception {
        JSONObject form = JSONObject.fromObject("{\"name\":\"" + template.getName() + "\"}");
        form.put("instanceType", template.getInstanceType());
        form.put("machineImage", template.getMachineImage());
        form.put("region", template.getRegion());
        form.put("labels", template.getLabels());
        WebRequest request = new WebRequest(new URL(j.getURL(), "manage/cloud/vast/templates/match"), HttpMethod.POST);
        request.setRequestParameters(List.of(new NameValuePair("json", form.toString())));
        JenkinsRule.WebClient web = j.createWebClient();
        web.getOptions().setJavaScriptEnabled(false);
        web.addCrumb(request);
        return web.getPage(request).getWebResponse().getContentAsString();
    }

    @Test
    void itShowsTheBestTenWithAllThatTheChoiceGoesBy(JenkinsRule j) throws Exception {
        machines.cloud(RentedMachines.template("gpu", "gpu"));
        for (int i = 0; i < 12; i++) {
            machines.simulator()
                    .market()
                    .list("RTX 4090", 1, new BigDecimal("0.0" + (i % 5 + 2)), HOSTILE + ", US", fields -> {});
        }

        HtmlPage page = page(j);
        String text = page.asNormalizedText();
        assertTrue(text.contains("machines match 1x RTX 4090"), text);
        assertTrue(text.contains("The market was asked"), text);
        assertEquals(10, page.querySelectorAll(".vastai-machines tbody tr").size(), text);
        String first = page.querySelector(".vastai-machines tbody tr").asNormalizedText();
        assertTrue(first.contains(HOSTILE), first);
        assertFalse(page.getWebResponse().getContentAsString().contains(HOSTILE), "the owner's text stays text");

        JSONObject json = json(j);
        JSONObject best = json.getJSONArray("machines").getJSONObject(0);
        assertEquals("1x RTX 4090", best.getString("gpu"));
        double price = best.getDouble("pricePerHour");
        assertTrue(first.contains(AllInPrice.show(BigDecimal.valueOf(price))), first + " " + best);
        assertEquals(
                price,
                best.getDouble("gpuPerHour") + best.getDouble("diskPerHour") + best.getDouble("trafficPerHour"),
                1e-9,
                best.toString());
        assertTrue(best.getLong("secondsToReady") > 60, best.toString());
        assertTrue(best.getDouble("reliability") > 0.9, best.toString());
        assertEquals(10, json.getJSONArray("machines").size());
        assertTrue(json.getInt("fit") >= 10, json.toString());
        assertEquals("", json.getString("problem"));
        assertTrue(machines.simulator().requests(Endpoint.CREATE).isEmpty());
    }

    @Test
    void itsSidePanelLeadsToTheTemplate(JenkinsRule j) throws Exception {
        machines.cloud(RentedMachines.template("gpu", "gpu"));
        String template = j.getURL().getPath() + "manage/cloud/vast/template/gpu/";
        HtmlPage page = page(j);
        for (String address : List.of(template, template + "preview/")) {
            assertEquals(
                    1,
                    page.getByXPath("//div[@id='tasks']//a[@href='" + address + "']")
                            .size(),
                    address);
        }
        assertTrue(page.getWebResponse().getContentAsString().contains("\"" + template + "doDelete\""), "to remove it");
    }

    @Test
    void theFirstMachineIsTheOneThatABuildGets(JenkinsRule j) throws Exception {
        machines.cloud(RentedMachines.template("gpu", "gpu"));
        long first = json(j).getJSONArray("machines").getJSONObject(0).getLong("machine");
        FreeStyleProject project = j.createFreeStyleProject();
        project.setAssignedLabel(Label.get("gpu"));
        project.getBuildersList().add(new Shell(RentedMachines.WAIT));
        QueueTaskFuture<FreeStyleBuild> build = project.scheduleBuild2(0);
        Rental rental = RentedMachines.inService();
        assertEquals(first, rental.draws().get(0).machineId());

        // The same machine, should the market still list it, is ours now and said to be.
        JSONObject now = json(j);
        now.getJSONArray("withheld").forEach(left -> {
            if (((JSONObject) left).getLong("machine") == first) {
                assertEquals("in use by agent " + rental.order().agent(), ((JSONObject) left).getString("why"));
            }
        });
        now.getJSONArray("machines")
                .forEach(machine -> assertFalse(((JSONObject) machine).getLong("machine") == first));
        HtmlPage list = j.createWebClient().goTo("manage/cloud/vast/templates/");
        assertTrue(list.getElementById("vastai-templates").asNormalizedText().contains("machines now: 1"));
        removedAndRenamedInUse(j);

        machines.letGo(rental, project.getName());
        j.assertBuildStatusSuccess(build.get(120, TimeUnit.SECONDS));
        machines.nothingLeft();
    }

    /** Its agent goes on: it holds names, nothing of the template. */
    private void removedAndRenamedInUse(JenkinsRule j) throws Exception {
        JenkinsRule.WebClient web = j.createWebClient();
        HtmlPage page = web.goTo("manage/cloud/vast/template/gpu/");
        assertTrue(
                page.getElementById("vastai-in-use").asNormalizedText().contains("Machines of this template now: 1"));
        assertTrue(
                page.getWebResponse().getContentAsString().contains("Machines that it has now: 1. Their builds go on"),
                "the question before removing it");
        page.getFormByName("config").getInputsByName("_.name").get(0).setValue("renamed");
        j.submit(page.getFormByName("config"));
        WebRequest remove =
                new WebRequest(new URL(j.getURL(), "manage/cloud/vast/template/renamed/doDelete"), HttpMethod.POST);
        web.addCrumb(remove);
        web.getPage(remove);
        assertTrue(((VastAiCloud) j.jenkins.getCloud("vast")).getTemplates().isEmpty());
    }

    @Test
    void aFormThatIsNotSavedIsShownAsItIs(JenkinsRule j) throws Exception {
        machines.cloud();
        VastAiTemplate unsaved = RentedMachines.template("unsaved", "gpu");
        assertTrue(match(j, unsaved).contains("machines match 1x RTX 4090"));
        assertFalse(match(j, unsaved).contains("<html"), "a part of a page");
        unsaved.setRegion("Atlantis");
        String refused = match(j, unsaved).replace("&quot;", "\"");
        assertTrue(refused.contains("region \"Atlantis\" is unknown"), refused);
        assertTrue(((VastAiCloud) j.jenkins.getCloud("vast")).getTemplates().isEmpty(), "nothing is saved");
    }

    @Test
    void nothingFoundSaysWhichRequirementRemovedHowManyAndWhatWouldHelp(JenkinsRule j) throws Exception {
        VastAiTemplate template = RentedMachines.template("gpu", "gpu");
        template.setMaxPricePerHour(new BigDecimal("0.01"));
        machines.cloud(template);
        String text = page(j).asNormalizedText();
        assertTrue(text.contains("No machine matches 1x RTX 4090"), text);
        assertTrue(text.contains("do not meet maxPricePerHour = 0.01"), text);
        assertTrue(text.contains("maxPricePerHour = 0."), text);
        assertTrue(text.contains("would admit an offer at"), text);
        JSONObject json = json(j);
        assertEquals(0, json.getInt("fit"));
        assertFalse(json.getJSONArray("explanation").isEmpty());
    }

    @Test
    void aMarketThatIsDownIsASentence(JenkinsRule j) throws Exception {
        machines.cloud(RentedMachines.template("gpu", "gpu"));
        machines.simulator().faults().add(Fault.of(Fault.Kind.SERVER_ERROR).endpoint(Endpoint.SEARCH));
        HtmlPage page = page(j);
        assertTrue(page.asNormalizedText().contains("The market does not answer"), page.asNormalizedText());
        assertTrue(page.querySelectorAll(".vastai-machines").isEmpty());
        assertTrue(json(j).getString("problem").contains("The market does not answer"));
    }

    @Test
    void aMarketThatIsSlowIsSaidSoInTime(JenkinsRule j) throws Exception {
        machines.cloud(RentedMachines.template("gpu", "gpu"));
        machines.simulator()
                .faults()
                .add(Fault.of(Fault.Kind.SLOW_ANSWER)
                        .endpoint(Endpoint.SEARCH)
                        .delay(Duration.ofSeconds(60))
                        .once());
        long began = System.nanoTime();
        JSONObject json = json(j);
        assertTrue(json.getBoolean("pending"), json.toString());
        assertTrue(json.getString("problem").contains("has not answered within"), json.toString());
        assertTrue(Duration.ofNanos(System.nanoTime() - began).toSeconds() < 50, "no longer than the market");
    }

    @Test
    void aKeyThatIsRefusedIsSaidSo(JenkinsRule j) throws Exception {
        machines.cloud(RentedMachines.template("gpu", "gpu"));
        machines.simulator().faults().add(Fault.of(Fault.Kind.KEY_REFUSED).endpoint(Endpoint.SEARCH));
        String text = page(j).asNormalizedText();
        assertTrue(text.contains("does not accept the API key"), text);
    }

    @Test
    void whoMayReadTheSystemSeesItForSavedTemplates(JenkinsRule j) throws IOException, Exception {
        machines.cloud(RentedMachines.template("gpu", "gpu"));
        Jenkins.SYSTEM_READ.setEnabled(true);
        j.jenkins.setSecurityRealm(j.createDummySecurityRealm());
        j.jenkins.setAuthorizationStrategy(new MockAuthorizationStrategy()
                .grant(Jenkins.READ, Jenkins.SYSTEM_READ)
                .everywhere()
                .to("reader")
                .grant(Jenkins.READ)
                .everywhere()
                .to("guest"));
        JenkinsRule.WebClient reader = j.createWebClient().login("reader");
        assertTrue(reader.goTo(PREVIEW).asNormalizedText().contains("machines match"));
        j.createWebClient().login("guest").assertFails(PREVIEW, 403);
        assertEquals(1, machines.simulator().requests(Endpoint.SEARCH).size(), "who may not see it asks nothing");
    }
}

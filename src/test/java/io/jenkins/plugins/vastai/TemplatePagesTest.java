package io.jenkins.plugins.vastai;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import hudson.model.Node;
import java.net.URL;
import java.util.ArrayList;
import java.util.List;
import jenkins.model.Jenkins;
import org.htmlunit.FailingHttpStatusCodeException;
import org.htmlunit.HttpMethod;
import org.htmlunit.WebRequest;
import org.htmlunit.html.DomNode;
import org.htmlunit.html.HtmlAnchor;
import org.htmlunit.html.HtmlForm;
import org.htmlunit.html.HtmlPage;
import org.htmlunit.html.HtmlTextInput;
import org.htmlunit.util.NameValuePair;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.jvnet.hudson.test.JenkinsRule;
import org.jvnet.hudson.test.MockAuthorizationStrategy;
import org.jvnet.hudson.test.junit.jupiter.WithJenkins;

/** The pages of templates: list, new, copy, change, order, remove; what they refuse, and to whom. */
@WithJenkins
class TemplatePagesTest {

    private static JenkinsRule jenkins;

    @BeforeAll
    static void start(JenkinsRule rule) throws Exception {
        jenkins = rule;
        Jenkins.SYSTEM_READ.setEnabled(true);
        Jenkins.MANAGE.setEnabled(true);
        Keys.secretText("key", "0123456789abcdef");
        Keys.login("registry", "user", "password");
        rule.jenkins.setSecurityRealm(rule.createDummySecurityRealm());
        rule.jenkins.setAuthorizationStrategy(new MockAuthorizationStrategy()
                .grant(Jenkins.ADMINISTER)
                .everywhere()
                .to("admin", "second")
                .grant(Jenkins.READ, Jenkins.SYSTEM_READ)
                .everywhere()
                .to("reader")
                .grant(Jenkins.READ, Jenkins.MANAGE)
                .everywhere()
                .to("manager")
                .grant(Jenkins.READ)
                .everywhere()
                .to("guest"));
    }

    @BeforeEach
    void aCloud() {
        jenkins.jenkins.clouds.clear();
        VastAiCloud cloud = Clouds.full();
        // Nothing listens there: field checks must do without the market, and do.
        cloud.setApiUrl("http://127.0.0.1:9");
        jenkins.jenkins.clouds.add(cloud);
    }

    private static VastAiCloud cloud() {
        return (VastAiCloud) jenkins.jenkins.getCloud("vast");
    }

    private static VastAiTemplate template(String name) {
        return cloud().template(name).orElseThrow();
    }

    private static List<String> names() {
        return cloud().getTemplates().stream().map(VastAiTemplate::getName).toList();
    }

    /** Pages with their scripts are large: a browser for each is more than a test's memory holds. */
    private static final List<JenkinsRule.WebClient> BROWSERS = new java.util.ArrayList<>();

    @org.junit.jupiter.api.AfterEach
    void closeBrowsers() {
        BROWSERS.forEach(JenkinsRule.WebClient::close);
        BROWSERS.clear();
    }

    private static JenkinsRule.WebClient as(String user) throws Exception {
        JenkinsRule.WebClient browser = jenkins.createWebClient();
        BROWSERS.add(browser);
        return browser.login(user);
    }

    private static HtmlForm form(String user, String page) throws Exception {
        return as(user).goTo("manage/cloud/vast/" + page).getFormByName("config");
    }

    private static HtmlTextInput field(HtmlForm form, String name) {
        return (HtmlTextInput) form.getInputsByName("_." + name).get(0);
    }

    private static String refusal(HtmlForm form) throws Exception {
        String said;
        try {
            said = jenkins.submit(form).asNormalizedText();
        } catch (FailingHttpStatusCodeException e) {
            said = e.getResponse().getContentAsString();
        }
        assertFalse(said.contains("at io.jenkins.plugins.vastai"), "a stack trace: " + said);
        return said.replace("&quot;", "\"").replace("&#039;", "'");
    }

    @Test
    void fromNothingToTheFirstTemplateByClicking() throws Exception {
        jenkins.jenkins.clouds.clear();
        JenkinsRule.WebClient web = as("admin");
        HtmlForm kind = web.goTo("manage/cloud/new").getFormByName("createItem");
        kind.getInputByName("name").setValue("vast");
        kind.getRadioButtonsByName("mode").stream()
                .filter(radio -> radio.getValueAttribute().contains("Vast"))
                .findFirst()
                .orElseThrow()
                .click();
        HtmlForm who = jenkins.submit(kind).getFormByName("config");
        who.getSelectByName("_.credentialsId").setSelectedAttribute("key", true);
        field(who, "apiUrl").setValue("http://127.0.0.1:9");
        HtmlPage clouds = jenkins.submit(who);

        HtmlPage page = clouds.getAnchorByText("vast").click();
        HtmlPage form = ((HtmlAnchor) page.querySelector("#vastai-no-template a")).click();
        HtmlForm template = form.getFormByName("config");
        field(template, "name").setValue("gpu");
        field(template, "labels").setValue("gpu");
        field(template, "machineImage").setValue("nvidia/cuda:12.0.0-base-ubuntu22.04");
        HtmlPage list = jenkins.submit(template);

        assertTrue(
                list.getUrl().getPath().endsWith("/cloud/vast/templates/"),
                list.getUrl().toString());
        String row = list.getElementById("vastai-templates").asNormalizedText();
        for (String part : List.of("gpu", "1xRTX_4090", "nvidia/cuda:12.0.0-base-ubuntu22.04", "EXCLUSIVE")) {
            assertTrue(row.contains(part), row);
        }
        VastAiTemplate smallest = new VastAiTemplate("gpu", "1xRTX_4090", "nvidia/cuda:12.0.0-base-ubuntu22.04");
        smallest.setLabels("gpu");
        assertEquals(smallest.version(), template("gpu").version(), "everything else is at its default");
        assertNull(web.goTo("manage/cloud/vast/").getElementById("vastai-no-template"));
    }

    @Test
    void theListSaysWhatEachIs() throws Exception {
        String list = as("reader").goTo("manage/cloud/vast/templates/").asNormalizedText();
        for (String part :
                List.of("gpu-vm", "gpu vm-1", "2xH100, 1xRTX_4090", "3.75", "NORMAL", "9.5 (of the cloud)")) {
            assertTrue(list.contains(part), part + " in " + list);
        }
    }

    @Test
    void savingATemplateUnchangedKeepsEveryValue() throws Exception {
        String before = Clouds.xml(cloud());
        jenkins.submit(form("admin", "template/gpu-vm/"));
        jenkins.submit(form("admin", "template/gpu-plain/"));
        assertEquals(before, Clouds.xml(cloud()));
    }

    @Test
    void aChangedValueIsSavedAndTheOthersStay() throws Exception {
        HtmlForm form = form("admin", "template/gpu-plain/");
        field(form, "region").setValue("DE, NL");
        jenkins.submit(form);
        assertEquals("DE, NL", template("gpu-plain").getRegion());
        assertEquals(List.of("gpu-vm", "gpu-plain"), names());
    }

    @Test
    void aFormThatIsInOrderShowsNoErrorWhenItOpens() throws Exception {
        JenkinsRule.WebClient web = as("admin");
        HtmlPage page = web.goTo("manage/cloud/vast/template/gpu-vm/");
        web.waitForBackgroundJavaScript(15_000);
        List<String> errors = new ArrayList<>();
        page.getByXPath("//form[@name='config']//div[contains(concat(' ', @class, ' '), ' error ')]")
                .forEach(error -> errors.add(((DomNode) error).asNormalizedText()));
        assertEquals(List.of(), errors);
        assertTrue(
                page.asNormalizedText().contains("Found in the built-in list; the market does not answer"),
                "the field says which list it is");
    }

    @Test
    void aCopyStartsWithEveryValueButTheName() throws Exception {
        HtmlForm form = form("admin", "templates/new?from=gpu-vm");
        assertEquals("", field(form, "name").getValue());
        field(form, "name").setValue("third");
        jenkins.submit(form);
        assertEquals(List.of("gpu-vm", "gpu-plain", "third"), names());
        assertEquals(
                template("gpu-vm").named("third").version(), template("third").version());
    }

    @Test
    void theOrderCanBeChanged() throws Exception {
        HtmlPage list = as("admin").goTo("manage/cloud/vast/templates/");
        assertEquals(
                0,
                list.getByXPath("//form[@name='moveUp-gpu-vm' or @name='moveDown-gpu-plain']")
                        .size());
        list = jenkins.submit(list.getFormByName("moveUp-gpu-plain"));
        assertEquals(List.of("gpu-plain", "gpu-vm"), names());
        jenkins.submit(list.getFormByName("moveDown-gpu-plain"));
        assertEquals(List.of("gpu-vm", "gpu-plain"), names());
    }

    @Test
    void removingNeedsAPost() throws Exception {
        JenkinsRule.WebClient web = as("admin").withThrowExceptionOnFailingStatusCode(false);
        web.goTo("manage/cloud/vast/template/gpu-vm/doDelete", null);
        assertEquals(List.of("gpu-vm", "gpu-plain"), names());
        assertEquals(200, post("admin", "template/gpu-vm/doDelete"));
        assertEquals(List.of("gpu-plain"), names());
    }

    @Test
    void renamingToANameThatIsTakenIsRefused() throws Exception {
        HtmlForm form = form("admin", "template/gpu-plain/");
        field(form, "name").setValue("GPU-VM");
        String said = refusal(form);
        assertTrue(said.contains("name \"GPU-VM\"") && said.contains("Choose another name"), said);
        assertEquals(List.of("gpu-vm", "gpu-plain"), names());
    }

    @Test
    void aTemplateThatCannotWorkIsRefusedWithFieldValueAndRemedy() throws Exception {
        String before = Clouds.xml(cloud());
        for (List<String> bad : List.of(
                List.of("name", "a/b", "name \"a/b\" cannot be used"),
                List.of("labels", "a&&b", "labels: \"a&&b\""),
                List.of("instanceType", "gpu please", "instanceType \"gpu please\""),
                List.of("region", "Atlantis", "region \"Atlantis\" is unknown"),
                List.of("maxPricePerHour", "cheap", "maxPricePerHour \"cheap\" is not a number"),
                List.of("minReliability", "98", "minReliability 98 is no percentage"),
                List.of("machineImage", "nvidia/cuda", "machineImage \"nvidia/cuda\" has no tag"),
                List.of("machineImage", "vastai/kvm:ubuntu_terminal", "set extraConfig.vm to true"),
                List.of("remoteFs", "home", "remoteFs \"home\""),
                List.of("registry", "https://ghcr.io", "registry \"https://ghcr.io\""))) {
            HtmlForm form = form("admin", "template/gpu-plain/");
            field(form, bad.get(0)).setValue(bad.get(1));
            field(form, "jvmOptions").setValue("-Xmx1g");
            String said = refusal(form).replace("&amp;", "&");
            assertTrue(said.contains(bad.get(2)), bad + " in " + said);
            assertEquals(before, Clouds.xml(cloud()), bad + " must save nothing");
            closeBrowsers();
        }
        for (List<String> bad : List.of(
                List.of("diskSpace", "7", "extraConfig.diskSpace is 7"),
                List.of("maxLifetimeMinutes", "5", "maxLifetimeMinutes 5"),
                List.of("draws", "99", "draws is 99"),
                List.of("instanceCap", "-1", "instanceCap is -1"))) {
            HtmlForm form = form("admin", "template/gpu-plain/");
            form.getInputsByName("_." + bad.get(0)).get(0).setValue(bad.get(1));
            String said = refusal(form);
            assertTrue(said.contains(bad.get(2)), bad + " in " + said);
            assertEquals(before, Clouds.xml(cloud()), bad + " must save nothing");
            closeBrowsers();
        }
    }

    @Test
    void anUnknownGpuIsSavedSinceTheMarketMayComeToKnowIt() throws Exception {
        HtmlForm form = form("admin", "template/gpu-plain/");
        field(form, "instanceType").setValue("1xRTX_6090");
        jenkins.submit(form);
        assertEquals("1xRTX_6090", template("gpu-plain").getInstanceType());
    }

    @Test
    void aCloudAndItsTemplateSavedByTwoPeopleLoseNothing() throws Exception {
        HtmlForm cloudForm = form("admin", "configure");
        HtmlForm templateForm = form("second", "template/gpu-plain/");
        HtmlForm newForm = form("second", "templates/new?from=gpu-plain");
        cloudForm.getInputsByName("_.instanceCap").get(0).setValue("7");
        field(templateForm, "region").setValue("DE");
        field(newForm, "name").setValue("third");

        jenkins.submit(templateForm);
        jenkins.submit(newForm);
        jenkins.submit(cloudForm);

        assertEquals(7, cloud().getInstanceCap());
        assertEquals("DE", template("gpu-plain").getRegion());
        assertEquals(List.of("gpu-vm", "gpu-plain", "third"), names());

        HtmlForm again = form("second", "template/gpu-plain/");
        HtmlForm cloudAgain = form("admin", "configure");
        cloudAgain.getInputsByName("_.instanceCap").get(0).setValue("8");
        field(again, "region").setValue("NL");
        jenkins.submit(cloudAgain);
        jenkins.submit(again);
        assertEquals(8, cloud().getInstanceCap());
        assertEquals("NL", template("gpu-plain").getRegion());
    }

    @Test
    void manyTemplatesSavedAtTheSameMomentAreAllThere() throws Exception {
        List<Thread> threads = new ArrayList<>();
        List<Exception> failures = java.util.Collections.synchronizedList(new ArrayList<>());
        for (int i = 0; i < 8; i++) {
            int number = i;
            threads.add(new Thread(() -> {
                try {
                    CloudEdits.get().add("vast", template("gpu-plain").named("many-" + number));
                } catch (Exception e) {
                    failures.add(e);
                }
            }));
        }
        threads.forEach(Thread::start);
        for (Thread thread : threads) {
            thread.join();
        }
        assertEquals(List.of(), failures);
        assertEquals(10, names().size());
    }

    @Test
    void whoSavesOverSomebodyElsesChangeIsTold() throws Exception {
        HtmlForm first = form("admin", "template/gpu-plain/");
        HtmlForm second = form("second", "template/gpu-plain/");
        field(first, "region").setValue("DE");
        field(second, "maxPricePerHour").setValue("0.5");
        jenkins.submit(first);
        String said = refusal(second);
        assertTrue(said.contains("changed by somebody else") && said.contains("open the page again"), said);
        assertEquals("DE", template("gpu-plain").getRegion());
        assertNull(template("gpu-plain").getMaxPricePerHour());
    }

    @Test
    void aTemplateOrCloudThatIsGoneIsSaidSo() throws Exception {
        HtmlForm removed = form("admin", "template/gpu-plain/");
        CloudEdits.get().remove("vast", "gpu-plain");
        // The page itself is gone as well.
        refusal(removed);
        assertEquals(List.of("gpu-vm"), names());
        VastAiCloud gone = cloud();
        jenkins.jenkins.clouds.clear();
        hudson.model.Failure failure = org.junit.jupiter.api.Assertions.assertThrows(
                hudson.model.Failure.class, () -> CloudEdits.get().remove(gone.getName(), "gpu-vm"));
        assertTrue(failure.getMessage().contains("There is no cloud named \"vast\""), failure.getMessage());
    }

    @Test
    void whoMayOnlyReadTheSystemSeesThePagesAndCannotChangeThem() throws Exception {
        JenkinsRule.WebClient web = as("reader");
        HtmlPage list = web.goTo("manage/cloud/vast/templates/");
        assertNotNull(list.getElementById("vastai-templates"));
        assertFalse(list.getWebResponse().getContentAsString().contains("href=\"new\""));
        HtmlPage page = web.goTo("manage/cloud/vast/template/gpu-vm/");
        String text = page.getWebResponse().getContentAsString();
        assertTrue(text.contains("2xH100, 1xRTX_4090"), text);
        assertFalse(text.contains("doDelete"), "no link that would be refused");
        assertFalse(text.contains("vastai-preview\""), "no button that would be refused");
        assertTrue(
                page.getFormByName("config").getInputsByName("_.instanceType").isEmpty());
        for (String user : List.of("reader", "manager", "guest")) {
            assertEquals(403, post(user, "template/gpu-vm/configSubmit", new NameValuePair("json", "{}")), user);
            assertEquals(403, post(user, "template/gpu-vm/doDelete"), user);
            assertEquals(403, post(user, "templates/create", new NameValuePair("json", "{}")), user);
            assertEquals(403, post(user, "templates/moveUp", new NameValuePair("template", "gpu-plain")), user);
            assertEquals(403, post(user, "templates/match", new NameValuePair("json", "{}")), user);
            assertEquals(403, get(user, "templates/new"), user);
        }
        for (String user : List.of("manager", "guest")) {
            assertEquals(403, get(user, "templates/"), user);
            assertEquals(403, get(user, "template/gpu-vm/"), user);
            assertEquals(403, get(user, "template/gpu-vm/preview/"), user);
        }
        assertEquals(List.of("gpu-vm", "gpu-plain"), names());
    }

    @Test
    void pagesOfNobodyDoNotExist() throws Exception {
        assertEquals(404, get("admin", "template/nobody/"));
        assertEquals(404, get("admin", "template/"));
        assertEquals(404, get("admin", "templates/0/"));
    }

    @Test
    void textOfTheConfigurationStaysText() throws Exception {
        VastAiTemplate hostile = template("gpu-plain").named("hostile");
        hostile.setLabels("<script>alert(1)</script>");
        hostile.setRegion("\"><img src=x onerror=alert(2)>");
        hostile.setMode(Node.Mode.NORMAL);
        CloudEdits.get().add("vast", hostile);
        for (String page : List.of("templates/", "template/hostile/", "templates/new?from=hostile")) {
            String html = as("admin")
                    .goTo("manage/cloud/vast/" + page)
                    .getWebResponse()
                    .getContentAsString();
            assertFalse(html.contains("<script>alert(1)"), page);
            assertFalse(html.contains("<img src=x"), page);
        }
    }

    private static int get(String user, String page) throws Exception {
        JenkinsRule.WebClient web = as(user).withThrowExceptionOnFailingStatusCode(false);
        return web.getPage(new URL(jenkins.getURL(), "manage/cloud/vast/" + page))
                .getWebResponse()
                .getStatusCode();
    }

    private static int post(String user, String page, NameValuePair... parameters) throws Exception {
        JenkinsRule.WebClient web = as(user).withThrowExceptionOnFailingStatusCode(false);
        WebRequest request = new WebRequest(new URL(jenkins.getURL(), "manage/cloud/vast/" + page), HttpMethod.POST);
        request.setRequestParameters(List.of(parameters));
        web.addCrumb(request);
        return web.getPage(request).getWebResponse().getStatusCode();
    }
}

package io.jenkins.plugins.vastai;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import hudson.model.Descriptor;
import hudson.security.ACL;
import hudson.security.ACLContext;
import hudson.util.FormValidation;
import io.jenkins.plugins.vastai.simulator.Simulator;
import java.lang.reflect.Method;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import jenkins.model.Jenkins;
import org.htmlunit.FailingHttpStatusCodeException;
import org.htmlunit.HttpMethod;
import org.htmlunit.WebRequest;
import org.htmlunit.html.HtmlElement;
import org.htmlunit.html.HtmlForm;
import org.htmlunit.html.HtmlPage;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.jvnet.hudson.test.JenkinsRule;
import org.jvnet.hudson.test.MockAuthorizationStrategy;
import org.jvnet.hudson.test.junit.jupiter.WithJenkins;
import org.kohsuke.stapler.verb.POST;

@WithJenkins
class ConfigurationFormTest {

    private static final List<Class<?>> CLASSES = List.of(
            VastAiCloud.class,
            VastAiTemplate.class,
            ExtraConfig.class,
            EnvironmentVariable.class,
            BlocklistEntry.class);
    private static final Pattern FIELD = Pattern.compile("(?:field|<div name)=\"(\\w+)\"");

    private static JenkinsRule jenkins;

    @BeforeAll
    static void start(JenkinsRule rule) throws Exception {
        System.setProperty("jenkins.security.SystemReadPermission", "true");
        System.setProperty("jenkins.security.ManagePermission", "true");
        jenkins = rule;
        Jenkins.SYSTEM_READ.setEnabled(true);
        Jenkins.MANAGE.setEnabled(true);
        Keys.secretText("key", "0123456789abcdef");
        Keys.login("registry", "user", "password");
        rule.jenkins.setSecurityRealm(rule.createDummySecurityRealm());
        rule.jenkins.setAuthorizationStrategy(new MockAuthorizationStrategy()
                .grant(Jenkins.ADMINISTER)
                .everywhere()
                .to("admin")
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
        jenkins.jenkins.clouds.add(Clouds.full());
    }

    @AfterEach
    void noCloud() {
        jenkins.jenkins.clouds.clear();
    }

    private static VastAiCloud cloud() {
        return (VastAiCloud) jenkins.jenkins.getCloud("vast");
    }

    private static JenkinsRule.WebClient as(String user) throws Exception {
        return jenkins.createWebClient().login(user);
    }

    @Test
    void savingTheFormUnchangedKeepsEveryValueAndTheTemplates() throws Exception {
        String before = Clouds.xml(cloud());
        HtmlPage page = as("admin").goTo("cloud/vast/configure");
        jenkins.submit(page.getFormByName("config"));
        assertEquals(before, Clouds.xml(cloud()));
    }

    @Test
    void aValueThatIsChangedInTheFormIsSaved() throws Exception {
        HtmlForm form = as("admin").goTo("cloud/vast/configure").getFormByName("config");
        form.getInputsByName("_.maxPricePerHour").get(0).setValue("4.25");
        form.getInputsByName("_.balanceFloor").get(0).setValue(" ");
        jenkins.submit(form);
        assertEquals("4.25", cloud().getMaxPricePerHour().toPlainString());
        assertNull(cloud().getBalanceFloor(), "a blank number is the default");
        assertEquals(2500, cloud().getInstanceCap());
    }

    @Test
    void aNumberThatCannotBeReadIsRefusedAndNothingIsSaved() throws Exception {
        String before = Clouds.xml(cloud());
        HtmlForm form = as("admin").goTo("cloud/vast/configure").getFormByName("config");
        form.getInputsByName("_.balanceFloor").get(0).setValue("a lot");
        form.getInputsByName("_.apiUrl").get(0).setValue("https://other.example.org");
        assertTrue(refusal(form).contains("balanceFloor \"a lot\" is not a number. Write for example 2.50."));
        assertEquals(before, Clouds.xml(cloud()));
    }

    private static String refusal(HtmlForm form) throws Exception {
        try {
            return jenkins.submit(form).getWebResponse().getContentAsString();
        } catch (FailingHttpStatusCodeException e) {
            String said = e.getResponse().getContentAsString();
            assertFalse(said.contains("at io.jenkins.plugins.vastai"), "a stack trace: " + said);
            return said;
        }
    }

    @Test
    void aNewCloudStartsFromTheDefaults() throws Exception {
        jenkins.jenkins.clouds.clear();
        JenkinsRule.WebClient web = as("admin");
        HtmlForm first = web.goTo("manage/cloud/new").getFormByName("createItem");
        first.getInputByName("name").setValue("fresh");
        first.getRadioButtonsByName("mode").stream()
                .filter(radio -> radio.getValueAttribute().contains("Vast"))
                .findFirst()
                .orElseThrow()
                .click();
        HtmlPage second = jenkins.submit(first);
        HtmlForm form = second.getFormByName("config");
        form.getSelectByName("_.credentialsId").setSelectedAttribute("key", true);
        jenkins.submit(form);
        VastAiCloud defaults = new VastAiCloud("fresh", "key");
        assertEquals(Clouds.xml(defaults), Clouds.xml((VastAiCloud) jenkins.jenkins.getCloud("fresh")));
    }

    @Test
    void renamingToANameThatIsTakenIsRefused() throws Exception {
        jenkins.jenkins.clouds.add(new VastAiCloud("other", "key"));
        HtmlForm form = as("admin").goTo("cloud/vast/configure").getFormByName("config");
        form.getInputsByName("_.name").get(0).setValue("other");
        assertTrue(refusal(form).contains("name \"other\": there is a cloud of that name already"));
        assertNotNull(cloud());
    }

    @Test
    void whoMayOnlyReadTheSystemSeesTheFormButCannotChangeIt() throws Exception {
        HtmlPage page = as("reader").goTo("cloud/vast/configure");
        String text = page.getWebResponse().getContentAsString();
        assertTrue(text.contains("https://vast.example.org"));
        assertFalse(text.contains("testConnection"), "no button that would be refused");
        assertTrue(page.getFormByName("config").getInputsByName("_.apiUrl").isEmpty(), "no field to write into");
    }

    @Test
    void whoMayNotConfigureLearnsNothingFromChecksAndLists() throws Exception {
        for (String user : List.of("guest", "reader", "manager")) {
            try (ACLContext ignored =
                    ACL.as2(hudson.model.User.getById(user, true).impersonate2())) {
                VastAiCloud.DescriptorImpl descriptor = descriptor(VastAiCloud.DescriptorImpl.class);
                VastAiTemplate.DescriptorImpl template = descriptor(VastAiTemplate.DescriptorImpl.class);
                assertEquals(FormValidation.Kind.OK, descriptor.doCheckCredentialsId("nothing").kind, user);
                assertEquals(FormValidation.Kind.OK, descriptor.doCheckApiUrl("nothing").kind, user);
                assertEquals(FormValidation.Kind.OK, template.doCheckRegistryCredentialsId("nothing").kind, user);
                assertEquals(FormValidation.Kind.OK, template.doCheckInstanceType(null, "nothing").kind, user);
                assertEquals(1, descriptor.doFillCredentialsIdItems("chosen").size(), user);
                assertEquals(
                        1, template.doFillRegistryCredentialsIdItems("chosen").size(), user);
                assertEquals(
                        List.of(),
                        template.doAutoCompleteInstanceType(cloud(), "4090").getValues(),
                        user);
                assertEquals(
                        List.of(), template.doAutoCompleteRegion(cloud(), "U").getValues(), user);
                assertEquals(
                        List.of(), template.doAutoCompleteMachineImage("cuda").getValues(), user);
            }
        }
    }

    @Test
    void testConnectionAsksTheAddressInTheForm() throws Exception {
        try (Simulator simulator = Simulator.builder().ssh(false).limits(false).start()) {
            Keys.secretText("key", simulator.apiKey());
            JenkinsRule.WebClient web = as("admin");
            HtmlPage page = web.goTo("cloud/vast/configure");
            page.getFormByName("config")
                    .getInputsByName("_.apiUrl")
                    .get(0)
                    .setValue(simulator.uri().toString());
            ((HtmlElement) page.querySelector(".validate-button")).click();
            web.waitForBackgroundJavaScript(30_000);
            assertFalse(simulator.requests().isEmpty(), "the key must go nowhere else");
            String said =
                    page.querySelector(".jenkins-validate-button__container").asNormalizedText();
            assertTrue(said.contains("has instance_write"), said);
        }
    }

    @Test
    void testConnectionIsForAdministratorsAndPostAlone() throws Exception {
        String address = "descriptorByName/" + VastAiCloud.class.getName() + "/testConnection";
        for (String user : List.of("guest", "reader", "manager")) {
            JenkinsRule.WebClient web = as(user).withThrowExceptionOnFailingStatusCode(false);
            WebRequest request = new WebRequest(new URL(jenkins.getURL(), address), HttpMethod.POST);
            web.addCrumb(request);
            assertEquals(403, web.getPage(request).getWebResponse().getStatusCode(), user);
        }
        JenkinsRule.WebClient admin = as("admin").withThrowExceptionOnFailingStatusCode(false);
        assertEquals(
                404,
                admin.getPage(new URL(jenkins.getURL(), address))
                        .getWebResponse()
                        .getStatusCode(),
                "GET finds nothing");
    }

    @Test
    void everyMethodThatAnswersRequestsWantsPost() {
        for (Class<?> type : CLASSES) {
            for (Method method : jenkins.jenkins
                    .getDescriptorOrDie(describable(type))
                    .getClass()
                    .getDeclaredMethods()) {
                if (method.getName().startsWith("do")) {
                    assertTrue(method.isAnnotationPresent(POST.class), method.toString());
                }
            }
        }
    }

    @Test
    void everySettingIsInTheFormAndEveryFieldHasHelp() throws Exception {
        JenkinsRule.WebClient web = as("admin");
        for (Class<?> type : CLASSES) {
            Set<String> inForm = new TreeSet<>();
            Matcher fields = FIELD.matcher(resource(type, "config.jelly"));
            while (fields.find()) {
                inForm.add(fields.group(1));
            }
            Set<String> settings = settings(type);
            settings.remove("templates"); // on pages of their own
            assertEquals(settings, inForm, type.getSimpleName());
            List<String> withoutHelp = new ArrayList<>();
            for (String field : inForm) {
                String help = web.goTo("descriptor/" + type.getName() + "/help/" + field)
                        .getWebResponse()
                        .getContentAsString();
                if (!help.contains(resource(type, "help-" + field + ".html")
                        .lines()
                        .toList()
                        .get(1)
                        .strip())) {
                    withoutHelp.add(field);
                }
            }
            assertEquals(List.of(), withoutHelp, type.getSimpleName());
        }
    }

    /** What data binding takes. */
    static Set<String> settings(Class<?> type) {
        Set<String> settings = new TreeSet<>();
        for (Method method : type.getMethods()) {
            if (method.isAnnotationPresent(org.kohsuke.stapler.DataBoundSetter.class)) {
                settings.add(
                        java.beans.Introspector.decapitalize(method.getName().substring(3)));
            }
        }
        settings.addAll(List.of(new org.kohsuke.stapler.ClassDescriptor(type).loadConstructorParamNames()));
        return settings;
    }

    private static String resource(Class<?> type, String name) throws Exception {
        try (java.io.InputStream in = type.getResourceAsStream(type.getSimpleName() + "/" + name)) {
            assertNotNull(in, type.getSimpleName() + "/" + name);
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    private static <D extends Descriptor<?>> D descriptor(Class<D> type) {
        return jenkins.jenkins.getExtensionList(type).get(0);
    }

    @SuppressWarnings({"unchecked", "rawtypes"})
    private static Class<? extends hudson.model.Describable> describable(Class<?> type) {
        return (Class<? extends hudson.model.Describable>) type;
    }
}

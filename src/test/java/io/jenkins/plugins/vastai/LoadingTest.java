package io.jenkins.plugins.vastai;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import hudson.model.Label;
import java.util.List;
import jenkins.model.Jenkins;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.jvnet.hudson.test.JenkinsRule;
import org.jvnet.hudson.test.junit.jupiter.WithJenkins;

/** Configuration files of any release, and edited by hand, are loaded; what they leave out has its default. */
@WithJenkins
class LoadingTest {

    @BeforeAll
    static void start(JenkinsRule rule) {
        assertEquals(rule.jenkins, Jenkins.get());
    }

    private static VastAiCloud load(String inside) {
        return (VastAiCloud) Jenkins.XSTREAM2.fromXML(
                "<io.jenkins.plugins.vastai.VastAiCloud>" + inside + "</io.jenkins.plugins.vastai.VastAiCloud>");
    }

    @Test
    void whatTheFileLeavesOutHasItsDefault() {
        VastAiCloud loaded = load("<name>vast</name><credentialsId>key</credentialsId><templates>"
                + "<io.jenkins.plugins.vastai.VastAiTemplate><name>runner</name><instanceType>1xRTX_4090</instanceType>"
                + "<machineImage>a:b</machineImage><extraConfig/></io.jenkins.plugins.vastai.VastAiTemplate>"
                + "</templates>");
        VastAiCloud made = new VastAiCloud("vast", "key");
        made.setTemplates(List.of(new VastAiTemplate("runner", "1xRTX_4090", "a:b")));
        assertEquals(Clouds.xml(made), Clouds.xml(loaded));
    }

    @Test
    void absurdValuesAreLoadedAndReportedInsteadOfFailing() {
        VastAiCloud loaded = load("<apiUrl>nonsense</apiUrl><instanceCap>-7</instanceCap><templates>"
                + "<io.jenkins.plugins.vastai.VastAiTemplate><numExecutors>-3</numExecutors><oneShot>false</oneShot>"
                + "<minReliability>77</minReliability><extraConfig><diskSpace>-1</diskSpace></extraConfig>"
                + "<mode>SOMETIMES</mode><environment><null/></environment>"
                + "</io.jenkins.plugins.vastai.VastAiTemplate><null/></templates>");
        assertEquals(1, loaded.getTemplates().size());
        VastAiTemplate template = loaded.getTemplates().get(0);
        assertEquals(1, template.getNumExecutors());
        assertFalse(template.matches(Label.parseExpression("gpu")));
        assertFalse(template.matches(null));
        List<String> fields =
                CloudCheck.problems(loaded).stream().map(Problem::field).toList();
        assertTrue(
                fields.containsAll(List.of(
                        "name",
                        "credentialsId",
                        "apiUrl",
                        "instanceCap",
                        "templates.name",
                        "templates.instanceType",
                        "templates.machineImage",
                        "templates.minReliability",
                        "templates.numExecutors",
                        "templates.extraConfig.diskSpace")),
                fields.toString());
        assertEquals("", template.spec(loaded).instanceType());
    }

    @Test
    void everyValueSurvivesBeingStored() {
        String xml = Clouds.xml(Clouds.full());
        assertEquals(xml, Clouds.xml((VastAiCloud) Jenkins.XSTREAM2.fromXML(xml)));
    }

    @Test
    void aTemplateMatchesItsLabelsAndUnlabelledWorkOnlyWhenNormal() {
        VastAiTemplate template = Clouds.full().getTemplates().get(0);
        assertTrue(template.matches(Label.parseExpression("gpu && vm-1")));
        assertFalse(template.matches(Label.parseExpression("gpu && !vm-1")));
        assertTrue(template.matches(null), "NORMAL");
        assertFalse(Clouds.full().getTemplates().get(1).matches(null), "EXCLUSIVE");
    }

    @Test
    void aTemplateWithoutAPriceHasTheCloudsPrice() {
        VastAiCloud cloud = Clouds.full();
        assertEquals(
                "3.75",
                cloud.getTemplates().get(0).spec(cloud).maxPricePerHour().toPlainString());
        assertEquals(
                "9.5", cloud.getTemplates().get(1).spec(cloud).maxPricePerHour().toPlainString());
    }

    @Test
    void aRegistryLoginIsPassedOnOnlyIfItsWordsStayWords() throws Exception {
        VastAiCloud cloud = Clouds.full();
        VastAiTemplate template = cloud.getTemplates().get(0);
        assertNull(template.spec(cloud).imageLogin(), "no such credential");
        Keys.login("registry", "user", "pass word");
        assertNull(template.spec(cloud).imageLogin());
        Keys.login("registry", "user", "password");
        assertEquals(
                "-u user -p password ghcr.io", template.spec(cloud).imageLogin().value());
        assertFalse(template.spec(cloud).toString().contains("password"));
    }
}

package io.jenkins.plugins.vastai;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import javax.xml.parsers.DocumentBuilderFactory;
import jenkins.model.Jenkins;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.jvnet.hudson.test.JenkinsRule;
import org.jvnet.hudson.test.junit.jupiter.WithJenkins;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.w3c.dom.Node;

/**
 * What an earlier release stored is loaded with every value. Each directory below {@code releases} is one release: clouds
 * and agents as that release wrote them, never edited afterwards. Whoever changes what is stored adds a directory.
 */
@WithJenkins
class EarlierReleasesTest {

    private static final Path RELEASES = Path.of("src/test/resources/io/jenkins/plugins/vastai/releases");

    @BeforeAll
    static void start(JenkinsRule rule) {
        assertEquals(rule.jenkins, Jenkins.get());
    }

    static List<Path> files() throws IOException {
        try (Stream<Path> files = Files.walk(RELEASES)) {
            return files.filter(file -> file.toString().endsWith(".xml"))
                    .sorted()
                    .toList();
        }
    }

    @ParameterizedTest
    @MethodSource("files")
    void everyStoredValueIsStillThereWhenItIsLoadedAndStoredAgain(Path file) throws Exception {
        List<String> stored;
        try (InputStream in = Files.newInputStream(file)) {
            stored = values(in);
        }
        Object loaded = Jenkins.XSTREAM2.fromXML(file.toFile());
        List<String> again;
        try (InputStream in =
                new ByteArrayInputStream(Jenkins.XSTREAM2.toXML(loaded).getBytes(StandardCharsets.UTF_8))) {
            again = values(in);
        }
        assertFalse(stored.isEmpty());
        List<String> lost = new ArrayList<>(stored);
        lost.removeAll(again);
        assertEquals(List.of(), lost, "values that were lost");
        if (loaded instanceof VastAiCloud cloud) {
            assertEquals(
                    List.of(),
                    CloudCheck.problems(cloud).stream()
                            .filter(problem -> !problem.warning())
                            .toList());
        }
    }

    @Test
    void theCloudOfTheFirstFormIsWhatItWas() throws Exception {
        VastAiCloud cloud = assertInstanceOf(VastAiCloud.class, load("cloud-full.xml"));
        VastAiTemplate template = cloud.template("gpu-vm").orElseThrow();
        assertEquals(2500, cloud.getInstanceCap());
        assertEquals("12", cloud.getBalanceFloor().toPlainString());
        assertFalse(cloud.isNoDelayProvisioning());
        assertEquals(List.of(), cloud.getBlocklist(), "there was none");
        assertEquals("2xH100, 1xRTX_4090", template.getInstanceType());
        assertEquals(64, template.getExtraConfig().getDiskSpace());
        assertTrue(template.getExtraConfig().isVm());
        assertEquals("3.75", template.getMaxPricePerHour().toPlainString());
        assertEquals("b c", template.getEnvironment().get(1).getValue());
        assertEquals("echo one\necho two", template.getInitScript());
        assertEquals(0, template.getRequeueLimit(), "opted into by nobody");
    }

    @Test
    void anAgentOfTheFirstFormKnowsItsRentalAndHowItIsKept() throws Exception {
        VastAiAgent agent = assertInstanceOf(VastAiAgent.class, load("agent-many.xml"));
        assertEquals(12, agent.fleetId().length());
        assertTrue(agent.getNodeName().endsWith(agent.rentalId()), agent.getNodeName());
        assertEquals("many", agent.orderedFor());
        assertEquals("many", agent.getId().getTemplateName());
        assertEquals(2, agent.getNumExecutors());
        assertEquals(hudson.model.Node.Mode.NORMAL, agent.getMode());
        assertFalse(agent.oneShot());
        VastAiRetention retention = assertInstanceOf(VastAiRetention.class, agent.getRetentionStrategy());
        assertEquals(7, retention.idleMinutes());
        assertInstanceOf(RentalLauncher.class, agent.getLauncher());
        assertNotNull(agent.createComputer());
    }

    private static Object load(String file) throws IOException {
        try (InputStream in =
                Files.newInputStream(RELEASES.resolve("0-first-form").resolve(file))) {
            return Jenkins.XSTREAM2.fromXML(in);
        }
    }

    /** Path and text of every element without children. */
    private static List<String> values(InputStream in) throws Exception {
        // Jenkins writes XML 1.1.
        Document document =
                DocumentBuilderFactory.newInstance().newDocumentBuilder().parse(in);
        List<String> values = new ArrayList<>();
        collect(document.getDocumentElement(), "", values);
        return values;
    }

    private static void collect(Element element, String path, List<String> values) {
        String here = path + "/" + element.getTagName();
        boolean leaf = true;
        for (Node child = element.getFirstChild(); child != null; child = child.getNextSibling()) {
            if (child instanceof Element inner) {
                leaf = false;
                collect(inner, here, values);
            }
        }
        if (leaf && !element.getTextContent().isEmpty()) {
            values.add(here + "=" + element.getTextContent());
        }
    }
}

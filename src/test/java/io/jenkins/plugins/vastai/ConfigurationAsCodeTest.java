package io.jenkins.plugins.vastai;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import hudson.model.Node;
import io.jenkins.plugins.casc.ConfigurationAsCode;
import io.jenkins.plugins.casc.yaml.YamlSource;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.InputStream;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import java.util.logging.Level;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.jvnet.hudson.test.JenkinsRule;
import org.jvnet.hudson.test.LogRecorder;
import org.jvnet.hudson.test.junit.jupiter.WithJenkins;

@WithJenkins
class ConfigurationAsCodeTest {

    private static JenkinsRule jenkins;

    @BeforeAll
    static void start(JenkinsRule rule) {
        jenkins = rule;
    }

    @BeforeEach
    void noCloud() {
        jenkins.jenkins.clouds.clear();
    }

    private static VastAiCloud cloud() {
        return (VastAiCloud) jenkins.jenkins.getCloud("vast");
    }

    private static void apply(String yaml) throws Exception {
        ConfigurationAsCode.get()
                .configureWith(YamlSource.of(new ByteArrayInputStream(yaml.getBytes(StandardCharsets.UTF_8))));
    }

    /** The part of the export that is ours, without what Jenkins adds around. */
    private static String export() throws Exception {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ConfigurationAsCode.get().export(out);
        StringBuilder ours = new StringBuilder();
        boolean inside = false;
        for (String line : out.toString(StandardCharsets.UTF_8).lines().toList()) {
            if (line.equals("  clouds:")) {
                inside = true;
            } else if (inside && line.matches("  \\w.*|\\w.*")) {
                break;
            }
            if (inside) {
                ours.append(line).append('\n');
            }
        }
        return ours.toString();
    }

    private static String seed() throws Exception {
        try (InputStream in = ConfigurationAsCodeTest.class.getResourceAsStream("seed.yaml")) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    @Test
    void theSeedsTwoExamplesAreRead() throws Exception {
        apply(seed());
        VastAiCloud cloud = cloud();
        assertEquals("vastai-api-key", cloud.getCredentialsId());
        assertEquals(10, cloud.getInstanceCap());
        VastAiTemplate container = cloud.template("vastai-gpu-runner").orElseThrow();
        assertEquals("US", container.getRegion());
        assertEquals(30, container.getExtraConfig().getDiskSpace());
        assertFalse(container.getExtraConfig().isVm());
        assertTrue(container.isOneShot());
        assertEquals(Node.Mode.EXCLUSIVE, container.getMode());
        VastAiTemplate machine = cloud.template("vastai-gpu-vm-runner").orElseThrow();
        assertTrue(machine.getExtraConfig().isVm());
        assertEquals(8, machine.getExtraConfig().getMinRam());
        assertEquals(30, machine.launchMinutes());
        assertEquals("cirun-vastai-gpu-vm", machine.labelSet().iterator().next().getName());
    }

    @Test
    void whatWasExportedIsReadBackTheSame() throws Exception {
        apply(seed());
        String first = export();
        assertTrue(first.contains("instanceType: \"1xRTX_4090\""), first);
        assertFalse(first.contains("launchTimeoutMinutes"), "defaults are left out: " + first);
        jenkins.jenkins.clouds.clear();
        apply("jenkins:\n" + first);
        assertEquals(first, export());
    }

    @Test
    void everyFieldIsExportedAndReadBack() throws Exception {
        jenkins.jenkins.clouds.add(Clouds.full());
        String before = Clouds.xml(cloud());
        String first = export();
        for (String number :
                new String[] {"instanceCap: 2500", "balanceFloor: 12", "diskSpace: 64", "maxPricePerHour: \"9.5\""}) {
            assertTrue(first.contains(number + "\n"), "numbers are numbers: " + first);
        }
        for (Class<?> type : new Class<?>[] {VastAiCloud.class, VastAiTemplate.class, ExtraConfig.class}) {
            for (String setting : ConfigurationFormTest.settings(type)) {
                assertTrue(first.contains(setting + ":"), setting + " in " + first);
            }
        }
        jenkins.jenkins.clouds.clear();
        apply("jenkins:\n" + first);
        assertEquals(before, Clouds.xml(cloud()));
        assertEquals(first, export());
    }

    @Test
    void aSecondRunOfTheSameFileChangesNothing() throws Exception {
        apply(seed());
        String before = Clouds.xml(cloud());
        apply(seed());
        assertEquals(1, jenkins.jenkins.clouds.size());
        assertEquals(before, Clouds.xml(cloud()));
    }

    /** Each row: a line of the good file, what stands there instead, and what the refusal has to say. */
    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            name: vast                   |                             | name is empty. Write a short name for the cloud
            name: vast                   | name: a/b                   | name "a/b" cannot be used
            credentialsId: key           |                             | credentialsId is empty. Choose a secret text
            instanceCap: 10              | instanceCap: ten            | instanceCap "ten" is not a whole number. Write for example 10.
            instanceCap: 10              | instanceCap: -1             | instanceCap is -1. Write a number from 0 to 10000.
            instanceCap: 10              | instanceCap: [1]            | instanceCap holds a list or a map. Write a single value, for example 10.
            instanceCap: 10              | maxPricePerHour: cheap      | maxPricePerHour "cheap" is not a number. Write for example 2.50.
            instanceCap: 10              | balanceFloor: 5$            | balanceFloor "5$" is not a number
            instanceCap: 10              | noDelayProvisioning: maybe  | noDelayProvisioning "maybe" is neither true nor false
            instanceCap: 10              | apiUrl: http://vast.example | apiUrl "http://vast.example" is not an address that can be used
            instanceCap: 10              | blocklist: [{reason: x}]    | blocklist: machineId is 0 and hostId is 0. Write the number of a machine
            instanceCap: 10              | blocklist: [{machineId: a}] | blocklist.machineId "a" is not a whole number
            instanceCap: 10              | blocklist: [{hostId: 1, until: soon}] | blocklist: until "soon" is no date. Write year, month and day
            instanceCap: 10              | blocklist: 12345            | blocklist holds a single value. Write a list.
            - name: runner               | - labels: other             | Template "": name is empty
            instanceType: 1xRTX_4090     |                             | Template "runner": instanceType is empty
            instanceType: 1xRTX_4090     | instanceType: RTX 4090      | Template "runner": instanceType "RTX 4090" does not say how many GPUs
            machineImage: a/b:1          |                             | Template "runner": machineImage is empty
            machineImage: a/b:1          | machineImage: a/b           | Template "runner": machineImage "a/b" has no tag
            machineImage: a/b:1          | machineImage: vastai/kvm:x  | Template "runner": machineImage "vastai/kvm:x" is a virtual machine: set extraConfig.vm to true
            diskSpace: 30                | vm: true                    | Template "runner": extraConfig.vm is true, but machineImage "a/b:1" is no Vast.ai virtual machine
            diskSpace: 30                | vm: perhaps                 | Template "runner": extraConfig.vm "perhaps" is neither true nor false
            diskSpace: 30                | diskSpace: much             | Template "runner": extraConfig.diskSpace "much" is not a whole number. Write for example 30.
            diskSpace: 30                | diskSpace: 5000000          | Template "runner": extraConfig.diskSpace is 5000000
            region: US                   | region: Atlantis            | Template "runner": region "Atlantis" is unknown. Did you mean
            region: US                   | minReliability: 98          | Template "runner": minReliability 98 is no percentage
            region: US                   | mode: SOMETIMES             | Template "runner": mode "SOMETIMES" is unknown. Write one of: NORMAL, EXCLUSIVE.
            region: US                   | draws: 0                    | Template "runner": draws is 0. Write a number from 1 to 20.
            region: US                   | extraconfig: none           | extraConfig
            """)
    void aFileThatCannotWorkIsRefusedBeforeAnythingIsChanged(String line, String instead, String said)
            throws Exception {
        String good = """
                jenkins:
                  systemMessage: changed
                  clouds:
                    - vastAi:
                        name: vast
                        credentialsId: key
                        instanceCap: 10
                        templates:
                          - name: runner
                            labels: gpu
                            instanceType: 1xRTX_4090
                            machineImage: a/b:1
                            region: US
                            extraConfig:
                              diskSpace: 30
                """;
        assertTrue(good.contains(line), line);
        jenkins.jenkins.setSystemMessage("before");
        String bad = good.replace(line + "\n", (instead == null ? "" : instead) + "\n");
        Exception refused = assertThrows(Exception.class, () -> apply(bad));
        assertTrue(messages(refused).contains(said), said + " in " + messages(refused));
        assertEquals(0, jenkins.jenkins.clouds.size(), "no half of a cloud");
        assertEquals("before", jenkins.jenkins.getSystemMessage(), "nor anything else of the file");
    }

    @Test
    void twoCloudsOfOneNameAreRefused() throws Exception {
        String one = """
                    - vastAi:
                        name: vast
                        credentialsId: key
                """;
        Exception refused = assertThrows(Exception.class, () -> apply("jenkins:\n  clouds:\n" + one + one));
        assertTrue(messages(refused).contains("vast"), messages(refused));
        assertEquals(0, jenkins.jenkins.clouds.size(), "no half of the file");
        apply("jenkins:\n  clouds:\n" + one);
        apply("jenkins:\n  clouds:\n" + one);
        assertEquals(1, jenkins.jenkins.clouds.size(), "the same file again is no second cloud");
    }

    @Test
    void anInitScriptThatIsTooLongIsRefusedWhenItIsSaved() throws Exception {
        String noise = new Random(1)
                .ints(3000, 'a', 'z' + 1)
                .mapToObj(Character::toString)
                .collect(Collectors.joining());
        Exception refused = assertThrows(
                Exception.class,
                () -> apply(
                        seed().replace("region: US", "region: US\n            initScript: \"echo " + noise + "\"")));
        assertTrue(messages(refused).contains("initScript makes the start script"), messages(refused));
        assertEquals(0, jenkins.jenkins.clouds.size());
    }

    @Test
    void eachWarningIsLoggedOnceForEachReading() throws Exception {
        try (LogRecorder log =
                new LogRecorder().record(CloudConfigurator.class, Level.WARNING).capture(20)) {
            apply(seed().replace("labels: cirun-vastai-gpu\n", "\n"));
            assertEquals(
                    1,
                    log.getMessages().stream()
                            .filter(line -> line.contains("labels"))
                            .count());
        }
    }

    /** Every example of the documentation, as somebody would copy it. */
    @ParameterizedTest
    @ValueSource(strings = {"README.md", "docs/configuration.md"})
    void examplesOfTheDocumentationAreRead(String file) throws Exception {
        Matcher blocks = Pattern.compile("(?ms)^```yaml\\R(.*?)^```").matcher(Files.readString(Path.of(file)));
        int found = 0;
        while (blocks.find()) {
            apply(blocks.group(1));
            found++;
        }
        assertTrue(found > 0, file);
        assertNotNull(cloud(), file);
    }

    /** Configuration as Code fails there before it asks any plugin; once it does not, the documentation may say so. */
    @Test
    void aDateWithoutQuotesIsRefusedByConfigurationAsCodeItself() throws Exception {
        String yaml = "jenkins:\n  clouds:\n    - vastAi:\n        name: vast\n        credentialsId: key\n"
                + "        blocklist:\n          - machineId: 1\n            until: ";
        assertThrows(RuntimeException.class, () -> apply(yaml + "2026-12-31\n"));
        apply(yaml + "\"2026-12-31\"\n");
        assertEquals("2026-12-31", cloud().getBlocklist().get(0).getUntil());
    }

    private static String messages(Throwable thrown) {
        StringBuilder messages = new StringBuilder();
        for (Throwable at = thrown; at != null; at = at.getCause()) {
            messages.append(at.getMessage()).append('\n');
        }
        return messages.toString();
    }

    @ParameterizedTest
    @ValueSource(strings = {"\"0.01\"", "'0.01'"})
    void aPriceLimitInQuotesIsRead(String written) throws Exception {
        apply(seed().replace("region: US", "region: US\n            maxPricePerHour: " + written));
        VastAiTemplate template = cloud().template("vastai-gpu-runner").orElseThrow();
        assertEquals(new BigDecimal("0.01"), template.getMaxPricePerHour());
    }

    @Test
    void twoTemplatesOfOneNameAreRefused() throws Exception {
        String twice = seed().replace("name: vastai-gpu-vm-runner", "name: vastai-gpu-runner");
        Exception refused = assertThrows(Exception.class, () -> apply(twice));
        assertTrue(
                String.valueOf(refused).contains("two templates named \"vastai-gpu-runner\"")
                        || String.valueOf(refused.getCause()).contains("two templates named \"vastai-gpu-runner\""),
                refused.toString());
        assertNull(cloud());
    }

    @Test
    void anUnknownGpuIsAcceptedWithAWarningThatNamesTheNearest() throws Exception {
        try (LogRecorder log =
                new LogRecorder().record(CloudConfigurator.class, Level.WARNING).capture(10)) {
            apply(seed().replaceFirst("1xRTX_4090", "1xRTX_4900"));
            assertTrue(
                    log.getMessages().stream()
                            .anyMatch(said -> said.contains("Template \"vastai-gpu-runner\"")
                                    && said.contains("RTX_4900")
                                    && said.contains("RTX 4090")),
                    log.getMessages().toString());
        }
        assertNotNull(cloud());
    }

    @Test
    void anUnknownSettingIsRefusedWithTheKnownOnes() throws Exception {
        Exception refused = assertThrows(Exception.class, () -> apply(seed().replace("region: US", "regions: US")));
        StringBuilder messages = new StringBuilder();
        for (Throwable at = refused; at != null; at = at.getCause()) {
            messages.append(at.getMessage()).append('\n');
        }
        assertTrue(messages.toString().contains("regions"), messages.toString());
        assertNull(cloud());
    }
}

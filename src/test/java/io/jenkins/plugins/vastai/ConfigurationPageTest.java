package io.jenkins.plugins.vastai;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** docs/configuration.md keeps up with the settings. */
class ConfigurationPageTest {

    private static final Pattern ROW = Pattern.compile("^\\| `(\\w+)` \\| ([^|]+) \\| ([^|]+) \\| ([^|]+) \\|$");

    private final String page = read();

    private static String read() {
        try {
            return Files.readString(Path.of("docs/configuration.md"));
        } catch (java.io.IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    /** Name and default of each row below a heading. */
    private Map<String, String> table(String heading) {
        Map<String, String> rows = new LinkedHashMap<>();
        String part = page.substring(page.indexOf(heading) + heading.length());
        part = part.substring(0, part.indexOf("\n#"));
        for (String line : part.lines().toList()) {
            Matcher row = ROW.matcher(line);
            if (row.matches()) {
                rows.put(row.group(1), row.group(3).strip());
            }
        }
        return rows;
    }

    private static void agrees(Map<String, String> table, Class<?> type, Fields fields) {
        assertEquals(new TreeSet<>(ConfigurationFormTest.settings(type)), new TreeSet<>(table.keySet()));
        Set<String> withoutFixedDefault = Set.of("maxPricePerHour", "balanceFloor");
        table.forEach((setting, told) -> {
            if (fields.isTyped(setting) && !withoutFixedDefault.contains(setting)) {
                assertEquals("`" + fields.example(setting) + "`", told, setting);
            }
        });
    }

    @Test
    void everySettingIsInItsTableWithItsDefault() {
        agrees(table("## Cloud: `vastAi`"), VastAiCloud.class, Fields.OF_CLOUD);
        agrees(table("## Runner template"), VastAiTemplate.class, Fields.OF_TEMPLATE);
        agrees(table("## `blocklist`"), BlocklistEntry.class, Fields.OF_BLOCKLIST_ENTRY);
        agrees(table("### `extraConfig`"), ExtraConfig.class, Fields.OF_EXTRA_CONFIG);
    }

    @Test
    void theYamlOnThePageIsTheOneThatIsTested() throws Exception {
        try (InputStream in = ConfigurationPageTest.class.getResourceAsStream("seed.yaml")) {
            String tested = new String(in.readAllBytes(), StandardCharsets.UTF_8);
            assertTrue(page.contains("```yaml\n" + tested + "```"));
        }
    }

    @Test
    void everyWayToStartIsNamed() {
        List<String> missing = TemplateCheck.RUNTYPES.stream()
                .filter(runtype -> !page.contains("`" + runtype + "`"))
                .toList();
        assertEquals(List.of(), missing);
    }
}

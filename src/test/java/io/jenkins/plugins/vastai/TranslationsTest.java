package io.jenkins.plugins.vastai;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.io.IOException;
import java.io.Reader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** German and Simplified Chinese are complete: each text of each bundle, with the same placeholders, and each help. */
class TranslationsTest {

    private static final List<String> LANGUAGES = List.of("de", "zh_CN");
    private static final Path RESOURCES = Path.of("src/main/resources");
    private static final Pattern PLACEHOLDER = Pattern.compile("\\{\\d+\\}");

    @Test
    void everyTextHasItsTranslationsWithTheSamePlaceholders() throws IOException {
        List<String> missing = new ArrayList<>();
        List<Path> bundles = originals(".properties");
        assertFalse(bundles.isEmpty());
        for (Path bundle : bundles) {
            Properties texts = read(bundle);
            for (String language : LANGUAGES) {
                Path translated = translation(bundle, language);
                Properties translations = Files.exists(translated) ? read(translated) : new Properties();
                for (String key : new TreeSet<>(texts.stringPropertyNames())) {
                    String text = translations.getProperty(key);
                    if (text == null || text.isBlank()) {
                        missing.add(RESOURCES.relativize(translated) + ": " + key);
                    } else if (!placeholders(texts.getProperty(key)).equals(placeholders(text))) {
                        missing.add(RESOURCES.relativize(translated) + ": " + key + ": placeholders differ");
                    }
                }
                for (String key : new TreeSet<>(translations.stringPropertyNames())) {
                    if (!texts.containsKey(key)) {
                        missing.add(RESOURCES.relativize(translated) + ": " + key + ": translates nothing");
                    }
                }
            }
        }
        assertEquals(List.of(), missing);
    }

    @Test
    void everyHelpHasItsTranslations() throws IOException {
        List<String> missing = new ArrayList<>();
        for (Path help : originals(".html")) {
            for (String language : LANGUAGES) {
                if (!Files.exists(translation(help, language))) {
                    missing.add(
                            RESOURCES.relativize(translation(help, language)).toString());
                }
            }
        }
        assertEquals(List.of(), missing);
    }

    /** Files without a language in their names. */
    private static List<Path> originals(String suffix) throws IOException {
        try (Stream<Path> files = Files.walk(RESOURCES)) {
            return files.filter(file -> file.toString().endsWith(suffix))
                    .filter(file -> LANGUAGES.stream()
                            .noneMatch(language -> file.toString().endsWith("_" + language + suffix)))
                    .sorted()
                    .toList();
        }
    }

    private static Path translation(Path original, String language) {
        String name = original.getFileName().toString();
        int dot = name.lastIndexOf('.');
        return original.resolveSibling(name.substring(0, dot) + "_" + language + name.substring(dot));
    }

    private static Properties read(Path file) throws IOException {
        Properties texts = new Properties();
        try (Reader reader = Files.newBufferedReader(file, StandardCharsets.UTF_8)) {
            texts.load(reader);
        }
        return texts;
    }

    private static List<String> placeholders(String text) {
        Matcher matcher = PLACEHOLDER.matcher(text);
        List<String> found = new ArrayList<>();
        while (matcher.find()) {
            found.add(matcher.group());
        }
        return found.stream().distinct().sorted().toList();
    }
}

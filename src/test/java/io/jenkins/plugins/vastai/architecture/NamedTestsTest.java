package io.jenkins.plugins.vastai.architecture;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** A document that names a test as proof names one that exists. */
class NamedTestsTest {

    private static final Pattern NAME = Pattern.compile("`(\\w+(?:Test|Properties))\\.(\\w+)`");

    @Test
    void everyTestThatTheReliabilityPageNamesExists() throws IOException {
        Path root = root();
        List<Path> sources;
        try (Stream<Path> walk = Files.walk(root.resolve("src/test/java"))) {
            sources = walk.filter(file -> file.toString().endsWith(".java")).toList();
        }
        Matcher named = NAME.matcher(Files.readString(root.resolve("docs/reliability.md")));
        TreeSet<String> all = new TreeSet<>();
        List<String> missing = new ArrayList<>();
        while (named.find()) {
            if (all.add(named.group()) && !exists(sources, named.group(1), named.group(2))) {
                missing.add(named.group());
            }
        }
        assertEquals(List.of(), missing);
        assertTrue(all.size() >= 30, () -> "the page names " + all);
    }

    private static boolean exists(List<Path> sources, String type, String method) throws IOException {
        for (Path source : sources) {
            if (source.endsWith(type + ".java") && Files.readString(source).contains("void " + method + "(")) {
                return true;
            }
        }
        return false;
    }

    /** The project, whichever of its two builds runs. */
    private static Path root() {
        Path here = Path.of("").toAbsolutePath();
        return Files.isDirectory(here.resolve("docs")) ? here : here.getParent();
    }
}

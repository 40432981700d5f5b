package io.jenkins.plugins.vastai.machines;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class CasesTest {

    /** The reliability page has one row for each case, in the same order. */
    @Test
    void everyCaseIsOnTheReliabilityPage() throws Exception {
        Path page = Stream.of("docs", "../docs")
                .map(place -> Path.of(place, "reliability.md"))
                .filter(Files::exists)
                .findFirst()
                .orElseThrow();
        List<String> rows = Files.readAllLines(page).stream()
                .dropWhile(line -> !line.equals("## Real machines"))
                .skip(1)
                .takeWhile(line -> !line.startsWith("## "))
                .filter(line -> line.startsWith("| "))
                .skip(1)
                .map(line -> line.split("\\|")[1].strip())
                .toList();

        assertEquals(Cases.all().stream().map(each -> each.name).toList(), rows);
    }
}

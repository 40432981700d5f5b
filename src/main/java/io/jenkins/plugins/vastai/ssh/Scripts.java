package io.jenkins.plugins.vastai.ssh;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.stream.Collectors;

/** The shell scripts of this package, as they are sent: without comments and indentation. */
final class Scripts {

    static final String START = read("start.sh");
    static final String WATCHDOG = read("watchdog.sh");
    static final String SURVEY = read("survey.sh");
    static final String FETCH = read("fetch.sh");
    static final String UNPACK = read("unpack.sh");
    static final String GPUS = read("gpus.sh");
    static final String KNOCK = read("knock.sh");
    static final String AGENT = read("agent.sh");

    private Scripts() {}

    /** As one word for a POSIX shell. */
    static String quote(String text) {
        return "'" + text.replace("'", "'\\''") + "'";
    }

    private static String read(String name) {
        try (InputStream in = Scripts.class.getResourceAsStream(name)) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8)
                    .lines()
                    .map(String::strip)
                    .filter(line -> !line.isEmpty() && !line.startsWith("#"))
                    .map(line -> line + "\n")
                    .collect(Collectors.joining());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}

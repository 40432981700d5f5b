package io.jenkins.plugins.vastai;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import hudson.util.AtomicFileWriter;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.logging.Level;
import java.util.logging.Logger;

/**
 * Clouds that order nothing until somebody lets them, across restarts. Not part of the configuration: whoever may order
 * may not configure, and configuration applied anew must not end a pause. Thread-safe.
 */
final class Pauses {

    private static final Logger LOGGER = Logger.getLogger(Pauses.class.getName());

    /**
     * Who paused, and when.
     *
     * @param by name of the user
     * @param at milliseconds since 1970
     */
    record Pause(String by, long at) {}

    private final ObjectMapper json = new ObjectMapper();
    private Path file;
    private volatile Map<String, Pause> byCloud = Map.of();

    /** @param directory where it is kept */
    synchronized void load(Path directory) {
        file = directory.resolve("paused.json");
        try {
            byCloud =
                    Files.exists(file) ? Map.copyOf(json.readValue(file.toFile(), new TypeReference<>() {})) : Map.of();
        } catch (IOException | RuntimeException e) {
            byCloud = Map.of();
            LOGGER.log(Level.SEVERE, e, () -> "Cannot read which clouds are paused from " + file + "; none is");
        }
    }

    Optional<Pause> of(String cloud) {
        return Optional.ofNullable(byCloud.get(cloud));
    }

    boolean paused(String cloud) {
        return byCloud.containsKey(cloud);
    }

    /**
     * From now on, and after a restart.
     *
     * @throws IOException when that cannot be written down; it holds until the next restart all the same
     */
    synchronized void pause(String cloud, Pause pause) throws IOException {
        Map<String, Pause> next = new TreeMap<>(byCloud);
        next.put(cloud, pause);
        change(next);
    }

    /** @throws IOException as {@link #pause} */
    synchronized void resume(String cloud) throws IOException {
        Map<String, Pause> next = new TreeMap<>(byCloud);
        if (next.remove(cloud) != null) {
            change(next);
        }
    }

    synchronized void renamed(String from, String to) {
        Map<String, Pause> next = new TreeMap<>(byCloud);
        Pause pause = next.remove(from);
        if (pause == null) {
            return;
        }
        next.put(to, pause);
        try {
            change(next);
        } catch (IOException e) {
            LOGGER.log(Level.WARNING, e, () -> "Cannot write down that cloud " + to + " is paused");
        }
    }

    private void change(Map<String, Pause> next) throws IOException {
        byCloud = Map.copyOf(next);
        try (AtomicFileWriter writer = new AtomicFileWriter(file, StandardCharsets.UTF_8)) {
            try {
                writer.write(json.writerWithDefaultPrettyPrinter().writeValueAsString(next));
                writer.commit();
            } finally {
                writer.abort();
            }
        }
    }
}

package io.jenkins.plugins.vastai.rental;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.List;
import java.util.random.RandomGenerator;
import java.util.stream.Stream;

/** Homes of controllers for tests: where they lie is what the test says, and ids come from the test's randomness. */
public final class Homes {

    private Homes() {}

    /** A start of the controller whose home is there, and believes to be at this place. */
    public static ControllerIdentity open(
            Path home, Path place, String host, InstantSource clock, RandomGenerator random) throws IOException {
        Files.createDirectories(home);
        return ControllerIdentity.open(home, new Place("", place.toString(), host), clock, random);
    }

    /** As {@code cp -r} does, from a home that is in use. */
    public static void copy(Path from, Path to) throws IOException {
        List<Path> all;
        try (Stream<Path> walk = Files.walk(from)) {
            all = walk.toList();
        }
        for (Path file : all) {
            Path target = to.resolve(from.relativize(file).toString());
            if (Files.isDirectory(file)) {
                Files.createDirectories(target);
            } else {
                Files.copy(file, target);
            }
        }
    }
}

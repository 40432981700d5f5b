package io.jenkins.plugins.vastai.rental;

import edu.umd.cs.findbugs.annotations.SuppressFBWarnings;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Where a home lies, by three marks of which a copy changes at least two and a restart, a rename, another container or
 * a backup restored in its place changes one at most.
 *
 * @param directory the file system's number of the directory: a copy is another directory; empty where there is none
 * @param path the directory's real path
 * @param host the computer's name, with the namespace where Kubernetes gives one
 */
@SuppressFBWarnings(
        value = "DMI_HARDCODED_ABSOLUTE_FILENAME",
        justification = "Where Linux keeps its name and Kubernetes a pod's namespace; elsewhere they are not there.")
record Place(String directory, String path, String host) {

    private static final Path HOST_NAME = Path.of("/etc/hostname");
    private static final Path NAMESPACE = Path.of("/var/run/secrets/kubernetes.io/serviceaccount/namespace");

    static Place of(Path directory) throws IOException {
        return new Place(number(directory), directory.toRealPath().toString(), hostName());
    }

    /** Two marks of three are as they were. A number that a file system does not give agrees with nothing. */
    boolean isStill(Place other) {
        int agree = !directory.isEmpty() && directory.equals(other.directory) ? 1 : 0;
        agree += path.equals(other.path) ? 1 : 0;
        agree += host.equals(other.host) ? 1 : 0;
        return agree >= 2;
    }

    /** The number within its file system; the file system's own number changes with the order of mounts. */
    private static String number(Path directory) throws IOException {
        return directory.getFileSystem().supportedFileAttributeViews().contains("unix")
                ? String.valueOf(Files.getAttribute(directory, "unix:ino"))
                : "";
    }

    private static String hostName() {
        String name = line(HOST_NAME)
                .or(() -> Stream.of("COMPUTERNAME", "HOSTNAME")
                        .map(System::getenv)
                        .filter(Objects::nonNull)
                        .findFirst())
                .orElse("?");
        return line(NAMESPACE).map(space -> name + "/" + space).orElse(name);
    }

    private static Optional<String> line(Path file) {
        try (Stream<String> lines = Files.lines(file)) {
            return lines.findFirst().map(String::strip).filter(text -> !text.isEmpty());
        } catch (IOException | UncheckedIOException e) {
            return Optional.empty();
        }
    }
}

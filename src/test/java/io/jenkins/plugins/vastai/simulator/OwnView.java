package io.jenkins.plugins.vastai.simulator;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * A file system view of its own for each machine's processes, where this computer allows mount namespaces (Linux, as root
 * or with user namespaces): /home, /root and the like are the machine's. A Jenkins agent is told its directory over its
 * channel, where {@link PathRewriting} cannot reach; without this, agents of different machines would share one
 * /home/jenkins.
 */
final class OwnView {
    private static final List<String> PLACES = List.of("/root", "/home", "/opt", "/srv", "/mnt", "/data", "/workspace");

    /** Arguments: mount, the machine's directory, the Java to keep in sight, places, --, the command. */
    private static final String MOUNT = "m=$1 d=$2; $m --bind \"$3\" \"$d/.image/jdk\" || exit 126; shift 3; "
            + "while [ \"$1\" != -- ]; do $m --bind \"$d$1\" \"$1\" || exit 126; shift; done; shift; exec \"$@\"";

    private final List<String> unshare;
    private final List<String> places;

    private OwnView(List<String> unshare, List<String> places) {
        this.unshare = unshare;
        this.places = places;
    }

    static OwnView none() {
        return new OwnView(List.of(), List.of());
    }

    /** What works here for machines below that directory. */
    static OwnView find(Path base) throws IOException {
        List<String> places = new ArrayList<>();
        for (String place : PLACES) {
            if (Files.isDirectory(Path.of(place)) && !base.startsWith(place)) {
                places.add(place);
            }
        }
        String unshare = Tools.find("unshare").map(Path::toString).orElse("");
        for (List<String> way : List.of(List.of(unshare, "--mount"), List.of(unshare, "--map-root-user", "--mount"))) {
            if (!unshare.isEmpty() && works(way, base)) {
                return new OwnView(way, places);
            }
        }
        return none();
    }

    private static boolean works(List<String> way, Path base) throws IOException {
        List<String> command = new ArrayList<>(way);
        command.addAll(List.of(mount(), "--bind", base.toString(), base.toString()));
        try {
            Process tried = new ProcessBuilder(command)
                    .redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .start();
            return tried.waitFor(5, TimeUnit.SECONDS) && tried.exitValue() == 0;
        } catch (IOException e) {
            return false;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    private static String mount() {
        return Tools.find("mount").map(Path::toString).orElse("mount");
    }

    boolean works() {
        return !unshare.isEmpty();
    }

    /** The command, run with the machine's own view. */
    List<String> of(Path machine, List<String> command) {
        if (!works()) {
            return command;
        }
        List<String> all = new ArrayList<>(unshare);
        all.addAll(List.of(
                "/bin/bash", "-c", MOUNT, "view", mount(), machine.toString(), System.getProperty("java.home")));
        all.addAll(places);
        all.add("--");
        all.addAll(command);
        return all;
    }

    /** Top directories that the view needs in a machine. */
    List<String> places() {
        return places.stream().map(place -> place.substring(1)).toList();
    }
}

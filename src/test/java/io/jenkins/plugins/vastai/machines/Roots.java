package io.jenkins.plugins.vastai.machines;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** The root file systems that machines are made of, kept between runs, and whether this computer can make and run them. */
final class Roots {

    /** What a machine is made of. Names are those of the directories in the cache. */
    enum Base {
        /** minbase: bash, dash as /bin/sh, PAM, apt without sources, curl. */
        DEBIAN("debian"),
        /** Static busybox, Debian's sshd and bash, no package manager, no PAM, nothing that speaks HTTPS. */
        BUSYBOX("busybox");

        final String directory;

        Base(String directory) {
            this.directory = directory;
        }
    }

    private static final Duration MAKING = Duration.ofMinutes(10);

    private final Path cache;

    private Roots(Path cache) {
        this.cache = cache;
    }

    Path of(Base base) {
        return cache.resolve(base.directory);
    }

    Path java() {
        return cache.resolve("java");
    }

    /** Where a machine has its own files. */
    Path run(String name) {
        return cache.resolve("run").resolve(name);
    }

    /** Why no machine can be run here; empty when they can. */
    static Optional<String> missing(Path cache) throws IOException {
        String programs = Stream.of("unshare", "nsenter", "mount", "chroot")
                .filter(name -> !Programs.has(name))
                .collect(Collectors.joining(", "));
        if (!programs.isEmpty()) {
            return Optional.of("programs are missing: " + programs);
        }
        if (!Integer.valueOf(0).equals(Files.getAttribute(Path.of("/proc/self"), "unix:uid"))) {
            return Optional.of("this user is not root, and machines need mounts and chroot");
        }
        Files.createDirectories(cache);
        Path log = cache.resolve("namespaces.log");
        Files.deleteIfExists(log);
        String trial =
                "set -e; mount -t tmpfs trial \"$0\"; mkdir \"$0/l\" \"$0/u\" \"$0/w\" \"$0/r\"; mount -t overlay -o"
                        + " \"lowerdir=$0/l,upperdir=$0/u,workdir=$0/w\" trial \"$0/r\"; mkdir \"$0/r/proc\"; mount -t proc proc"
                        + " \"$0/r/proc\"";
        Path place = Files.createDirectories(cache.resolve("trial"));
        int exit = Programs.run(
                log,
                Duration.ofSeconds(20),
                List.of("unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", trial, place.toString()));
        return exit == 0
                ? Optional.empty()
                : Optional.of("mount and pid namespaces cannot be made here: " + Programs.tail(log, 2));
    }

    /** Makes what the cache lacks; the first time takes a minute. Ends with a reason where that does not work. */
    static Roots make(Path cache) throws IOException, Unavailable {
        Roots roots = new Roots(cache);
        boolean complete = Stream.of(Base.values()).allMatch(base -> Files.isDirectory(roots.of(base)))
                && Files.isDirectory(roots.java());
        if (complete) {
            return roots;
        }
        if (!Files.isDirectory(roots.of(Base.DEBIAN)) && !Programs.has("debootstrap")) {
            throw new Unavailable("debootstrap is not installed");
        }
        String[] source = mirror();
        Path log = cache.resolve("roots.log");
        Files.deleteIfExists(log);
        Path script = Files.writeString(cache.resolve("roots.sh"), resource("roots.sh"));
        int exit = Programs.run(
                log,
                MAKING,
                List.of(
                        "sh",
                        script.toString(),
                        cache.toString(),
                        source[1],
                        source[0],
                        System.getProperty("java.home")));
        if (exit != 0) {
            throw new Unavailable("the root file systems cannot be made from " + source[0] + ": "
                    + Programs.tail(log, 3) + " (all of it in " + log + ")");
        }
        return roots;
    }

    /** Address and release of the system's own distribution, where its own packages come from. */
    private static String[] mirror() throws IOException, Unavailable {
        Map<String, String> system = Files.readAllLines(Path.of("/etc/os-release")).stream()
                .filter(line -> line.contains("="))
                .collect(Collectors.toMap(
                        line -> line.substring(0, line.indexOf('=')),
                        line -> line.substring(line.indexOf('=') + 1).replace("\"", ""),
                        (first, second) -> second));
        String release = system.getOrDefault("VERSION_CODENAME", "");
        return Programs.output(
                        "apt-get",
                        "indextargets",
                        "--format",
                        "$(REPO_URI) $(CODENAME) $(COMPONENT)",
                        "Created-By: Packages")
                .lines()
                .map(line -> line.split(" "))
                .filter(words -> words.length == 3 && words[1].equals(release) && words[2].equals("main"))
                .findFirst()
                .orElseThrow(() -> new Unavailable("apt has no source for this system's release '" + release + "'"));
    }

    static String resource(String name) throws IOException {
        try (InputStream in = Roots.class.getResourceAsStream(name)) {
            if (in == null) {
                throw new IOException("no resource " + name);
            }
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    /** What is needed is not there; the message says what. */
    static final class Unavailable extends Exception {
        private static final long serialVersionUID = 1;

        Unavailable(String why) {
            super(why);
        }
    }
}

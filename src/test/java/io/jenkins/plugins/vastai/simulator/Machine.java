package io.jenkins.plugins.vastai.simulator;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;

/**
 * One instance's computer: a directory that plays the root directory (root/, etc/, tmp/, opt/ ...) and the processes
 * that run in it. Paths in scripts and commands are kept inside by {@link PathRewriting}; programs come from its bin/
 * (stand-ins for nvidia-smi, apt-get, curl and the like) and from {@link Tools}; HOME is its root/. What runs there are
 * real processes of this computer, marked by an environment variable so that the end of the machine ends them all.
 */
final class Machine {
    /** In every process of a machine; holds the machine's directory. */
    static final String MARK = "VASTAI_SIMULATOR_MACHINE";

    private static final List<String> DIRECTORIES = List.of(
            "root/.ssh",
            "etc/ssh",
            "tmp",
            "opt",
            "home",
            "workspace",
            "var/lib",
            "var/log",
            "var/tmp",
            "srv",
            "mnt",
            "data",
            "run",
            "usr/local/bin",
            "usr/lib/jvm",
            "bin",
            ".image");

    private final Path base;
    private final Path directory;
    private final Tools tools;
    private final OwnView view;
    private final String api;
    private final PathRewriting paths;
    private final Image image;
    private final List<Process> started = new ArrayList<>();
    private boolean dead;

    /**
     * What the image and the host bring.
     *
     * @param environment of the container, as the market makes it; SSH sessions do not see it
     * @param gpus lines of nvidia-smi: index|name|MiB|driver|capability|uuid; empty = it fails
     * @param nvidia whether nvidia-smi is there at all
     * @param bashrc what the image's .bashrc holds
     */
    record Image(
            Map<String, String> environment,
            String startScript,
            boolean vm,
            boolean java,
            boolean javaInstallable,
            boolean git,
            boolean gitInstallable,
            boolean nvidia,
            List<String> gpus,
            String bashrc,
            double installSeconds) {}

    Machine(Path base, Path directory, Tools tools, OwnView view, String api, Image image) {
        this.base = base;
        this.directory = directory;
        this.tools = tools;
        this.view = view;
        this.api = api;
        this.image = image;
        this.paths = new PathRewriting(base, directory);
    }

    Path directory() {
        return directory;
    }

    PathRewriting paths() {
        return paths;
    }

    Path home() {
        return directory.resolve("root");
    }

    private Path log() {
        return directory.resolve(".image/container.log");
    }

    // ---- files

    /** Fills the directory, or what is missing of it. */
    synchronized void prepare(List<String> authorizedKeys) throws IOException {
        for (String name : DIRECTORIES) {
            Files.createDirectories(directory.resolve(name));
        }
        for (String name : view.places()) {
            Files.createDirectories(directory.resolve(name));
        }
        if (Files.exists(directory.resolve(".image/ready"))) {
            return;
        }
        Files.setPosixFilePermissions(home(), PosixFilePermissions.fromString("rwx------"));
        Files.setPosixFilePermissions(home().resolve(".ssh"), PosixFilePermissions.fromString("rwx------"));
        Files.createSymbolicLink(directory.resolve("usr/bin"), directory.resolve("bin"));
        write("etc/environment", "");
        write(
                "etc/os-release",
                "PRETTY_NAME=\"Ubuntu 22.04.5 LTS\"\nNAME=\"Ubuntu\"\nVERSION_ID=\"22.04\"\n"
                        + "VERSION_CODENAME=jammy\nID=ubuntu\nID_LIKE=debian\n");
        write("etc/passwd", "root:x:0:0:root:/root:/bin/bash\n");
        write("etc/group", "root:x:0:\n");
        write("root/.bashrc", image.bashrc());
        write(".image/gpus", image.gpus().isEmpty() ? "" : String.join("\n", image.gpus()) + "\n");
        standIn("shell", "bin/bash");
        standIn("shell", "bin/sh");
        standIn("apt-get", "bin/apt-get");
        standIn("apt-get", "bin/apt");
        for (String word : List.of("shutdown", "reboot", "poweroff", "halt", "systemctl")) {
            standIn("shutdown", "bin/" + word);
        }
        for (String name : List.of("curl", "wget")) {
            if (Tools.find(name).isPresent()) {
                standIn("fetch", "bin/" + name);
            }
        }
        if (image.nvidia()) {
            standIn("nvidia-smi", "bin/nvidia-smi");
        }
        javaAndGit();
        authorize(authorizedKeys);
        write(".image/ready", "");
    }

    private void javaAndGit() throws IOException {
        Path runtime = Path.of(System.getProperty("java.home"));
        Path jdk = directory.resolve(".image/jdk");
        if (view.works()) {
            Files.createDirectories(jdk);
        } else {
            Files.createSymbolicLink(jdk, runtime);
        }
        if (image.java() || image.javaInstallable()) {
            standIn("java", ".image/java");
        } else {
            write(".image/no-network", "");
        }
        if (image.git() || image.gitInstallable()) {
            Path git = Tools.find("git").orElse(null);
            if (git != null) {
                Files.createSymbolicLink(directory.resolve(".image/git"), git);
            }
        }
        if (image.git()) {
            Files.createSymbolicLink(directory.resolve("bin/git"), directory.resolve(".image/git"));
        }
        if (image.java()) {
            // As images of Java have it: on the PATH of the container, which SSH sessions do not see.
            Path bin = Files.createDirectories(directory.resolve("opt/java/openjdk/bin"));
            Files.createSymbolicLink(bin.resolve("java"), directory.resolve(".image/java"));
            for (String part : List.of("lib", "conf", "release")) {
                if (Files.exists(runtime.resolve(part))) {
                    Files.createSymbolicLink(bin.resolveSibling(part), jdk.resolve(part));
                }
            }
        }
    }

    private void write(String name, String text) throws IOException {
        Files.writeString(directory.resolve(name), text);
    }

    private void standIn(String resource, String name) throws IOException {
        String text = template(resource)
                .replace("@REWRITE@", paths.sed('\u0002'))
                .replace("@1@", "\u0001")
                .replace("@2@", "\u0002")
                .replace("@BASE@", base.toString())
                .replace("@MACHINE@", directory.toString())
                .replace("@API@", api)
                .replace("@INSTALL_SECONDS@", String.valueOf(image.installSeconds()))
                .replace(
                        "@REAL@",
                        Tools.find(Path.of(name).getFileName().toString())
                                .map(Path::toString)
                                .orElse(""));
        Path file = directory.resolve(name);
        Files.writeString(file, text);
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
    }

    private static final Map<String, String> TEMPLATES = new ConcurrentHashMap<>();

    private static String template(String name) {
        return TEMPLATES.computeIfAbsent(name, key -> {
            try (var in = Machine.class.getResourceAsStream("bin/" + key)) {
                return new String(in.readAllBytes(), StandardCharsets.UTF_8);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        });
    }

    /** Adds keys to the machine's authorized_keys, as the market does. */
    synchronized void authorize(List<String> keys) throws IOException {
        if (keys.isEmpty()) {
            return;
        }
        Path file = home().resolve(".ssh/authorized_keys");
        Files.createDirectories(file.getParent());
        Files.writeString(file, String.join("\n", keys) + "\n", StandardOpenOption.CREATE, StandardOpenOption.APPEND);
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-------"));
    }

    /** Takes a key (type and base64) out of authorized_keys. */
    synchronized void revoke(String identity) throws IOException {
        Path file = home().resolve(".ssh/authorized_keys");
        if (Files.exists(file)) {
            List<String> kept = Files.readAllLines(file).stream()
                    .filter(line -> !line.contains(identity))
                    .toList();
            Files.write(file, kept);
        }
    }

    /** The lines that sshd would read; none when others may write the file, as sshd's StrictModes has it. */
    List<String> authorizedKeys() {
        Path file = home().resolve(".ssh/authorized_keys");
        try {
            for (Path each : List.of(home(), file.getParent(), file)) {
                Set<PosixFilePermission> may = Files.getPosixFilePermissions(each);
                if (may.contains(PosixFilePermission.GROUP_WRITE) || may.contains(PosixFilePermission.OTHERS_WRITE)) {
                    return List.of();
                }
            }
            return Files.readAllLines(file);
        } catch (IOException e) {
            return List.of();
        }
    }

    /** Publishes a host key where the machine's own scripts can read it. */
    void publishHostKey(String type, String line) throws IOException {
        String name = type.startsWith("ecdsa") ? "ecdsa" : type.equals("ssh-rsa") ? "rsa" : "ed25519";
        write("etc/ssh/ssh_host_" + name + "_key.pub", line + "\n");
    }

    String containerLog() {
        try {
            return Files.exists(log()) ? Files.readString(log()) : "";
        } catch (IOException e) {
            return "";
        }
    }

    /** Removes everything; links are not followed. */
    void delete() throws IOException {
        deleteTree(directory);
    }

    /** Everything but the container's log is as new at the next boot. */
    void wipe() throws IOException {
        Path kept = Files.createTempFile(base, "log", "");
        if (Files.exists(log())) {
            Files.move(log(), kept, StandardCopyOption.REPLACE_EXISTING);
        }
        deleteTree(directory);
        Files.createDirectories(log().getParent());
        Files.move(kept, log());
    }

    static void deleteTree(Path top) throws IOException {
        if (!Files.exists(top)) {
            return;
        }
        Files.walkFileTree(top, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
                Files.deleteIfExists(file);
                return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult visitFileFailed(Path file, IOException error) {
                return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult postVisitDirectory(Path each, IOException error) throws IOException {
                try {
                    Files.deleteIfExists(each);
                } catch (DirectoryNotEmptyException e) {
                    // A dying process wrote once more; the caller tries again at the end.
                }
                return FileVisitResult.CONTINUE;
            }
        });
    }

    // ---- processes

    /** Runs the start script in the background, with the container's environment; its output is the container's log. */
    synchronized void runStartScript() throws IOException {
        if (image.startScript().isBlank() || dead) {
            return;
        }
        String script = paths.inside(image.startScript());
        if (image.vm() && !script.startsWith("#!")) {
            Files.writeString(
                    log(), "onstart: exec format error\n", StandardOpenOption.CREATE, StandardOpenOption.APPEND);
            return;
        }
        write("root/onstart.sh", script);
        ProcessBuilder builder =
                builder(List.of("/bin/bash", home().resolve("onstart.sh").toString()));
        Map<String, String> environment = builder.environment();
        image.environment().forEach((name, value) -> environment.put(name, paths.inside(value)));
        environment.put("PATH", path(image.environment().get("PATH"), image.java()));
        if (image.java()) {
            environment.put("JAVA_HOME", directory.resolve("opt/java/openjdk").toString());
        }
        builder.redirectErrorStream(true).redirectOutput(ProcessBuilder.Redirect.appendTo(log().toFile()));
        builder.redirectInput(ProcessBuilder.Redirect.from(
                File.listRoots()[0].toPath().resolve("dev/null").toFile()));
        started.add(builder.start());
    }

    /**
     * Starts a command as sshd would: not with the container's environment, only with what etc/environment holds; the
     * .bashrc is read, since bash does so when sshd runs it.
     */
    synchronized Process session(String command) throws IOException {
        if (dead) {
            throw new IOException("the machine is gone");
        }
        String text = "if [ -r ~/.bashrc ]; then . ~/.bashrc; fi\n" + paths.inside(command);
        ProcessBuilder builder = builder(List.of("/bin/bash", "-c", text));
        Map<String, String> environment = builder.environment();
        Map<String, String> system = systemEnvironment();
        system.forEach(environment::put);
        environment.put("PATH", path(system.get("PATH"), false));
        environment.put("SSH_CLIENT", "127.0.0.1 50000 22");
        environment.put("SSH_CONNECTION", "127.0.0.1 50000 127.0.0.1 22");
        // Some builds of bash read .bashrc by themselves when sshd runs them; this tells them not to.
        environment.put("SHLVL", "1");
        Process process = builder.start();
        started.removeIf(old -> !old.isAlive());
        started.add(process);
        return process;
    }

    private ProcessBuilder builder(List<String> command) {
        ProcessBuilder builder = new ProcessBuilder(view.of(directory, command)).directory(home().toFile());
        Map<String, String> environment = builder.environment();
        environment.clear();
        environment.put("HOME", home().toString());
        environment.put("USER", "root");
        environment.put("LOGNAME", "root");
        environment.put("SHELL", "/bin/bash");
        environment.put("TMPDIR", directory.resolve("tmp").toString());
        environment.put("PATH", path(null, false));
        environment.put(MARK, directory.toString());
        return builder;
    }

    /** Stand-ins first; of a wanted PATH only what lies inside the machine. */
    private String path(String wanted, boolean javaImage) {
        List<String> parts = new ArrayList<>();
        parts.add(directory.resolve("bin").toString());
        parts.add(directory.resolve("usr/local/bin").toString());
        if (javaImage) {
            parts.add(directory.resolve("opt/java/openjdk/bin").toString());
        }
        for (String part : wanted == null ? new String[0] : paths.inside(wanted).split(":")) {
            if (part.startsWith(directory + "/") && !parts.contains(part)) {
                parts.add(part);
            }
        }
        parts.add(tools.directory().toString());
        return String.join(":", parts);
    }

    /** The lines of etc/environment, read as pam_env does. */
    private Map<String, String> systemEnvironment() throws IOException {
        Map<String, String> found = new LinkedHashMap<>();
        Path file = directory.resolve("etc/environment");
        if (!Files.exists(file)) {
            return found;
        }
        for (String line : new String(Files.readAllBytes(file), StandardCharsets.UTF_8).split("\n")) {
            String text = line.strip().replaceFirst("^export\\s+", "");
            int equals = text.indexOf('=');
            if (equals > 0 && text.substring(0, equals).matches("[A-Za-z_][A-Za-z0-9_]*")) {
                String value = text.substring(equals + 1).strip();
                boolean quoted = value.length() > 1
                        && (value.charAt(0) == '"' || value.charAt(0) == '\'')
                        && value.charAt(value.length() - 1) == value.charAt(0);
                found.put(text.substring(0, equals), quoted ? value.substring(1, value.length() - 1) : value);
            }
        }
        found.keySet().removeAll(Set.of("HOME", "TMPDIR", MARK));
        return found;
    }

    /** Ends every process of the machine; a later {@link #prepare} brings it up again. */
    synchronized void halt() {
        // Twice: a process may have forked while the list was read.
        for (int round = 0; round < 3; round++) {
            boolean found = false;
            killStarted();
            for (ProcessHandle marked : marked(directory)) {
                found |= marked.destroyForcibly();
            }
            if (!found) {
                return;
            }
        }
    }

    private void killStarted() {
        for (Process process : started) {
            process.descendants().forEach(ProcessHandle::destroyForcibly);
            process.destroyForcibly();
        }
        started.clear();
    }

    /** Nothing starts any more; what was started directly ends. */
    synchronized void endStarted() {
        dead = true;
        killStarted();
    }

    synchronized void end() {
        dead = true;
        halt();
    }

    /** Processes that carry the mark of this machine, wherever they were started from. Needs /proc. */
    static List<ProcessHandle> marked(Path directory) {
        return marked(MARK + "=" + directory + "\0");
    }

    /** Ends every process of every machine below that directory. */
    static void endAll(Path base) {
        for (int round = 0; round < 3; round++) {
            marked(MARK + "=" + base + "/").forEach(ProcessHandle::destroyForcibly);
        }
    }

    private static List<ProcessHandle> marked(String mark) {
        List<ProcessHandle> found = new ArrayList<>();
        Path proc = Path.of("/proc");
        if (!Files.isDirectory(proc)) {
            return found;
        }
        try (Stream<Path> all = Files.list(proc)) {
            for (Path each : (Iterable<Path>) all::iterator) {
                String name = each.getFileName().toString();
                if (name.chars().allMatch(Character::isDigit) && carries(each, mark)) {
                    ProcessHandle.of(Long.parseLong(name))
                            .filter(ProcessHandle::isAlive)
                            .ifPresent(found::add);
                }
            }
        } catch (IOException | UncheckedIOException e) {
            // A process ended while it was looked at.
        }
        return found;
    }

    private static boolean carries(Path process, String mark) {
        try {
            byte[] environment = Files.readAllBytes(process.resolve("environ"));
            return new String(environment, StandardCharsets.UTF_8).contains(mark);
        } catch (IOException e) {
            return false;
        }
    }
}

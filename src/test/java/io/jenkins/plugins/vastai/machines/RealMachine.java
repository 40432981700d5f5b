package io.jenkins.plugins.vastai.machines;

import io.jenkins.plugins.vastai.simulator.Hosting;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * One instance as a root file system of its own, in mount and pid namespaces, with OpenSSH's sshd on both ports of the
 * instance. Ended by ending its first process; nothing of it is mounted anywhere else.
 */
final class RealMachine implements Hosting.Guest {

    /** The machine's own hand, for a machine that lives a minute instead of hours. */
    static final Duration SILENCE = Duration.ofSeconds(20);

    private static final Pattern TIMES = Pattern.compile("(?m)^(A=.*\\bQ=)\\d+(\\b.*\\bT=)\\d+");
    private static final Duration LIMIT = Duration.ofSeconds(60);

    private final Roots roots;
    private final Case wanted;
    private final Hosting.Instance instance;
    private final Path run;
    private volatile Process first;
    private volatile Process sshd;
    private volatile Instant opened;
    private volatile String lastWords = "";
    private volatile boolean razed;

    RealMachine(Roots roots, Case wanted, Hosting.Instance instance) {
        this.roots = roots;
        this.wanted = wanted;
        this.instance = instance;
        this.run = roots.run(String.valueOf(instance.id()));
    }

    long id() {
        return instance.id();
    }

    /** When sshd began to answer; empty before. */
    Optional<Instant> opened() {
        return Optional.ofNullable(opened);
    }

    boolean razed() {
        return razed;
    }

    /** What there is to know when a case went wrong. */
    String lastWords() {
        return lastWords;
    }

    /** A machine on which no agent can work is to be given up by the engine, long before it would end itself. */
    private Duration silence() {
        return wanted.works == Case.Works.NOT ? SILENCE.multipliedBy(20) : SILENCE;
    }

    /** The key that the market puts into the machine for its own use; nobody else may see it. */
    String ownKey() {
        return instance.environment().get("CONTAINER_API_KEY");
    }

    @Override
    public void boot(List<String> authorizedKeys) throws IOException {
        Path in = Files.createDirectories(run.resolve("in"));
        Files.createDirectories(run.resolve("disk"));
        Matcher times = TIMES.matcher(instance.startScript());
        if (!times.find()) {
            throw new IOException("the start script's head has no times to shorten");
        }
        Files.writeString(
                in.resolve("onstart.sh"), times.replaceFirst("$1" + silence().toSeconds() + "$2" + 1));
        Files.writeString(in.resolve("authorized_keys"), "");
        Files.writeString(in.resolve("init"), Roots.resource("init.sh"));
        Files.writeString(in.resolve("before"), wanted.before);
        Files.writeString(
                in.resolve("sshd_config"),
                wanted.sshd + "Port " + instance.proxyPort() + "\n"
                        + (instance.directPort() > 0 ? "Port " + instance.directPort() + "\n" : "")
                        + "ListenAddress 127.0.0.1\n"
                        + "PermitRootLogin yes\n"
                        + "PasswordAuthentication no\n"
                        + "KbdInteractiveAuthentication no\n"
                        + "UsePAM " + (wanted.base == Roots.Base.DEBIAN ? "yes" : "no") + "\n"
                        + "PidFile none\n"
                        + "LogLevel VERBOSE\n"
                        + (wanted.sshd.contains("HostKey ")
                                ? ""
                                : "HostKey /etc/ssh/ssh_host_ed25519_key\nHostKey /etc/ssh/ssh_host_ecdsa_key\n"
                                        + "HostKey /etc/ssh/ssh_host_rsa_key\n"));
        Path script = Files.writeString(run.resolve("machine.sh"), Roots.resource("machine.sh"));
        ProcessBuilder builder = new ProcessBuilder(
                "/usr/bin/unshare",
                "--mount",
                "--pid",
                "--fork",
                "--kill-child",
                "/bin/sh",
                script.toString(),
                run.toString(),
                roots.of(wanted.base).toString(),
                wanted.java ? roots.java().toString() : "");
        Map<String, String> environment = builder.environment();
        environment.clear();
        environment.putAll(instance.environment());
        first = builder.redirectErrorStream(true)
                .redirectOutput(run.resolve("machine.log").toFile())
                .start();
        Instant end = Instant.now().plus(LIMIT);
        while (!Files.exists(inside().resolve("market/booted"))) {
            if (!first.isAlive() || Instant.now().isAfter(end)) {
                throw new IOException("the machine did not start: " + Programs.tail(run.resolve("machine.log"), 3));
            }
            pause();
        }
        for (String line : authorizedKeys) {
            authorize(line);
        }
    }

    /** The machine's root directory as its first process sees it, read-only places and full disks included. */
    private Path inside() {
        return first.children()
                .findFirst()
                .map(child -> Path.of("/proc/" + child.pid() + "/root"))
                .orElse(run.resolve("gone"));
    }

    private List<String> enter(String... command) throws IOException {
        long child = first.children()
                .findFirst()
                .orElseThrow(() -> new IOException("the machine is gone"))
                .pid();
        List<String> all = new ArrayList<>(
                List.of("/usr/bin/nsenter", "--target", String.valueOf(child), "--mount", "--pid", "--root", "--wd"));
        all.addAll(List.of(command));
        return all;
    }

    @Override
    public void authorize(String line) throws IOException {
        for (String file : List.of("root/.ssh/authorized_keys", "market/authorized_keys")) {
            try {
                Files.writeString(
                        inside().resolve(file),
                        line + "\n",
                        StandardCharsets.UTF_8,
                        StandardOpenOption.CREATE,
                        StandardOpenOption.APPEND);
            } catch (IOException e) {
                // A machine may be such that its keys cannot be written; the market does not mind either.
            }
        }
    }

    @Override
    public void open() throws IOException {
        if (first == null || razed) {
            return;
        }
        if (!wanted.late.isZero()) {
            sleep(wanted.late);
        }
        serve(List.of());
        opened = Instant.now();
        if (wanted.changesHostKey) {
            Thread changer = new Thread(this::changeHostKey, "host-key-" + instance.id());
            changer.setDaemon(true);
            changer.start();
        }
    }

    private void serve(List<String> options) throws IOException {
        List<String> command = new ArrayList<>(enter("/usr/sbin/sshd", "-D", "-e", "-f", "/market/sshd_config"));
        command.addAll(options);
        ProcessBuilder builder = new ProcessBuilder(command);
        builder.environment().clear();
        builder.environment().put("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
        sshd = builder.redirectErrorStream(true)
                .redirectOutput(
                        ProcessBuilder.Redirect.appendTo(run.resolve("sshd.log").toFile()))
                .start();
    }

    /** Somebody else answers from the moment on that the first login has done its work. */
    private void changeHostKey() {
        try {
            Instant end = Instant.now().plus(LIMIT);
            while (!Files.readString(run.resolve("sshd.log")).contains("Close session")) {
                if (Instant.now().isAfter(end)) {
                    return;
                }
                pause();
            }
            shut();
            Programs.run(
                    run.resolve("key.log"),
                    LIMIT,
                    enter("/usr/bin/ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", "/market/other_key"));
            serve(List.of("-o", "HostKey=/market/other_key"));
        } catch (IOException e) {
            lastWords = "the host key was not changed: " + e;
        }
    }

    @Override
    public void shut() {
        Process now = sshd;
        if (now != null) {
            now.descendants().forEach(ProcessHandle::destroyForcibly);
            now.destroyForcibly();
        }
    }

    @Override
    public void halt() {
        if (first == null) {
            return;
        }
        try {
            lastWords = lastWords
                    + "\n    container: " + Programs.tail(inside().resolve("market/container.log"), 4)
                    + "\n    log: " + Programs.tail(inside().resolve("var/lib/vastai-cloud/log"), 3)
                    + "\n    sshd: " + Programs.tail(run.resolve("sshd.log"), 6)
                    + "\n    machine: " + Programs.tail(run.resolve("machine.log"), 3);
            shut();
            // Unshare heeds no gentler signal while its child lives; its end ends everything in the namespace.
            first.destroyForcibly();
            first.waitFor(20, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public void raze() throws IOException {
        if (razed) {
            return;
        }
        halt();
        // What was mounted there went with the namespace, so these are plain files of ours.
        Programs.run(roots.run("remove.log"), LIMIT, List.of("rm", "-rf", "--one-file-system", run.toString()));
        razed = true;
    }

    /** Processes that run in this machine and mounts that belong to it, wherever on this computer; none after its end. */
    List<String> leftovers() throws IOException {
        List<String> left = new ArrayList<>();
        try (Stream<Path> all = Files.list(Path.of("/proc"))) {
            for (Path process : (Iterable<Path>) all::iterator) {
                if (!process.getFileName().toString().chars().allMatch(Character::isDigit)) {
                    continue;
                }
                try {
                    if (Files.readString(process.resolve("mountinfo")).contains(run + "/disk")) {
                        left.add("process " + process.getFileName() + " "
                                + Files.readString(process.resolve("comm")).strip());
                    }
                } catch (IOException e) {
                    // It ended while it was looked at.
                }
            }
        }
        if (Files.exists(run)) {
            left.add("directory " + run);
        }
        return left;
    }

    private static void pause() {
        sleep(Duration.ofMillis(30));
    }

    private static void sleep(Duration time) {
        try {
            Thread.sleep(time.toMillis());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}

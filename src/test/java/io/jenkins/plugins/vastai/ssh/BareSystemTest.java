package io.jenkins.plugins.vastai.ssh;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import io.jenkins.plugins.vastai.api.ApiKey;
import io.jenkins.plugins.vastai.api.CreateRequest;
import io.jenkins.plugins.vastai.api.Created;
import io.jenkins.plugins.vastai.api.Pacing;
import io.jenkins.plugins.vastai.api.VastClient;
import io.jenkins.plugins.vastai.simulator.Books;
import io.jenkins.plugins.vastai.simulator.Simulator;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import okhttp3.OkHttpClient;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * The start script in Debian's smallest root file system, made by debootstrap: no curl, wget, python or Java, and dash as
 * /bin/sh. Needs root, debootstrap and a Debian mirror; where one of them is missing the tests count as skipped, with the
 * reason.
 */
@Tag("bare")
@Timeout(600)
class BareSystemTest {

    private static final Duration LONG = Duration.ofMinutes(4);

    private static Path base;

    private final OkHttpClient http = new OkHttpClient();
    private Simulator simulator;
    private Created contract;
    private Path root;
    private Process machine;

    @BeforeAll
    static void makeSystem() throws Exception {
        Path debootstrap = Path.of("/usr/sbin/debootstrap");
        Assumptions.assumeTrue(Files.isExecutable(debootstrap), "debootstrap is not installed");
        Assumptions.assumeTrue(
                Integer.valueOf(0).equals(Files.getAttribute(Path.of("/proc/self"), "unix:uid")), "not root");
        base = Files.createTempDirectory(Path.of("/var/tmp"), "vastai-bare-");
        Path log = base.resolve("debootstrap.log");
        int exit = run(log, List.of(debootstrap.toString(), "--variant=minbase", "bookworm", base + "/system"));
        Assumptions.assumeTrue(exit == 0, () -> "debootstrap failed, is a Debian mirror reachable? " + tail(log));
        int contained = run(log, List.of("unshare", "--mount", "--pid", "--fork", "chroot", base + "/system", "true"));
        Assumptions.assumeTrue(contained == 0, () -> "no namespaces here: " + tail(log));
    }

    @AfterAll
    static void removeSystem() throws Exception {
        if (base != null) {
            new ProcessBuilder("rm", "-rf", "--one-file-system", base.toString())
                    .start()
                    .waitFor();
        }
    }

    @BeforeEach
    void start() throws Exception {
        simulator = Simulator.builder().limits(false).start();
        ApiKey account = ApiKey.of(simulator.apiKey());
        VastClient client = new VastClient(simulator.uri(), () -> account, http, Pacing.none());
        CreateRequest request = CreateRequest.builder()
                .image("debian:bookworm-slim")
                .diskGb(40)
                .label("jenkins-test")
                .runtype("ssh_direct")
                .port(22)
                .onstart("true")
                .build();
        contract = client.createInstance(
                simulator.market().find("RTX 4090", 1).get(0).id(), request);
        root = base.resolve("machine");
        assertEquals(0, run(base.resolve("copy.log"), List.of("cp", "-a", base + "/system", root.toString())));
        for (String program : List.of("curl", "wget", "python3", "java", "openssl")) {
            assertFalse(Files.exists(root.resolve("usr/bin").resolve(program)), program);
        }
    }

    @AfterEach
    void stop() throws Exception {
        if (machine != null) {
            // Unshare waits for its child and heeds no other signal; --kill-child ends everything in its namespace.
            machine.destroyForcibly();
            machine.waitFor(30, TimeUnit.SECONDS);
        }
        if (root != null) {
            run(base.resolve("remove.log"), List.of("rm", "-rf", "--one-file-system", root.toString()));
        }
        simulator.close();
        http.dispatcher().executorService().shutdown();
        http.connectionPool().evictAll();
    }

    @Test
    void whatIsMissingIsInstalledAndTheMachineEndsItself() throws Exception {
        boot();

        Awaitility.await().atMost(LONG).until(() -> entry().destroyed().isPresent());

        assertEquals(Optional.of(Books.Hand.INSTANCE_KEY), entry().destroyedBy());
        Awaitility.await().atMost(LONG).until(() -> state().equals("armed curl"));
    }

    @Test
    void aSystemThatCannotEndItselfSaysSo() throws Exception {
        Files.delete(root.resolve("etc/apt/sources.list"));
        boot();

        Awaitility.await().atMost(LONG).until(() -> state().equals("noway"));

        Path answer = base.resolve("survey.log");
        Path survey = Files.writeString(root.resolve("root/survey.sh"), Survey.script("/home/jenkins", 17, Map.of()));
        assertEquals(
                0,
                run(
                        answer,
                        List.of("nsenter", "--target", child(), "--mount", "--pid", "--root", "sh", "/root/survey.sh")),
                survey::toString);
        assertEquals(
                SshText.WATCHDOG_NO_WAY.of(),
                Survey.read(Files.readString(answer)).orElseThrow().watchdog().orElseThrow());
        assertEquals(Optional.empty(), entry().destroyed());
    }

    private Books.Entry entry() {
        return simulator.books().entry(contract.instanceId()).orElseThrow();
    }

    private String state() throws IOException {
        Path file = root.resolve("var/lib/vastai-cloud/watchdog.state");
        return Files.exists(file) ? Files.readString(file).strip() : "";
    }

    /** The first process of the machine, as this system numbers it. */
    private String child() {
        return String.valueOf(machine.children().findFirst().orElseThrow().pid());
    }

    /** As a container: own processes and mounts, the environment of the market, the start script run by bash. */
    private void boot() throws Exception {
        // Java and git have nothing to do with it, and are large.
        program("usr/bin/java", "#!/bin/sh\necho 'openjdk version \"21.0.1\"' >&2\n");
        program("usr/bin/git", "#!/bin/sh\necho git version 2.40.0\n");
        Watchdog limits =
                new Watchdog(simulator.uri(), Duration.ofSeconds(4), Duration.ofDays(1), Duration.ofSeconds(1));
        Files.writeString(
                root.resolve("root/onstart.sh"),
                StartScript.builder(SshKeyPair.generate("jenkins"), 17, limits).build());
        ProcessBuilder builder = new ProcessBuilder(
                "unshare",
                "--mount",
                "--pid",
                "--fork",
                "--kill-child",
                "chroot",
                root.toString(),
                "/bin/bash",
                "-c",
                "mount -t proc proc /proc && bash /root/onstart.sh; exec sleep 1000");
        Map<String, String> environment = builder.environment();
        environment.clear();
        environment.put("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
        environment.put("HOME", "/root");
        environment.put("CONTAINER_ID", String.valueOf(contract.instanceId()));
        environment.put(
                "CONTAINER_API_KEY", contract.instanceKey().orElseThrow().reveal());
        machine = builder.redirectErrorStream(true)
                .redirectOutput(base.resolve("machine.log").toFile())
                .start();
    }

    private void program(String name, String text) throws IOException {
        Path file = Files.writeString(root.resolve(name), text);
        assertEquals(true, file.toFile().setExecutable(true));
    }

    private static int run(Path log, List<String> command) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(new ArrayList<>(command))
                .redirectErrorStream(true)
                .redirectOutput(log.toFile())
                .start();
        if (!process.waitFor(5, TimeUnit.MINUTES)) {
            process.destroyForcibly();
            return -1;
        }
        return process.exitValue();
    }

    private static String tail(Path log) {
        try {
            List<String> lines = Files.readAllLines(log, StandardCharsets.UTF_8);
            return String.join(" | ", lines.subList(Math.max(0, lines.size() - 3), lines.size()));
        } catch (IOException e) {
            return e.toString();
        }
    }
}

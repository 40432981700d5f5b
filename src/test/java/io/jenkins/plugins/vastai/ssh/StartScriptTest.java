package io.jenkins.plugins.vastai.ssh;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class StartScriptTest {

    private static final Map<String, String> MARKET = Map.of(
            "CONTAINER_ID", "4711",
            "CONTAINER_API_KEY", "machine-secret-key",
            "JUPYTER_TOKEN", "jupyter-secret",
            "SSH_PUBLIC_KEY", "ssh-rsa account",
            "DB_PASSWORD", "db-secret",
            "COPY", "x machine-secret-key y",
            "GREETING", "it costs $5 and \"quotes\" `id`",
            "MULTI", "one\ntwo",
            "NVIDIA_VISIBLE_DEVICES", "0,1");

    private static final Watchdog WATCHDOG =
            Watchdog.of(URI.create("http://127.0.0.1:9"), Watchdog.SILENCE, Duration.ofHours(8));

    private final SshKeyPair key = SshKeyPair.generate("jenkins-rental");

    @TempDir
    Path dir;

    private TestMachine machine;

    @BeforeEach
    void start() throws Exception {
        machine = TestMachine.start(dir, "ssh-ed25519");
        machine.program("java", "#!/bin/sh\necho 'openjdk version \"21.0.1\" 2023-10-17' >&2\n");
        machine.program("git", "#!/bin/sh\necho git version 2.40.0\n");
    }

    @AfterEach
    void stop() throws Exception {
        machine.close();
    }

    @Test
    void theMachineLetsUsInAndStaysQuiet() throws Exception {
        Files.writeString(machine.home.resolve(".bashrc"), "echo Welcome to the image\nexport FROM_RC=1\n");
        Files.createDirectories(machine.home.resolve(".ssh"));
        Files.writeString(machine.home.resolve(".ssh/authorized_keys"), "ssh-ed25519 AAAAother somebody");
        permit(machine.home, "rwxrwxrwx");

        var ran = machine.run(StartScript.builder(key, 17, WATCHDOG).build(), MARKET);

        assertEquals("", ran.err());
        assertEquals(0, ran.exit());
        assertTrue(ran.out().endsWith("vastai-cloud: ready\n"), ran.out());
        assertTrue(Files.exists(machine.home.resolve(".no_auto_tmux")));
        List<String> keys = Files.readAllLines(machine.home.resolve(".ssh/authorized_keys"));
        assertTrue(keys.contains(key.publicLine()), keys::toString);
        assertTrue(keys.contains("ssh-ed25519 AAAAother somebody"), keys::toString);
        assertEquals("rwxr-xr-x", mode(machine.home));
        assertEquals("rwx------", mode(machine.home.resolve(".ssh")));
        assertEquals("rw-------", mode(machine.home.resolve(".ssh/authorized_keys")));
        assertTrue(Files.isDirectory(machine.path("/home/jenkins")));
        assertTrue(Files.isDirectory(machine.path("/run/sshd")));
        assertEquals("ready 0\n", Files.readString(state("ready")));
        var quiet = machine.run(". $HOME/.bashrc; echo $FROM_RC", Map.of());
        assertEquals("1\n", quiet.out());
    }

    @Test
    void runningTwiceChangesNothingMore() throws Exception {
        Files.writeString(machine.home.resolve(".bashrc"), "echo noise\n");
        Files.writeString(machine.path("/etc/environment"), "LANG=C.UTF-8\n");
        String script = StartScript.builder(key, 17, WATCHDOG)
                .init("echo run >> $HOME/runs")
                .build();
        machine.run(script, MARKET);
        awaitState("java ");
        String before = snapshot();

        machine.run(script, MARKET);
        awaitState("java ");

        assertEquals(before, snapshot());
        assertEquals("run\nrun\n", Files.readString(machine.home.resolve("runs")));
    }

    @Test
    void sessionsSeeTheEnvironmentButNoSecret() throws Exception {
        Files.writeString(
                machine.path("/etc/environment"),
                "# comment\nLANG=\"C.UTF-8\"\nOPEN_BUTTON_TOKEN=old-secret\nGREETING=old\nexport HF_TOKEN=old-secret\n");

        machine.run(StartScript.builder(key, 17, WATCHDOG).build(), MARKET);

        String environment = Files.readString(machine.path("/etc/environment"));
        assertFalse(environment.contains("secret"), environment);
        assertFalse(environment.contains("account"), environment);
        assertFalse(environment.contains("MULTI"), environment);
        assertFalse(environment.contains("GREETING=old"), environment);
        for (String line : List.of(
                "# comment",
                "LANG=\"C.UTF-8\"",
                "CONTAINER_ID='4711'",
                "GREETING='it costs $5 and \"quotes\" `id`'",
                "NVIDIA_VISIBLE_DEVICES='0,1'",
                "NVIDIA_DRIVER_CAPABILITIES='all'",
                "PATH='" + machine.environment.get("PATH") + "'")) {
            assertTrue(environment.lines().anyMatch(line::equals), () -> line + " not in\n" + environment);
        }
        assertEquals("CONTAINER_ID=4711 CONTAINER_API_KEY=machine-secret-key\n", Files.readString(state("key")));
        assertEquals("rw-------", mode(state("key")));
    }

    @Test
    void aVirtualMachineKeepsItsOwnEnvironmentWithoutTheSecretsAndTheKeySurvivesARestart() throws Exception {
        Files.writeString(
                machine.path("/etc/environment"),
                "PATH=\"/usr/bin:/bin\"\nCONTAINER_ID=4711\nCONTAINER_API_KEY=\"machine-secret-key\"\n");
        String script = StartScript.builder(key, 17, WATCHDOG).vm(true).build();
        assertTrue(script.startsWith("#!/bin/bash\n"));

        machine.run(script, Map.of());
        machine.run(script, Map.of());

        assertEquals("PATH=\"/usr/bin:/bin\"\nCONTAINER_ID=4711\n", Files.readString(machine.path("/etc/environment")));
        assertEquals("CONTAINER_ID=4711 CONTAINER_API_KEY=machine-secret-key\n", Files.readString(state("key")));
    }

    @Test
    void theHostKeysFingerprintIsPrintedForTheContainerLog() throws Exception {
        SshKeyPair host = SshKeyPair.generate("host");
        Files.writeString(machine.path("/etc/ssh").resolve("ssh_host_ed25519_key.pub"), host.publicLine() + "\n");

        var ran = machine.run(StartScript.builder(key, 17, WATCHDOG).build(), MARKET);

        HostKey pin = HostKey.parse(host.publicLine());
        // Without ssh-keygen on the machine the key itself is printed.
        assertTrue(ran.out().contains(pin.fingerprint()) || ran.out().contains(pin.base64()), ran.out());
    }

    @Test
    void missingProgramsAreInstalledByThePackageManager() throws Exception {
        Files.delete(machine.bin.resolve("git"));
        machine.program("java", "#!/bin/sh\necho 'openjdk version \"11.0.1\"' >&2\n");
        machine.program(
                "apt-get",
                "#!/bin/bash\necho \"$*\" >>" + machine.root + "/apt\n"
                        + "[[ $* != *openjdk-17-jre-headless* ]] || { mkdir -p " + machine.root
                        + "/usr/lib/jvm/j17/bin; "
                        + "printf '#!/bin/sh\\necho openjdk version \\\\\"17.0.2\\\\\" >&2\\n' >" + machine.root
                        + "/usr/lib/jvm/j17/bin/java; chmod 755 " + machine.root + "/usr/lib/jvm/j17/bin/java; }\n");

        machine.run(StartScript.builder(key, 17, WATCHDOG).build(), MARKET);

        awaitState("java " + machine.root + "/usr/lib/jvm/j17/bin/java");
        Awaitility.await().atMost(Duration.ofSeconds(20)).untilAsserted(() -> {
            List<String> calls = Files.readAllLines(machine.root.resolve("apt"));
            assertEquals(5, calls.size(), calls::toString);
            assertTrue(calls.get(0).endsWith(" update"), calls::toString);
            assertTrue(calls.get(1).endsWith(" install curl ca-certificates"), calls::toString);
            assertTrue(calls.get(2).endsWith(" install openjdk-21-jre-headless"), calls::toString);
            assertTrue(calls.get(3).endsWith(" install openjdk-17-jre-headless"), calls::toString);
            assertTrue(calls.get(4).endsWith(" install git ca-certificates"), calls::toString);
        });
    }

    @ParameterizedTest
    @ValueSource(strings = {"curl", "python3"})
    void theWatchdogShowsItsKeyOnlyToTheStandardInputOfTheProgramThatCalls(String program) throws Exception {
        machine.program("curl", "#!/bin/sh\nexit 7\n");
        machine.program(
                program,
                "#!/bin/sh\n{ echo \"$0 $*\"; env; } >>" + machine.root + "/seen\ncat >>" + machine.root
                        + "/input\necho 401\n");

        machine.run(StartScript.builder(key, 17, WATCHDOG).build(), MARKET);

        awaitState("java ");
        assertEquals("armed " + program + "\n", Files.readString(state("watchdog.state")));
        assertTrue(Files.readString(machine.root.resolve("input")).contains("machine-secret-key"));
        String seen = Files.readString(machine.root.resolve("seen")).replace("COPY=x machine-secret-key y", "");
        assertFalse(seen.contains("machine-secret-key"), seen);
        assertFalse(Files.readString(state("log")).contains("machine-secret-key"));
    }

    @Test
    void whereThereIsSystemdTheWatchdogIsAServiceThatOutlivesTheScriptAndARestart() throws Exception {
        Files.createDirectories(machine.path("/run/systemd/system"));
        Path services = Files.createDirectories(machine.root.resolve("etc/systemd/system"));
        machine.program("systemctl", "#!/bin/sh\necho \"$*\" >>" + machine.root + "/systemctl\n");

        machine.run(StartScript.builder(key, 17, WATCHDOG).vm(true).build(), MARKET);

        Awaitility.await().atMost(Duration.ofSeconds(20)).until(() -> Files.exists(machine.root.resolve("systemctl")));
        assertEquals("enable --now vastai-cloud\n", Files.readString(machine.root.resolve("systemctl")));
        List<String> unit = Files.readAllLines(services.resolve("vastai-cloud.service"));
        assertTrue(unit.contains("ExecStart=/bin/sh " + state("watchdog")), unit::toString);
        assertTrue(unit.containsAll(List.of("Restart=always", "WantedBy=multi-user.target")), unit::toString);
        awaitState("java ");
        assertFalse(Files.exists(state("watchdog.pid")), "it is the service that runs");
    }

    @ParameterizedTest
    @CsvSource({"true, 401, true", "true, 503, false", "false, 401, false"})
    void aVirtualMachineWhoseDestroyIsRefusedForGoodSwitchesItselfOff(boolean vm, int status, boolean off)
            throws Exception {
        // Whoever sleeps so little makes the tries of minutes in a moment.
        machine.program("sleep", "#!/bin/sh\nexec /bin/sleep 0.05\n");
        machine.program("curl", "#!/bin/sh\necho \"$*\" >>" + machine.root + "/calls\necho " + status + "\n");
        machine.program("poweroff", "#!/bin/sh\necho >>" + machine.root + "/off\n");
        Watchdog now = new Watchdog(
                URI.create("http://127.0.0.1:9"), Duration.ofSeconds(1), Duration.ofDays(1), Duration.ofSeconds(1));

        machine.run(StartScript.builder(key, 17, now).vm(vm).build(), MARKET);

        Path calls = machine.root.resolve("calls");
        Awaitility.await()
                .atMost(Duration.ofSeconds(60))
                .until(() -> Files.exists(calls)
                        && Files.readAllLines(calls).stream()
                                        .filter(line -> line.contains(" DELETE "))
                                        .count()
                                > 9);
        assertEquals(off, Files.exists(machine.root.resolve("off")));
    }

    @Test
    void theUsersScriptRunsLastInItsOwnLanguageAndItsStatusIsKept() throws Exception {
        machine.run(
                StartScript.builder(key, 17, WATCHDOG)
                        .init("#!/bin/sh\necho \"END_OF_INIT $0\" > $HOME/mine\nexit 3")
                        .build(),
                MARKET);
        assertTrue(Files.readString(machine.home.resolve("mine")).startsWith("END_OF_INIT "));
        assertEquals("ready 3\n", Files.readString(state("ready")));
    }

    @Test
    void theLargestInputsStayBelowTheLimit() throws Exception {
        String script = StartScript.builder(SshKeyPair.generate(SshKeyPair.Type.ECDSA, "c".repeat(60)), 17, WATCHDOG)
                .vm(true)
                .remoteFs("/home/jenkins/a-quite-long-work-directory")
                .build();
        assertTrue(script.length() < 4000, () -> script.length() + " characters");
    }

    @Test
    void theUsualScriptLeavesRoomForTheUsersOwn() throws Exception {
        String script = StartScript.builder(key, 17, WATCHDOG).build();
        assertTrue(script.length() <= StartScript.MAX_LENGTH - 350, () -> script.length() + " characters");
    }

    @Test
    void aLongScriptOfTheUserIsPackedAndStillRuns() throws Exception {
        String init = "echo done > $HOME/mine\n" + "echo a line that is much like the others\n".repeat(100);
        String script = StartScript.builder(key, 17, WATCHDOG).init(init).build();
        assertTrue(script.length() < 4000, () -> script.length() + " characters");
        assertTrue(script.contains("|gzip -dc"));

        var ran = machine.run(script, MARKET);

        assertEquals("", ran.err());
        assertEquals("done\n", Files.readString(machine.home.resolve("mine")));
        assertEquals("ready 0\n", Files.readString(state("ready")));
        assertTrue(Files.isDirectory(machine.path("/home/jenkins")));
    }

    @Test
    void whatDoesNotEvenFitPackedIsRefused() {
        byte[] noise = new byte[6000];
        new Random(1).nextBytes(noise);
        String init = java.util.Base64.getEncoder().encodeToString(noise);
        var refused = assertThrows(
                StartScript.TooLong.class,
                () -> StartScript.builder(key, 17, WATCHDOG).init(init).build());
        assertTrue(refused.length() > 4000);
    }

    @Test
    void oddDirectoriesAndKeysCannotBreakOutOfTheScript() throws Exception {
        SshKeyPair odd = SshKeyPair.generate("a'$(touch /tmp/pwned)'b");
        machine.run(
                StartScript.builder(odd, 17, WATCHDOG)
                        .remoteFs("/home/it's $(touch /tmp/pwned2) here")
                        .build(),
                MARKET);
        assertTrue(Files.isDirectory(machine.root.resolve("home/it's $(touch " + machine.root + "/tmp/pwned2) here")));
        assertFalse(Files.exists(machine.path("/tmp/pwned")));
        assertFalse(Files.exists(machine.path("/tmp/pwned2")));
    }

    @Test
    void theScriptIsCleanForShellcheck() throws Exception {
        Assumptions.assumeTrue(Files.isExecutable(Path.of("/usr/bin/shellcheck")), "shellcheck is not installed");
        Path file = Files.writeString(
                dir.resolve("script.sh"),
                StartScript.builder(key, 17, WATCHDOG).init("echo hello").build());
        // Words of a package list are split on purpose (2086), "a && b || c" is meant as it reads (2015), and sourced
        // or
        // unused names are the caller's business (2034, 1090).
        java.lang.Process check = new ProcessBuilder(
                        "/usr/bin/shellcheck", "-s", "bash", "-e", "2086,2015,2034,1090", file.toString())
                .redirectErrorStream(true)
                .start();
        String findings = new String(check.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertTrue(check.waitFor(30, TimeUnit.SECONDS));
        assertEquals(0, check.exitValue(), findings);
    }

    @Test
    void theScriptParses() throws Exception {
        Path file = Files.writeString(
                dir.resolve("script.sh"),
                StartScript.builder(key, 17, WATCHDOG)
                        .vm(true)
                        .init("echo hello")
                        .build());
        java.lang.Process check = new ProcessBuilder("/bin/bash", "-n", file.toString())
                .redirectErrorStream(true)
                .start();
        ByteArrayOutputStream findings = new ByteArrayOutputStream();
        check.getInputStream().transferTo(findings);
        assertTrue(check.waitFor(30, TimeUnit.SECONDS));
        assertEquals("", findings.toString(StandardCharsets.UTF_8));
    }

    private Path state(String name) {
        return machine.path(StartScript.STATE_DIRECTORIES.get(0)).resolve(name);
    }

    private void awaitState(String beginning) {
        Awaitility.await()
                .atMost(Duration.ofSeconds(20))
                .untilAsserted(() -> assertTrue(
                        Files.readString(state("state")).startsWith(beginning),
                        () -> read(state("state")) + read(state("log"))));
    }

    private String snapshot() throws IOException {
        StringBuilder text = new StringBuilder();
        for (String file : List.of(".ssh/authorized_keys", ".bashrc", ".bashrc.image")) {
            text.append(Files.readString(machine.home.resolve(file))).append("\n--\n");
        }
        return text.append(Files.readString(machine.path("/etc/environment")))
                .append(Files.readString(state("key")))
                .append(Files.readString(state("ready")))
                .toString();
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            return e.toString();
        }
    }

    private static void permit(Path file, String mode) throws IOException {
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString(mode));
    }

    private static String mode(Path file) throws IOException {
        return PosixFilePermissions.toString(Files.getPosixFilePermissions(file));
    }
}

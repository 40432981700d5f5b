package io.jenkins.plugins.vastai.ssh;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jenkins.plugins.vastai.ssh.Bootstrap.Failed;
import io.jenkins.plugins.vastai.ssh.Bootstrap.Fault;
import io.jenkins.plugins.vastai.ssh.Bootstrap.Gpu;
import io.jenkins.plugins.vastai.ssh.Bootstrap.Pending;
import io.jenkins.plugins.vastai.ssh.Bootstrap.Prepared;
import io.jenkins.plugins.vastai.ssh.Bootstrap.Step;
import io.jenkins.plugins.vastai.ssh.Bootstrap.Unreachable;
import io.jenkins.plugins.vastai.ssh.Bootstrap.Wanted;
import io.jenkins.plugins.vastai.text.Reason;
import io.jenkins.plugins.vastai.text.Texts;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Collectors;
import okhttp3.OkHttpClient;
import org.apache.sshd.common.config.keys.KeyUtils;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class BootstrapTest {

    private static final String NO_WAY_OUT = "#!/bin/sh\nexit 6\n";
    private static final Watchdog WATCHDOG =
            Watchdog.of(URI.create("http://127.0.0.1:9"), Watchdog.SILENCE, Duration.ofHours(8));

    private static final Wanted PLAIN = new Wanted(17, "/home/jenkins", 0, 0, Optional.empty(), Map.of());
    private static final Wanted TWO_4090 = new Wanted(17, "/home/jenkins", 0, 2, Optional.of("RTX 4090"), Map.of());
    private static final Bootstrap.Timeouts TIMEOUTS = new Bootstrap.Timeouts(
            Duration.ofSeconds(20), Duration.ofSeconds(10), Duration.ofSeconds(20), Duration.ofSeconds(90));
    private static final String JAVA_21 = "#!/bin/sh\necho 'openjdk version \"21.0.1\" 2023-10-17' >&2\n";

    private static SshReach reach;
    private static OkHttpClient http;
    private static SshKeyPair key;

    @TempDir
    Path dir;

    private TestMachine machine;
    private Access access;

    @BeforeAll
    static void begin() {
        reach = SshReach.start();
        http = new OkHttpClient();
        key = SshKeyPair.generate("test");
    }

    @AfterAll
    static void end() {
        reach.close();
        http.dispatcher().executorService().shutdown();
        http.connectionPool().evictAll();
    }

    @BeforeEach
    void start() throws Exception {
        machine = TestMachine.start(dir.resolve("machine"), "ssh-ed25519").authorize(key);
        Probe probe = reach.probe(List.of(machine.endpoint()), "root", key, Optional.empty(), Duration.ofSeconds(20));
        access = new Access(probe.endpoint(), "root", key, probe.hostKey().orElseThrow());
    }

    @AfterEach
    void stop() throws Exception {
        machine.close();
    }

    @Test
    void aMachineWithJavaIsReadyWithoutAnythingBeingBrought() throws Exception {
        machine.program("java", JAVA_21);
        machine.program("git", "#!/bin/sh\necho git version 2.39.5\n");
        machine.run(StartScript.builder(key, 17, WATCHDOG).build(), Map.of());

        Prepared prepared = prepared(stepUntilDecided(bootstrap(List.of()), PLAIN));

        assertEquals(machine.bin.resolve("java").toString(), prepared.javaPath());
        assertEquals(21, prepared.javaMajor());
        assertEquals(Optional.of("2.39.5"), prepared.gitVersion());
        assertTrue(prepared.freeDiskGb() > 0);
        assertTrue(Files.isDirectory(machine.path("/home/jenkins")));
    }

    @Test
    void javaThatIsBeingInstalledIsWaitedForWithProgress() throws Exception {
        Path state = Files.createDirectories(machine.path(StartScript.STATE_DIRECTORIES.get(0)));
        Files.writeString(state.resolve("state"), "packages 21\n");
        Files.writeString(state.resolve("ready"), "ready 0\n");
        Bootstrap bootstrap = bootstrap(List.of());

        Pending pending = assertInstanceOf(Pending.class, step(bootstrap, PLAIN, true));
        assertTrue(Texts.render(pending.progress()).contains("packages 21"));

        machine.program("java", JAVA_21);
        Files.writeString(state.resolve("state"), "java " + machine.bin.resolve("java"));
        prepared(step(bootstrap, PLAIN, true));
    }

    @Test
    void theScriptsEndIsWaitedForUntilPatienceIsOver() throws Exception {
        machine.program("java", JAVA_21);
        Bootstrap bootstrap = bootstrap(List.of());

        assertTrue(assertInstanceOf(Pending.class, step(bootstrap, PLAIN, true))
                .progress()
                .is(SshText.SCRIPT_RUNNING));
        Prepared prepared = prepared(step(bootstrap, PLAIN, false));
        assertTrue(prepared.notes().stream().anyMatch(note -> note.is(SshText.SCRIPT_UNFINISHED)));
    }

    @Test
    void aWatchdogThatStillTriesIsWaitedForUntilPatienceIsOver() throws Exception {
        machine.program("java", JAVA_21);
        Path state = Files.createDirectories(machine.path(StartScript.STATE_DIRECTORIES.get(0)));
        Files.writeString(state.resolve("ready"), "ready 0\n");
        Files.writeString(
                state.resolve("watchdog.pid"),
                String.valueOf(ProcessHandle.current().pid()));
        Bootstrap bootstrap = bootstrap(List.of());

        assertInstanceOf(Pending.class, step(bootstrap, PLAIN, true));
        assertTrue(prepared(step(bootstrap, PLAIN, false)).notes().contains(SshText.WATCHDOG_NO_WAY.of()));
        Files.writeString(state.resolve("watchdog.state"), "armed curl\n");
        assertTrue(prepared(step(bootstrap, PLAIN, true)).notes().contains(SshText.WATCHDOG_ARMED.of("curl")));
    }

    @Test
    void theStorySaysWhenTheMachineCannotReachTheMarketToEndItself() throws Exception {
        machine.program("java", JAVA_21);
        machine.program("curl", NO_WAY_OUT);
        machine.run(
                StartScript.builder(key, 17, WATCHDOG).build(),
                Map.of("CONTAINER_ID", "4711", "CONTAINER_API_KEY", "secret"));
        Prepared prepared = prepared(stepUntilDecided(bootstrap(List.of()), PLAIN));
        assertTrue(prepared.notes().contains(SshText.WATCHDOG_NO_WAY.of()), () -> text(prepared.notes()));
    }

    @Test
    void theStorySaysWhenNoWatchdogRuns() throws Exception {
        machine.program("java", JAVA_21);
        Prepared prepared = prepared(step(bootstrap(List.of()), PLAIN, false));
        assertTrue(prepared.notes().contains(SshText.WATCHDOG_MISSING.of()), () -> text(prepared.notes()));
    }

    @Test
    void theMachineLoadsJavaItselfWhereItCan() throws Exception {
        byte[] archive = JavaArchive.withVersion("21.0.9");
        try (FileServer web = FileServer.start(Map.of("/jre.tar.gz", archive))) {
            JavaSource source = web.source("jre.tar.gz", JavaArchive.sha256(archive));
            Prepared prepared = prepared(step(bootstrap(List.of(source)), PLAIN, false));
            assertEquals(state("java/bin/java"), prepared.javaPath());
            assertTrue(prepared.notes().stream().anyMatch(note -> note.is(SshText.JAVA_LOADED)));
            assertFalse(Files.exists(dir.resolve("cache")), "nothing went through the controller");
        }
        try (var left = Files.list(machine.path("/tmp"))) {
            assertEquals(0, left.count(), "the archive stays behind");
        }
    }

    @Test
    void tooOldJavaIsNotTakenAndABuildIsBroughtOnceForSeveralMachines() throws Exception {
        machine.program("curl", NO_WAY_OUT);
        machine.program("java", "#!/bin/sh\necho 'openjdk version \"1.8.0_392\"' >&2\n");
        byte[] archive = JavaArchive.withVersion("21.0.9");
        try (FileServer web = FileServer.start(Map.of("/jre.tar.gz", archive))) {
            Bootstrap bootstrap = bootstrap(List.of(web.source("jre.tar.gz", JavaArchive.sha256(archive))));
            Prepared prepared = prepared(step(bootstrap, PLAIN, false));
            assertEquals(state("java/bin/java"), prepared.javaPath());
            assertEquals(21, prepared.javaMajor());
            assertTrue(prepared.notes().stream().anyMatch(note -> note.is(SshText.JAVA_TOO_OLD)));
            assertTrue(prepared.notes().stream().anyMatch(note -> note.is(SshText.JAVA_BROUGHT)));

            try (TestMachine other =
                    TestMachine.start(dir.resolve("other"), "ssh-ed25519").authorize(key)) {
                other.program("curl", NO_WAY_OUT);
                Probe probe =
                        reach.probe(List.of(other.endpoint()), "root", key, Optional.empty(), Duration.ofSeconds(20));
                Access second = new Access(
                        probe.endpoint(), "root", key, probe.hostKey().orElseThrow());
                prepared(bootstrap.step(second, PLAIN, false).join());
            }
            assertEquals(1, web.requests.get());
        }
        try (var files = Files.list(dir.resolve("cache"))) {
            assertEquals(1, files.count(), "no partial file stays behind");
        }
    }

    @Test
    void aBuildWithAnotherChecksumReachesNoMachineAndTheNextSourceIsTried() throws Exception {
        machine.program("curl", NO_WAY_OUT);
        byte[] good = JavaArchive.withVersion("21.0.9");
        byte[] bad = JavaArchive.withVersion("21.6.6");
        try (FileServer web = FileServer.start(Map.of("/bad.tar.gz", bad, "/good.tar.gz", good))) {
            JavaSource wrong = web.source("bad.tar.gz", "0".repeat(64));
            JavaSource right = web.source("good.tar.gz", JavaArchive.sha256(good));

            Failed failed = failed(step(bootstrap(List.of(wrong)), PLAIN, false));
            assertEquals(Fault.CONTROLLER, failed.fault());
            assertTrue(failed.reason().is(SshText.JAVA_NOT_BROUGHT));
            // Both, in full: whoever keeps a mirror compares them.
            assertTrue(text(failed.notes()).contains("0".repeat(64)), () -> text(failed.notes()));
            assertTrue(text(failed.notes()).contains(JavaArchive.sha256(bad)), () -> text(failed.notes()));
            assertFalse(Files.exists(Path.of(state("java"))));

            prepared(step(bootstrap(List.of(wrong, right)), PLAIN, false));
        }
    }

    @Test
    void aSpoiltFileInTheCacheIsLoadedAgain() throws Exception {
        machine.program("curl", NO_WAY_OUT);
        byte[] archive = JavaArchive.withVersion("21.0.9");
        String sha256 = JavaArchive.sha256(archive);
        Files.createDirectories(dir.resolve("cache"));
        Files.writeString(dir.resolve("cache").resolve(sha256 + ".tar.gz"), "half a file");
        try (FileServer web = FileServer.start(Map.of("/jre.tar.gz", archive))) {
            prepared(step(bootstrap(List.of(web.source("jre.tar.gz", sha256))), PLAIN, false));
        }
    }

    @Test
    void aBuildThatDoesNotRunOnTheMachineIsNoJava() throws Exception {
        machine.program("curl", NO_WAY_OUT);
        byte[] archive = JavaArchive.withVersion("11.0.1");
        try (FileServer web = FileServer.start(Map.of("/jre.tar.gz", archive))) {
            Bootstrap bootstrap = bootstrap(List.of(web.source("jre.tar.gz", JavaArchive.sha256(archive))));
            Failed failed = failed(step(bootstrap, PLAIN, false));
            assertTrue(failed.notes().stream().anyMatch(note -> note.is(SshText.JAVA_DOES_NOT_RUN)));
        }
    }

    @Test
    void theControllersOwnRuntimeIsTheLastSourceAndReallyRuns() {
        Bootstrap bootstrap =
                new Bootstrap(reach, http, dir.resolve("cache"), List::of, TIMEOUTS, OwnRuntime.ofThisProcess());
        Prepared prepared = prepared(step(bootstrap, PLAIN, false));
        assertEquals(state("java/bin/java"), prepared.javaPath());
        assertEquals(Runtime.version().feature(), prepared.javaMajor());
    }

    @Test
    void theControllersOwnRuntimeIsNotSentToAnotherKindOfMachine() {
        OwnRuntime own = OwnRuntime.ofThisProcess().orElseThrow();
        OwnRuntime foreign = new OwnRuntime(
                own.home(), own.platform() == Platform.X64_GLIBC ? Platform.X64_MUSL : Platform.X64_GLIBC, own.major());
        Bootstrap bootstrap =
                new Bootstrap(reach, http, dir.resolve("cache"), List::of, TIMEOUTS, Optional.of(foreign));
        assertEquals(Fault.CONTROLLER, failed(step(bootstrap, PLAIN, false)).fault());
    }

    @Test
    void aFailedInitScriptIsTheTemplatesFault() throws Exception {
        machine.program("java", JAVA_21);
        machine.run(StartScript.builder(key, 17, WATCHDOG).init("exit 7").build(), Map.of());
        Failed failed = failed(stepUntilDecided(bootstrap(List.of()), PLAIN));
        assertEquals(Fault.TEMPLATE, failed.fault());
        assertEquals(List.of("7"), failed.reason().args());
    }

    @Test
    void aWorkDirectoryThatCannotBeMadeIsTheTemplatesFault() throws Exception {
        machine.program("java", JAVA_21);
        Files.writeString(machine.path("/home").resolve("jenkins"), "a file");
        Failed failed = failed(step(bootstrap(List.of()), PLAIN, false));
        assertEquals(Fault.TEMPLATE, failed.fault());
        assertTrue(failed.reason().is(SshText.WORK_DIRECTORY_UNUSABLE));
    }

    @Test
    void tooLittleDiskIsTheTemplatesFault() throws Exception {
        machine.program("java", JAVA_21);
        Wanted huge = new Wanted(17, "/home/jenkins", 1e9, 0, Optional.empty(), Map.of());
        assertTrue(failed(step(bootstrap(List.of()), huge, false)).reason().is(SshText.DISK_TOO_SMALL));
    }

    @Test
    void theOrderedGpusAreReported() throws Exception {
        machine.program("java", JAVA_21);
        smi("NVIDIA GeForce RTX 4090, 24564 MiB\nNVIDIA GeForce RTX 4090, 24564 MiB", 0);
        Prepared prepared = prepared(step(bootstrap(List.of()), TWO_4090, false));
        assertEquals(
                List.of(new Gpu("NVIDIA GeForce RTX 4090", 24564), new Gpu("NVIDIA GeForce RTX 4090", 24564)),
                prepared.gpus());
        assertEquals(Optional.of("550.54.14"), prepared.driver());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            value = {
                "NVIDIA GeForce RTX 4090, 24564 MiB; WRONG_GPU",
                "NVIDIA GeForce RTX 4090, 24564 MiB\\nNVIDIA GeForce RTX 3090, 24576 MiB; WRONG_GPU",
                "No devices were found; WRONG_GPU"
            })
    void otherGpusThanOrderedAreTheMachinesFault(String lines, SshText expected) throws Exception {
        machine.program("java", JAVA_21);
        smi(lines.replace("\\n", "\n"), 0);
        Failed failed = failed(step(bootstrap(List.of()), TWO_4090, false));
        assertEquals(Fault.MACHINE, failed.fault());
        assertTrue(failed.reason().is(expected));
    }

    @Test
    void aDriverThatDoesNotAnswerIsTheMachinesFaultAndItsWordsAreClean() throws Exception {
        machine.program("java", JAVA_21);
        smi("Failed to \033[31minitialize\nNVML", 9);
        Failed failed = failed(step(bootstrap(List.of()), TWO_4090, false));
        assertEquals(Fault.MACHINE, failed.fault());
        assertTrue(failed.reason().is(SshText.GPU_BROKEN));
        assertTrue(
                Texts.render(failed.reason()).chars().noneMatch(Character::isISOControl),
                () -> Texts.render(failed.reason()));
    }

    @Test
    void aMissingNvidiaSmiIsANoteOnly() throws Exception {
        machine.program("java", JAVA_21);
        Prepared prepared = prepared(step(bootstrap(List.of()), TWO_4090, false));
        assertTrue(prepared.notes().stream().anyMatch(note -> note.is(SshText.NVIDIA_SMI_MISSING)));
    }

    @Test
    void anotherHostKeyThanThePinnedOneIsNeverTalkedTo() throws Exception {
        HostKey other = HostKey.of(KeyUtils.generateKeyPair("ssh-ed25519", 256).getPublic());
        Step step = bootstrap(List.of())
                .step(new Access(access.endpoint(), "root", key, other), PLAIN, false)
                .join();
        assertEquals(
                Probe.Outcome.HOST_KEY_CHANGED,
                assertInstanceOf(Unreachable.class, step).probe().outcome());
    }

    @Test
    void aMachineThatHangsEndsAtTheTimeOut() {
        machine.rc = "sleep 30; ";
        Bootstrap bootstrap = new Bootstrap(
                reach,
                http,
                dir.resolve("cache"),
                List::of,
                new Bootstrap.Timeouts(
                        Duration.ofSeconds(2), Duration.ofSeconds(1), Duration.ofSeconds(1), Duration.ofSeconds(1)),
                Optional.empty());
        assertEquals(
                Probe.Outcome.TIMED_OUT,
                assertInstanceOf(Unreachable.class, step(bootstrap, PLAIN, false))
                        .probe()
                        .outcome());
    }

    @Test
    void aPathThatAShellWouldReadAsMoreIsNotTaken() throws Exception {
        machine.environment.put("JAVA_HOME", machine.root + "/j;reboot");
        Path bin = Files.createDirectories(machine.root.resolve("j;reboot/bin"));
        Files.writeString(bin.resolve("java"), JAVA_21).toFile().setExecutable(true);
        assertEquals(
                Fault.CONTROLLER,
                failed(step(bootstrap(List.of()), PLAIN, false)).fault());
    }

    @Test
    void theAdministratorsEnvironmentReachesTheAgentByteForByte() throws Exception {
        machine.program("java", JAVA_21);
        Map<String, String> environment = Map.of(
                "TOKENIZERS_PARALLELISM", "false",
                "BYPASS_CACHE", "1",
                "QUOTES", "it's a \"b\" `c` $HOME \\n \\ # ! %s",
                "SPACES", "  two  words  ",
                "LINES", "one\n\ntwo\n",
                "EMPTY", "",
                "LONG", "x".repeat(2000),
                "WORDS", "Grüße 你好");
        Wanted wanted = new Wanted(17, "/home/jenkins", 0, 0, Optional.empty(), environment);

        prepared(step(bootstrap(List.of()), wanted, false));

        String dump = environment.keySet().stream()
                .sorted()
                .map(name -> "printf '%s\\0%s\\0' " + name + " \"$" + name + "\"")
                .collect(Collectors.joining("; "));
        String seen = reach.exec(access, StartScript.AGENT_PREFIX + dump, Duration.ofSeconds(20))
                .join()
                .out();
        String[] words = seen.split("\0", -1);
        Map<String, String> found = new HashMap<>();
        for (int i = 0; i + 1 < words.length; i += 2) {
            found.put(words[i], words[i + 1]);
        }
        assertEquals(environment, found);
    }

    @Test
    void anImageWithoutBashIsRefusedAtOnce() throws Exception {
        Path small = Files.createDirectories(dir.resolve("small"));
        try (var tools = Files.list(Path.of(machine.environment.get("PATH").split(":")[1]))) {
            for (Path tool : (Iterable<Path>) tools::iterator) {
                if (!tool.endsWith("bash")) {
                    Files.createSymbolicLink(small.resolve(tool.getFileName()), tool.toRealPath());
                }
            }
        }
        machine.environment.put("PATH", small.toString());

        Failed failed = failed(step(bootstrap(List.of()), PLAIN, true));

        assertTrue(failed.reason().is(SshText.BASH_MISSING), () -> describe(failed));
        assertEquals(Fault.TEMPLATE, failed.fault());
    }

    @Test
    void aMachineThatCannotWriteItsStateAnywhereIsRefusedAtOnceAndNothingIsWrittenElsewhere() throws Exception {
        for (String directory : StartScript.STATE_DIRECTORIES) {
            Files.writeString(machine.path(directory), "in the way");
        }

        Failed failed = failed(step(bootstrap(List.of()), PLAIN, true));

        assertTrue(failed.reason().is(SshText.NOTHING_WRITABLE), () -> describe(failed));
        assertEquals(Fault.MACHINE, failed.fault());
        assertFalse(Files.exists(Path.of("/environment")));
    }

    @Test
    void whereTheFirstStateDirectoryCannotBeWrittenEverybodyUsesTheSecond() throws Exception {
        machine.program("java", JAVA_21);
        Files.writeString(machine.path(StartScript.STATE_DIRECTORIES.get(0)), "in the way");
        Path second = machine.path(StartScript.STATE_DIRECTORIES.get(1));
        machine.run(StartScript.builder(key, 17, WATCHDOG).build(), Map.of());

        Prepared prepared = prepared(stepUntilDecided(bootstrap(List.of()), PLAIN));
        reach.exec(access, StartScript.AGENT_PREFIX + "true", Duration.ofSeconds(20))
                .join();

        assertEquals(21, prepared.javaMajor());
        for (String file : List.of("ready", "heard", "environment", "agent", "watchdog.pid")) {
            assertTrue(Files.exists(second.resolve(file)), file);
        }
    }

    @Test
    void javaSourcesAreAskedForAnewForEachMachine() throws Exception {
        machine.program("curl", NO_WAY_OUT);
        byte[] archive = JavaArchive.withVersion("21.0.9");
        try (FileServer web = FileServer.start(Map.of("/jre.tar.gz", archive))) {
            List<JavaSource> sources = new ArrayList<>();
            Bootstrap bootstrap = bootstrap(sources);
            failed(step(bootstrap, PLAIN, false));
            sources.add(web.source("jre.tar.gz", JavaArchive.sha256(archive)));
            prepared(step(bootstrap, PLAIN, false));
        }
    }

    @Test
    void twentyMachinesAreSurveyedAtOnce() throws Exception {
        machine.program("java", JAVA_21);
        Bootstrap bootstrap = bootstrap(List.of());
        List<CompletableFuture<Step>> steps = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            steps.add(bootstrap.step(access, PLAIN, false));
        }
        for (CompletableFuture<Step> step : steps) {
            prepared(step.join());
        }
    }

    private Bootstrap bootstrap(List<JavaSource> sources) {
        return new Bootstrap(reach, http, dir.resolve("cache"), () -> sources, TIMEOUTS, Optional.empty());
    }

    private Step step(Bootstrap bootstrap, Wanted wanted, boolean patient) {
        return bootstrap.step(access, wanted, patient).join();
    }

    private Step stepUntilDecided(Bootstrap bootstrap, Wanted wanted) {
        return Awaitility.await()
                .atMost(Duration.ofSeconds(30))
                .until(() -> step(bootstrap, wanted, true), step -> !(step instanceof Pending));
    }

    private String state(String name) {
        return machine.path(StartScript.STATE_DIRECTORIES.get(0)).resolve(name).toString();
    }

    private void smi(String output, int exit) throws Exception {
        Path answer = Files.writeString(dir.resolve("smi.txt"), output + "\n");
        machine.program(
                "nvidia-smi",
                "#!/bin/sh\ncase \"$*\" in *driver_version*) echo 550.54.14;; *) cat " + answer + ";; esac\nexit "
                        + exit + "\n");
    }

    private static Prepared prepared(Step step) {
        return assertInstanceOf(Prepared.class, step, () -> describe(step));
    }

    private static Failed failed(Step step) {
        return assertInstanceOf(Failed.class, step, () -> describe(step));
    }

    private static String describe(Step step) {
        if (step instanceof Failed failed) {
            return Texts.render(failed.reason()) + text(failed.notes());
        }
        return step instanceof Unreachable gone ? Texts.render(gone.probe().reason()) : step.toString();
    }

    private static String text(List<Reason> notes) {
        return String.join("\n", notes.stream().map(Texts::render).toList());
    }
}

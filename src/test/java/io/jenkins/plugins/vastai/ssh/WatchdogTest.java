package io.jenkins.plugins.vastai.ssh;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jenkins.plugins.vastai.api.ApiKey;
import io.jenkins.plugins.vastai.api.CreateRequest;
import io.jenkins.plugins.vastai.api.Created;
import io.jenkins.plugins.vastai.api.Instance;
import io.jenkins.plugins.vastai.api.Instance.Endpoint;
import io.jenkins.plugins.vastai.api.Pacing;
import io.jenkins.plugins.vastai.api.VastClient;
import io.jenkins.plugins.vastai.simulator.Books;
import io.jenkins.plugins.vastai.simulator.Fault;
import io.jenkins.plugins.vastai.simulator.Simulator;
import io.jenkins.plugins.vastai.text.Reason;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.stream.LongStream;
import okhttp3.OkHttpClient;
import org.awaitility.Awaitility;
import org.awaitility.core.ConditionFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Machines of the simulated market that end themselves, on the real clock, with limits of seconds. */
@Timeout(180)
class WatchdogTest {

    private static final Duration NEVER = Duration.ofDays(1);
    private static final Duration SECONDS = Duration.ofSeconds(4);

    @TempDir
    Path dir;

    private final SshKeyPair key = SshKeyPair.generate("jenkins-rental");
    private final OkHttpClient http = new OkHttpClient();
    private Simulator simulator;
    private VastClient client;
    private SshReach reach;

    @BeforeEach
    void start() throws Exception {
        simulator = Simulator.builder()
                .limits(false)
                .boot(Duration.ofMillis(50))
                .sshdDelay(Duration.ofMillis(20))
                .installTime(Duration.ofMillis(50))
                .start();
        ApiKey account = ApiKey.of(simulator.apiKey());
        client = new VastClient(simulator.uri(), () -> account, http, Pacing.none());
        reach = SshReach.start();
    }

    @AfterEach
    void stop() {
        reach.close();
        simulator.close();
        http.dispatcher().executorService().shutdown();
        http.connectionPool().evictAll();
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aMachineThatHearsOfNobodyEndsItself(boolean vm) throws Exception {
        client.addAccountSshKey(key.publicLine());
        long id = rent("", SECONDS, NEVER, vm);

        awaitOwnHand(id);
    }

    @Test
    void aLookAtTheMachineIsASignOfLife() throws Exception {
        long id = rent("", NEVER, NEVER, false);
        Access access = reached(id);
        soon().until(() -> count(id).silence() >= 3);

        Survey survey = survey(access);

        assertEquals(SshText.WATCHDOG_ARMED.of("curl"), survey.watchdog().orElseThrow());
        soon().until(() -> count(id).silence() < 3);
        assertTrue(count(id).age() >= 3, "a sign of life makes nobody younger");
    }

    @Test
    void theAgentsConnectionIsASignOfLifeAndItsEndIsNone() throws Exception {
        long id = rent("", NEVER, NEVER, false);
        Access access = reached(id);
        CountDownLatch hangUp = new CountDownLatch(1);
        CompletableFuture<Output> agent = agent(access, hangUp);
        soon().until(() -> Files.exists(file(id, "agent")) && count(id).silence() == 0);

        long before = count(id).age();
        soon().until(() -> {
            assertTrue(count(id).silence() <= 1, "silent although the agent is there");
            return count(id).age() >= before + 4;
        });

        hangUp.countDown();
        agent.join();
        soon().until(() -> count(id).silence() >= 3);

        // The controller comes back within the time and connects again.
        CountDownLatch later = new CountDownLatch(1);
        CompletableFuture<Output> again = agent(access, later);
        soon().until(() -> count(id).silence() == 0);
        later.countDown();
        again.join();
        assertTrue(simulator.books().entry(id).orElseThrow().destroyed().isEmpty());
    }

    @Test
    void anOpenShellIsNoSignOfLife() throws Exception {
        long id = rent("", NEVER, NEVER, false);
        Access access = reached(id);
        CountDownLatch hangUp = new CountDownLatch(1);
        CompletableFuture<Output> admin =
                reach.send(access, "cat >/dev/null", out -> await(hangUp), Duration.ofMinutes(2));

        soon().until(() -> count(id).silence() >= 4);

        assertFalse(admin.isDone());
        hangUp.countDown();
        admin.join();
    }

    @Test
    void theLifetimeEndsAMachineThatIsInUse() throws Exception {
        long id = rent("", NEVER, Duration.ofSeconds(12), false);
        CountDownLatch hangUp = new CountDownLatch(1);
        CompletableFuture<Output> agent = agent(reached(id), hangUp);

        awaitOwnHand(id);

        hangUp.countDown();
        agent.handle((output, thrown) -> output).join();
    }

    @Test
    void ageAndSilenceAreCountedOnAfterARestartOfTheMachine() throws Exception {
        long id = rent("", NEVER, NEVER, false);
        soon().until(() -> Files.exists(file(id, "watchdog.count")) && count(id).age() >= 4);
        String first = Files.readString(file(id, "watchdog.pid"));
        Count before = count(id);

        client.rebootInstance(id);

        soon().until(() -> !Files.readString(file(id, "watchdog.pid")).equals(first));
        soon().until(() -> count(id).age() > before.age());
        assertTrue(count(id).silence() >= before.silence());
        assertTrue(alive(Files.readString(file(id, "watchdog.pid"))));
    }

    @Test
    void ofTwoWatchdogsTheNewerStays() throws Exception {
        long id = rent("", NEVER, NEVER, false);
        Access access = reached(id);
        String first = Files.readString(file(id, "watchdog.pid"));

        reach.exec(access, "bash /root/onstart.sh >/dev/null 2>&1", Duration.ofSeconds(60))
                .join();

        String second = Files.readString(file(id, "watchdog.pid"));
        assertFalse(second.equals(first));
        soon().until(() -> !alive(first));
        assertTrue(alive(second));
        assertEquals(
                SshText.WATCHDOG_ARMED.of("curl"), survey(access).watchdog().orElseThrow());
    }

    @ParameterizedTest
    @ValueSource(strings = {"/bin/dash", "/bin/bash --posix", "/bin/busybox sh"})
    void everyKindOfShellRunsTheWatchdog(String shell) throws Exception {
        List<String> command = new ArrayList<>(List.of(shell.split(" ")));
        Assumptions.assumeTrue(Files.isExecutable(Path.of(command.get(0))), command.get(0) + " is not installed");
        Created created = create("true", false);
        Watchdog limits = new Watchdog(simulator.uri(), SECONDS, NEVER, Duration.ofSeconds(1));
        Path file = Files.writeString(
                dir.resolve("watchdog"), "V= D='" + dir + "' " + limits.head() + "\n" + Scripts.WATCHDOG);
        Files.writeString(
                dir.resolve("key"),
                "CONTAINER_ID=" + created.instanceId() + " CONTAINER_API_KEY="
                        + created.instanceKey().orElseThrow().reveal() + "\n");
        command.add(file.toString());

        Process process = new ProcessBuilder(command).start();
        try {
            awaitOwnHand(created.instanceId());
        } finally {
            process.descendants().forEach(ProcessHandle::destroy);
            process.destroy();
            process.waitFor();
        }
        assertEquals("armed curl\n", Files.readString(dir.resolve("watchdog.state")));
    }

    @Test
    void aWatchdogThatCanWriteNothingCountsNoSilenceButItsAge() throws Exception {
        Created created = create("true", false);
        Watchdog limits = new Watchdog(simulator.uri(), SECONDS, Duration.ofSeconds(10), Duration.ofSeconds(1));
        Path file = Files.writeString(
                dir.resolve("watchdog"), "V= D='" + dir + "' " + limits.head() + "\n" + Scripts.WATCHDOG);
        Files.writeString(
                dir.resolve("key"),
                "CONTAINER_ID=" + created.instanceId() + " CONTAINER_API_KEY="
                        + created.instanceKey().orElseThrow().reveal() + "\n");
        // Where it counts: root may write to what is read-only by its mode, but not to a directory.
        Files.createDirectories(dir.resolve("count.new/in the way"));
        Instant begun = Instant.now();

        Process process = new ProcessBuilder("/bin/sh", file.toString()).start();
        try {
            awaitOwnHand(created.instanceId());
        } finally {
            process.descendants().forEach(ProcessHandle::destroy);
            process.destroy();
            process.waitFor();
        }
        assertTrue(Duration.between(begun, Instant.now()).toSeconds() >= 9, "it ended for silence");
    }

    @Test
    void anIgnoredDestroyIsRepeated() throws Exception {
        simulator.faults().add(Fault.of(Fault.Kind.DESTROY_IGNORED).times(1));
        long id = rent("", SECONDS, NEVER, false);

        awaitOwnHand(id);

        assertEquals(2, destroys(id));
    }

    @Test
    void theKeyOpensNoOtherMachine() throws Exception {
        long other = rent("", NEVER, NEVER, false);
        long id = rent("export CONTAINER_ID=" + other, SECONDS, NEVER, false);

        soon().until(() -> destroys(other) >= 1);

        assertTrue(simulator.books().entry(other).orElseThrow().destroyed().isEmpty());
        assertTrue(simulator.books().entry(id).orElseThrow().destroyed().isEmpty());
    }

    @Test
    void theStorySaysHowTheMachineWouldEndItself() throws Exception {
        long id = rent("", NEVER, NEVER, false);
        assertTrue(notes(reached(id)).contains(SshText.WATCHDOG_ARMED.of("curl")));
    }

    @Test
    void theStorySaysWhenTheMarketPutNoKeyInside() throws Exception {
        long id = rent("unset CONTAINER_API_KEY", NEVER, NEVER, false);
        assertTrue(notes(reached(id)).contains(SshText.WATCHDOG_NO_KEY.of()));
    }

    @Test
    void noBuildAndNoLogSeesTheKey() throws Exception {
        long id = rent("", NEVER, NEVER, false);
        Access access = reached(id);
        notes(access);
        String secret = Files.readString(file(id, "key")).replaceAll("(?s).*CONTAINER_API_KEY=(\\S+).*", "$1");
        assertTrue(secret.length() > 8, "the key is there");

        assertFalse(reach.exec(access, "env; set", Duration.ofSeconds(30))
                .join()
                .out()
                .contains(secret));
        assertFalse(simulator.containerLog(id).contains(secret));
        for (String name : List.of("log", "watchdog", "watchdog.state", "watchdog.count")) {
            assertFalse(Files.readString(file(id, name)).contains(secret), name);
        }
        String watchdog = Files.readString(file(id, "watchdog.pid")).strip();
        assertFalse(Files.readString(Path.of("/proc", watchdog, "environ")).contains(secret), "its environment");
        assertEquals("rw-------", permissions(file(id, "key")));
    }

    // ---- what the machine says

    private record Count(long age, long silence) {}

    private Count count(long id) throws IOException {
        String[] words = Files.readString(file(id, "watchdog.count")).strip().split(" ");
        return new Count(Long.parseLong(words[0]), Long.parseLong(words[1]));
    }

    private Path file(long id, String name) {
        return simulator
                .instance(id)
                .orElseThrow()
                .directory()
                .orElseThrow()
                .resolve("var/lib/vastai-cloud")
                .resolve(name);
    }

    private static String permissions(Path file) throws IOException {
        return PosixFilePermissions.toString(Files.getPosixFilePermissions(file));
    }

    private static boolean alive(String pid) {
        return ProcessHandle.of(Long.parseLong(pid.strip()))
                .filter(ProcessHandle::isAlive)
                .isPresent();
    }

    private long destroys(long id) {
        return simulator.requests().stream()
                .filter(request ->
                        request.method().equals("DELETE") && request.path().contains("/" + id + "/"))
                .count();
    }

    // ---- what the controller does

    private long rent(String before, Duration silence, Duration lifetime, boolean vm) throws Exception {
        Watchdog limits = new Watchdog(simulator.uri(), silence, lifetime, Duration.ofSeconds(1));
        String script = StartScript.builder(key, 17, limits).vm(vm).build();
        return create(script.replaceFirst("\n", "\n" + before + "\n"), vm).instanceId();
    }

    private Created create(String script, boolean vm) throws Exception {
        CreateRequest request = CreateRequest.builder()
                .image(vm ? "docker.io/vastai/kvm:ubuntu_terminal" : "nvidia/cuda:12.4.1-base-ubuntu22.04")
                .diskGb(40)
                .label("jenkins-test")
                .runtype(vm ? "ssh" : "ssh_direct")
                .vm(vm)
                .port(22)
                .onstart(script)
                .build();
        long offer = simulator.market().find("RTX 4090", 1).stream()
                .filter(candidate -> !vm || candidate.vmsEnabled())
                .flatMapToLong(candidate -> LongStream.of(candidate.id()))
                .findFirst()
                .orElseThrow();
        return client.createInstance(offer, request);
    }

    private void awaitOwnHand(long id) {
        soon().until(() -> simulator.books().entry(id).orElseThrow().destroyed().isPresent());
        assertEquals(
                Optional.of(Books.Hand.INSTANCE_KEY),
                simulator.books().entry(id).orElseThrow().destroyedBy());
    }

    private Access reached(long id) {
        Probe probe = soon().until(() -> probe(id), found -> found.outcome() == Probe.Outcome.REACHED);
        soon().until(() -> Files.exists(file(id, "watchdog.count")));
        return new Access(probe.endpoint(), "root", key, probe.hostKey().orElseThrow());
    }

    private Probe probe(long id) throws Exception {
        List<Endpoint> endpoints = new ArrayList<>();
        client.showInstance(id)
                .filter(shown -> shown.status() == Instance.Status.RUNNING)
                .flatMap(Instance::direct)
                .ifPresent(endpoints::add);
        Endpoint nowhere = new Endpoint("127.0.0.1", 1);
        return endpoints.isEmpty()
                ? new Probe(Probe.Outcome.BROKEN, nowhere, Optional.empty(), SshText.REFUSED.of(nowhere), List.of())
                : reach.probe(endpoints, "root", key, Optional.empty(), Duration.ofSeconds(5));
    }

    private Survey survey(Access access) {
        Output output = reach.exec(access, Survey.script("/home/jenkins", 17, Map.of()), Duration.ofSeconds(30))
                .join();
        return Survey.read(output.out()).orElseThrow();
    }

    private List<Reason> notes(Access access) {
        Bootstrap bootstrap = new Bootstrap(
                reach, http, dir.resolve("cache"), List::of, Bootstrap.Timeouts.DEFAULT, Optional.empty());
        Bootstrap.Wanted wanted = new Bootstrap.Wanted(17, "/home/jenkins", 0, 0, Optional.empty(), Map.of());
        Bootstrap.Step step = soon().until(
                        () -> bootstrap.step(access, wanted, true).join(),
                        found -> !(found instanceof Bootstrap.Pending));
        return assertInstanceOf(Bootstrap.Prepared.class, step).notes();
    }

    /** A connection as the agent's: begins as the launcher's does and lives until it is hung up. */
    private CompletableFuture<Output> agent(Access access, CountDownLatch hangUp) {
        return reach.send(
                access, StartScript.AGENT_PREFIX + "cat >/dev/null", out -> await(hangUp), Duration.ofMinutes(2));
    }

    private static void await(CountDownLatch latch) throws IOException {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new IOException(e);
        }
    }

    private static ConditionFactory soon() {
        return Awaitility.await().atMost(Duration.ofSeconds(90)).pollInterval(Duration.ofMillis(100));
    }
}

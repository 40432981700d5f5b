package io.jenkins.plugins.vastai.ssh;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jenkins.plugins.vastai.api.ApiKey;
import io.jenkins.plugins.vastai.api.CreateRequest;
import io.jenkins.plugins.vastai.api.Instance;
import io.jenkins.plugins.vastai.api.Instance.Endpoint;
import io.jenkins.plugins.vastai.api.Pacing;
import io.jenkins.plugins.vastai.api.VastClient;
import io.jenkins.plugins.vastai.simulator.Fault;
import io.jenkins.plugins.vastai.simulator.SimulatedInstance;
import io.jenkins.plugins.vastai.simulator.Simulator;
import io.jenkins.plugins.vastai.ssh.Bootstrap.Failed;
import io.jenkins.plugins.vastai.ssh.Bootstrap.Pending;
import io.jenkins.plugins.vastai.ssh.Bootstrap.Prepared;
import io.jenkins.plugins.vastai.ssh.Bootstrap.Step;
import io.jenkins.plugins.vastai.ssh.Bootstrap.Wanted;
import io.jenkins.plugins.vastai.ssh.Probe.Outcome;
import io.jenkins.plugins.vastai.text.Texts;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import okhttp3.OkHttpClient;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Start script, probe and preparation against machines of the simulated market, from create to fit. */
@Timeout(120)
class SimulatedMachineTest {

    private static final Duration LONG = Duration.ofSeconds(40);
    private static final Watchdog WATCHDOG =
            Watchdog.of(URI.create("https://console.vast.ai"), Watchdog.SILENCE, Duration.ofHours(8));
    private static final Wanted WANTED = new Wanted(17, "/home/jenkins", 0, 1, Optional.of("RTX 4090"), Map.of());

    @TempDir
    Path dir;

    private final SshKeyPair key = SshKeyPair.generate("jenkins-rental");
    private final OkHttpClient http = new OkHttpClient();
    private Simulator simulator;
    private VastClient client;
    private SshReach reach;

    @BeforeEach
    void start() throws Exception {
        simulator = Simulator.builder().limits(false).start();
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

    @Test
    void aBareImageBecomesAnAgentAndShowsNoSecretToABuild() throws Exception {
        simulator.faults().add(Fault.Kind.NOISY_SHELL);
        simulator.faults().add(Fault.Kind.GREETING_BANNER);
        long id = rent(StartScript.builder(key, 17, WATCHDOG).init("echo mine > $HOME/mine"), false);

        Access access = reached(id);
        Prepared prepared = assertInstanceOf(Prepared.class, prepare(access, List.of()), "prepared");

        assertTrue(prepared.javaMajor() >= 17);
        assertEquals(
                List.of("NVIDIA GeForce RTX 4090"),
                prepared.gpus().stream().map(Bootstrap.Gpu::name).toList());
        assertTrue(prepared.driver().isPresent());
        String seen = reach.exec(access, "env; set", LONG).get().out();
        assertTrue(seen.contains("COLOUR=blue") || seen.contains("COLOUR='blue'"), seen);
        assertTrue(seen.contains("NVIDIA_DRIVER_CAPABILITIES"), seen);
        assertFalse(seen.contains("token-of-the-template"), seen);
        String kept = Files.readString(directory(id).resolve("var/lib/vastai-cloud/key"));
        String machineKey = kept.replaceAll("(?s).*CONTAINER_API_KEY=(\\S+).*", "$1");
        assertTrue(machineKey.length() > 8 && machineKey.length() < kept.length(), "the watchdog's key is kept");
        assertFalse(seen.contains(machineKey), "the machine's own key");
        assertTrue(Files.exists(directory(id).resolve("root/mine")));
        String log = Files.readString(directory(id).resolve(".image/container.log"));
        assertTrue(log.contains(access.pin().fingerprint()), log);
    }

    @Test
    void aVirtualMachineIsPreparedInTheSameWay() throws Exception {
        client.addAccountSshKey(key.publicLine());
        long id = rent(StartScript.builder(key, 17, WATCHDOG).vm(true), true);
        Prepared prepared = assertInstanceOf(Prepared.class, prepare(reached(id), List.of()));
        assertTrue(prepared.javaMajor() >= 17);
    }

    @Test
    void whereTheSystemHasNoJavaToInstallTheMachineLoadsABuild() throws Exception {
        simulator.faults().add(Fault.Kind.NO_JAVA);
        byte[] archive = JavaArchive.withVersion("21.0.9");
        try (FileServer web = FileServer.start(Map.of("/jre.tar.gz", archive))) {
            long id = rent(StartScript.builder(key, 17, WATCHDOG), false);
            JavaSource source = web.source("jre.tar.gz", JavaArchive.sha256(archive));
            Prepared prepared = assertInstanceOf(Prepared.class, prepare(reached(id), List.of(source)));
            assertEquals(21, prepared.javaMajor());
            assertTrue(prepared.javaPath().startsWith(directory(id).toString()), prepared.javaPath());
            assertTrue(prepared.notes().stream().anyMatch(note -> note.is(SshText.JAVA_LOADED)));
        }
    }

    @Test
    void aKeyThatTheMarketForgotWorksOnceItIsAttachedAgain() throws Exception {
        simulator.faults().add(Fault.Kind.KEYS_REFUSED_UNTIL_ATTACHED);
        long id = rent(StartScript.builder(key, 17, WATCHDOG), false);
        awaitOutcome(id, Optional.empty(), Outcome.AUTH_REFUSED);
        client.attachSshKey(id, key.publicLine());
        awaitOutcome(id, Optional.empty(), Outcome.REACHED);
    }

    @Test
    void aChangedHostKeyIsNoticedAtTheNextContact() throws Exception {
        simulator.faults().add(Fault.Kind.HOST_KEY_CHANGES);
        long id = rent(StartScript.builder(key, 17, WATCHDOG), false);
        Probe first = awaitOutcome(id, Optional.empty(), Outcome.REACHED);
        assertEquals(Outcome.HOST_KEY_CHANGED, probe(id, first.hostKey()).outcome());
    }

    @Test
    void theProxyServesWhereTheDirectPortDoesNot() throws Exception {
        simulator.faults().add(Fault.Kind.PROXY_ONLY);
        long id = rent(StartScript.builder(key, 17, WATCHDOG), false);
        Probe probe = awaitOutcome(id, Optional.empty(), Outcome.REACHED);
        assertEquals(client.showInstance(id).orElseThrow().proxy().orElseThrow(), probe.endpoint());
    }

    @Test
    void aGreetingThatTheStartScriptCannotSilenceMakesTheImageUnfit() throws Exception {
        simulator.faults().add(Fault.Kind.GREETING_STDERR);
        long id = rent(StartScript.builder(key, 17, WATCHDOG), false);
        awaitOutcome(id, Optional.empty(), Outcome.UNFIT);
    }

    @Test
    void refusingAndSilentMachinesAreToldApart() throws Exception {
        simulator.faults().add(Fault.of(Fault.Kind.SSH_REFUSES).times(1));
        long refusing = rent(StartScript.builder(key, 17, WATCHDOG), false);
        awaitOutcome(refusing, Optional.empty(), Outcome.REFUSED);
        simulator.faults().add(Fault.Kind.SSH_HANGS);
        long silent = rent(StartScript.builder(key, 17, WATCHDOG), false);
        awaitOutcome(silent, Optional.empty(), Outcome.TIMED_OUT);
    }

    @Test
    void wrongAndBrokenGpusAreTheMachinesFault() throws Exception {
        simulator
                .faults()
                .add(Fault.of(Fault.Kind.WRONG_GPU)
                        .text("NVIDIA GeForce RTX 3090")
                        .times(1));
        long wrong = rent(StartScript.builder(key, 17, WATCHDOG), false);
        Failed first = assertInstanceOf(Failed.class, prepare(reached(wrong), List.of()));
        assertTrue(first.reason().is(SshText.WRONG_GPU), () -> Texts.render(first.reason()));
        simulator.faults().add(Fault.Kind.BROKEN_GPU);
        long broken = rent(StartScript.builder(key, 17, WATCHDOG), false);
        Failed second = assertInstanceOf(Failed.class, prepare(reached(broken), List.of()));
        assertTrue(second.reason().is(SshText.GPU_BROKEN), () -> Texts.render(second.reason()));
        assertEquals(Bootstrap.Fault.MACHINE, second.fault());
    }

    private long rent(StartScript.Builder script, boolean vm) throws Exception {
        CreateRequest.Builder request = CreateRequest.builder()
                .image(vm ? "docker.io/vastai/kvm:ubuntu_terminal" : "nvidia/cuda:12.4.1-base-ubuntu22.04")
                .diskGb(40)
                .label("jenkins-test")
                .runtype(vm ? "ssh" : "ssh_direct")
                .vm(vm)
                .env("COLOUR", "blue")
                .env("HF_TOKEN", "token-of-the-template")
                .port(22)
                .onstart(script.build());
        for (var offer : simulator.market().find("RTX 4090", 1)) {
            if (!vm || offer.vmsEnabled()) {
                return client.createInstance(offer.id(), request.build()).instanceId();
            }
        }
        throw new IllegalStateException("no offer");
    }

    private Access reached(long id) {
        Probe probe = awaitOutcome(id, Optional.empty(), Outcome.REACHED);
        return new Access(probe.endpoint(), "root", key, probe.hostKey().orElseThrow());
    }

    private Probe awaitOutcome(long id, Optional<HostKey> pin, Outcome outcome) {
        return Awaitility.await()
                .atMost(LONG)
                .until(() -> probe(id, pin), probe -> probe != null && probe.outcome() == outcome);
    }

    private Probe probe(long id, Optional<HostKey> pin) throws Exception {
        Optional<Instance> instance = client.showInstance(id);
        List<Endpoint> endpoints = new ArrayList<>();
        instance.filter(shown -> shown.status() == Instance.Status.RUNNING).ifPresent(shown -> {
            shown.direct().ifPresent(endpoints::add);
            shown.proxy().ifPresent(endpoints::add);
        });
        if (endpoints.isEmpty()) {
            Endpoint nowhere = new Endpoint("127.0.0.1", 1);
            return new Probe(Outcome.BROKEN, nowhere, Optional.empty(), SshText.REFUSED.of(nowhere), List.of());
        }
        return reach.probe(endpoints, "root", key, pin, Duration.ofSeconds(3));
    }

    private Step prepare(Access access, List<JavaSource> sources) {
        Bootstrap bootstrap = new Bootstrap(
                reach, http, dir.resolve("cache"), () -> sources, Bootstrap.Timeouts.DEFAULT, Optional.empty());
        return Awaitility.await()
                .atMost(LONG)
                .until(() -> bootstrap.step(access, WANTED, true).join(), step -> !(step instanceof Pending));
    }

    private Path directory(long id) {
        SimulatedInstance instance = simulator.instance(id).orElseThrow();
        assertNotEquals(Optional.empty(), instance.directory());
        return instance.directory().orElseThrow();
    }
}

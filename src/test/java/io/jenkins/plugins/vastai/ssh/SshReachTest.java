package io.jenkins.plugins.vastai.ssh;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jenkins.plugins.vastai.api.Instance.Endpoint;
import io.jenkins.plugins.vastai.ssh.Probe.Outcome;
import io.jenkins.plugins.vastai.text.Texts;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyPair;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.apache.sshd.common.config.keys.KeyUtils;
import org.apache.sshd.common.kex.BuiltinDHFactories;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class SshReachTest {

    private static final Duration LONG = Duration.ofSeconds(20);
    private static final Duration SHORT = Duration.ofMillis(1500);

    private static SshReach reach;
    private static SshKeyPair key;

    @TempDir
    Path dir;

    @BeforeAll
    static void start() {
        reach = SshReach.start();
        key = SshKeyPair.generate("test");
    }

    @AfterAll
    static void stop() {
        reach.close();
    }

    @ParameterizedTest
    @ValueSource(strings = {"ssh-ed25519", "ecdsa-sha2-nistp256", "ssh-rsa"})
    void firstContactGivesTheKeyToPinAndThePinIsAcceptedAgain(String type) throws Exception {
        try (TestMachine machine = TestMachine.start(dir, type).authorize(key)) {
            Probe first = probe(machine.endpoint(), Optional.empty(), LONG);
            assertEquals(Outcome.REACHED, first.outcome(), () -> Texts.render(first.reason()));
            assertEquals(type, first.hostKey().orElseThrow().type());

            HostKey stored = HostKey.parse(first.hostKey().orElseThrow().toString());
            Probe again = probe(machine.endpoint(), Optional.of(stored), LONG);
            assertEquals(Outcome.REACHED, again.outcome(), () -> Texts.render(again.reason()));
        }
    }

    @Test
    void firstContactPrefersEd25519AndAPinAsksForItsOwnKind() throws Exception {
        KeyPair rsa = KeyUtils.generateKeyPair("ssh-rsa", 2048);
        KeyPair ed25519 = KeyUtils.generateKeyPair("ssh-ed25519", 256);
        try (TestMachine machine = TestMachine.start(dir, rsa, ed25519).authorize(key)) {
            assertEquals(
                    HostKey.of(ed25519.getPublic()),
                    probe(machine.endpoint(), Optional.empty(), LONG).hostKey().orElseThrow());

            Probe pinned = probe(machine.endpoint(), Optional.of(HostKey.of(rsa.getPublic())), LONG);
            assertEquals(Outcome.REACHED, pinned.outcome());
            assertEquals(HostKey.of(rsa.getPublic()), pinned.hostKey().orElseThrow());
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"ssh-ed25519", "ssh-rsa"})
    void anotherKeyThanThePinnedOneIsRefusedWhateverItsKind(String shown) throws Exception {
        HostKey pin = HostKey.of(KeyUtils.generateKeyPair("ssh-ed25519", 256).getPublic());
        try (TestMachine machine = TestMachine.start(dir, shown).authorize(key)) {
            Probe probe = probe(machine.endpoint(), Optional.of(pin), LONG);
            assertEquals(Outcome.HOST_KEY_CHANGED, probe.outcome(), () -> Texts.render(probe.reason()));
            assertTrue(Texts.render(probe.reason()).contains(pin.fingerprint()));
        }
    }

    @ParameterizedTest
    @EnumSource(SshKeyPair.Type.class)
    void eachKindOfOurKeysLogsInWithEachPin(SshKeyPair.Type type) throws Exception {
        SshKeyPair pair = SshKeyPair.generate(type, "test");
        KeyPair rsa = KeyUtils.generateKeyPair("ssh-rsa", 2048);
        try (TestMachine machine = TestMachine.start(dir, rsa).authorize(pair)) {
            Probe probe = reach.probe(
                    List.of(machine.endpoint()), "root", pair, Optional.of(HostKey.of(rsa.getPublic())), LONG);
            assertEquals(Outcome.REACHED, probe.outcome(), () -> Texts.render(probe.reason()));
        }
    }

    @Test
    void aKeyThatIsNotThereYetIsRefusedAndThePinIsKnownAllTheSame() throws Exception {
        try (TestMachine machine = TestMachine.start(dir, "ssh-ed25519")) {
            Probe probe = probe(machine.endpoint(), Optional.empty(), LONG);
            assertEquals(Outcome.AUTH_REFUSED, probe.outcome(), () -> Texts.render(probe.reason()));
            machine.authorize(key);
            assertEquals(
                    Outcome.REACHED,
                    probe(machine.endpoint(), probe.hostKey(), LONG).outcome());
        }
    }

    @Test
    void aClosedPortIsRefused() throws Exception {
        Probe probe = probe(new Endpoint("127.0.0.1", freePort()), Optional.empty(), LONG);
        assertEquals(Outcome.REFUSED, probe.outcome(), () -> Texts.render(probe.reason()));
    }

    @Test
    void aPortForwardingWithoutSshdBehindItIsRefused() throws Exception {
        try (ServerSocket socket = new ServerSocket(0, 5, InetAddress.getLoopbackAddress())) {
            Thread thread = new Thread(() -> {
                try {
                    socket.accept().close();
                } catch (IOException e) {
                    // closed at the end
                }
            });
            thread.setDaemon(true);
            thread.start();
            Probe probe = probe(new Endpoint("127.0.0.1", socket.getLocalPort()), Optional.empty(), LONG);
            assertEquals(Outcome.REFUSED, probe.outcome(), () -> Texts.render(probe.reason()));
        }
    }

    @Test
    void aMachineThatNeverGreetsTimesOut() throws Exception {
        try (ServerSocket silent = new ServerSocket(0, 5, InetAddress.getLoopbackAddress())) {
            Probe probe = probe(new Endpoint("127.0.0.1", silent.getLocalPort()), Optional.empty(), SHORT);
            assertEquals(Outcome.TIMED_OUT, probe.outcome(), () -> Texts.render(probe.reason()));
        }
    }

    @Test
    void somethingThatIsNoSshIsBroken() throws Exception {
        try (ServerSocket web = new ServerSocket(0, 5, InetAddress.getLoopbackAddress())) {
            Thread thread = new Thread(() -> {
                try (var socket = web.accept()) {
                    socket.getOutputStream().write("SSH-1.0-\u001b[31mold\r\n".getBytes());
                    socket.getInputStream().readAllBytes();
                } catch (IOException e) {
                    // closed at the end
                }
            });
            thread.setDaemon(true);
            thread.start();
            Probe probe = probe(new Endpoint("127.0.0.1", web.getLocalPort()), Optional.empty(), LONG);
            assertEquals(Outcome.BROKEN, probe.outcome(), () -> Texts.render(probe.reason()));
            assertFalse(Texts.render(probe.reason()).contains("\u001b"));
        }
    }

    @Test
    void aHostNameThatNobodyKnowsIsBroken() {
        Probe probe = probe(new Endpoint("no-such-host.invalid", 22), Optional.empty(), LONG);
        assertEquals(Outcome.BROKEN, probe.outcome());
        assertTrue(probe.reason().is(SshText.UNKNOWN_HOST), () -> Texts.render(probe.reason()));
    }

    @ParameterizedTest
    @ValueSource(strings = {"echo Welcome; ", "echo Welcome >&2; "})
    void anyByteOnEitherStreamIsNoisyAndQuoted(String rc) throws Exception {
        try (TestMachine machine = TestMachine.start(dir, "ssh-ed25519").authorize(key)) {
            machine.rc = rc;
            Probe probe = probe(machine.endpoint(), Optional.empty(), LONG);
            assertEquals(Outcome.NOISY, probe.outcome());
            assertTrue(Texts.render(probe.reason()).contains("\"Welcome\""), () -> Texts.render(probe.reason()));
        }
    }

    @Test
    void aGreetingThatIsThereAfterTheStartScriptMakesTheImageUnfit() throws Exception {
        try (TestMachine machine = TestMachine.start(dir, "ssh-ed25519").authorize(key)) {
            machine.rc = "echo Welcome; ";
            Path state = Files.createDirectories(machine.path(StartScript.STATE_DIRECTORIES.get(0)));
            Files.writeString(state.resolve("state"), "looking");
            Probe probe = probe(machine.endpoint(), Optional.empty(), LONG);
            assertEquals(Outcome.UNFIT, probe.outcome());
            assertTrue(Texts.render(probe.reason()).contains("\"Welcome\""), () -> Texts.render(probe.reason()));
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"echo This account is not available; exit 1; ", "echo This account is not available; exit 0; "})
    void aLoginThatRunsNoCommandIsCalledThat(String rc) throws Exception {
        try (TestMachine machine = TestMachine.start(dir, "ssh-ed25519").authorize(key)) {
            machine.rc = rc;
            Probe probe = probe(machine.endpoint(), Optional.empty(), LONG);
            assertEquals(Outcome.NO_COMMANDS, probe.outcome());
            assertTrue(Texts.render(probe.reason()).contains("not available"), () -> Texts.render(probe.reason()));
        }
    }

    @Test
    void aServerWithoutCommonAlgorithmsIsUnfitAndBothSidesAreNamed() throws Exception {
        try (TestMachine machine = TestMachine.start(dir, "ssh-ed25519").authorize(key)) {
            machine.keyExchange(BuiltinDHFactories.dhg14);
            Probe probe = probe(machine.endpoint(), Optional.empty(), LONG);
            assertEquals(Outcome.UNFIT, probe.outcome());
            String text = Texts.render(probe.reason());
            assertTrue(text.contains("diffie-hellman-group14-sha1") && text.contains("curve25519-sha256"), text);
        }
    }

    @Test
    void aMachineThatTalksForEverEndsAtTheTimeOut() throws Exception {
        try (TestMachine machine = TestMachine.start(dir, "ssh-ed25519").authorize(key)) {
            machine.rc = "while :; do echo aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa; done; ";
            Probe probe = probe(machine.endpoint(), Optional.empty(), Duration.ofSeconds(4));
            assertEquals(Outcome.TIMED_OUT, probe.outcome());
        }
    }

    @Test
    void theProxyIsTriedAfterTheDirectAddressAndBothAreReported() throws Exception {
        try (TestMachine machine = TestMachine.start(dir, "ssh-ed25519").authorize(key)) {
            Endpoint direct = new Endpoint("127.0.0.1", freePort());
            Probe probe = reach.probe(List.of(direct, machine.endpoint()), "root", key, Optional.empty(), LONG);
            assertEquals(Outcome.REACHED, probe.outcome());
            assertEquals(machine.endpoint(), probe.endpoint());
            assertEquals(
                    List.of(Outcome.REFUSED, Outcome.REACHED),
                    probe.attempts().stream().map(Probe.Attempt::outcome).toList());
        }
    }

    @Test
    void aChangedKeyOutranksEveryOtherFailure() throws Exception {
        HostKey pin = HostKey.of(KeyUtils.generateKeyPair("ssh-ed25519", 256).getPublic());
        try (TestMachine machine = TestMachine.start(dir, "ssh-ed25519").authorize(key)) {
            Endpoint closed = new Endpoint("127.0.0.1", freePort());
            Probe probe = reach.probe(List.of(machine.endpoint(), closed), "root", key, Optional.of(pin), LONG);
            assertEquals(Outcome.HOST_KEY_CHANGED, probe.outcome());
        }
    }

    @Test
    void aHundredSilentMachinesAreWaitedForWithAHandfulOfThreads() throws Exception {
        try (ServerSocket silent = new ServerSocket(0, 200, InetAddress.getLoopbackAddress())) {
            Endpoint endpoint = new Endpoint("127.0.0.1", silent.getLocalPort());
            List<CompletableFuture<Probe>> probes = new ArrayList<>();
            for (int i = 0; i < 100; i++) {
                probes.add(reach.probeAsync(List.of(endpoint), "root", key, Optional.empty(), Duration.ofSeconds(2)));
            }
            long threads = Thread.getAllStackTraces().keySet().stream()
                    .filter(thread -> thread.getName().startsWith("vastai-ssh-"))
                    .count();
            assertTrue(threads <= 8, () -> threads + " threads");
            for (CompletableFuture<Probe> probe : probes) {
                assertEquals(Outcome.TIMED_OUT, probe.join().outcome());
            }
        }
    }

    private static Probe probe(Endpoint endpoint, Optional<HostKey> pin, Duration timeout) {
        return reach.probe(List.of(endpoint), "root", key, pin, timeout);
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }
}

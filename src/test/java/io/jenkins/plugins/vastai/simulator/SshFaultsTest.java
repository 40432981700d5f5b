package io.jenkins.plugins.vastai.simulator;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.ConnectException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.file.Files;
import java.time.Duration;
import org.apache.sshd.client.auth.keyboard.UserInteraction;
import org.apache.sshd.client.session.ClientSession;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(90)
class SshFaultsTest {
    private Simulator simulator;
    private SshClients ssh;
    private Caller caller;

    @BeforeEach
    void start() throws Exception {
        simulator = Simulator.builder()
                .limits(false)
                .boot(Duration.ofMillis(50))
                .sshdDelay(Duration.ofMillis(20))
                .installTime(Duration.ZERO)
                .start();
        ssh = new SshClients();
        caller = new Caller(simulator);
    }

    @AfterEach
    void end() {
        ssh.close();
        simulator.close();
    }

    private SimulatedInstance rent(Fault fault) throws IOException {
        simulator.faults().add(fault.once());
        long id = caller.rent("RTX 4090", "a", ssh.startScript() + "; touch /tmp/ready");
        MachineTest.soon()
                .until(() -> Files.exists(simulator
                        .instance(id)
                        .orElseThrow()
                        .directory()
                        .orElseThrow()
                        .resolve("tmp/ready")));
        return simulator.instance(id).orElseThrow();
    }

    private ClientSession connect(int port) throws IOException {
        MachineTest.soon().ignoreExceptions().until(() -> {
            ssh.connect(port).close();
            return true;
        });
        return ssh.connect(port);
    }

    private static void assertRefused(int port) {
        assertThrows(ConnectException.class, () -> {
            try (Socket socket = new Socket()) {
                socket.connect(new InetSocketAddress("127.0.0.1", port), 2000);
            }
        });
    }

    @Test
    void sshdMayBeLateAndThenAnswers() throws IOException {
        SimulatedInstance instance = rent(Fault.of(Fault.Kind.SSHD_LATE).delay(Duration.ofSeconds(2)));
        assertRefused(instance.directPort());
        connect(instance.directPort()).close();
    }

    @Test
    void portsMayRefuse() throws IOException {
        SimulatedInstance instance = rent(Fault.of(Fault.Kind.SSH_REFUSES));
        connectsAfterAnotherMachine();
        assertRefused(instance.directPort());
        assertRefused(instance.proxyPort());
    }

    /** When this one answers, an earlier one would have answered too. */
    private void connectsAfterAnotherMachine() throws IOException {
        connect(rent(Fault.of(Fault.Kind.GREETING_BANNER)).directPort()).close();
    }

    @Test
    void portsMayStaySilent() throws IOException {
        SimulatedInstance instance = rent(Fault.of(Fault.Kind.SSH_HANGS));
        MachineTest.soon().ignoreExceptions().until(() -> {
            try (Socket socket = new Socket()) {
                socket.connect(new InetSocketAddress("127.0.0.1", instance.directPort()), 2000);
                socket.setSoTimeout(500);
                assertThrows(SocketTimeoutException.class, () -> socket.getInputStream()
                        .read());
                return true;
            }
        });
    }

    @Test
    void theDirectPortMayBeBrokenOrTheProxy() throws IOException {
        SimulatedInstance proxied = rent(Fault.of(Fault.Kind.PROXY_ONLY));
        connect(proxied.proxyPort()).close();
        assertRefused(proxied.directPort());
        SimulatedInstance direct = rent(Fault.of(Fault.Kind.DIRECT_ONLY));
        connect(direct.directPort()).close();
        assertRefused(direct.proxyPort());
    }

    @Test
    void keysMayBeRefusedUntilOneIsAttached() throws IOException {
        SimulatedInstance instance = rent(Fault.of(Fault.Kind.KEYS_REFUSED_UNTIL_ATTACHED));
        connectsAfterAnotherMachine();
        assertThrows(IOException.class, () -> ssh.connect(instance.directPort()));
        caller.call(
                "POST",
                "/api/v0/instances/" + instance.id() + "/ssh/",
                Json.object().put("ssh_key", ssh.publicKey()));
        connect(instance.directPort()).close();
    }

    @Test
    void keysMayBeRefusedForGood() throws IOException {
        SimulatedInstance instance = rent(Fault.of(Fault.Kind.KEYS_REFUSED));
        connectsAfterAnotherMachine();
        caller.call(
                "POST",
                "/api/v0/instances/" + instance.id() + "/ssh/",
                Json.object().put("ssh_key", ssh.publicKey()));
        assertThrows(IOException.class, () -> ssh.connect(instance.directPort()));
    }

    @Test
    void theHostKeyStaysOrChangesAfterTheFirstConnection() throws IOException {
        SimulatedInstance faithful = rent(Fault.of(Fault.Kind.GREETING_BANNER));
        connect(faithful.directPort()).close();
        ssh.hostKeys.clear();
        ssh.connect(faithful.directPort()).close();
        ssh.connect(faithful.proxyPort()).close();
        assertEquals(ssh.hostKeys.get(0), ssh.hostKeys.get(1));
        simulator.faults().add(Fault.of(Fault.Kind.HOST_KEY_CHANGES).instance(faithful.id()));
        ssh.connect(faithful.directPort()).close();
        assertNotEquals(ssh.hostKeys.get(1), ssh.hostKeys.get(2), "switched on while it runs");
        SimulatedInstance other = rent(Fault.of(Fault.Kind.HOST_KEY_CHANGES));
        MachineTest.soon().ignoreExceptions().until(() -> {
            ssh.hostKeys.clear();
            ssh.connect(other.directPort()).close();
            return true;
        });
        ssh.connect(other.directPort()).close();
        assertNotEquals(ssh.hostKeys.get(0), ssh.hostKeys.get(1));
    }

    @ParameterizedTest
    @ValueSource(strings = {"ssh-rsa", "ecdsa-sha2-nistp256"})
    void hostKeysComeInOtherTypes(String type) throws IOException {
        try (Simulator other = Simulator.builder()
                .limits(false)
                .boot(Duration.ofMillis(50))
                .hostKeyType(type)
                .start()) {
            long id = new Caller(other).rent("RTX 4090", "a", ssh.startScript());
            connect(other.instance(id).orElseThrow().directPort()).close();
            assertEquals(
                    type.equals("ssh-rsa") ? "RSA" : "EC", ssh.hostKeys.get(0).getAlgorithm());
        }
    }

    @Test
    void javaAndGitMayBeMissingForGood() throws IOException {
        simulator.faults().add(Fault.of(Fault.Kind.NO_GIT).once());
        SimulatedInstance instance = rent(Fault.of(Fault.Kind.NO_JAVA));
        try (ClientSession session = connect(instance.directPort())) {
            assertEquals(127, SshClients.run(session, "java -version").code());
            assertEquals(
                    100,
                    SshClients.run(session, "apt-get install -y openjdk-17-jre").code());
            assertEquals(100, SshClients.run(session, "apt-get install -y git").code());
            assertEquals(127, SshClients.run(session, "git --version").code());
        }
    }

    @Test
    void theGpuMayBeAnotherOneOrBroken() throws IOException {
        SimulatedInstance wrong = rent(Fault.of(Fault.Kind.WRONG_GPU));
        try (ClientSession session = connect(wrong.directPort())) {
            String name = SshClients.run(session, "nvidia-smi --query-gpu=gpu_name --format=csv,noheader")
                    .out();
            assertEquals("NVIDIA GeForce GTX 1060\n", name);
        }
        SimulatedInstance broken = rent(Fault.of(Fault.Kind.BROKEN_GPU));
        try (ClientSession session = connect(broken.directPort())) {
            assertEquals(9, SshClients.run(session, "nvidia-smi").code());
        }
    }

    @Test
    void aShellMayBeNoisyUntilItsFileIsGuarded() throws IOException {
        SimulatedInstance instance = rent(Fault.of(Fault.Kind.NOISY_SHELL).text("Hello you"));
        try (ClientSession session = connect(instance.directPort())) {
            SshClients.Result result = SshClients.run(session, "exit 0");
            assertEquals("Hello you\n", result.out());
            SshClients.run(
                    session, "{ echo 'case $- in *i*) ;; *) return ;; esac'; cat ~/.bashrc; } > ~/b; mv ~/b ~/.bashrc");
            assertEquals(new SshClients.Result(0, "", ""), SshClients.run(session, "exit 0"));
        }
    }

    @Test
    void greetingsComeOnStderrOrAsABanner() throws IOException {
        SimulatedInstance loud = rent(Fault.of(Fault.Kind.GREETING_STDERR));
        try (ClientSession session = connect(loud.directPort())) {
            SshClients.Result result = SshClients.run(session, "exit 0");
            assertEquals("", result.out());
            assertTrue(result.err().startsWith("Welcome to vast.ai"));
        }
        StringBuilder banner = new StringBuilder();
        ssh.client.setUserInteraction(new UserInteraction() {
            @Override
            public void welcome(ClientSession session, String text, String language) {
                banner.append(text);
            }

            @Override
            public String[] interactive(ClientSession s, String n, String i, String l, String[] p, boolean[] e) {
                return new String[0];
            }

            @Override
            public String getUpdatedPassword(ClientSession s, String p, String l) {
                return "";
            }
        });
        SimulatedInstance polite = rent(Fault.of(Fault.Kind.GREETING_BANNER));
        try (ClientSession session = connect(polite.directPort())) {
            assertEquals(new SshClients.Result(0, "", ""), SshClients.run(session, "exit 0"));
            assertTrue(banner.toString().contains("Welcome to vast.ai"));
        }
        assertFalse(banner.toString().isEmpty());
    }

    @Test
    void anOfflineHostCutsConnectionsAndKeepsTheProcesses() throws IOException {
        SimulatedInstance instance = rent(Fault.of(Fault.Kind.GREETING_BANNER));
        String pid;
        try (ClientSession session = connect(instance.directPort())) {
            pid = SshClients.run(session, "nohup sleep 1000 >/dev/null 2>&1 & echo $!")
                    .out()
                    .trim();
            simulator.hostOffline(instance.id());
            MachineTest.soon().until(() -> !session.isOpen());
        }
        assertRefused(instance.directPort());
        assertTrue(ProcessHandle.of(Long.parseLong(pid)).isPresent());
        simulator.hostOnline(instance.id());
        connect(instance.directPort()).close();
    }
}

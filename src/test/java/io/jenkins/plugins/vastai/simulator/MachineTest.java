package io.jenkins.plugins.vastai.simulator;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PipedInputStream;
import java.io.PipedOutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Random;
import java.util.zip.GZIPOutputStream;
import org.apache.sshd.client.channel.ChannelExec;
import org.apache.sshd.client.session.ClientSession;
import org.apache.sshd.sftp.client.SftpClient;
import org.apache.sshd.sftp.client.SftpClientFactory;
import org.awaitility.core.ConditionFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Real machines: processes, files and SSH behind an instance. */
@Timeout(90)
class MachineTest {
    private Simulator simulator;
    private SshClients ssh;
    private Caller caller;

    @BeforeEach
    void start() throws Exception {
        simulator = Simulator.builder()
                .limits(false)
                .boot(Duration.ofMillis(50))
                .sshdDelay(Duration.ofMillis(20))
                .installTime(Duration.ofMillis(50))
                .start();
        ssh = new SshClients();
        caller = new Caller(simulator);
    }

    @AfterEach
    void end() {
        ssh.close();
        simulator.close();
    }

    static ConditionFactory soon() {
        return await().atMost(Duration.ofSeconds(20)).pollInterval(Duration.ofMillis(30));
    }

    private SimulatedInstance instance(long id) {
        return simulator.instance(id).orElseThrow();
    }

    private Path directory(long id) {
        return instance(id).directory().orElseThrow();
    }

    /** A machine whose start script lets the test in before it does the rest. */
    private long rent(String script) throws IOException {
        return caller.rent("RTX 4090", "a", ssh.startScript() + "\n" + script);
    }

    private ClientSession connect(long id) throws IOException {
        soon().ignoreExceptions().until(() -> {
            ssh.connect(instance(id).directPort()).close();
            return true;
        });
        return ssh.connect(instance(id).directPort());
    }

    private String run(long id, String command) throws IOException {
        try (ClientSession session = connect(id)) {
            SshClients.Result result = SshClients.run(session, command);
            assertEquals("", result.err());
            return result.out();
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void scriptsAndCommandsStayInsideTheMachine(boolean ownView) throws IOException {
        simulator.close();
        simulator = Simulator.builder()
                .limits(false)
                .boot(Duration.ofMillis(50))
                .ownView(ownView)
                .start();
        caller = new Caller(simulator);
        String mark = "vastai-simulator-" + System.nanoTime();
        long id = rent("touch /root/" + mark + " /etc/" + mark + " /opt/" + mark + " /var/lib/" + mark + " '/tmp/"
                + mark + "'; mkdir -p /home/jenkins \"/workspace/" + mark + "\"; touch /tmp/ready");
        soon().until(() -> Files.exists(directory(id).resolve("tmp/ready")));
        run(id, "cd /home/jenkins && touch " + mark + " && ls /etc/" + mark);
        for (String place : List.of("root", "etc", "opt", "var/lib", "tmp", "home/jenkins", "workspace")) {
            assertTrue(Files.exists(directory(id).resolve(place).resolve(mark)), place);
            assertFalse(Files.exists(Path.of("/", place, mark)), place);
        }
        String pwd = run(id, "pwd").trim();
        assertEquals("x\n", run(id, "echo x > " + pwd + "/f; cat " + pwd + "/f"), "its own paths are left alone");
    }

    @Test
    void scriptsThatArriveEncodedStayInsideToo() throws IOException {
        String mark = "vastai-simulator-" + System.nanoTime();
        ByteArrayOutputStream packed = new ByteArrayOutputStream();
        try (OutputStream gzip = new GZIPOutputStream(packed)) {
            gzip.write(("touch /opt/" + mark + "; x=/etc; touch \"$x\"/" + mark + "; echo \"$HOME/opt\"\n")
                    .getBytes(StandardCharsets.UTF_8));
        }
        String text = Base64.getEncoder().encodeToString(packed.toByteArray());
        long id = rent("echo " + text + " | base64 -d | gunzip | bash");
        soon().until(() -> Files.exists(directory(id).resolve("etc").resolve(mark)));
        assertTrue(Files.exists(directory(id).resolve("opt").resolve(mark)));
        assertFalse(Files.exists(Path.of("/opt", mark)));
        soon().until(() -> simulator.containerLog(id).contains(directory(id) + "/root/opt"));
        assertEquals("1 a b\n", run(id, "sh -ec 'echo $# $1 $2' 0 a b 2>/dev/null | sed s/2/1/"));
        assertEquals("7\n", run(id, "printf 'exit 7' > s; bash s; echo $?"));
    }

    @Test
    void sessionsSeeEtcEnvironmentAndNotTheContainers() throws IOException {
        // Moved there, so that it is whole once it is there.
        long id = rent("env | grep ^COLOUR= >> /etc/environment; env > /tmp/new; mv /tmp/new /tmp/env");
        soon().until(() -> Files.exists(directory(id).resolve("tmp/env")));
        List<String> container = Files.readAllLines(directory(id).resolve("tmp/env"));
        assertTrue(container.contains("CONTAINER_ID=" + id));
        assertTrue(container.contains("VAST_CONTAINERLABEL=C." + id));
        assertTrue(container.contains("GPU_COUNT=1"));
        assertTrue(container.contains("VAST_TCP_PORT_22=" + instance(id).directPort()));
        assertTrue(container.stream().anyMatch(line -> line.startsWith("CONTAINER_API_KEY=")));
        assertTrue(container.stream().noneMatch(line -> line.startsWith("-p")));
        String session = run(id, "env");
        assertTrue(session.contains("COLOUR=blue\n"));
        assertFalse(session.contains("CONTAINER_"), session);
    }

    @Test
    void theContainersLogIsWhatTheStartScriptPrinted() throws IOException {
        long id = rent("echo one; echo two >&2; cat /etc/ssh/ssh_host_ed25519_key.pub");
        soon().until(() -> simulator.containerLog(id).contains("ssh-ed25519"));
        assertTrue(simulator.containerLog(id).startsWith("one\ntwo\n"));
        String path = caller.call(
                        "PUT",
                        "/api/v0/instances/request_logs/" + id + "/",
                        Json.object().put("tail", "2"))
                .json()
                .get("result_url")
                .asText()
                .substring(simulator.uri().toString().length());
        soon().until(() -> caller.get(path).status() == 200);
        assertTrue(caller.get(path).text().startsWith("two\nssh-ed25519"));
    }

    @Test
    void javaAndGitComeWithAptOrWithTheImage() throws IOException {
        long bare = rent("");
        assertEquals("none\n", run(bare, "command -v java || command -v git || echo none"));
        String installed = run(
                bare,
                "apt-get update -qq >/dev/null; apt-get install -y --no-install-recommends openjdk-17-jre-headless git"
                        + " >/dev/null; java -version 2>&1 | head -1; git --version");
        assertTrue(installed.contains("version \"") && installed.contains("git version"), installed);
        ObjectNode body = Caller.container("j", ssh.startScript() + "\njava -version; which java");
        body.put("image", "eclipse-temurin:21-jdk");
        long java = caller.rent(simulator.market().find("RTX 4090", 1).get(0).id(), body);
        soon().until(() -> simulator.containerLog(java).contains("/opt/java/openjdk/bin/java"));
        assertEquals("none\n", run(java, "command -v java || echo none"), "sessions have not the image's PATH");
        assertEquals("", run(java, "/opt/java/openjdk/bin/java -version 2>/dev/null"));
    }

    @Test
    void theOnlyNetworkIsThisComputer() throws IOException {
        long id = rent("curl -s -X DELETE https://console.vast.ai/api/v0/instances/$CONTAINER_ID/"
                + " -H \"Authorization: Bearer $CONTAINER_API_KEY\" -o /tmp/answer; sleep 100");
        soon().until(() -> simulator.books().left().isEmpty());
        assertEquals(
                Books.Hand.INSTANCE_KEY,
                simulator.books().entry(id).orElseThrow().destroyedBy().orElseThrow());
        long other = rent("");
        try (ClientSession session = connect(other)) {
            SshClients.Result result = SshClients.run(session, "curl -s https://example.com/");
            assertEquals(6, result.code());
            assertTrue(result.err().contains("Could not resolve host"));
            assertEquals(
                    0,
                    SshClients.run(session, "curl -s " + simulator.uri() + "/api/v0/gpu_types/ >/dev/null")
                            .code());
        }
    }

    @Test
    void whatWasSentToTheBackgroundOutlivesTheSessionAndNotTheMachine() throws Exception {
        long id = rent("");
        String pid = run(id, "nohup sleep 1000 > /tmp/out 2>&1 & echo $!").trim();
        ProcessHandle sleeper = ProcessHandle.of(Long.parseLong(pid)).orElseThrow();
        String orphan = run(id, "setsid sh -c 'sleep 1000 & echo $!' > /tmp/pid 2>&1 < /dev/null; cat /tmp/pid")
                .trim();
        simulator.cutSsh(id);
        assertTrue(sleeper.isAlive(), "the step goes on");
        assertTrue(ProcessHandle.of(Long.parseLong(orphan)).isPresent());
        Path directory = directory(id);
        caller.destroy(id);
        soon().until(() -> !sleeper.isAlive());
        soon().until(() -> Machine.marked(directory).isEmpty());
        soon().until(() -> !Files.exists(directory));
    }

    @Test
    void aProcessThatLivesByItsStreamsDiesWithTheConnection() throws IOException {
        long id = rent("");
        try (ClientSession session = connect(id);
                ChannelExec channel = session.createExecChannel("echo $$; exec cat")) {
            PipedOutputStream keptOpen = new PipedOutputStream();
            ByteArrayOutputStream out = new ByteArrayOutputStream();
            channel.setIn(new PipedInputStream(keptOpen));
            channel.setOut(out);
            channel.open().verify(SshClients.LONG);
            soon().until(() -> out.toString(StandardCharsets.UTF_8).endsWith("\n"));
            long pid = Long.parseLong(out.toString(StandardCharsets.UTF_8).trim());
            keptOpen.write("ping\n".getBytes(StandardCharsets.UTF_8));
            keptOpen.flush();
            soon().until(() -> out.toString(StandardCharsets.UTF_8).endsWith("ping\n"));
            assertTrue(ProcessHandle.of(pid).isPresent());
            simulator.cutSsh(id);
            soon().until(() -> ProcessHandle.of(pid).isEmpty());
        }
    }

    @Test
    void aJavaAgentTalksOverStdinAndStdout() throws IOException {
        long id = rent("apt-get install -y openjdk-17-jre >/dev/null; touch /tmp/ready");
        soon().until(() -> Files.exists(directory(id).resolve("tmp/ready")));
        String source = "import java.io.*; public class Echo { public static void main(String[] a) throws Exception {"
                + " System.in.transferTo(System.out); System.out.flush(); } }";
        byte[] data = new byte[3_000_000];
        new Random(3).nextBytes(data);
        try (ClientSession session = connect(id)) {
            try (SftpClient sftp = SftpClientFactory.instance().createSftpClient(session)) {
                sftp.mkdir("/root/agent");
                try (OutputStream file = sftp.write("/root/agent/Echo.java")) {
                    file.write(source.getBytes(StandardCharsets.UTF_8));
                }
            }
            assertTrue(Files.exists(directory(id).resolve("root/agent/Echo.java")));
            ByteArrayOutputStream out = new ByteArrayOutputStream();
            try (ChannelExec channel = session.createExecChannel("cd /root/agent && java Echo.java")) {
                channel.setIn(new ByteArrayInputStream(data));
                channel.setOut(out);
                channel.open().verify(SshClients.LONG);
                soon().until(() -> out.size() == data.length);
                assertTrue(Arrays.equals(data, out.toByteArray()));
            }
        }
    }

    @Test
    void anAgentThatIsToldAPathOverItsChannelStaysInsideWhereThisComputerAllowsIt() throws Exception {
        Path probe = Files.createTempDirectory(Path.of("/var/tmp"), "view");
        Assumptions.assumeTrue(OwnView.find(probe).works() && Files.isDirectory(Path.of("/home")));
        Files.delete(probe);
        long id = rent("apt-get install -y openjdk-17-jre >/dev/null; mkdir -p /home/jenkins; touch /tmp/ready");
        soon().until(() -> Files.exists(directory(id).resolve("tmp/ready")));
        String mark = "vastai-simulator-" + System.nanoTime();
        String source = "public class Touch { public static void main(String[] a) throws Exception {"
                + " var path = new String(System.in.readAllBytes()); new java.io.File(path).createNewFile(); } }";
        Files.writeString(directory(id).resolve("root/Touch.java"), source);
        try (ClientSession session = connect(id)) {
            byte[] told = ("/home/jenkins/" + mark).getBytes(StandardCharsets.UTF_8);
            assertEquals(new SshClients.Result(0, "", ""), SshClients.run(session, "java Touch.java", told));
        }
        assertTrue(Files.exists(directory(id).resolve("home/jenkins").resolve(mark)));
        assertFalse(Files.exists(Path.of("/home/jenkins", mark)));
    }

    @Test
    void aRebootKeepsTheDiskAndRunsTheStartScriptAgainARecycleDoesNot() throws IOException {
        long id = rent("echo boot");
        run(id, "touch /root/kept");
        String key = run(id, "cat /etc/ssh/ssh_host_ed25519_key.pub");
        restart(id, "reboot");
        soon().until(() -> simulator.containerLog(id).equals("boot\nboot\n"));
        assertEquals("yes\n", run(id, "[ -e /root/kept ] && echo yes"));
        assertEquals(key, run(id, "cat /etc/ssh/ssh_host_ed25519_key.pub"));
        restart(id, "recycle");
        soon().until(() -> simulator.containerLog(id).equals("boot\nboot\nboot\n"));
        assertEquals("no\n", run(id, "[ -e /root/kept ] && echo yes || echo no"));
        assertNotEquals(key, run(id, "cat /etc/ssh/ssh_host_ed25519_key.pub"));
    }

    private void restart(long id, String how) throws IOException {
        assertEquals(
                200,
                caller.call("PUT", "/api/v0/instances/" + how + "/" + id + "/", Json.object())
                        .status());
    }

    @Test
    void keysMayBeAttachedAndDetachedWhileItRuns() throws Exception {
        long id = caller.rent("RTX 4090", "a", "touch /tmp/ready");
        soon().until(() -> Files.exists(directory(id).resolve("tmp/ready")));
        soon().until(() -> caller.show(id).path("ports").has("22/tcp"));
        int port = instance(id).directPort();
        soon().untilAsserted(() -> assertThrows(IOException.class, () -> ssh.connect(port)));
        String path = "/api/v0/instances/" + id + "/ssh/";
        assertEquals(
                200,
                caller.call("POST", path, Json.object().put("ssh_key", ssh.publicKey()))
                        .status());
        connect(id).close();
        long key = Json.parse(caller.get(path).json().get("ssh_keys").asText())
                .orElseThrow()
                .at("/0/id")
                .asLong();
        caller.call("DELETE", path + key + "/", Json.object());
        soon().untilAsserted(() -> assertThrows(IOException.class, () -> ssh.connect(port)));
    }

    @Test
    void sshdReadsNoKeysThatOthersCouldWrite() throws IOException {
        long id = rent("chmod 666 ~/.ssh/authorized_keys; touch /tmp/ready");
        soon().until(() -> Files.exists(directory(id).resolve("tmp/ready")));
        assertThrows(IOException.class, () -> ssh.connect(instance(id).directPort()));
    }

    @Test
    void aVirtualMachineKnowsTheAccountsKeysOfItsCreationAlone() throws IOException {
        simulator.account().addSshKey(ssh.publicKey());
        long offer = simulator.market().find("RTX 4090", 1).stream()
                .filter(SimulatedOffer::vmsEnabled)
                .findFirst()
                .orElseThrow()
                .id();
        ObjectNode body = Caller.container("vm", "echo no shebang")
                .put("image", "docker.io/vastai/kvm:ubuntu_terminal")
                .put("vm", true);
        long id = caller.rent(offer, body);
        assertEquals("root\n", run(id, "echo $USER"));
        soon().until(() -> simulator.containerLog(id).contains("exec format error"));
        assertThrows(IOException.class, () -> ssh.connect(instance(id).proxyPort()), "the proxy does not reach it");
    }

    @Test
    void manyMachinesNeedFewThreads() throws IOException {
        int before = Thread.activeCount();
        for (int i = 0; i < 60; i++) {
            caller.rent(
                    simulator.market().offers().get(i).id(),
                    Caller.container("jenkins-" + i, ssh.startScript()).put("disk", 8));
        }
        soon().until(() -> simulator.instances().stream().allMatch(SimulatedInstance::running));
        SimulatedInstance last = simulator.instances().get(59);
        assertEquals("hi\n", run(last.id(), "echo hi"));
        assertTrue(Thread.activeCount() - before < 40, "threads: " + before + " to " + Thread.activeCount());
    }
}

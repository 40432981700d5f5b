package io.jenkins.plugins.vastai;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.net.httpserver.HttpServer;
import hudson.util.FormValidation;
import hudson.util.FormValidation.Kind;
import io.jenkins.plugins.vastai.simulator.Endpoint;
import io.jenkins.plugins.vastai.simulator.Simulator;
import java.math.BigDecimal;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.jvnet.hudson.test.JenkinsRule;
import org.jvnet.hudson.test.junit.jupiter.WithJenkins;

@WithJenkins
class ConnectionTestTest {

    private static VastAiCloud.DescriptorImpl descriptor;
    private Simulator simulator;

    @BeforeAll
    static void jenkins(JenkinsRule rule) {
        descriptor =
                rule.jenkins.getExtensionList(VastAiCloud.DescriptorImpl.class).get(0);
    }

    @BeforeEach
    void start() throws Exception {
        simulator = Simulator.builder().ssh(false).limits(false).start();
    }

    @AfterEach
    void end() {
        simulator.close();
    }

    private FormValidation test(String key) throws Exception {
        return testAt(simulator.uri().toString(), key);
    }

    private static FormValidation testAt(String address, String key) throws Exception {
        Keys.secretText("tried", key);
        FormValidation said = descriptor.doTestConnection(address, "tried");
        assertFalse(said.renderHtml().contains(key), "the key itself is not shown");
        assertFalse(said.renderHtml().contains("\tat "), "no stack trace: " + said.renderHtml());
        return said;
    }

    private static void says(FormValidation said, Kind kind, String... parts) {
        assertEquals(kind, said.kind, said.renderHtml());
        for (String part : parts) {
            assertTrue(said.renderHtml().contains(part), part + " in " + said.renderHtml());
        }
    }

    @Test
    void aFullKeyShowsAccountCreditAndPermissions() throws Exception {
        simulator.account().setCredit(new BigDecimal("12.34"));
        says(
                test(simulator.apiKey()),
                Kind.OK,
                "12.34 $",
                "has misc",
                "has instance_read",
                "has instance_write",
                "has user_read",
                "has billing_read",
                "no SSH key yet",
                "user_write cannot be tried");
        assertTrue(simulator.instances().isEmpty());
        assertTrue(simulator.account().sshKeys().isEmpty());
        assertTrue(simulator.requests(Endpoint.CREATE).isEmpty());
        assertTrue(simulator.requests(Endpoint.DESTROY).isEmpty());
    }

    @Test
    void eachMissingPermissionTellsWhatItCosts() throws Exception {
        says(
                test(simulator.addKey("reader", "misc", "user_read", "instance_read", "billing_read")),
                Kind.ERROR,
                "lacks instance_write: nothing can be rented or destroyed");
        says(
                test(simulator.addKey("blind", "misc", "user_read", "instance_write", "billing_read")),
                Kind.ERROR,
                "lacks instance_read: nothing is rented");
        says(
                test(simulator.addKey("thrifty", "misc", "user_read", "instance_read", "instance_write")),
                Kind.WARNING,
                "has instance_write",
                "lacks billing_read: costs are estimates");
        says(
                test(simulator.addKey("stranger", "misc", "instance_read", "instance_write", "billing_read")),
                Kind.WARNING,
                "lacks user_read: credit and balance floor");
    }

    @Test
    void anAccountWithoutMoneyIsWarnedOf() throws Exception {
        simulator.account().setCredit(BigDecimal.ZERO);
        says(test(simulator.apiKey()), Kind.WARNING, "no credit left");
    }

    @Test
    void theKeysOfTheAccountAreCounted() throws Exception {
        simulator
                .account()
                .addSshKey("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl a");
        says(test(simulator.apiKey()), Kind.OK, "the account has 1 SSH keys");
    }

    @Test
    void aWrongKeyIsOneClearMessage() throws Exception {
        says(test("0000000000000000"), Kind.ERROR, "does not accept the API key");
    }

    @Test
    void anAccountWithASecondFactorIsNamed() throws Exception {
        says(test(simulator.addTwoFactorKey()), Kind.ERROR, "second factor");
    }

    @Test
    void aMarketThatDoesNotAnswerIsNamed() throws Exception {
        int port;
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            port = socket.getLocalPort();
        }
        says(testAt("http://127.0.0.1:" + port, "0123456789"), Kind.ERROR, "No answer from", "127.0.0.1:" + port);
    }

    @Test
    void anAddressThatMayNotBeAskedIsNotAsked() throws Exception {
        says(testAt("http://169.254.169.254", "0123456789"), Kind.ERROR, "apiUrl", "169.254.169.254", "https");
        says(testAt("file:///etc/passwd", "0123456789"), Kind.ERROR, "apiUrl");
    }

    @Test
    void aRedirectIsNotFollowed() throws Exception {
        AtomicInteger reached = new AtomicInteger();
        HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        String address = "http://127.0.0.1:" + server.getAddress().getPort();
        server.createContext("/inside", exchange -> {
            reached.incrementAndGet();
            exchange.close();
        });
        server.createContext("/", exchange -> {
            exchange.getResponseHeaders().set("Location", address + "/inside");
            exchange.sendResponseHeaders(302, -1);
            exchange.close();
        });
        server.start();
        try {
            says(testAt(address, "0123456789"), Kind.ERROR, "redirect", "not followed");
            assertEquals(0, reached.get());
        } finally {
            server.stop(0);
        }
    }

    @Test
    void withoutACredentialNothingIsAsked() {
        says(descriptor.doTestConnection(simulator.uri().toString(), "nobody"), Kind.ERROR, "credentialsId", "nobody");
        says(descriptor.doTestConnection(simulator.uri().toString(), ""), Kind.ERROR, "credentialsId is empty");
        assertTrue(simulator.requests().isEmpty());
    }
}

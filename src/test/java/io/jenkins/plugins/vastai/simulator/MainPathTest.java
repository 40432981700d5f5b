package io.jenkins.plugins.vastai.simulator;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.apache.sshd.client.session.ClientSession;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class MainPathTest {
    @Test
    void searchCreateListSshExecDestroy() throws Exception {
        try (Simulator simulator = Simulator.builder().limits(false).start();
                SshClients ssh = new SshClients()) {
            Caller caller = new Caller(simulator);
            JsonNode offers = caller.search("{\"gpu_name\":{\"in\":[\"RTX 4090\"]},\"num_gpus\":{\"eq\":1},"
                            + "\"geolocation\":{\"in\":[\"US\"]},\"type\":\"on-demand\","
                            + "\"order\":[[\"dph_total\",\"asc\"]],\"allocated_storage\":30}")
                    .json()
                    .get("offers");
            assertTrue(offers.size() > 1, "several in the US");
            long id = caller.rent(offers.get(0).get("id").asLong(), Caller.container("jenkins-a-1", ssh.startScript()));
            await().atMost(Duration.ofSeconds(20))
                    .until(() -> caller.show(id).path("ports").has("22/tcp"));
            JsonNode shown = caller.show(id);
            assertEquals("running", shown.get("actual_status").asText());
            int port = shown.at("/ports/22~1tcp/0/HostPort").asInt();
            Path directory = simulator.instance(id).orElseThrow().directory().orElseThrow();
            await().atMost(Duration.ofSeconds(20)).ignoreExceptions().until(() -> {
                ssh.connect(port).close();
                return true;
            });
            try (ClientSession session = ssh.connect(port)) {
                SshClients.Result result = SshClients.run(session, "echo hello; cd; pwd; exit 3");
                assertEquals(3, result.code());
                assertEquals("hello\n" + directory.resolve("root") + "\n", result.out());
                assertEquals("", result.err());
                assertEquals(
                        "abc", SshClients.run(session, "cat", "abc".getBytes()).out());
                assertEquals(
                        "NVIDIA GeForce RTX 4090, 24564\n",
                        SshClients.run(
                                        session,
                                        "nvidia-smi --query-gpu=name,memory.total --format=csv,noheader,nounits")
                                .out());
            }
            try (ClientSession session = ssh.connect(shown.get("ssh_port").asInt())) {
                assertEquals("", SshClients.run(session, "exit 0").out(), "the proxy leads to the same machine");
            }
            assertEquals(200, caller.destroy(id).status());
            await().atMost(Duration.ofSeconds(20)).until(() -> caller.show(id).isNull());
            await().atMost(Duration.ofSeconds(20)).until(() -> !Files.exists(directory));
            assertEquals(0, caller.list().size());
            assertTrue(simulator.books().left().isEmpty());
            assertEquals(1, simulator.books().maximumAlive("jenkins-"));
            assertFalse(simulator.requests(Endpoint.CREATE).isEmpty());
        }
    }
}

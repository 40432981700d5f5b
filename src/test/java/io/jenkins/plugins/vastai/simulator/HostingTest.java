package io.jenkins.plugins.vastai.simulator;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.jenkins.plugins.vastai.api.ApiKey;
import io.jenkins.plugins.vastai.api.CreateRequest;
import io.jenkins.plugins.vastai.api.Created;
import io.jenkins.plugins.vastai.api.Pacing;
import io.jenkins.plugins.vastai.api.VastClient;
import io.jenkins.plugins.vastai.ssh.SshKeyPair;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import okhttp3.OkHttpClient;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;

class HostingTest {

    private final List<String> calls = new CopyOnWriteArrayList<>();

    private final class Written implements Hosting.Guest {
        @Override
        public void boot(List<String> authorizedKeys) throws IOException {
            calls.add("boot");
            throw new IOException("a host that fails does not stop the market");
        }

        @Override
        public void open() {
            calls.add("open");
        }

        @Override
        public void shut() {
            calls.add("shut");
        }

        @Override
        public void halt() {
            calls.add("halt");
        }

        @Override
        public void raze() {
            calls.add("raze");
        }

        @Override
        public void authorize(String line) {
            calls.add("key " + line);
        }
    }

    @Test
    void aHostSeesTheLifeOfItsMachineInOrder() throws Exception {
        String key = SshKeyPair.generate("test").publicLine();
        OkHttpClient http = new OkHttpClient();
        Hosting hosting = instance -> {
            calls.add(instance.startScript() + " " + (instance.directPort() > 0) + " "
                    + instance.environment().containsKey("CONTAINER_API_KEY"));
            return new Written();
        };
        try (Simulator simulator = Simulator.builder()
                .hosting(hosting)
                .limits(false)
                .boot(Duration.ofMillis(50))
                .start()) {
            VastClient client =
                    new VastClient(simulator.uri(), () -> ApiKey.of(simulator.apiKey()), http, Pacing.none());
            Created made = client.createInstance(
                    simulator.market().find("RTX 4090", 1).get(0).id(),
                    CreateRequest.builder()
                            .image("debian:bookworm-slim")
                            .diskGb(20)
                            .label("jenkins-test")
                            .runtype("ssh_direct")
                            .port(22)
                            .onstart("true")
                            .build());
            Awaitility.await().until(() -> calls.contains("open"));
            client.attachSshKey(made.instanceId(), key);
            Awaitility.await().until(() -> calls.stream().anyMatch(call -> call.startsWith("key")));
            client.destroyInstance(made.instanceId());
            Awaitility.await().until(() -> calls.contains("raze"));
        } finally {
            http.dispatcher().executorService().shutdown();
            http.connectionPool().evictAll();
        }

        assertEquals(List.of("true true true", "boot", "open"), calls.subList(0, 3));
        assertEquals("key " + key, calls.get(3));
        assertEquals("raze", calls.get(4));
    }
}

package io.jenkins.plugins.vastai.simulator;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.math.BigDecimal;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class InstancesTest {
    private final DrivenClock clock = new DrivenClock();
    private Simulator simulator;
    private Caller caller;

    @BeforeEach
    void start() throws IOException {
        simulator = Simulator.builder()
                .clock(clock)
                .ssh(false)
                .limits(false)
                .boot(Duration.ofSeconds(100))
                .portsLag(Duration.ofSeconds(5))
                .readLag(Duration.ofSeconds(2))
                .unload(Duration.ofSeconds(3))
                .scale(4)
                .start();
        caller = new Caller(simulator);
    }

    @AfterEach
    void end() {
        simulator.close();
    }

    private static String status(JsonNode instance) {
        return instance.get("actual_status").isNull()
                ? null
                : instance.get("actual_status").asText();
    }

    @Test
    void aContractLivesAsPublished() throws IOException {
        long id = caller.rent("RTX 4090", "a", "");
        assertTrue(caller.show(id).isNull(), "reads lag behind writes");
        clock.advance(Duration.ofSeconds(2));
        assertNull(status(caller.show(id)));
        assertTrue(caller.show(id).get("ports").isNull());
        Set<String> messages = new LinkedHashSet<>();
        for (int i = 0; i < 8; i++) {
            clock.advance(Duration.ofSeconds(10));
            assertEquals("loading", status(caller.show(id)));
            messages.add(caller.show(id).get("status_msg").asText());
        }
        assertTrue(messages.size() >= 4, "the image is pulled line by line: " + messages);
        clock.advance(Duration.ofSeconds(9));
        assertEquals("created", status(caller.show(id)));
        clock.advance(Duration.ofSeconds(9));
        JsonNode running = caller.show(id);
        assertEquals("running", status(running));
        assertEquals(
                "success, running nvidia/cuda_12.4.1-base-ubuntu22.04/ssh",
                running.get("status_msg").asText());
        assertTrue(running.get("ports").isNull(), "ports lag behind running");
        clock.advance(Duration.ofSeconds(5));
        assertTrue(caller.show(id).at("/ports/22~1tcp/0/HostPort").isTextual());
        assertEquals("127.0.0.1", caller.show(id).get("public_ipaddr").asText().trim());
        caller.destroy(id);
        assertEquals("unloaded", caller.show(id).get("cur_state").asText());
        clock.advance(Duration.ofSeconds(3));
        assertTrue(caller.show(id).isNull());
        assertEquals("not_found", caller.destroy(id).error());
        assertEquals("no_such_instance", label(id, "x").error());
    }

    private Caller.Reply label(long id, String text) throws IOException {
        return caller.call("PUT", "/api/v0/instances/" + id + "/", Json.object().put("label", text));
    }

    private Caller.Reply state(long id, String state) throws IOException {
        return caller.call("PUT", "/api/v0/instances/" + id + "/", Json.object().put("state", state));
    }

    @Test
    void virtualMachinesBootSlower() throws IOException {
        simulator.account().addSshKey(new SshKeyLines().next());
        long offer = simulator.market().find("RTX 4090", 1).stream()
                .filter(SimulatedOffer::vmsEnabled)
                .findFirst()
                .orElseThrow()
                .id();
        long id = caller.rent(
                offer,
                Caller.container("vm", "#!/bin/sh")
                        .put("image", "docker.io/vastai/kvm:ubuntu_terminal")
                        .put("vm", true));
        clock.advance(Duration.ofSeconds(101));
        assertEquals("loading", status(caller.show(id)));
        clock.advance(Duration.ofSeconds(200));
        assertEquals("running", status(caller.show(id)));
    }

    @Test
    void listsComeInPagesOf25() throws IOException {
        for (int i = 0; i < 60; i++) {
            caller.rent("RTX 4090", i % 2 == 0 ? "even" : "odd", "");
        }
        clock.advance(Duration.ofSeconds(10));
        List<Long> found = new ArrayList<>();
        String token = "";
        do {
            JsonNode page = caller.get("/api/v1/instances/?limit=100&order_by="
                            + Caller.encoded("[{\"col\":\"id\",\"dir\":\"desc\"}]") + token)
                    .json();
            assertTrue(page.get("instances").size() <= 25);
            assertEquals(
                    page.get("instances").size(), page.get("instances_found").asInt());
            assertEquals(60, page.get("total_instances").asInt());
            assertEquals(30, page.at("/label_counts/even").asInt());
            page.get("instances").forEach(row -> found.add(row.get("id").asLong()));
            token = page.get("next_token").isNull()
                    ? null
                    : "&after_token=" + Caller.encoded(page.get("next_token").asText());
        } while (token != null);
        assertEquals(60, new LinkedHashSet<>(found).size());
        assertEquals(found.stream().sorted(Comparator.reverseOrder()).toList(), found);
        assertEquals(
                5,
                caller.get("/api/v1/instances/?limit=0").json().get("instances").size());
        JsonNode odd = caller.get("/api/v1/instances/?select_cols=" + Caller.encoded("[\"id\",\"label\"]")
                        + "&select_filters=" + Caller.encoded("{\"label\":{\"eq\":\"odd\"}}"))
                .json();
        assertEquals(30, odd.get("total_instances").asInt());
        assertEquals(2, odd.at("/instances/0").size());
    }

    @Test
    void wrongQuestionsAboutListsAreRefused() throws IOException {
        Caller.Reply filter =
                caller.get("/api/v1/instances/?select_filters=" + Caller.encoded("{\"dph_total\":{\"lt\":1}}"));
        assertEquals(400, filter.status());
        assertEquals("invalid_request", filter.error());
        assertEquals(
                "invalid_token",
                caller.get("/api/v1/instances/?after_token=xyz").error());
        assertEquals(410, caller.get("/api/v0/instances/").status());
        assertEquals(404, caller.get("/api/v0/nonsense/").status());
        assertEquals(
                400,
                caller.call("DELETE", "/api/v0/instances/abc/", Json.object()).status());
        assertTrue(caller.list().isEmpty());
        assertTrue(caller.get("/api/v1/instances").json().get("success").asBoolean(), "a slash at the end may miss");
    }

    @Test
    void labelsCanBeChanged() throws IOException {
        long id = caller.rent("RTX 4090", "a", "");
        assertEquals(200, label(id, "b").status());
        assertEquals("label_too_long", label(id, "l".repeat(1025)).error());
        assertEquals("b", simulator.books().entry(id).orElseThrow().label());
    }

    @Test
    void aStoppedInstanceGivesItsGpusAwayAndMayNotGetThemBack() throws IOException {
        long machine = simulator.market().list("RTX 4090", 1, BigDecimal.ONE, "Texas, US");
        long id = caller.rent(offerOf(machine), Caller.container("a", ""));
        clock.advance(Duration.ofSeconds(110));
        assertEquals(200, state(id, "stopped").status());
        JsonNode stopped = caller.show(id);
        assertEquals("stopped", stopped.get("intended_status").asText());
        assertEquals("stopped", stopped.get("cur_state").asText());
        assertTrue(state(id, "running").json().get("success").asBoolean());
        clock.advance(Duration.ofSeconds(30));
        assertEquals("running", status(caller.show(id)));
        state(id, "stopped");
        caller.rent(offerOf(machine), Caller.container("b", ""));
        Caller.Reply queued = state(id, "running");
        assertEquals(200, queued.status());
        assertEquals("resources_unavailable", queued.error());
        assertEquals(400, state(id, "frozen").status());
    }

    private long offerOf(long machine) {
        return simulator.market().offers().stream()
                .filter(o -> o.machineId() == machine)
                .findFirst()
                .orElseThrow()
                .id();
    }

    @Test
    void rebootAndRecycleComeBackToRunning() throws IOException {
        long id = caller.rent("RTX 4090", "a", "");
        clock.advance(Duration.ofSeconds(110));
        for (String word : new String[] {"reboot", "recycle"}) {
            assertEquals(
                    200,
                    caller.call("PUT", "/api/v0/instances/" + word + "/" + id + "/", Json.object())
                            .status());
            assertEquals(word.equals("reboot") ? "rebooting" : "recycling", status(caller.show(id)));
            clock.advance(Duration.ofSeconds(30));
            assertEquals("running", status(caller.show(id)));
            assertFalse(caller.show(id).get("ports").isNull());
        }
        assertEquals(
                "invalid_args",
                caller.call("PUT", "/api/v0/instances/reboot/1/", Json.object()).error());
    }

    @Test
    void whatOthersDoToAnInstanceShows() throws IOException {
        long bid = caller.rent(
                simulator.market().find("RTX 4090", 1).get(0).id(),
                Caller.container("bid", "").put("price", 0.39));
        long stopped = caller.rent("RTX 4090", "b", "");
        long offline = caller.rent("RTX 4090", "c", "");
        long exited = caller.rent("RTX 4090", "d", "");
        clock.advance(Duration.ofSeconds(110));
        simulator.outbid(bid);
        simulator.stopFromOutside(stopped);
        simulator.hostOffline(offline);
        simulator.exit(exited);
        assertEquals("exited", status(caller.show(bid)));
        assertEquals("running", caller.show(bid).get("intended_status").asText());
        assertEquals("stopped", caller.show(bid).get("next_state").asText());
        assertEquals("stopped", status(caller.show(stopped)));
        assertEquals("stopped", caller.show(stopped).get("intended_status").asText());
        assertEquals("offline", status(caller.show(offline)));
        assertEquals("running", caller.show(offline).get("cur_state").asText());
        assertEquals("exited", status(caller.show(exited)));
        simulator.hostOnline(offline);
        assertEquals("running", status(caller.show(offline)));
    }

    @Test
    void bidsCanBeRaised() throws IOException {
        long id = caller.rent(
                simulator.market().find("RTX 4090", 1).get(0).id(),
                Caller.container("bid", "").put("price", 0.39));
        assertEquals(
                200,
                caller.call(
                                "PUT",
                                "/api/v0/instances/bid_price/" + id + "/",
                                Json.object().put("client_id", "me").put("price", 0.5))
                        .status());
        clock.advance(Duration.ofSeconds(2));
        assertEquals(0.5, caller.show(id).get("dph_base").asDouble());
    }

    @Test
    void logsAreThereAfterTheirUpload() throws IOException {
        long id = caller.rent("RTX 4090", "a", "");
        clock.advance(Duration.ofSeconds(50));
        Caller.Reply asked = caller.call(
                "PUT",
                "/api/v0/instances/request_logs/" + id + "/",
                Json.object().put("tail", "10").put("daemon_logs", "true"));
        String url = asked.json().get("result_url").asText();
        assertTrue(url.startsWith(simulator.uri().toString()));
        Caller anonymous = new Caller(simulator, "");
        String path = url.substring(simulator.uri().toString().length());
        assertEquals(404, anonymous.get(path).status());
        clock.advance(Duration.ofSeconds(1));
        assertEquals(200, anonymous.get(path).status());
        assertTrue(anonymous.get(path).text().contains("Downloading")
                || anonymous.get(path).text().contains(":"));
        assertEquals(
                "invalid_id",
                caller.call("PUT", "/api/v0/instances/request_logs/1/", Json.object())
                        .error());
    }

    @Test
    void aLargeFleetIsOneMatterOfSeconds() throws IOException {
        long begin = System.nanoTime();
        for (int i = 0; i < 300; i++) {
            List<SimulatedOffer> offers = simulator.market().offers();
            caller.rent(
                    offers.get(i % offers.size()).id(),
                    Caller.container("jenkins-" + i, "").put("disk", 8));
        }
        clock.advance(Duration.ofSeconds(200));
        assertEquals(
                300,
                simulator.instances().stream()
                        .filter(SimulatedInstance::running)
                        .count());
        for (SimulatedInstance instance : simulator.instances()) {
            caller.destroy(instance.id());
        }
        clock.advance(Duration.ofSeconds(10));
        assertEquals(300, simulator.books().maximumAlive("jenkins-"));
        assertTrue(simulator.books().left().isEmpty());
        assertTrue(System.nanoTime() - begin < Duration.ofSeconds(30).toNanos());
    }
}

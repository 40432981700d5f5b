package io.jenkins.plugins.vastai.simulator;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.math.BigDecimal;
import java.time.Duration;
import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class AccountTest {
    private final DrivenClock clock = new DrivenClock();
    private Simulator simulator;
    private Caller caller;

    @BeforeEach
    void start() throws IOException {
        simulator = Simulator.builder().clock(clock).ssh(false).start();
        caller = new Caller(simulator);
    }

    @AfterEach
    void end() {
        simulator.close();
    }

    private void pass() {
        clock.advance(Duration.ofSeconds(15));
    }

    @Test
    void theUserTellsTheCredit() throws IOException {
        simulator.account().setCredit(new BigDecimal("12.34"));
        JsonNode user = caller.get("/api/v0/users/current/").json();
        assertEquals(12.34, user.get("credit").asDouble());
        assertEquals(simulator.account().id(), user.get("id").asLong());
    }

    @Test
    void keysAreToldApart() throws IOException {
        assertEquals(
                403, new Caller(simulator, "").get("/api/v0/users/current/").status());
        Caller.Reply unknown = new Caller(simulator, "nobody").get("/api/v0/users/current/");
        assertEquals(401, unknown.status());
        assertEquals("auth_error", unknown.error());
        String filters = Caller.encoded("{\"day\":{\"gte\":1,\"lte\":2}}");
        assertEquals(
                404,
                new Caller(simulator, "nobody")
                        .get("/api/v0/charges/?select_filters=" + filters)
                        .status(),
                "some endpoints say 404 for a wrong key");
        Caller.Reply second = new Caller(simulator, simulator.addTwoFactorKey()).get("/api/v0/users/current/");
        assertEquals(401, second.status());
        assertTrue(second.text().contains("Two Factor Authentication"));
        String key = simulator.addKey("old");
        simulator.revokeKey(key);
        assertEquals(
                401, new Caller(simulator, key).get("/api/v0/users/current/").status());
    }

    @Test
    void aKeyMayDoWhatItsScopesSay() throws IOException {
        Caller reader = new Caller(simulator, simulator.addKey("reader", "misc", "user_read", "instance_read"));
        assertEquals(200, reader.get("/api/v0/users/current/").status());
        assertEquals(200, reader.get("/api/v1/instances/").status());
        long offer = simulator.market().find("RTX 4090", 1).get(0).id();
        assertEquals(403, reader.create(offer, Caller.container("a", "")).status());
        assertEquals(403, reader.destroy(1).status());
        String filters = Caller.encoded("{\"day\":{\"gte\":1,\"lte\":2}}");
        assertEquals(
                401, reader.get("/api/v0/charges/?select_filters=" + filters).status());
        JsonNode keys = reader.get("/api/v0/auth/apikeys/").json().get("apikeys");
        assertEquals(2, keys.size());
        assertFalse(keys.toString().contains(simulator.apiKey()));
    }

    @Test
    void aKeysPermissionsChangeWhileItIsUsed() throws IOException {
        String key = simulator.addKey("weak", "instance_read");
        Caller weak = new Caller(simulator, key);
        assertEquals(403, weak.search("{\"limit\":1}").status());
        assertEquals(200, new Caller(simulator, "").search("{\"limit\":1}").status(), "a search needs no key");
        assertEquals(200, weak.get("/api/v1/instances/").status());
        simulator.permit(key, Set.of("misc"));
        pass();
        assertEquals(200, weak.search("{\"limit\":1}").status());
        assertEquals(401, weak.get("/api/v1/instances/").status());
    }

    @Test
    void sshKeysAreKeptForTheAccount() throws IOException {
        assertEquals(404, caller.get("/api/v0/ssh/").status());
        String line = new SshKeyLines().next();
        Caller.Reply made = caller.call("POST", "/api/v0/ssh/", Json.object().put("ssh_key", line));
        long id = made.json().at("/key/id").asLong();
        assertEquals(line, made.json().at("/key/public_key").asText());
        JsonNode rows = caller.get("/api/v0/ssh/").json();
        assertTrue(rows.isArray());
        assertEquals(1, rows.size());
        pass();
        assertEquals(
                "no_ssh_key", caller.call("POST", "/api/v0/ssh/", Json.object()).error());
        assertEquals(
                200,
                caller.call("PUT", "/api/v0/ssh/" + id + "/", Json.object().put("ssh_key", new SshKeyLines().next()))
                        .status());
        assertEquals(
                200,
                caller.call("DELETE", "/api/v0/ssh/" + id + "/", Json.object()).status());
        assertTrue(simulator.account().sshKeys().isEmpty());
        Caller team = new Caller(simulator, simulator.addTeamKey());
        Caller.Reply refused = team.call("POST", "/api/v0/ssh/", Json.object().put("ssh_key", line));
        assertEquals(400, refused.status());
        assertTrue(refused.text().contains("Team SSH keys are not supported"));
    }

    @Test
    void anInstanceKeepsTheAccountsKeysOfItsCreation() throws IOException {
        simulator.account().addSshKey(new SshKeyLines().next());
        long id = caller.rent("RTX 4090", "a", "");
        simulator.account().addSshKey(new SshKeyLines().next());
        String path = "/api/v0/instances/" + id + "/ssh/";
        assertEquals(1, keys(path).size());
        String line = new SshKeyLines().next();
        assertEquals(
                200,
                caller.call("POST", path, Json.object().put("ssh_key", line)).status());
        Caller.Reply twice = caller.call("POST", path, Json.object().put("ssh_key", line + "-again"));
        assertEquals(400, twice.status());
        assertTrue(twice.text().contains("already"));
        assertEquals(
                400,
                caller.call("POST", path, Json.object().put("ssh_key", "nonsense"))
                        .status());
        JsonNode attached = keys(path).get(1);
        assertEquals(
                200,
                caller.call("DELETE", path + attached.get("id").asLong() + "/", Json.object())
                        .status());
        pass();
        assertEquals(
                "no_such_ssh_key",
                caller.call("DELETE", path + "1/", Json.object()).error());
        assertEquals(1, keys(path).size());
    }

    private JsonNode keys(String path) throws IOException {
        JsonNode text = caller.get(path).json().get("ssh_keys");
        assertTrue(text.isTextual(), "a string that holds JSON");
        return Json.parse(text.asText()).orElseThrow();
    }

    @Test
    void callsOfOneKindMustKeepTheirDistance() throws IOException {
        long offer = simulator.market().find("RTX 4090", 1).get(0).id();
        assertEquals(410, caller.create(1, Caller.container("a", "")).status());
        assertEquals(429, caller.create(offer, Caller.container("a", "")).status());
        clock.advance(Duration.ofSeconds(5));
        assertEquals(429, caller.create(offer, Caller.container("a", "")).status(), "a penalty of 12 seconds");
        clock.advance(Duration.ofSeconds(12));
        assertEquals(200, caller.create(offer, Caller.container("a", "")).status());
        assertEquals(200, caller.get("/api/v1/instances/").status(), "each endpoint by itself");
        assertEquals(429, caller.get("/api/v1/instances/").status());
        assertEquals(
                200,
                new Caller(simulator, simulator.addKey("other", "instance_read"))
                        .get("/api/v1/instances/")
                        .status(),
                "each key by itself");
        clock.advance(Duration.ofSeconds(1));
        assertEquals(200, caller.get("/api/v1/instances/").status());
        assertEquals(1, simulator.instances().size());
    }

    @Test
    void tenSearchesAMinute() throws IOException {
        Set<String> shapes = new HashSet<>();
        for (int i = 0; i < 14; i++) {
            Caller.Reply reply = caller.search("{\"limit\":1}");
            assertEquals(i < 10 ? 200 : 429, reply.status());
            if (reply.status() == 429) {
                shapes.add(reply.json() == null ? "text" : reply.json().has("detail") ? "detail" : "error");
            }
        }
        assertEquals(Set.of("text", "detail", "error"), shapes);
        clock.advance(Duration.ofMinutes(1));
        assertEquals(200, caller.search("{\"limit\":1}").status());
    }
}

package io.jenkins.plugins.vastai.simulator;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;

/** Plain calls to the simulator, for its own tests. */
final class Caller {
    private final HttpClient http = HttpClient.newHttpClient();
    private final Simulator simulator;
    private final String key;

    Caller(Simulator simulator) {
        this(simulator, simulator.apiKey());
    }

    Caller(Simulator simulator, String key) {
        this.simulator = simulator;
        this.key = key;
    }

    /** @param json null when the body is none */
    record Reply(int status, String text, JsonNode json) {
        String error() {
            return json == null ? text : json.path("error").asText();
        }
    }

    Reply call(String method, String path, JsonNode body) throws IOException {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(simulator.uri() + path))
                .timeout(Duration.ofSeconds(10))
                .method(
                        method,
                        body == null
                                ? HttpRequest.BodyPublishers.noBody()
                                : HttpRequest.BodyPublishers.ofString(body.toString()));
        if (!key.isEmpty()) {
            request.header("Authorization", "Bearer " + key);
        }
        try {
            HttpResponse<String> response =
                    http.send(request.build(), HttpResponse.BodyHandlers.ofString(StandardCharsets.UTF_8));
            return new Reply(
                    response.statusCode(),
                    response.body(),
                    Json.parse(response.body()).orElse(null));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException(e);
        }
    }

    Reply get(String path) throws IOException {
        return call("GET", path, null);
    }

    static String encoded(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8);
    }

    Reply search(String question) throws IOException {
        return call("POST", "/api/v0/bundles/", Json.parse(question).orElseThrow());
    }

    static ObjectNode container(String label, String onstart) {
        ObjectNode body = Json.object()
                .put("client_id", "me")
                .put("image", "nvidia/cuda:12.4.1-base-ubuntu22.04")
                .put("disk", 30)
                .put("label", label)
                .put("runtype", "ssh_direct")
                .put("cancel_unavail", true)
                .put("onstart", onstart);
        body.putObject("env").put("-p 22:22", "1").put("COLOUR", "blue");
        return body;
    }

    Reply create(long offer, ObjectNode body) throws IOException {
        return call("PUT", "/api/v0/asks/" + offer + "/", body);
    }

    /** Rents and gives the contract's number. */
    long rent(long offer, ObjectNode body) throws IOException {
        Reply reply = create(offer, body);
        if (reply.status() != 200) {
            throw new IOException(reply.text());
        }
        return reply.json().get("new_contract").asLong();
    }

    /** Rents the cheapest offer of one such GPU. */
    long rent(String gpu, String label, String onstart) throws IOException {
        return rent(simulator.market().find(gpu, 1).get(0).id(), container(label, onstart));
    }

    JsonNode show(long id) throws IOException {
        return get("/api/v0/instances/" + id + "/").json().get("instances");
    }

    JsonNode list() throws IOException {
        return get("/api/v1/instances/").json().get("instances");
    }

    Reply destroy(long id) throws IOException {
        return call("DELETE", "/api/v0/instances/" + id + "/", Json.object());
    }
}

package io.jenkins.plugins.vastai.simulator;

import com.fasterxml.jackson.databind.JsonNode;

/** What goes back over the wire. */
record Answer(int status, String type, String body) {
    static Answer of(int status, JsonNode body) {
        return new Answer(status, "application/json", Json.text(body));
    }

    static Answer ok(JsonNode body) {
        return of(200, body);
    }

    static Answer done() {
        return ok(Json.object().put("success", true));
    }

    static Answer error(int status, String code, String message) {
        return of(status, Json.error(code, message));
    }

    /** Without the success field, as some endpoints have it. */
    static Answer bare(int status, String code, String message) {
        return of(status, Json.object().put("error", code).put("msg", message));
    }

    static Answer text(int status, String type, String body) {
        return new Answer(status, type, body);
    }
}

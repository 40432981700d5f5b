package io.jenkins.plugins.vastai.api;

import com.fasterxml.jackson.databind.JsonNode;
import java.time.Duration;

/**
 * What came back for one call.
 *
 * @param status of HTTP
 * @param text the body; may hold secrets
 * @param json the body as a tree; missing if it is not JSON
 * @param retryAfter the pause that the header asks for; null if it does not
 */
record Answer(int status, String text, JsonNode json, Duration retryAfter) {

    /** Never the body. */
    @Override
    public String toString() {
        return "HTTP " + status;
    }
}

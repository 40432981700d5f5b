package io.jenkins.plugins.vastai.contract;

import java.util.List;
import java.util.Map;

/**
 * One request and its answer, as they went over the wire.
 *
 * @param path without host and query
 * @param query name → values, decoded
 * @param requestBody empty when there was none
 */
record Exchange(
        String method,
        String path,
        Map<String, List<String>> query,
        Map<String, List<String>> requestHeaders,
        String requestBody,
        int status,
        Map<String, List<String>> responseHeaders,
        String responseBody) {}

package io.jenkins.plugins.vastai.simulator;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.net.URI;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * A request as the answering classes see it.
 *
 * @param ids numbers in the path; -1 where the path has no number
 * @param token of the Authorization header, empty when there is none
 */
record Call(
        Endpoint endpoint,
        String method,
        String path,
        Map<String, String> query,
        List<Long> ids,
        String file,
        String body,
        String token,
        Optional<ApiKeys.ApiKey> key) {

    static Call of(String method, URI uri, String body, String token) {
        String path = uri.getPath();
        Route route = Route.of(method, path);
        return new Call(
                route.endpoint(),
                method,
                path + (uri.getRawQuery() == null ? "" : "?" + uri.getRawQuery()),
                query(uri.getRawQuery()),
                route.ids(),
                route.file(),
                body,
                token,
                Optional.empty());
    }

    Call with(ApiKeys.ApiKey found) {
        return new Call(endpoint, method, path, query, ids, file, body, token, Optional.of(found));
    }

    private static Map<String, String> query(String raw) {
        Map<String, String> found = new LinkedHashMap<>();
        for (String part : raw == null ? new String[0] : raw.split("&")) {
            int equals = part.indexOf('=');
            String name = equals < 0 ? part : part.substring(0, equals);
            String value = equals < 0 ? "" : part.substring(equals + 1);
            found.put(
                    URLDecoder.decode(name, StandardCharsets.UTF_8), URLDecoder.decode(value, StandardCharsets.UTF_8));
        }
        return found;
    }

    long id() {
        return ids.isEmpty() ? -1 : ids.get(0);
    }

    /** The body as an object; empty when it is none. No body is an empty object. */
    Optional<ObjectNode> object() {
        if (body.isBlank()) {
            return Optional.of(Json.object());
        }
        return Json.parse(body).filter(JsonNode::isObject).map(node -> (ObjectNode) node);
    }

    private record Route(Endpoint endpoint, List<Long> ids, String file) {
        static Route of(String method, String path) {
            String[] parts = path.replaceAll("^/+|/+$", "").split("/");
            if (parts.length == 2 && parts[0].equals("instance_logs") && method.equals("GET")) {
                return new Route(Endpoint.LOG_FILE, List.of(), parts[1]);
            }
            if (parts.length < 3 || !parts[0].equals("api")) {
                return new Route(Endpoint.UNKNOWN, List.of(), "");
            }
            List<Long> ids = new ArrayList<>();
            StringBuilder shape = new StringBuilder(method).append(' ').append(parts[1]);
            for (int i = 2; i < parts.length; i++) {
                boolean number = parts[i].matches("-?\\d{1,18}");
                boolean place = number || i >= 3 && !WORDS.contains(parts[i]);
                if (place) {
                    ids.add(number ? Long.parseLong(parts[i]) : -1L);
                }
                shape.append('/').append(place ? "#" : parts[i]);
            }
            return new Route(ENDPOINTS.getOrDefault(shape.toString(), Endpoint.UNKNOWN), List.copyOf(ids), "");
        }

        private static final Set<String> WORDS =
                Set.of("asks", "reboot", "recycle", "bid_price", "request_logs", "ssh", "current", "unique", "apikeys");

        private static final Map<String, Endpoint> ENDPOINTS = Map.ofEntries(
                Map.entry("POST v0/bundles", Endpoint.SEARCH),
                Map.entry("GET v0/bundles", Endpoint.SEARCH),
                Map.entry("PUT v0/search/asks", Endpoint.SEARCH),
                Map.entry("PUT v0/asks/#", Endpoint.CREATE),
                Map.entry("GET v1/instances", Endpoint.LIST),
                Map.entry("GET v0/instances", Endpoint.OLD_LIST),
                Map.entry("GET v0/instances/#", Endpoint.SHOW),
                Map.entry("PUT v0/instances/#", Endpoint.MANAGE),
                Map.entry("DELETE v0/instances/#", Endpoint.DESTROY),
                Map.entry("PUT v0/instances/reboot/#", Endpoint.REBOOT),
                Map.entry("PUT v0/instances/recycle/#", Endpoint.RECYCLE),
                Map.entry("PUT v0/instances/bid_price/#", Endpoint.CHANGE_BID),
                Map.entry("PUT v0/instances/request_logs/#", Endpoint.REQUEST_LOGS),
                Map.entry("GET v0/instances/#/ssh", Endpoint.INSTANCE_KEYS),
                Map.entry("POST v0/instances/#/ssh", Endpoint.ATTACH_KEY),
                Map.entry("DELETE v0/instances/#/ssh/#", Endpoint.DETACH_KEY),
                Map.entry("GET v0/ssh", Endpoint.ACCOUNT_KEYS),
                Map.entry("POST v0/ssh", Endpoint.ADD_ACCOUNT_KEY),
                Map.entry("PUT v0/ssh/#", Endpoint.CHANGE_ACCOUNT_KEY),
                Map.entry("DELETE v0/ssh/#", Endpoint.DELETE_ACCOUNT_KEY),
                Map.entry("GET v0/users/current", Endpoint.USER),
                Map.entry("GET v0/auth/apikeys", Endpoint.API_KEYS),
                Map.entry("GET v0/charges", Endpoint.CHARGES),
                Map.entry("GET v0/gpu_names/unique", Endpoint.GPU_NAMES),
                Map.entry("GET v0/gpu_types", Endpoint.GPU_TYPES));
    }
}

package io.jenkins.plugins.vastai.simulator;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Comparator;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** {@code GET /api/v1/instances/}: filters, order, pages of 25. With the world's lock held. */
final class InstanceList {
    private static final int MOST_ROWS = 25;
    private static final int ROWS_FOR_NONSENSE = 5;
    private static final Set<String> COLUMNS = Set.of(
            "id",
            "label",
            "actual_status",
            "intended_status",
            "cur_state",
            "next_state",
            "gpu_name",
            "machine_id",
            "host_id",
            "verification",
            "image_uuid",
            "template_id",
            "template_hash_id",
            "start_date",
            "is_bid");

    private final World world;

    InstanceList(World world) {
        this.world = world;
    }

    /** The question was wrong. */
    private static final class BadQuestion extends Exception {
        private static final long serialVersionUID = 1;
        private final transient Answer answer;

        BadQuestion(String code, String message) {
            super(message);
            answer = Answer.bare(400, code, message);
        }
    }

    private record Sort(String column, boolean descending) {}

    Answer answer(Call call, Instant now) {
        try {
            return answer(call.query(), call, now);
        } catch (BadQuestion e) {
            return e.answer;
        }
    }

    private Answer answer(Map<String, String> query, Call call, Instant now) throws BadQuestion {
        JsonNode filters = json(query.getOrDefault("select_filters", "{}"), "select_filters");
        List<ObjectNode> rows = new ArrayList<>();
        long only = call.key().map(ApiKeys.ApiKey::instance).orElse(0L);
        checkFilters(filters);
        for (Contract c : world.contracts.all()) {
            if (c.visible(now) && (only == 0 || only == c.id)) {
                ObjectNode row = InstanceJson.of(c, now, world.contracts.loadTime(c));
                if (passes(filters, row)) {
                    rows.add(row);
                }
            }
        }
        List<Sort> order = order(query.getOrDefault("order_by", ""));
        Comparator<ObjectNode> comparator = comparator(order);
        rows.sort(comparator);
        int total = rows.size();
        ObjectNode labels = Json.object();
        for (ObjectNode row : rows) {
            String label = row.path("label").asText("");
            labels.put(label, labels.path(label).asInt() + 1);
        }
        String token = query.getOrDefault("after_token", "");
        if (!token.isEmpty()) {
            ObjectNode last = position(token);
            rows.removeIf(row -> comparator.compare(row, last) <= 0);
        }
        int limit = limit(query.get("limit"));
        ObjectNode body = Json.object().put("success", true);
        List<ObjectNode> page = rows.subList(0, Math.min(limit, rows.size()));
        body.put("instances_found", page.size()).put("total_instances", total).set("label_counts", labels);
        body.put("next_token", rows.size() > limit ? token(page.get(limit - 1), order) : null);
        ArrayNode shown = body.putArray("instances");
        Set<String> columns = columns(query.getOrDefault("select_cols", "[\"*\"]"));
        page.forEach(row -> shown.add(columns.contains("*") ? row : row.retain(columns)));
        return Answer.ok(body);
    }

    private static JsonNode json(String text, String name) throws BadQuestion {
        return Json.parse(text)
                .orElseThrow(() -> new BadQuestion(
                        "invalid_request", "Error in query parameters: " + name + " is not valid json"));
    }

    private static void checkFilters(JsonNode filters) throws BadQuestion {
        for (Map.Entry<String, JsonNode> filter : filters.properties()) {
            if (!COLUMNS.contains(filter.getKey())) {
                throw new BadQuestion(
                        "invalid_request",
                        "Error in query parameters: " + filter.getKey() + " is not a valid search key");
            }
            for (Iterator<String> names = filter.getValue().fieldNames(); names.hasNext(); ) {
                String operator = names.next();
                if (!Filters.OPERATORS.contains(operator)) {
                    throw new BadQuestion(
                            "invalid_request", "Error in query parameters: " + operator + " is not a valid operator");
                }
            }
        }
    }

    private static boolean passes(JsonNode filters, ObjectNode row) {
        for (Map.Entry<String, JsonNode> filter : filters.properties()) {
            if (!Filters.every(filter.getValue(), row.get(filter.getKey()))) {
                return false;
            }
        }
        return true;
    }

    private static List<Sort> order(String text) throws BadQuestion {
        List<Sort> found = new ArrayList<>();
        if (!text.isBlank()) {
            for (JsonNode one : json(text, "order_by")) {
                found.add(new Sort(
                        one.path("col").asText(), one.path("dir").asText("asc").equals("desc")));
            }
        }
        if (found.stream().noneMatch(sort -> sort.column.equals("id"))) {
            found.add(new Sort("id", false));
        }
        return found;
    }

    private static Comparator<ObjectNode> comparator(List<Sort> order) {
        Comparator<ObjectNode> all = null;
        for (Sort sort : order) {
            Comparator<ObjectNode> one = Comparator.comparing(row -> row.get(sort.column), Filters.order());
            one = sort.descending ? one.reversed() : one;
            all = all == null ? one : all.thenComparing(one);
        }
        return all;
    }

    private static String token(ObjectNode last, List<Sort> order) {
        ObjectNode values = Json.object();
        order.forEach(sort -> values.set(sort.column, last.get(sort.column)));
        ObjectNode position = Json.object();
        position.set("values", values);
        return Base64.getEncoder().encodeToString(Json.text(position).getBytes(StandardCharsets.UTF_8));
    }

    static ObjectNode decode(String token) {
        try {
            String text = new String(Base64.getDecoder().decode(token), StandardCharsets.UTF_8);
            return Json.parse(text)
                    .map(node -> node.path("values"))
                    .filter(JsonNode::isObject)
                    .map(node -> (ObjectNode) node)
                    .orElse(null);
        } catch (IllegalArgumentException e) {
            return null;
        }
    }

    private static ObjectNode position(String token) throws BadQuestion {
        return Optional.ofNullable(decode(token))
                .filter(values -> values.has("id"))
                .orElseThrow(() -> new BadQuestion("invalid_token", "Invalid pagination token"));
    }

    private static int limit(String text) throws BadQuestion {
        if (text == null || text.isBlank()) {
            return MOST_ROWS;
        }
        try {
            int wanted = Integer.parseInt(text);
            return wanted <= 0 ? ROWS_FOR_NONSENSE : Math.min(wanted, MOST_ROWS);
        } catch (NumberFormatException e) {
            throw new BadQuestion("invalid_request", "Error in query parameters: limit");
        }
    }

    private static Set<String> columns(String text) throws BadQuestion {
        Set<String> found = new LinkedHashSet<>();
        json(text, "select_cols").forEach(one -> found.add(one.asText()));
        return found;
    }
}

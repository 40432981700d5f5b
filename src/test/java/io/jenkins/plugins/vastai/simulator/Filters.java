package io.jenkins.plugins.vastai.simulator;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.IntNode;
import com.fasterxml.jackson.databind.node.TextNode;
import java.util.Comparator;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;

/** {@code {"field":{"op":value}}}, as search and list take it. */
final class Filters {
    static final Set<String> OPERATORS = Set.of("eq", "neq", "gt", "gte", "lt", "lte", "in", "notin");

    private static final Map<String, String> ALIASES = Map.of(
            "reliability2", "reliability",
            "dphtotal", "dph_total",
            "gpu_totalram", "gpu_total_ram",
            "ubuntu_version", "os_version",
            "driver_version", "driver_vers");

    private Filters() {}

    /** Whether an offer passes; keys that are no fields, and values that are no filters, are ignored. */
    static boolean offerPasses(JsonNode question, Function<String, JsonNode> field) {
        for (Map.Entry<String, JsonNode> filter : question.properties()) {
            if (filter.getValue().isObject() && !offerPasses(filter.getKey(), filter.getValue(), field)) {
                return false;
            }
        }
        return true;
    }

    private static boolean offerPasses(String key, JsonNode tests, Function<String, JsonNode> field) {
        switch (key) {
            case "id":
                // The market finds nothing by id; ask_contract_id holds the same number.
                return false;
            case "verified":
                return every(tests, IntNode.valueOf(truth("verified".equals(text(field.apply("verification"))))));
            case "external":
                return every(
                        tests, IntNode.valueOf(truth(field.apply("external").asBoolean())));
            case "datacenter":
                return every(
                        tests, IntNode.valueOf(truth(field.apply("hosting_type").asInt() >= 1)));
            case "geolocation":
                return every(
                        tests,
                        country(field.apply("geolocation"))
                                .<JsonNode>map(TextNode::valueOf)
                                .orElse(null));
            case "target_reliability":
                return field.apply("expected_reliability").asDouble()
                        >= tests.elements().next().asDouble();
            default:
                String name = ALIASES.getOrDefault(key, key);
                double factor = 1;
                if (name.endsWith("_ram_GB")) {
                    name = name.substring(0, name.length() - 3);
                    factor = 1000;
                }
                JsonNode value = field.apply(name);
                return value == null || every(tests, value, name.equals("driver_vers"), factor);
        }
    }

    private static int truth(boolean value) {
        return value ? 1 : 0;
    }

    private static String text(JsonNode node) {
        return node == null || node.isNull() ? "" : node.asText();
    }

    /** Last two letters after the last comma. */
    static Optional<String> country(JsonNode place) {
        String text = text(place);
        String last = text.substring(text.lastIndexOf(',') + 1).trim();
        return last.length() == 2 ? Optional.of(last) : Optional.empty();
    }

    static boolean every(JsonNode tests, JsonNode value) {
        return every(tests, value, false, 1);
    }

    private static boolean every(JsonNode tests, JsonNode value, boolean driver, double factor) {
        for (Map.Entry<String, JsonNode> test : tests.properties()) {
            if (!one(test.getKey(), value, test.getValue(), driver, factor)) {
                return false;
            }
        }
        return true;
    }

    private static boolean one(String operator, JsonNode value, JsonNode wanted, boolean driver, double factor) {
        if (value == null || value.isNull()) {
            return wanted.isNull() && operator.equals("eq");
        }
        switch (operator) {
            case "in":
                return among(value, wanted);
            case "notin":
                return !among(value, wanted);
            case "eq":
                return compare(value, wanted, driver, factor) == 0;
            case "neq":
                return compare(value, wanted, driver, factor) != 0;
            case "gt":
                return compare(value, wanted, driver, factor) > 0;
            case "gte":
                return compare(value, wanted, driver, factor) >= 0;
            case "lt":
                return compare(value, wanted, driver, factor) < 0;
            case "lte":
                return compare(value, wanted, driver, factor) <= 0;
            default:
                return true;
        }
    }

    private static boolean among(JsonNode value, JsonNode wanted) {
        for (JsonNode one : wanted) {
            if (compare(value, one, false, 1) == 0) {
                return true;
            }
        }
        return false;
    }

    private static int compare(JsonNode value, JsonNode wanted, boolean driver, double factor) {
        if (driver && wanted.isTextual()) {
            return Long.compare(value.asLong(), driverNumber(wanted.asText()));
        }
        if (number(value) && number(wanted)) {
            return Double.compare(value(value), value(wanted) * factor);
        }
        return value.asText().compareTo(wanted.asText());
    }

    private static boolean number(JsonNode node) {
        return node.isNumber() || node.isBoolean();
    }

    private static double value(JsonNode node) {
        return node.isBoolean() ? truth(node.asBoolean()) : node.asDouble();
    }

    /** 535.86.05 is 535086005. */
    private static long driverNumber(String version) {
        long number = 0;
        String[] parts = version.split("\\.");
        for (int i = 0; i < 3; i++) {
            number = number * 1000 + (i < parts.length && parts[i].matches("\\d+") ? Long.parseLong(parts[i]) : 0);
        }
        return number;
    }

    /** Nulls last. */
    static Comparator<JsonNode> order() {
        return Comparator.nullsLast((a, b) -> {
            if (a.isNull() || b.isNull()) {
                return Boolean.compare(a.isNull(), b.isNull());
            }
            return compare(a, b, false, 1);
        });
    }
}

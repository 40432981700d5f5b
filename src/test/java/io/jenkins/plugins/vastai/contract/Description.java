package io.jenkins.plugins.vastai.contract;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;

/** A published API description: its operations, and itself in the dialect that the validator understands. */
final class Description {

    private static final List<String> METHODS = List.of("get", "put", "post", "delete", "patch");

    private final JsonNode root;
    private final List<Operation> operations = new ArrayList<>();

    /** @param statuses what the operation is said to answer with */
    record Operation(String method, String path, String id, TreeSet<Integer> statuses) {

        boolean matches(String otherMethod, String concretePath) {
            if (!method.equals(otherMethod)) {
                return false;
            }
            String[] template = path.split("/", -1);
            String[] concrete = concretePath.split("/", -1);
            if (template.length != concrete.length) {
                return false;
            }
            for (int i = 0; i < template.length; i++) {
                boolean number = template[i].startsWith("{") && concrete[i].matches("\\d+");
                if (!number && !template[i].equals(concrete[i])) {
                    return false;
                }
            }
            return true;
        }

        @Override
        public String toString() {
            return method + " " + path;
        }
    }

    Description(String yaml) throws IOException {
        root = new ObjectMapper(new YAMLFactory()).readTree(yaml);
        for (Map.Entry<String, JsonNode> path : root.path("paths").properties()) {
            for (Map.Entry<String, JsonNode> method : path.getValue().properties()) {
                if (METHODS.contains(method.getKey())) {
                    TreeSet<Integer> statuses = new TreeSet<>();
                    method.getValue().path("responses").fieldNames().forEachRemaining(status -> {
                        if (status.matches("\\d+")) {
                            statuses.add(Integer.valueOf(status));
                        }
                    });
                    operations.add(new Operation(
                            method.getKey().toUpperCase(Locale.ROOT),
                            path.getKey(),
                            method.getValue().path("operationId").asText(),
                            statuses));
                }
            }
        }
    }

    Optional<Operation> operation(String method, String concretePath) {
        return operations.stream()
                .filter(operation -> operation.matches(method, concretePath))
                .findFirst();
    }

    List<Operation> operations() {
        return operations;
    }

    /** Bodies that the description shows, or spells out field by field, for one answer of an operation. */
    List<JsonNode> examples(Operation operation, int status) {
        JsonNode content = root.path("paths")
                .path(operation.path())
                .path(operation.method().toLowerCase(Locale.ROOT))
                .path("responses")
                .path(Integer.toString(status))
                .path("content")
                .path("application/json");
        List<JsonNode> examples = new ArrayList<>();
        if (content.has("example")) {
            examples.add(content.path("example"));
        }
        content.path("examples").forEach(example -> examples.add(example.path("value")));
        if (content.has("schema")) {
            examples.add(example(content.path("schema")));
        }
        return examples;
    }

    private JsonNode example(JsonNode schema) {
        JsonNodeFactory nodes = JsonNodeFactory.instance;
        if (schema.has("$ref")) {
            return example(root.at(schema.path("$ref").asText().substring(1)));
        }
        if (schema.has("example")) {
            return schema.path("example");
        }
        if (schema.has("enum")) {
            return schema.path("enum").path(0);
        }
        JsonNode type = schema.path("type").isArray() ? schema.path("type").path(0) : schema.path("type");
        return switch (type.asText()) {
            case "object" -> {
                ObjectNode object = nodes.objectNode();
                schema.path("properties").properties().forEach(p -> object.set(p.getKey(), example(p.getValue())));
                yield object;
            }
            case "array" -> nodes.arrayNode().add(example(schema.path("items")));
            case "string" -> nodes.textNode("text");
            case "integer" -> nodes.numberNode(1);
            case "number" -> nodes.numberNode(1.5);
            case "boolean" -> nodes.booleanNode(true);
            default -> nodes.nullNode();
        };
    }

    /**
     * The same as OpenAPI 3.0. The validator knows the dialect of 3.1 not at all: a property that may also be null
     * ({@code type: [string, 'null']}) would pass with any value.
     */
    String asOpenApi30() {
        ObjectNode copy = root.deepCopy();
        copy.put("openapi", "3.0.3");
        lower(copy);
        return new JsonMapper().valueToTree(copy).toString();
    }

    private static void lower(JsonNode node) {
        if (node instanceof ObjectNode object && object.get("type") instanceof ArrayNode types) {
            List<String> real = new ArrayList<>();
            boolean nullable = false;
            for (JsonNode type : types) {
                if (type.asText().equals("null")) {
                    nullable = true;
                } else {
                    real.add(type.asText());
                }
            }
            if (real.size() != 1) {
                throw new IllegalArgumentException("types that OpenAPI 3.0 cannot express: " + types);
            }
            object.put("type", real.get(0));
            object.put("nullable", nullable);
        }
        if (node instanceof ObjectNode object && object.path("type").asText().equals("array") && !object.has("items")) {
            object.putObject("items"); // which 3.1 leaves out for "anything"
        }
        for (JsonNode child : node) {
            lower(child);
        }
    }
}

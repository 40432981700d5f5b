package io.jenkins.plugins.vastai.api;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonStreamContext;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.json.JsonReadFeature;
import com.fasterxml.jackson.core.util.JsonParserDelegate;
import com.fasterxml.jackson.databind.DeserializationConfig;
import com.fasterxml.jackson.databind.DeserializationContext;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JavaType;
import com.fasterxml.jackson.databind.JsonDeserializer;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.cfg.CoercionAction;
import com.fasterxml.jackson.databind.cfg.CoercionInputShape;
import com.fasterxml.jackson.databind.deser.DeserializationProblemHandler;
import com.fasterxml.jackson.databind.introspect.BeanPropertyDefinition;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.MissingNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.math.BigDecimal;
import java.util.HashSet;
import java.util.Iterator;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * All reading and writing of JSON, in one place because the market writes it loosely: unknown and missing fields,
 * nulls, floats for integers, numbers as texts, texts that hold JSON, NaN. A single odd value becomes null (0), it
 * never costs the whole answer.
 */
final class Json {

    private static final JsonMapper MAPPER = JsonMapper.builder()
            .enable(JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS)
            .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
            .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
            .defaultPropertyInclusion(
                    JsonInclude.Value.construct(JsonInclude.Include.NON_NULL, JsonInclude.Include.ALWAYS))
            .withCoercionConfigDefaults(
                    config -> config.setCoercion(CoercionInputShape.EmptyString, CoercionAction.AsNull))
            .addHandler(new Forgiving())
            .build();

    private static final Map<Class<?>, Set<String>> KNOWN = new ConcurrentHashMap<>();

    private Json() {}

    /** The tree of a text; {@link MissingNode} if it is not JSON. */
    static JsonNode parse(String text) {
        try {
            JsonNode tree = MAPPER.readTree(text);
            return tree == null ? MissingNode.getInstance() : tree;
        } catch (JsonProcessingException e) {
            return MissingNode.getInstance();
        }
    }

    /**
     * As {@link #parse(String)}, but of the rows of its lists only the fields that {@code type} reads: the market sends
     * more than twice as many, and most of them are long numbers.
     */
    static JsonNode parse(String text, Class<?> type) {
        Set<String> known = KNOWN.computeIfAbsent(type, Json::fields);
        try (JsonParser parser = new RowParser(MAPPER.createParser(text), known)) {
            JsonNode tree = MAPPER.readTree(parser);
            return tree == null || parser.nextToken() != null ? MissingNode.getInstance() : tree;
        } catch (IOException e) {
            return MissingNode.getInstance();
        }
    }

    private static Set<String> fields(Class<?> type) {
        Set<String> names = new HashSet<>();
        DeserializationConfig config = MAPPER.getDeserializationConfig();
        for (BeanPropertyDefinition property :
                config.introspect(config.constructType(type)).findProperties()) {
            names.add(property.getName());
            property.findAliases().forEach(alias -> names.add(alias.getSimpleName()));
        }
        return names;
    }

    /** The node itself, or the JSON inside it if it is a text that holds some. */
    static JsonNode unfold(JsonNode node) {
        if (!node.isTextual()) {
            return node;
        }
        JsonNode inner = parse(node.textValue());
        return inner.isContainerNode() || inner.isNull() ? inner : node;
    }

    /** @throws JsonProcessingException only for what {@link Forgiving} cannot forgive, such as an id beyond any long */
    static <T> T read(JsonNode row, Class<T> type) throws JsonProcessingException {
        JsonNode meaningful = row;
        if (row instanceof ObjectNode object) {
            ObjectNode copy = object.deepCopy();
            for (Iterator<JsonNode> values = copy.elements(); values.hasNext(); ) {
                JsonNode value = values.next();
                // An alias that is null must not hide its twin; NaN is no number, and the only one that is no decimal.
                if (value.isNull() || (value.isDouble() && !Double.isFinite(value.doubleValue()))) {
                    values.remove();
                }
            }
            meaningful = copy;
        }
        return MAPPER.treeToValue(meaningful, type);
    }

    static String write(Object value) {
        try {
            return MAPPER.writeValueAsString(value);
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException(e); // our own values only
        }
    }

    /** A number, also one in a text; null for anything else. */
    static BigDecimal number(JsonNode node) {
        if (node.isNumber()) {
            return node.isFloatingPointNumber() && !Double.isFinite(node.doubleValue()) ? null : node.decimalValue();
        }
        return node.isTextual() ? number(node.textValue()) : null;
    }

    /** A whole number in the range of a long, also one in a text or written as a float; 0 for anything else. */
    static long whole(JsonNode node) {
        BigDecimal number = number(node);
        boolean fits = number != null && number.precision() - number.scale() <= 18;
        return fits ? number.longValue() : 0;
    }

    private static BigDecimal number(String text) {
        String digits = text.strip();
        try {
            return digits.length() > 40 ? null : new BigDecimal(digits);
        } catch (NumberFormatException e) {
            return null;
        }
    }

    /** Passes over unknown fields of objects inside lists; numbers that are passed over are never converted. */
    private static final class RowParser extends JsonParserDelegate {

        private final Set<String> known;

        RowParser(JsonParser parser, Set<String> known) {
            super(parser);
            this.known = known;
        }

        @Override
        public JsonToken nextToken() throws IOException {
            JsonToken token = delegate.nextToken();
            while (token == JsonToken.FIELD_NAME && inRow() && !known.contains(delegate.currentName())) {
                delegate.nextToken();
                delegate.skipChildren();
                token = delegate.nextToken();
            }
            return token;
        }

        @Override
        public String nextFieldName() throws IOException {
            return nextToken() == JsonToken.FIELD_NAME ? currentName() : null;
        }

        private boolean inRow() {
            JsonStreamContext parent = delegate.getParsingContext().getParent();
            return parent != null && parent.inArray();
        }
    }

    /** Reads what can be read and leaves out the rest. */
    private static final class Forgiving extends DeserializationProblemHandler {

        @Override
        public Object handleWeirdStringValue(
                DeserializationContext context, Class<?> type, String text, String failure) {
            BigDecimal number = number(text);
            if (number == null) {
                return null;
            }
            if (type == int.class || type == Integer.class) {
                return number.intValue();
            }
            return type == long.class || type == Long.class ? number.longValue() : null;
        }

        @Override
        public Object handleUnexpectedToken(
                DeserializationContext context, JavaType type, JsonToken token, JsonParser parser, String failure)
                throws IOException {
            parser.skipChildren();
            return null;
        }
    }

    /** {@code ports} of an instance: the outer port that its port 22 is mapped to. */
    static final class SshPort extends JsonDeserializer<Integer> {

        @Override
        public Integer deserialize(JsonParser parser, DeserializationContext context) throws IOException {
            JsonNode ports = unfold(parser.readValueAsTree());
            if (ports.isIntegralNumber()) {
                return port(ports); // our own form
            }
            JsonNode mapping = unfold(ports.path(ports.has("22/tcp") ? "22/tcp" : "22"));
            for (JsonNode binding :
                    mapping.isArray() ? mapping : MAPPER.createArrayNode().add(mapping)) {
                JsonNode outer = binding.isObject() ? binding.path("HostPort") : binding;
                Integer port = port(outer);
                if (port != null) {
                    return port;
                }
            }
            return null;
        }

        private static Integer port(JsonNode node) {
            long port = whole(node);
            return port > 0 && port < 65536 ? (int) port : null;
        }
    }
}

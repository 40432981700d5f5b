package io.jenkins.plugins.vastai;

import edu.umd.cs.findbugs.annotations.CheckForNull;
import java.beans.Introspector;
import java.lang.reflect.Method;
import java.math.BigDecimal;
import java.util.Arrays;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.kohsuke.stapler.DataBoundSetter;

/**
 * The settings of a configuration class by the names that form and YAML use, and what can be written into them. Data
 * binding of Jenkins and of Configuration as Code reads an unreadable number as 0, and anything but {@code true} as
 * {@code false}, without a word; so both are preceded by this.
 */
final class Fields {

    static final Fields OF_CLOUD = new Fields(() -> new VastAiCloud("vast", "vastai-api-key"));
    static final Fields OF_TEMPLATE =
            new Fields(() -> new VastAiTemplate("runner", "1xRTX_4090", "nvidia/cuda:12.0.0-base-ubuntu22.04"));
    static final Fields OF_EXTRA_CONFIG = new Fields(ExtraConfig::new);
    static final Fields OF_BLOCKLIST_ENTRY = new Fields(BlocklistEntry::new);

    private static final BigDecimal EXAMPLE = new BigDecimal("2.50");

    private final Supplier<?> sample;
    private final Map<String, Method> setters = new TreeMap<>();

    private Fields(Supplier<?> sample) {
        this.sample = sample;
        for (Method method : sample.get().getClass().getMethods()) {
            if (method.isAnnotationPresent(DataBoundSetter.class)) {
                setters.put(Introspector.decapitalize(method.getName().substring(3)), method);
            }
        }
    }

    /** The name as it is declared, whatever its case; empty when there is none. */
    Optional<String> named(String name) {
        return setters.keySet().stream().filter(name::equalsIgnoreCase).findFirst();
    }

    /** Whether the field is a number, a truth value or a choice, so that not every text will do. */
    boolean isTyped(String field) {
        Method setter = setters.get(field);
        if (setter == null) {
            return false;
        }
        Class<?> type = setter.getParameterTypes()[0];
        return type.isPrimitive() || type == BigDecimal.class || type.isEnum();
    }

    /**
     * What is wrong with a text as the value of that field.
     *
     * @param prefix what stands before the name, {@code extraConfig.}, or empty
     * @param text blank stands for the default
     */
    Optional<Problem> problem(String prefix, String field, @CheckForNull String text) {
        if (!isTyped(field) || isBlank(text)) {
            return Optional.empty();
        }
        try {
            read(field, text);
            return Optional.empty();
        } catch (IllegalArgumentException e) {
            String name = prefix + field;
            Class<?> type = setters.get(field).getParameterTypes()[0];
            String shown = text.length() > 60 ? text.substring(0, 60) + "…" : text;
            String message;
            if (type == int.class) {
                message = Messages.Field_notWhole(name, shown, example(field));
            } else if (type == boolean.class) {
                message = Messages.Field_notBoolean(name, shown);
            } else if (type.isEnum()) {
                message = Messages.Field_notOneOf(
                        name,
                        shown,
                        Arrays.stream(type.getEnumConstants())
                                .map(String::valueOf)
                                .collect(Collectors.joining(", ")));
            } else {
                message = Messages.Field_notNumber(name, shown, example(field));
            }
            return Optional.of(Problem.error(name, message));
        }
    }

    /** Sets a field of {@code target} from a text; blank leaves the default. */
    void set(Object target, String field, @CheckForNull String text) {
        if (isBlank(text)) {
            return;
        }
        try {
            setters.get(field).invoke(target, read(field, text));
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException(field, e);
        }
    }

    /** The default as somebody would write it, or a likely value where there is none. */
    String example(String field) {
        Object value = get(sample.get(), field);
        return value == null ? EXAMPLE.toPlainString() : String.valueOf(value);
    }

    private static boolean isBlank(@CheckForNull String text) {
        return text == null || text.isBlank();
    }

    private static Object get(Object of, String field) {
        String name = field.substring(0, 1).toUpperCase(Locale.ROOT) + field.substring(1);
        for (String getter : new String[] {"get" + name, "is" + name}) {
            try {
                return of.getClass().getMethod(getter).invoke(of);
            } catch (NoSuchMethodException e) {
                continue;
            } catch (ReflectiveOperationException e) {
                throw new IllegalStateException(field, e);
            }
        }
        throw new IllegalStateException(field);
    }

    private Object read(String field, String text) {
        Class<?> type = setters.get(field).getParameterTypes()[0];
        String plain = text.trim();
        if (type == int.class) {
            return Integer.valueOf(plain);
        } else if (type == double.class) {
            return new BigDecimal(plain).doubleValue();
        } else if (type == BigDecimal.class) {
            return new BigDecimal(plain);
        } else if (type == boolean.class) {
            return switch (plain.toLowerCase(Locale.ROOT)) {
                case "true" -> true;
                case "false" -> false;
                default -> throw new IllegalArgumentException(plain);
            };
        } else if (type.isEnum()) {
            return Arrays.stream(type.getEnumConstants())
                    .filter(constant -> constant.toString().equals(plain))
                    .findFirst()
                    .orElseThrow(() -> new IllegalArgumentException(plain));
        } else {
            return text;
        }
    }
}

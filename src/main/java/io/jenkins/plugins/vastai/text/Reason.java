package io.jenkins.plugins.vastai.text;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * Something that a person may have to read, as a case and its arguments instead of a sentence: {@link Texts} turns it
 * into words in the reader's language, on a page, in the agent's log or on the console of the standalone run alike.
 * Records on disk hold reasons, never sentences, so that a changed or translated text also reaches old records.
 *
 * @param key name of the text in the bundle, for example {@code RentalText.BOOT_TIMEOUT}
 * @param args what the text mentions, in the order of its placeholders: texts, reasons within this one, or lists of
 *     them; never a secret
 */
public record Reason(String key, List<Object> args) {

    public Reason {
        Objects.requireNonNull(key, "key");
        args = args == null ? List.of() : args.stream().map(Reason::arg).toList();
    }

    /** Whether this reason is an instance of that case. */
    public boolean is(Kind kind) {
        return key.equals(kind.key());
    }

    /** Everything is kept as text, reason or list; a reason read from JSON arrives as a map. */
    private static Object arg(Object arg) {
        if (arg instanceof Reason) {
            return arg;
        } else if (arg instanceof Map<?, ?> read && read.get("key") instanceof String key) {
            return new Reason(key, read.get("args") instanceof List<?> list ? new ArrayList<>(list) : List.of());
        } else if (arg instanceof Collection<?> many) {
            return many.stream().map(Reason::arg).toList();
        } else {
            return arg == null ? "?" : arg.toString();
        }
    }

    /**
     * A case that has a text in the bundle. Each package lists its own in one enum; a test checks that every constant
     * has its text.
     */
    public interface Kind {
        String name();

        /** The bundle key: the enum's simple name, a dot, the constant's name. */
        default String key() {
            return ((Enum<?>) this).getDeclaringClass().getSimpleName() + "." + name();
        }

        /** @param args in the order of the placeholders; null is shown as {@code ?} */
        default Reason of(Object... args) {
            return new Reason(key(), Arrays.asList(args));
        }
    }
}

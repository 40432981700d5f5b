package io.jenkins.plugins.vastai.text;

import java.text.MessageFormat;
import java.util.Collection;
import java.util.Locale;
import java.util.MissingResourceException;
import java.util.ResourceBundle;
import java.util.stream.Collectors;

/** Renders {@link Reason reasons} from the one bundle {@code Texts.properties} and its translations. Thread-safe. */
public final class Texts {

    private static final String BUNDLE = Texts.class.getName();
    /** A missing translation falls back to the English base bundle, not to the language of the machine. */
    private static final ResourceBundle.Control NO_FALLBACK =
            ResourceBundle.Control.getNoFallbackControl(ResourceBundle.Control.FORMAT_PROPERTIES);

    private Texts() {}

    /** The reason in English: for logs that outlive the reader's session. */
    public static String render(Reason reason) {
        return render(reason, Locale.ROOT);
    }

    /**
     * The reason in the language of {@code locale}, English where there is no translation. An unknown key, as a record
     * of a newer release may hold, is shown with its arguments instead of failing.
     */
    public static String render(Reason reason, Locale locale) {
        try {
            String pattern = ResourceBundle.getBundle(BUNDLE, locale, Texts.class.getClassLoader(), NO_FALLBACK)
                    .getString(reason.key());
            return new MessageFormat(pattern, locale)
                    .format(reason.args().stream()
                            .map(arg -> shown(arg, locale))
                            .toArray())
                    .strip();
        } catch (MissingResourceException e) {
            return reason.args().isEmpty() ? reason.key() : reason.key() + " " + reason.args();
        }
    }

    private static String shown(Object arg, Locale locale) {
        if (arg instanceof Reason inner) {
            return render(inner, locale);
        } else if (arg instanceof Collection<?> many) {
            return many.stream().map(one -> shown(one, locale)).collect(Collectors.joining(" "));
        } else {
            return String.valueOf(arg);
        }
    }
}

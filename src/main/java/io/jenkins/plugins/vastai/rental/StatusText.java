package io.jenkins.plugins.vastai.rental;

import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * Tells from the host's free text that a start has failed for good, and whose fault that is. Fragments and their meaning:
 * docs/market.md, Instances.
 */
final class StatusText {

    /** Whose fault a failed start is. */
    enum Fault {
        /** The host: another machine can do it. */
        MACHINE,
        /** Image or login of the template: no machine can do it. */
        TEMPLATE
    }

    /**
     * @param fault whose fault
     * @param certain false when hosts also show the text for a moment and recover: it must be seen twice
     */
    record Verdict(Fault fault, boolean certain) {}

    private record Fragment(String text, Verdict verdict) {}

    private static final Verdict TEMPLATE = new Verdict(Fault.TEMPLATE, true);
    private static final Verdict MACHINE = new Verdict(Fault.MACHINE, true);
    private static final Verdict MAYBE = new Verdict(Fault.MACHINE, false);

    /** In order: the first that occurs decides, so what names the template comes before the daemon's general words. */
    private static final List<Fragment> FRAGMENTS = List.of(
            new Fragment("toomanyrequests", MAYBE),
            new Fragment("pull rate limit", MAYBE),
            new Fragment("manifest unknown", TEMPLATE),
            new Fragment("manifest for", TEMPLATE),
            new Fragment("repository does not exist", TEMPLATE),
            new Fragment("pull access denied", TEMPLATE),
            new Fragment("unauthorized", TEMPLATE),
            new Fragment("invalid reference format", TEMPLATE),
            new Fragment("exec format error", TEMPLATE),
            new Fragment("oci runtime create failed", MACHINE),
            new Fragment("no space left on device", MAYBE),
            new Fragment("failed to pull image", MAYBE),
            new Fragment("failed to resolve reference", MAYBE),
            new Fragment("unexpected eof", MAYBE),
            new Fragment("no such container", MAYBE),
            new Fragment("nvidia-container", MAYBE),
            new Fragment("unsatisfied condition", MACHINE),
            new Fragment("error response from daemon", MAYBE));

    private StatusText() {}

    static Optional<Verdict> fatal(String statusMessage) {
        if (statusMessage == null) {
            return Optional.empty();
        }
        String text = statusMessage.toLowerCase(Locale.ROOT);
        return FRAGMENTS.stream()
                .filter(fragment -> text.contains(fragment.text()))
                .map(Fragment::verdict)
                .findFirst();
    }

    /** The host's text, made safe to show: one line, no control characters, at most 200 characters. */
    static String shown(String statusMessage) {
        if (statusMessage == null) {
            return "";
        }
        String line = statusMessage.replaceAll("\\p{Cntrl}+", " ").strip();
        return line.length() <= 200 ? line : line.substring(0, 199) + "…";
    }
}

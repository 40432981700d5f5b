package io.jenkins.plugins.vastai.simulator;

import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Keeps scripts and commands inside a machine's directory. Machines run on the developer's own computer, so every
 * absolute path of a place that belongs to the machine (/root, /etc, /tmp, /opt, /var ...) is replaced, as text, by the
 * same place below the directory. Text that reaches a shell encoded is caught by the stand-ins for sh and bash, which
 * apply the same rule. This is no security boundary: it keeps well-meant scripts from leaving traces.
 */
final class PathRewriting {
    private static final String PLACES = "root|opt|tmp|home|workspace|var|srv|mnt|data|run|etc|usr/local|usr/lib/jvm"
            + "|usr/bin/java|usr/bin/git|usr/bin/nvidia-smi|usr/bin/apt-get|usr/bin/curl|usr/bin/wget"
            + "|usr/bin/bash|usr/bin/sh|bin/bash|bin/sh";

    /** A path begins after a space or a sign, not inside a word, a variable's value or an address. */
    private static final Pattern BEGIN =
            Pattern.compile("(?<![A-Za-z0-9_./~}!$)-])(?<![A-Za-z0-9_})][\"'])/(" + PLACES + ")(?![A-Za-z0-9_.-])");

    private final Path base;
    private final Path machine;

    /** @param base what is left alone: the directory of all machines */
    PathRewriting(Path base, Path machine) {
        this.base = base;
        this.machine = machine;
    }

    String inside(String text) {
        Matcher matcher = BEGIN.matcher(text);
        StringBuilder made = new StringBuilder();
        while (matcher.find()) {
            boolean already = text.startsWith(base.toString(), matcher.start());
            String replacement = already ? matcher.group() : machine + "/" + matcher.group(1);
            matcher.appendReplacement(made, Matcher.quoteReplacement(replacement));
        }
        return matcher.appendTail(made).toString();
    }

    /** The same for a path that is given as such, as SFTP does. */
    Path inside(Path path) {
        return !path.isAbsolute() || path.startsWith(base)
                ? path
                : machine.resolve(path.toString().substring(1));
    }

    /**
     * The same as a sed expression, to be applied twice since neighbours share a character. It puts a mark where the
     * machine's directory belongs, so that the second pass leaves the work of the first alone.
     */
    String sed(char mark) {
        return "s#(^|[^A-Za-z0-9_./~}!$)" + mark + "\"'\\''-]|(^|[^A-Za-z0-9_})])[\"'\\''])/(" + PLACES
                + ")($|[^A-Za-z0-9_.-])#\\1" + mark + "/\\3\\4#g";
    }
}

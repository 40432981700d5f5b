package io.jenkins.plugins.vastai;

import hudson.ExtensionList;
import hudson.ExtensionPoint;
import hudson.model.Queue;
import io.jenkins.plugins.vastai.text.Reason;
import io.jenkins.plugins.vastai.text.Texts;
import java.io.IOException;
import java.io.PrintStream;
import java.util.Optional;
import org.kohsuke.accmod.Restricted;
import org.kohsuke.accmod.restrictions.NoExternalUse;

/** The log of a build that already runs while a part of it waits for an agent. One kind of build each. */
@Restricted(NoExternalUse.class)
public abstract class BuildConsole implements ExtensionPoint {

    /**
     * The log of that build, not to be closed; empty for other kinds of builds.
     *
     * @throws IOException when the log cannot be opened
     */
    abstract Optional<PrintStream> of(Queue.Executable build) throws IOException;

    /** What a cloud says in a build's log; one line, whatever hosts wrote. */
    static String line(String cloud, Reason reason) {
        return "[" + cloud + "] "
                + Texts.render(reason).replaceAll("\\p{Cntrl}+", " ").strip();
    }

    static Optional<PrintStream> find(Queue.Executable build) throws IOException {
        for (BuildConsole console : ExtensionList.lookup(BuildConsole.class)) {
            Optional<PrintStream> found = console.of(build);
            if (found.isPresent()) {
                return found;
            }
        }
        return Optional.empty();
    }
}

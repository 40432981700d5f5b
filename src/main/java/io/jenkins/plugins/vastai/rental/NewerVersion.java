package io.jenkins.plugins.vastai.rental;

import io.jenkins.plugins.vastai.text.Reason;
import io.jenkins.plugins.vastai.text.Texts;
import java.io.IOException;
import java.nio.file.Path;

/** A file was written by a newer version of the plugin. It is left as it is. */
public final class NewerVersion extends IOException {

    private static final long serialVersionUID = 1;

    private final transient Reason reason;

    NewerVersion(Path file, int version, int newest) {
        this(RentalText.NEWER_VERSION.of(file, version, newest));
    }

    private NewerVersion(Reason reason) {
        super(Texts.render(reason));
        this.reason = reason;
    }

    /** For people: the file, both versions and the remedy. */
    public Reason reason() {
        return reason;
    }
}

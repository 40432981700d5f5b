package io.jenkins.plugins.vastai.market;

import io.jenkins.plugins.vastai.text.Reason;
import io.jenkins.plugins.vastai.text.Texts;

/** Somebody wrote a value that cannot be used; {@link #reason()} names the setting, the value and the remedy. */
public final class SettingException extends Exception {

    private static final long serialVersionUID = 1;

    private final transient Reason reason;

    SettingException(Reason reason) {
        super(Texts.render(reason));
        this.reason = reason;
    }

    /** What is wrong and what would be right. */
    public Reason reason() {
        return reason;
    }
}

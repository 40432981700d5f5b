package io.jenkins.plugins.vastai;

import hudson.slaves.OfflineCause;
import io.jenkins.plugins.vastai.text.Reason;
import io.jenkins.plugins.vastai.text.Texts;
import org.jvnet.localizer.LocaleProvider;
import org.kohsuke.stapler.export.Exported;
import org.kohsuke.stapler.export.ExportedBean;

/** Why an agent has no machine any more: it was lost, or has been given back. */
@ExportedBean
public final class MachineGone extends OfflineCause {

    private final Reason why;

    MachineGone(Reason why) {
        this.why = why;
    }

    /** The sentence; it may hold what the machine's owner wrote, so whoever makes a page of it escapes it. */
    @Exported(name = "description")
    @Override
    public String toString() {
        return Texts.render(why, LocaleProvider.getLocale());
    }
}

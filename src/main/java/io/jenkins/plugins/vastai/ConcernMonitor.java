package io.jenkins.plugins.vastai;

import hudson.Extension;
import hudson.model.AdministrativeMonitor;
import hudson.security.Permission;
import java.util.List;
import jenkins.model.Jenkins;
import org.kohsuke.accmod.Restricted;
import org.kohsuke.accmod.restrictions.NoExternalUse;

/** Tells admins of one {@link Concern}, whichever page they are on; each can be dismissed for itself. */
@Restricted(NoExternalUse.class) // Jenkins
public final class ConcernMonitor extends AdministrativeMonitor {

    /** What is the matter with a cloud, in the reader's words. */
    public record Told(String cloud, String url, String text) {}

    private final Concern concern;

    private ConcernMonitor(Concern concern) {
        super("vastai-" + concern.name());
        this.concern = concern;
    }

    @Extension
    public static ConcernMonitor badKey() {
        return new ConcernMonitor(Concern.BAD_KEY);
    }

    @Extension
    public static ConcernMonitor lowBalance() {
        return new ConcernMonitor(Concern.LOW_BALANCE);
    }

    @Extension
    public static ConcernMonitor noMatch() {
        return new ConcernMonitor(Concern.NO_MATCH);
    }

    @Extension
    public static ConcernMonitor noWatchdog() {
        return new ConcernMonitor(Concern.NO_WATCHDOG);
    }

    @Extension
    public static ConcernMonitor orphan() {
        return new ConcernMonitor(Concern.ORPHAN);
    }

    @Extension
    public static ConcernMonitor apiChanged() {
        return new ConcernMonitor(Concern.API_CHANGED);
    }

    @Override
    public String getDisplayName() {
        return switch (concern) {
            case BAD_KEY -> Messages.Concern_BAD_KEY();
            case LOW_BALANCE -> Messages.Concern_LOW_BALANCE();
            case NO_MATCH -> Messages.Concern_NO_MATCH();
            case NO_WATCHDOG -> Messages.Concern_NO_WATCHDOG();
            case ORPHAN -> Messages.Concern_ORPHAN();
            case API_CHANGED -> Messages.Concern_API_CHANGED();
        };
    }

    @Override
    public boolean isActivated() {
        return !concern.warnings().isEmpty();
    }

    /** Says no more than the cloud's own page. */
    @Override
    public Permission getRequiredPermission() {
        return Jenkins.SYSTEM_READ;
    }

    public List<Told> getWarnings() {
        Shown shown = Shown.forRequest();
        return concern.warnings().stream()
                .map(warning -> new Told(
                        warning.cloud().getName(), "manage/" + warning.cloud().getUrl(), shown.text(warning.reason())))
                .toList();
    }
}

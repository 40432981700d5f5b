package io.jenkins.plugins.vastai;

import edu.umd.cs.findbugs.annotations.CheckForNull;
import hudson.Extension;
import hudson.model.AdministrativeMonitor;
import io.jenkins.plugins.vastai.rental.ControllerIdentity;
import io.jenkins.plugins.vastai.rental.Suspicion;
import io.jenkins.plugins.vastai.text.Texts;
import java.io.IOException;
import java.util.Optional;
import jenkins.model.Jenkins;
import org.jvnet.localizer.LocaleProvider;
import org.kohsuke.accmod.Restricted;
import org.kohsuke.accmod.restrictions.DoNotUse;
import org.kohsuke.stapler.HttpResponse;
import org.kohsuke.stapler.HttpResponses;
import org.kohsuke.stapler.verb.POST;

/**
 * Asks an administrator when another controller may be using this one's identity, as copied homes do: only a person knows
 * which of the two is the copy.
 */
@Extension
public final class IdentityMonitor extends AdministrativeMonitor {

    @Override
    public String getDisplayName() {
        return Messages.IdentityMonitor_displayName();
    }

    @Override
    public boolean isActivated() {
        return suspicion().isPresent();
    }

    @Override
    public boolean isSecurity() {
        return false;
    }

    /** What was noticed, and what is held back meanwhile; null when there is nothing any more. */
    @CheckForNull
    @Restricted(DoNotUse.class) // message.jelly
    public String getReason() {
        return suspicion()
                .map(suspicion -> Texts.render(suspicion.reason(), LocaleProvider.getLocale()))
                .orElse(null);
    }

    private static Optional<Suspicion> suspicion() {
        return Fleets.lookup().flatMap(Fleets::identity).flatMap(ControllerIdentity::suspicion);
    }

    /** This is the only controller of the identity: everything goes on. */
    @POST
    @Restricted(DoNotUse.class) // stapler
    public HttpResponse doKeep() throws IOException {
        Jenkins.get().checkPermission(Jenkins.ADMINISTER);
        if (isActivated()) { // else somebody decided before: nothing may change behind his back
            Fleets.get().keepIdentity();
        }
        return HttpResponses.forwardToPreviousPage();
    }

    /** This is the copy: it goes on under an identity of its own. */
    @POST
    @Restricted(DoNotUse.class) // stapler
    public HttpResponse doRenew() throws IOException {
        Jenkins.get().checkPermission(Jenkins.ADMINISTER);
        if (isActivated()) {
            Fleets.get().renewIdentity();
        }
        return HttpResponses.forwardToPreviousPage();
    }
}

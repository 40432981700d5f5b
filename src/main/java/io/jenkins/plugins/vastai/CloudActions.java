package io.jenkins.plugins.vastai;

import edu.umd.cs.findbugs.annotations.CheckForNull;
import hudson.Util;
import hudson.model.Api;
import hudson.model.Computer;
import hudson.model.ModelObject;
import hudson.security.Permission;
import hudson.slaves.Cloud;
import io.jenkins.plugins.vastai.market.Ban;
import io.jenkins.plugins.vastai.rental.Draw;
import io.jenkins.plugins.vastai.rental.Fleet;
import io.jenkins.plugins.vastai.rental.Rental;
import io.jenkins.plugins.vastai.text.Reason;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import jenkins.model.Jenkins;
import jenkins.security.stapler.StaplerNotDispatchable;
import org.kohsuke.accmod.Restricted;
import org.kohsuke.accmod.restrictions.NoExternalUse;
import org.kohsuke.stapler.HttpResponse;
import org.kohsuke.stapler.HttpResponses;
import org.kohsuke.stapler.QueryParameter;
import org.kohsuke.stapler.verb.POST;

/**
 * What people may do to a running cloud. Each returns at once; the engine does the rest, and the page shows it. Ordering
 * less or again needs {@link Cloud#PROVISION}, destroying {@link Computer#DELETE} on the agent. Its page shows the cloud's
 * state to users who may act on the cloud but not read the system: they must see a blocked machine to unblock it.
 */
@Restricted(NoExternalUse.class) // buttons
public final class CloudActions implements ModelObject {

    /** Bans that are made here; their note is who made them. */
    static final String SOURCE = "page";

    private final VastAiCloud cloud;

    CloudActions(VastAiCloud cloud) {
        this.cloud = cloud;
    }

    @Override
    public String getDisplayName() {
        return cloud.getDisplayName();
    }

    /** Whose state the page shows. */
    @StaplerNotDispatchable
    public VastAiCloud getCloud() {
        return cloud;
    }

    /** For the layout: one of them is enough. */
    @StaplerNotDispatchable
    public Permission[] getPermissions() {
        return CloudPermissions.permissions();
    }

    /** As {@link VastAiCloud#getRental}; the page asks who may see it. */
    @CheckForNull
    public RentalPage getRental(String id) {
        return cloud.getRental(id);
    }

    /** As {@link VastAiCloud#getApi}. */
    public Api getApi() {
        CloudPermissions.checkSeeState(cloud);
        return cloud.getApi();
    }

    /** Nothing new is ordered; running builds go on. */
    @POST
    public HttpResponse doPause() throws IOException {
        cloud.checkPermission(Cloud.PROVISION);
        Fleets.get().pauses().pause(cloud.getName(), new Pauses.Pause(user(), System.currentTimeMillis()));
        return back();
    }

    /** Ends a pause. */
    @POST
    public HttpResponse doResume() throws IOException {
        cloud.checkPermission(Cloud.PROVISION);
        Fleets.get().pauses().resume(cloud.getName());
        Fleets.get().reviewer().dirty();
        return back();
    }

    /**
     * Ends the rest of templates that failed, and asks the market again whether the account can rent.
     *
     * @param template of this cloud; all of them when empty
     */
    @POST
    public HttpResponse doTryNow(@QueryParameter String template) {
        cloud.checkPermission(Cloud.PROVISION);
        List<String> templates = Util.fixNull(template).isEmpty()
                ? cloud.getTemplates().stream().map(VastAiTemplate::getName).toList()
                : List.of(template);
        templates.forEach(name -> Fleets.get().circuits().release(cloud.getName(), name));
        fleet().ifPresent(Fleet::retryAccount);
        Fleets.get().reviewer().dirty();
        return back();
    }

    /**
     * Destroys the machine of a rental, and with it what runs there.
     *
     * @param next {@code computer} when it was asked for on the agent's page, which goes with the machine
     */
    @POST
    public HttpResponse doDestroy(@QueryParameter String rental, @QueryParameter String next) {
        if (find(rental).isEmpty()) {
            // Whoever may destroy nothing does not learn which rentals there are.
            Jenkins.get().checkAnyPermission(Computer.DELETE, Jenkins.ADMINISTER);
        }
        Rental known = rental(rental);
        checkDestroy(VastAiComputer.of(known).orElse(null));
        Reason why = AgentText.DESTROYED_BY.of(known.order().agent(), user());
        // The rental first: hung up on, the build would end, and that would be the reason that is told.
        Fleets.get().all().forEach(fleet -> fleet.retire(known.id(), why));
        return "computer".equals(next) ? HttpResponses.redirectViaContextPath("computer/") : back();
    }

    /** Leaves the machine that a rental has, or had last, alone from now on; what runs there goes on. */
    @POST
    public HttpResponse doBlock(@QueryParameter String rental) {
        cloud.checkPermission(Cloud.PROVISION);
        List<Draw> draws = rental(rental).draws();
        if (draws.isEmpty()) {
            throw HttpResponses.error(409, Messages.CloudActions_noMachine(rental));
        }
        Draw draw = draws.get(draws.size() - 1);
        Ban ban = new Ban(Ban.Kind.MACHINE, draw.machineId(), user(), null, SOURCE);
        fleet().ifPresent(fleet -> fleet.blocks(list -> list.with(ban)));
        return back();
    }

    /** The machine may be rented again, whatever was learned of it; what the configuration says of it stays. */
    @POST
    public HttpResponse doUnblock(@QueryParameter long machine) {
        cloud.checkPermission(Cloud.PROVISION);
        fleet().ifPresent(fleet ->
                fleet.blocks(list -> list.without(machine).without(SOURCE, Ban.Kind.MACHINE, machine)));
        return back();
    }

    static boolean mayDestroy(@CheckForNull Computer computer) {
        return computer != null && computer.hasPermission(Computer.DELETE)
                || Jenkins.get().hasPermission(Jenkins.ADMINISTER);
    }

    private static void checkDestroy(@CheckForNull Computer computer) {
        if (!mayDestroy(computer)) {
            if (computer == null) {
                Jenkins.get().checkPermission(Jenkins.ADMINISTER);
            } else {
                computer.checkPermission(Computer.DELETE);
            }
        }
    }

    private Rental rental(@CheckForNull String id) {
        return find(id).orElseThrow(() -> HttpResponses.error(404, Messages.CloudActions_noRental(Util.fixNull(id))));
    }

    private Optional<Rental> find(@CheckForNull String id) {
        return Fleets.get()
                .rentals()
                .filter(rental ->
                        rental.id().equals(id) && rental.order().cloud().equals(cloud.getName()))
                .findFirst();
    }

    private Optional<Fleet> fleet() {
        return Fleets.get().fleet(FleetKey.of(cloud).id());
    }

    private static String user() {
        return Jenkins.getAuthentication2().getName();
    }

    /** To the page that has the button; without one, for example from a script, to the cloud's. */
    private static HttpResponse back() {
        return HttpResponses.forwardToPreviousPage();
    }
}

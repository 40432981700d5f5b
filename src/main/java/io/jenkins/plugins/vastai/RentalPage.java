package io.jenkins.plugins.vastai;

import edu.umd.cs.findbugs.annotations.CheckForNull;
import hudson.Util;
import hudson.model.ModelObject;
import hudson.security.Permission;
import io.jenkins.plugins.vastai.rental.Draw;
import io.jenkins.plugins.vastai.rental.Line;
import io.jenkins.plugins.vastai.rental.Reach;
import io.jenkins.plugins.vastai.rental.Rental;
import io.jenkins.plugins.vastai.rental.RentalText;
import io.jenkins.plugins.vastai.ssh.SshText;
import io.jenkins.plugins.vastai.text.Reason;
import java.util.List;
import java.util.Optional;
import org.kohsuke.accmod.Restricted;
import org.kohsuke.accmod.restrictions.NoExternalUse;
import org.kohsuke.stapler.StaplerProxy;

/** All about one rental: on a page of its own, which outlives the agent, and on the agent's. */
@Restricted(NoExternalUse.class) // rental.jelly
public final class RentalPage implements ModelObject, StaplerProxy {

    /** The market's own page of instances; there is none for a single one. */
    private static final String CONSOLE = "https://cloud.vast.ai/instances/";

    /** One line of a story. */
    public record Told(String at, String text) {}

    /** One try at a machine. */
    public record Try(
            int number, String machine, String gpus, String place, String price, String instance, String outcome) {}

    private final VastAiCloud cloud;
    private final Rental rental;
    private final Shown shown = Shown.forRequest();

    RentalPage(VastAiCloud cloud, Rental rental) {
        this.cloud = cloud;
        this.rental = rental;
    }

    @Override
    public Object getTarget() {
        CloudPermissions.checkSeeState(cloud);
        return this;
    }

    /** For the layout: one of them is enough. */
    public Permission[] getPermissions() {
        return CloudPermissions.permissions();
    }

    @Override
    public String getDisplayName() {
        return Messages.RentalPage_title(rental.id());
    }

    public RentalRow getRow() {
        return RentalRow.of(rental, cloud, shown);
    }

    /** Below Jenkins' own address, with a slash at its end. */
    public String getActions() {
        return VastAiActions.URL + "/" + Util.rawEncode(cloud.getName()) + "/";
    }

    public String getCloudName() {
        return cloud.getName();
    }

    public String getInstanceType() {
        return rental.order().spec().instanceType();
    }

    public String getMachineImage() {
        return rental.order().spec().machineImage();
    }

    public boolean isVm() {
        return rental.order().spec().vm();
    }

    public String getOrderedAt() {
        return shown.time(rental.orderedAt());
    }

    /** Contract at the market; null while there is none. */
    @CheckForNull
    public String getInstance() {
        return latest().map(Draw::instanceId).map(String::valueOf).orElse(null);
    }

    /** Owner of the machine; null before the first try. */
    @CheckForNull
    public String getHost() {
        return latest().map(Draw::hostId).map(String::valueOf).orElse(null);
    }

    /** Where the account's owner looks after instances; null when the market is another one. */
    @CheckForNull
    public String getConsole() {
        return cloud.getApiUrl().equals(VastAiCloud.API_URL) ? CONSOLE : null;
    }

    /** What the machine itself calls its GPUs; null before it was asked. */
    @CheckForNull
    public String getSeenGpus() {
        return reach().map(Reach::gpus).orElse(null);
    }

    /** Version of the GPU driver; null before the machine was asked. */
    @CheckForNull
    public String getDriver() {
        return last(SshText.GPUS)
                .map(line -> String.valueOf(line.reason().args().get(1)))
                .orElse(null);
    }

    /** Null before the machine could be reached. */
    @CheckForNull
    public String getAddress() {
        return reach().map(Reach::endpoint).map(Object::toString).orElse(null);
    }

    public Timeline getTimeline() {
        return Timeline.of(rental, shown);
    }

    public List<Try> getTries() {
        return rental.draws().stream()
                .map(draw -> new Try(
                        draw.number(),
                        Messages.CloudPage_machineBlocked(
                                Long.toString(draw.machineId()), Long.toString(draw.hostId())),
                        draw.gpus(),
                        RentalRow.tidy(draw.place()),
                        draw.pricePerHour() == null ? "" : Shown.price(draw.pricePerHour()),
                        draw.instanceId() == null ? "" : draw.instanceId().toString(),
                        draw.failure() == null ? "" : shown.text(draw.failure())))
                .toList();
    }

    /** Last words of the latest container that failed; null when there are none. */
    @CheckForNull
    public String getLastWords() {
        return last(RentalText.CONTAINER_LOG)
                .map(line -> shown.text(line.reason()).replace(" | ", "\n"))
                .orElse(null);
    }

    public List<Told> getStory() {
        return rental.story().stream()
                .map(line -> new Told(shown.time(line.at()), shown.text(line.reason())))
                .toList();
    }

    private Optional<Draw> latest() {
        List<Draw> draws = rental.draws();
        return draws.isEmpty() ? Optional.empty() : Optional.of(draws.get(draws.size() - 1));
    }

    private Optional<Reach> reach() {
        return Optional.ofNullable(rental.reach());
    }

    private Optional<Line> last(Reason.Kind kind) {
        return rental.story().stream().filter(line -> line.reason().is(kind)).reduce((first, second) -> second);
    }
}

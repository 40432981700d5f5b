package io.jenkins.plugins.vastai;

import edu.umd.cs.findbugs.annotations.CheckForNull;
import hudson.Util;
import hudson.slaves.Cloud;
import io.jenkins.plugins.vastai.market.Ban;
import io.jenkins.plugins.vastai.market.Block;
import io.jenkins.plugins.vastai.rental.Fleet;
import io.jenkins.plugins.vastai.rental.Rental;
import io.jenkins.plugins.vastai.rental.RentalText;
import io.jenkins.plugins.vastai.rental.State;
import java.time.Instant;
import java.util.Comparator;
import java.util.List;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.kohsuke.accmod.Restricted;
import org.kohsuke.accmod.restrictions.NoExternalUse;
import org.kohsuke.stapler.Stapler;
import org.kohsuke.stapler.StaplerRequest2;

/**
 * What the page of a cloud shows, at one moment: whatever outlives the agents. Reads what the engine knows and asks the
 * market nothing.
 */
@Restricted(NoExternalUse.class) // status.jelly
public final class CloudPage {

    /** Rentals on one page; more than that nobody reads, and five hundred must not slow the page down. */
    static final int ROWS = 100;

    /** Rows of the smaller tables. */
    static final int FEW = 10;

    /** A template that is not rented for, because of a failure. */
    public record Resting(String template, String why, String until) {}

    /**
     * A machine that is left alone.
     *
     * @param mayAllow whether that can be ended here: what the configuration says cannot
     */
    public record Left(long id, String machine, String why, String since, String until, boolean mayAllow) {}

    /** A rental that failed, and what to do about it. */
    public record Failure(String id, String at, String template, String why) {}

    /** An instance of ours that no rental knew of. */
    public record Found(String at, String instance, String what, String state) {}

    private final VastAiCloud cloud;
    private final Shown shown = Shown.forRequest();
    private final CloudFacts facts;
    private final int skipAlive;
    private final int skipEnded;

    /**
     * @param skipAlive rentals that have not ended and are not shown, newest first
     * @param skipEnded rentals that have ended and are not shown, newest first
     */
    CloudPage(VastAiCloud cloud, int skipAlive, int skipEnded) {
        this.cloud = cloud;
        this.facts = CloudFacts.of(cloud, shown.now(), shown.zone());
        this.skipAlive = skipAlive;
        this.skipEnded = skipEnded;
    }

    /** How many rows the address of the page says to skip; 0 when it says nothing, or nonsense. */
    static int asked(String what) {
        StaplerRequest2 request = Stapler.getCurrentRequest2();
        String number = request == null ? null : request.getParameter(what);
        return number != null && number.matches("[0-9]{1,6}") ? Integer.parseInt(number) : 0;
    }

    public boolean isMayOperate() {
        return cloud.hasPermission(Cloud.PROVISION);
    }

    public String getTime() {
        return shown.time(shown.now());
    }

    /** Below Jenkins' own address, with a slash at its end. */
    public String getActions() {
        return VastAiActions.URL + "/" + Util.rawEncode(cloud.getName()) + "/";
    }

    /** Who paused the cloud and when; null when it is not paused. */
    @CheckForNull
    public String getPaused() {
        return facts.pause()
                .map(pause -> Messages.CloudPage_paused(pause.by(), shown.time(Instant.ofEpochMilli(pause.at()))))
                .orElse(null);
    }

    /** What keeps the account from renting; null when all is well. */
    @CheckForNull
    public String getTrouble() {
        return facts.trouble().map(shown::text).orElse(null);
    }

    // ---- numbers

    public long getMachines() {
        return facts.alive().size();
    }

    public String getOfCap() {
        return cloud.getInstanceCap() > 0
                ? Messages.CloudPage_ofCap(String.valueOf(cloud.getInstanceCap()))
                : Messages.CloudPage_noCap();
    }

    public long getComing() {
        return count(rental -> rental.needed() && rental.state().coming());
    }

    public long getServing() {
        return count(rental -> rental.state() == State.IN_SERVICE);
    }

    public long getIdle() {
        return count(rental -> VastAiComputer.of(rental)
                .filter(computer -> computer.isOnline() && computer.isIdle())
                .isPresent());
    }

    public long getLeaving() {
        return count(rental -> rental.state() == State.RETIRING);
    }

    private long count(Predicate<Rental> which) {
        return facts.alive().stream().filter(which).count();
    }

    /** Of all machines that exist at the market now. */
    public String getPricePerHour() {
        return Shown.sum(facts.pricePerHour());
    }

    public String getSpentToday() {
        return Shown.sum(facts.spentToday());
    }

    public String getSpentThisMonth() {
        return Shown.sum(facts.spentThisMonth());
    }

    /** Null while nobody had to ask. */
    @CheckForNull
    public String getCredit() {
        return facts.fleet().flatMap(Fleet::credit).map(Shown::sum).orElse(null);
    }

    // ---- tables

    /** Those that have not ended, newest first. */
    public Part<RentalRow> getAlive() {
        return part(facts.alive(), skipAlive);
    }

    /** Those that have, newest first. */
    public Part<RentalRow> getEnded() {
        return part(
                facts.rentals().stream()
                        .filter(rental -> rental.state().ended())
                        .sorted(Comparator.comparing(Rental::since).reversed())
                        .toList(),
                skipEnded);
    }

    private Part<RentalRow> part(List<Rental> all, int skip) {
        return Part.of(all, skip, ROWS, rental -> RentalRow.of(rental, cloud, shown));
    }

    public List<Resting> getResting() {
        return cloud.getTemplates().stream()
                .flatMap(template -> Fleets.lookup().stream()
                        .flatMap(fleets -> fleets.circuits().resting(cloud, template).stream())
                        .map(rest -> new Resting(template.getName(), shown.text(rest.why()), shown.time(rest.until()))))
                .toList();
    }

    /** Shared by all clouds of the same account. */
    public List<Left> getBlocked() {
        return Stream.concat(
                        facts.bans(shown.now()).stream().map(this::left),
                        facts.blocks(shown.now()).stream().map(this::left))
                .limit(ROWS)
                .toList();
    }

    private Left left(Ban ban) {
        boolean machine = ban.kind() == Ban.Kind.MACHINE;
        boolean here = ban.source().equals(CloudActions.SOURCE);
        String id = Long.toString(ban.id());
        return new Left(
                ban.id(),
                machine ? Messages.CloudPage_machineBanned(id) : Messages.CloudPage_hostBanned(id),
                here ? Messages.CloudPage_bannedBy(ban.note()) : Messages.CloudPage_bannedFor(ban.note()),
                "",
                ban.until() == null ? Messages.CloudPage_forEver() : shown.time(ban.until()),
                machine && here);
    }

    private Left left(Block block) {
        String machine =
                Messages.CloudPage_machineBlocked(Long.toString(block.machineId()), Long.toString(block.hostId()));
        return new Left(
                block.machineId(),
                machine,
                shown.text(block.reason()),
                shown.time(block.since()),
                shown.time(block.until()),
                true);
    }

    /** The newest failures. */
    public List<Failure> getFailures() {
        return facts.rentals().stream()
                .filter(rental -> rental.failed() && rental.why() != null && !orphan(rental))
                .limit(FEW)
                .map(rental -> new Failure(
                        rental.id(), shown.time(rental.since()), rental.order().template(), shown.text(rental.why())))
                .toList();
    }

    /** What was found at the market without a rental, by whichever cloud it once was ordered: newest first. */
    public List<Found> getFound() {
        return facts.fleet().map(Fleet::reaped).orElse(List.of()).stream()
                .limit(FEW)
                .map(reaped -> new Found(
                        shown.time(reaped.at()),
                        Long.toString(reaped.instance()),
                        shown.text(reaped.reason()),
                        facts.fleet()
                                .flatMap(known -> known.rental(reaped.rental()))
                                .map(rental -> RentalRow.state(rental.state()))
                                .orElse("")))
                .toList();
    }

    private static boolean orphan(Rental rental) {
        return rental.why() != null && rental.why().is(RentalText.ORPHAN);
    }

    public List<TemplateFigures> getTemplates() {
        return TemplateFigures.of(cloud, facts.rentals(), facts.spentThisMonthByTemplate());
    }

    public Chart getSpendChart() {
        return Chart.spend(facts.spend(), shown);
    }

    public Chart getMachineChart() {
        return Chart.machines(facts.rentals(), shown);
    }
}

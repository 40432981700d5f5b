package io.jenkins.plugins.vastai;

import edu.umd.cs.findbugs.annotations.CheckForNull;
import hudson.model.Computer;
import io.jenkins.plugins.vastai.market.AllInPrice;
import io.jenkins.plugins.vastai.market.Block;
import io.jenkins.plugins.vastai.rental.Cost;
import io.jenkins.plugins.vastai.rental.Draw;
import io.jenkins.plugins.vastai.rental.Fleet;
import io.jenkins.plugins.vastai.rental.Line;
import io.jenkins.plugins.vastai.rental.Rental;
import io.jenkins.plugins.vastai.rental.State;
import io.jenkins.plugins.vastai.text.Reason;
import io.jenkins.plugins.vastai.text.Texts;
import java.time.Instant;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.jvnet.localizer.LocaleProvider;
import org.kohsuke.accmod.Restricted;
import org.kohsuke.accmod.restrictions.NoExternalUse;

/**
 * What the page of a cloud shows, at one moment: whatever outlives the agents. Reads what the engine knows and asks the
 * market nothing.
 */
@Restricted(NoExternalUse.class) // main.jelly
public final class CloudPage {

    /** More rows help nobody. */
    static final int ROWS = 100;

    private static final DateTimeFormatter TIME =
            DateTimeFormatter.ofPattern("yyyy-MM-dd HH:mm:ss").withZone(ZoneId.systemDefault());

    /** One line of a story. */
    public record Told(String at, String text) {}

    /** A template that is not rented for, because of a failure. */
    public record Resting(String template, String why, String until) {}

    /** A machine that is left alone. */
    public record Left(String machine, String why, String since, String until) {}

    /**
     * One rental.
     *
     * @param agentUrl relative to Jenkins' own address; null when the agent is gone
     * @param machine of the latest try; empty before the first
     * @param price $ per hour all-in; empty before the first try
     * @param cost $ so far
     * @param since when it entered the state
     */
    public record Row(
            String id,
            String state,
            String template,
            String agent,
            @CheckForNull String agentUrl,
            String machine,
            String gpus,
            String place,
            String price,
            String cost,
            String since,
            String last,
            List<Told> story) {}

    private final VastAiCloud cloud;
    private final Instant now = Instant.now();
    private final Locale locale = LocaleProvider.getLocale();
    private final Optional<Fleet> fleet;
    private final List<Rental> rentals;

    CloudPage(VastAiCloud cloud) {
        this.cloud = cloud;
        Optional<Fleets> fleets = Fleets.lookup();
        fleet = fleets.flatMap(all -> all.fleet(FleetKey.of(cloud).id()));
        // Of every fleet: the cloud may have had another key or market before.
        rentals = fleets.stream()
                .flatMap(Fleets::rentals)
                .filter(rental -> rental.order().cloud().equals(cloud.getName()))
                .sorted(Comparator.comparing(Rental::orderedAt).reversed())
                .toList();
    }

    /** What keeps the account from renting; null when all is well. */
    @CheckForNull
    public String getTrouble() {
        return Fleets.lookup()
                .flatMap(Fleets::trouble)
                .or(() -> fleet.flatMap(Fleet::trouble))
                .map(this::text)
                .orElse(null);
    }

    public List<Resting> getResting() {
        return cloud.getTemplates().stream()
                .flatMap(template -> Fleets.lookup().stream()
                        .flatMap(fleets -> fleets.circuits().resting(cloud, template).stream())
                        .map(rest -> new Resting(template.getName(), text(rest.why()), TIME.format(rest.until()))))
                .toList();
    }

    /** Newest first. */
    public List<Row> getRentals() {
        return rentals.stream().limit(ROWS).map(this::row).toList();
    }

    /** How many rentals the table leaves out; null when it shows all. */
    @CheckForNull
    public String getMore() {
        return rentals.size() > ROWS ? Messages.CloudPage_more(rentals.size() - ROWS) : null;
    }

    /** Shared by all clouds of the same account. */
    public List<Left> getBlocked() {
        return fleet.map(Fleet::blocks).orElse(List.of()).stream()
                .filter(block -> block.activeAt(now))
                .limit(ROWS)
                .map(this::left)
                .toList();
    }

    private Left left(Block block) {
        String machine =
                Messages.CloudPage_machineBlocked(Long.toString(block.machineId()), Long.toString(block.hostId()));
        return new Left(machine, text(block.reason()), TIME.format(block.since()), TIME.format(block.until()));
    }

    private Row row(Rental rental) {
        List<Draw> draws = rental.draws();
        Optional<Draw> draw = draws.isEmpty() ? Optional.empty() : Optional.of(draws.get(draws.size() - 1));
        return new Row(
                rental.id(),
                text(rental.state()),
                rental.order().template(),
                rental.order().agent(),
                VastAiComputer.of(rental).map(Computer::getUrl).orElse(null),
                draw.map(d -> Long.toString(d.machineId())).orElse(""),
                draw.map(Draw::gpus).orElse(""),
                draw.map(Draw::place).map(CloudPage::tidy).orElse(""),
                draw.map(Draw::pricePerHour).map(AllInPrice::show).orElse(""),
                AllInPrice.show(Cost.of(rental, now)),
                TIME.format(rental.since()),
                text(rental.last().reason()),
                rental.story().stream().map(this::told).toList());
    }

    /** Owners write places as they like: {@code ", US"} is common. */
    private static String tidy(String place) {
        return place.replaceFirst("^[,\\s]+", "");
    }

    private Told told(Line line) {
        return new Told(TIME.format(line.at()), text(line.reason()));
    }

    private String text(Reason reason) {
        return Texts.render(reason, locale);
    }

    private static String text(State state) {
        return switch (state) {
            case ORDERED -> Messages.CloudPage_ORDERED();
            case RENTING -> Messages.CloudPage_RENTING();
            case BOOTING -> Messages.CloudPage_BOOTING();
            case REACHABLE -> Messages.CloudPage_REACHABLE();
            case IN_SERVICE -> Messages.CloudPage_IN_SERVICE();
            case RETIRING -> Messages.CloudPage_RETIRING();
            case DESTROYED -> Messages.CloudPage_DESTROYED();
            case FAILED -> Messages.CloudPage_FAILED();
        };
    }
}

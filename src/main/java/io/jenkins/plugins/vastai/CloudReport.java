package io.jenkins.plugins.vastai;

import edu.umd.cs.findbugs.annotations.CheckForNull;
import io.jenkins.plugins.vastai.market.Block;
import io.jenkins.plugins.vastai.rental.Cost;
import io.jenkins.plugins.vastai.rental.Draw;
import io.jenkins.plugins.vastai.rental.Rental;
import io.jenkins.plugins.vastai.text.Texts;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.time.Instant;
import java.time.ZoneId;
import java.util.List;
import java.util.Optional;
import org.kohsuke.accmod.Restricted;
import org.kohsuke.accmod.restrictions.NoExternalUse;
import org.kohsuke.stapler.export.Exported;
import org.kohsuke.stapler.export.ExportedBean;

/**
 * The state of a cloud for programs: {@code api/json}, where {@code tree} chooses fields and rows. Numbers are numbers,
 * moments are ISO 8601, texts are English.
 *
 * @param paused whether nothing new is ordered
 * @param trouble what keeps the account from renting; null when all is well
 * @param machines that count to the cap
 * @param cap 0 for none
 * @param pricePerHour $ for everything that exists at the market now
 * @param spentToday $, in the controller's time zone
 * @param spentThisMonth $
 * @param rentals newest first
 */
@ExportedBean(defaultVisibility = 2)
@Restricted(NoExternalUse.class) // Stapler
public record CloudReport(
        @Exported String name,
        @Exported boolean paused,
        @Exported @CheckForNull String trouble,
        @Exported int machines,
        @Exported int cap,
        @Exported double pricePerHour,
        @Exported double spentToday,
        @Exported double spentThisMonth,
        @Exported List<OneRental> rentals,
        @Exported List<BlockedMachine> blocked) {

    /**
     * One rental.
     *
     * @param ready when its agent first came online; null before
     * @param run that used it first; null before
     * @param why what ended it; null while it is needed
     */
    @ExportedBean(defaultVisibility = 2)
    public record OneRental(
            @Exported String id,
            @Exported String template,
            @Exported String agent,
            @Exported String state,
            @Exported String since,
            @Exported String ordered,
            @Exported @CheckForNull String ready,
            @Exported @CheckForNull Long machine,
            @Exported @CheckForNull Long host,
            @Exported @CheckForNull Long instance,
            @Exported @CheckForNull String gpus,
            @Exported @CheckForNull String place,
            @Exported @CheckForNull Double pricePerHour,
            @Exported double cost,
            @Exported int tries,
            @Exported @CheckForNull String run,
            @Exported boolean failed,
            @Exported @CheckForNull String why,
            @Exported String last) {

        static OneRental of(Rental rental, Instant now) {
            List<Draw> draws = rental.draws();
            Optional<Draw> draw = draws.isEmpty() ? Optional.empty() : Optional.of(draws.get(draws.size() - 1));
            return new OneRental(
                    rental.id(),
                    rental.order().template(),
                    rental.order().agent(),
                    rental.state().name(),
                    rental.since().toString(),
                    rental.orderedAt().toString(),
                    rental.onlineAt() == null ? null : rental.onlineAt().toString(),
                    draw.map(Draw::machineId).orElse(null),
                    draw.map(Draw::hostId).orElse(null),
                    draw.map(Draw::instanceId).orElse(null),
                    draw.map(Draw::gpus).orElse(null),
                    draw.map(Draw::place).map(RentalRow::tidy).orElse(null),
                    draw.map(Draw::pricePerHour).map(CloudReport::number).orElse(null),
                    number(Cost.of(rental, now)),
                    draws.size(),
                    RentalRow.used(rental).isEmpty() ? null : rental.usedBy(),
                    rental.failed(),
                    rental.why() == null ? null : Texts.render(rental.why()),
                    Texts.render(rental.last().reason()));
        }
    }

    /** A machine that is left alone. */
    @ExportedBean(defaultVisibility = 2)
    public record BlockedMachine(
            @Exported long machine,
            @Exported long host,
            @Exported String since,
            @Exported String until,
            @Exported String why) {

        static BlockedMachine of(Block block) {
            return new BlockedMachine(
                    block.machineId(),
                    block.hostId(),
                    block.since().toString(),
                    block.until().toString(),
                    Texts.render(block.reason()));
        }
    }

    static CloudReport of(VastAiCloud cloud) {
        Instant now = Instant.now();
        CloudFacts facts = CloudFacts.of(cloud, now, ZoneId.systemDefault());
        return new CloudReport(
                cloud.getName(),
                facts.pause().isPresent(),
                facts.trouble().map(Texts::render).orElse(null),
                facts.alive().size(),
                cloud.getInstanceCap(),
                number(facts.pricePerHour()),
                number(facts.spentToday()),
                number(facts.spentThisMonth()),
                facts.rentals().stream()
                        .map(rental -> OneRental.of(rental, now))
                        .toList(),
                facts.blocks(now).stream().map(BlockedMachine::of).toList());
    }

    /** To a millionth of a dollar. */
    private static double number(BigDecimal dollars) {
        return dollars.setScale(6, RoundingMode.HALF_UP).doubleValue();
    }
}

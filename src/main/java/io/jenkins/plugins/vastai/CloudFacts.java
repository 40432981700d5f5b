package io.jenkins.plugins.vastai;

import io.jenkins.plugins.vastai.market.Ban;
import io.jenkins.plugins.vastai.market.Block;
import io.jenkins.plugins.vastai.rental.Draw;
import io.jenkins.plugins.vastai.rental.Fleet;
import io.jenkins.plugins.vastai.rental.Rental;
import io.jenkins.plugins.vastai.rental.Spend;
import io.jenkins.plugins.vastai.text.Reason;
import java.math.BigDecimal;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneId;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.stream.Collectors;

/**
 * How a cloud stands at one moment, for people and programs alike. Reads what the engine knows and asks the market
 * nothing.
 *
 * @param fleet that the cloud orders from; empty before its first order
 * @param rentals of the cloud, newest first; of every fleet, since the cloud may have had another key or market before
 * @param alive those that have not ended
 * @param today in the controller's time zone
 * @param spend of the cloud, since the month or the chart begins, whichever was first
 */
record CloudFacts(
        VastAiCloud cloud,
        Optional<Fleet> fleet,
        List<Rental> rentals,
        List<Rental> alive,
        LocalDate today,
        List<Spend.Amount> spend) {

    static CloudFacts of(VastAiCloud cloud, Instant now, ZoneId zone) {
        Optional<Fleets> fleets = Fleets.lookup();
        List<Rental> rentals = fleets.stream()
                .flatMap(Fleets::rentals)
                .filter(rental -> rental.order().cloud().equals(cloud.getName()))
                .sorted(Comparator.comparing(Rental::orderedAt).reversed())
                .toList();
        LocalDate today = LocalDate.ofInstant(now, zone);
        LocalDate month = today.withDayOfMonth(1);
        LocalDate chart = Chart.firstDay(today);
        LocalDate from = month.isBefore(chart) ? month : chart;
        return new CloudFacts(
                cloud,
                fleets.flatMap(all -> all.fleet(FleetKey.of(cloud).id())),
                rentals,
                rentals.stream().filter(rental -> !rental.state().ended()).toList(),
                today,
                fleets.stream()
                        .flatMap(Fleets::all)
                        .flatMap(one -> one.spend(from).stream())
                        .filter(amount -> amount.cloud().equals(cloud.getName()))
                        .toList());
    }

    Optional<Pauses.Pause> pause() {
        return Fleets.lookup().flatMap(fleets -> fleets.pauses().of(cloud.getName()));
    }

    /** What keeps the cloud from renting; empty when all is well. */
    Optional<Reason> trouble() {
        return Fleets.lookup()
                .flatMap(Fleets::trouble)
                .or(() -> fleet.flatMap(Fleet::trouble))
                .or(() -> Fleets.lookup().flatMap(fleets -> fleets.supervisor().trouble()));
    }

    /** $ for everything that exists at the market now. */
    BigDecimal pricePerHour() {
        return alive.stream()
                .flatMap(rental -> rental.draws().stream())
                .filter(draw -> draw.open() && draw.pricePerHour() != null)
                .map(Draw::pricePerHour)
                .reduce(BigDecimal.ZERO, BigDecimal::add);
    }

    BigDecimal spentToday() {
        return sum(amount -> amount.day().equals(today));
    }

    BigDecimal spentThisMonth() {
        return sum(this::thisMonth);
    }

    Map<String, BigDecimal> spentThisMonthByTemplate() {
        return spend.stream()
                .filter(this::thisMonth)
                .collect(Collectors.toMap(Spend.Amount::template, Spend.Amount::dollars, BigDecimal::add));
    }

    /** Machines that are left alone now; shared by all clouds of the same account. */
    List<Block> blocks(Instant now) {
        return fleet.map(Fleet::blocks).orElse(List.of()).stream()
                .filter(block -> block.activeAt(now))
                .toList();
    }

    /** What people do not want; shared likewise. */
    List<Ban> bans(Instant now) {
        return fleet.map(known -> known.blocklist().bans()).orElse(List.of()).stream()
                .filter(ban -> ban.activeAt(now))
                .toList();
    }

    private boolean thisMonth(Spend.Amount amount) {
        return !amount.day().isBefore(today.withDayOfMonth(1));
    }

    private BigDecimal sum(Predicate<Spend.Amount> which) {
        return spend.stream().filter(which).map(Spend.Amount::dollars).reduce(BigDecimal.ZERO, BigDecimal::add);
    }
}

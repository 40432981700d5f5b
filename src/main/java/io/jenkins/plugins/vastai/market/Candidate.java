package io.jenkins.plugins.vastai.market;

import io.jenkins.plugins.vastai.api.Offer;
import io.jenkins.plugins.vastai.text.Reason;
import java.math.BigDecimal;
import java.math.MathContext;
import java.math.RoundingMode;
import java.time.Duration;

/**
 * An offer that meets every requirement, with its place in the {@link Ranking}.
 *
 * @param offer the offer; the best one of its machine
 * @param wish what it fulfils
 * @param requirements whose requirements
 * @param place 1 is the best
 * @param of how many machines were to choose from
 * @param runDollars expected bill of the whole run, $
 * @param weighedDollars what the order goes by: the bill with expected duds and waiting, $; see {@link RunCost}
 * @param readySeconds expected time from the order to a machine that takes builds, s
 */
public record Candidate(
        Offer offer,
        GpuWish wish,
        Requirements requirements,
        int place,
        int of,
        double runDollars,
        double weighedDollars,
        double readySeconds) {

    /** All-in price per hour. */
    public AllInPrice price() {
        return requirements.price(offer).orElseThrow();
    }

    /** Expected bill of the whole run, $, to a hundredth of a cent. */
    public BigDecimal runCost() {
        return new BigDecimal(runDollars, MathContext.DECIMAL64).setScale(4, RoundingMode.HALF_UP);
    }

    /** Expected time from the order to a machine that takes builds. */
    public Duration readyIn() {
        return Duration.ofSeconds(Math.round(readySeconds));
    }

    /** Why this one, for the agent's log. */
    public Reason why() {
        AllInPrice price = price();
        return MarketText.CHOSEN.of(
                offer.machineId(),
                wish.count(),
                offer.gpuName(),
                offer.place(),
                place,
                of,
                AllInPrice.show(price.total()),
                AllInPrice.show(price.gpuPerHour()),
                AllInPrice.show(price.diskPerHour()),
                AllInPrice.show(price.trafficPerHour()),
                AllInPrice.show(runCost()),
                Math.max(1, Math.round(readySeconds / 60)),
                offer.reliability() == null ? "?" : Math.round(offer.reliability() * 10_000) / 10_000.0);
    }

    @Override
    public String toString() {
        return "Candidate[" + place + " of " + of + ", offer " + offer.id() + ", machine " + offer.machineId() + "]";
    }
}

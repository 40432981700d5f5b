package io.jenkins.plugins.vastai.market;

import io.jenkins.plugins.vastai.api.Instance;
import io.jenkins.plugins.vastai.api.Offer;
import java.math.BigDecimal;
import java.math.MathContext;
import java.math.RoundingMode;
import java.time.Duration;
import java.util.Optional;

/**
 * What a machine really costs, $ per hour. The price that the market shows leaves traffic out, and covers only the disk
 * that the search mentioned. The same sum is made before renting and again on the instance that came.
 *
 * @param gpuPerHour the GPUs
 * @param diskPerHour the requested disk; a month of the market has 720 hours
 * @param trafficPerHour traffic of the {@link ExpectedRun}, spread over its time but over an hour at least: what the
 *     first hour is expected to cost
 */
public record AllInPrice(BigDecimal gpuPerHour, BigDecimal diskPerHour, BigDecimal trafficPerHour) {

    static final int HOURS_PER_MONTH = 720;

    /**
     * Price of an offer.
     *
     * @param diskGb disk that will be rented
     * @param interruptible whether it will be rented by bid; the GPUs then count at the lowest accepted bid
     * @return empty when the offer states no price
     */
    public static Optional<AllInPrice> of(Offer offer, double diskGb, ExpectedRun run, boolean interruptible) {
        BigDecimal gpu = interruptible && offer.minBid() != null ? offer.minBid() : offer.gpuPricePerHour();
        BigDecimal disk = offer.storageCostPerGbMonth() == null
                ? BigDecimal.ZERO
                : offer.storageCostPerGbMonth()
                        .multiply(BigDecimal.valueOf(diskGb))
                        .divide(BigDecimal.valueOf(HOURS_PER_MONTH), MathContext.DECIMAL64);
        if (gpu == null && offer.pricePerHour() == null) {
            return Optional.empty();
        }
        // The search may have ignored our disk, or left the storage price out: believe the dearer of the two sums.
        if (gpu == null) {
            gpu = offer.pricePerHour().subtract(disk).max(BigDecimal.ZERO);
        } else if (offer.pricePerHour() != null && !interruptible) {
            disk = disk.max(offer.pricePerHour().subtract(gpu));
        }
        return Optional.of(new AllInPrice(gpu, disk, traffic(offer.inetDownCostPerGb(), offer.inetUpCostPerGb(), run)));
    }

    /**
     * Price of an instance as it came, to be compared with the ceiling once more.
     *
     * @return empty while the market reports no price
     */
    public static Optional<AllInPrice> of(Instance instance, ExpectedRun run) {
        BigDecimal gpu = instance.gpuPricePerHour();
        BigDecimal total = instance.pricePerHour();
        if (gpu == null && total == null) {
            return Optional.empty();
        }
        BigDecimal disk = instance.storagePricePerHour() == null ? BigDecimal.ZERO : instance.storagePricePerHour();
        if (gpu == null) {
            gpu = total.subtract(disk).max(BigDecimal.ZERO);
        } else if (total != null) {
            disk = disk.max(total.subtract(gpu));
        }
        return Optional.of(
                new AllInPrice(gpu, disk, traffic(instance.inetDownCostPerGb(), instance.inetUpCostPerGb(), run)));
    }

    /** All of it, $ per hour. */
    public BigDecimal total() {
        return gpuPerHour.add(diskPerHour).add(trafficPerHour);
    }

    /** Whether all of it stays within a ceiling, $ per hour; a millionth of a dollar does not count. */
    public boolean within(BigDecimal ceiling) {
        return total().setScale(6, RoundingMode.HALF_UP).compareTo(ceiling) <= 0;
    }

    /** What the machine costs by the hour whether or not it sends a byte, $. */
    public BigDecimal machine() {
        return gpuPerHour.add(diskPerHour);
    }

    /** For people: at most four decimals, no trailing zeros. */
    public static String show(BigDecimal dollars) {
        BigDecimal rounded = dollars.setScale(4, RoundingMode.HALF_UP).stripTrailingZeros();
        return (rounded.scale() < 2 ? rounded.setScale(2, RoundingMode.UNNECESSARY) : rounded).toPlainString();
    }

    private static BigDecimal traffic(BigDecimal downPerGb, BigDecimal upPerGb, ExpectedRun run) {
        BigDecimal down = downPerGb == null
                ? BigDecimal.ZERO
                : downPerGb.multiply(BigDecimal.valueOf(run.imageGb() + run.downloadGb()));
        BigDecimal up = upPerGb == null ? BigDecimal.ZERO : upPerGb.multiply(BigDecimal.valueOf(run.uploadGb()));
        BigDecimal sum = down.add(up);
        return sum.signum() == 0 ? BigDecimal.ZERO : sum.divide(hours(run), MathContext.DECIMAL64);
    }

    private static BigDecimal hours(ExpectedRun run) {
        Duration time = run.runTime();
        return time.compareTo(Duration.ofHours(1)) <= 0
                ? BigDecimal.ONE
                : BigDecimal.valueOf(time.toSeconds()).divide(BigDecimal.valueOf(3600), MathContext.DECIMAL64);
    }
}

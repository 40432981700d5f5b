package io.jenkins.plugins.vastai.market;

import io.jenkins.plugins.vastai.api.Offer;
import java.math.BigDecimal;
import java.util.Collections;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * Checks offers against every requirement, whatever the search asked for: the market ignores filters that it does not
 * know and was seen to ignore some that it does (docs/market.md, Search). Made for one search; not thread-safe. Works in
 * {@code double}, as ten thousand offers are to be ranked within milliseconds.
 */
final class OfferCheck {

    /** A millionth of a dollar is nobody's ceiling. */
    private static final double CENTS_TOLERANCE = 5e-7;

    private static final int DIGITS_OF_LONG = 18;

    private static final double[] POWERS_OF_TEN = IntStream.rangeClosed(0, 22)
            .mapToDouble(n -> Double.parseDouble("1e" + n))
            .toArray();

    private final Requirements wanted;
    private final List<String> gpuNames;
    private final int gpuCount;
    private final double minGpuRamMb;
    private final double maxGpuRamMb;
    private final double ceiling;
    private final double minCuda;
    private final double minRamGb;
    private final double minSeconds;
    private final double runHours;
    private final double downGb;
    private final double upGb;
    private final Map<String, Boolean> countryAllowed = new HashMap<>();

    OfferCheck(Requirements wanted, GpuWish wish) {
        this.wanted = wanted;
        gpuNames = wish.gpuNames();
        gpuCount = wish.count();
        minGpuRamMb = orElse(wish.minGpuRamMb(), 0);
        maxGpuRamMb = orElse(wish.maxGpuRamMb(), Double.POSITIVE_INFINITY);
        ceiling = wanted.priceCeiling(wish).doubleValue();
        minCuda = wanted.minCuda().orElse(0);
        minRamGb = wanted.minRamGb() * MarketQuery.RAM_TOLERANCE;
        minSeconds = wanted.minDuration().toSeconds();
        ExpectedRun run = wanted.expectedRun();
        runHours = Math.max(1, run.runTime().toSeconds() / 3600.0);
        downGb = run.imageGb() + run.downloadGb();
        upGb = run.uploadGb();
    }

    Set<Rejection> rejections(Offer offer) {
        return asSet(mask(offer, allInPerHour(offer)));
    }

    static Set<Rejection> asSet(int mask) {
        EnumSet<Rejection> set = EnumSet.noneOf(Rejection.class);
        for (Rejection rejection : Rejection.values()) {
            if ((mask & rejection.bit()) != 0) {
                set.add(rejection);
            }
        }
        return Collections.unmodifiableSet(set);
    }

    /**
     * Bits of {@link Rejection} that apply; 0 when all requirements are met.
     *
     * @param allInPerHour what {@link #allInPerHour} gives, made once for all uses
     */
    int mask(Offer offer, double allInPerHour) {
        int mask = 0;
        mask |= bit(Rejection.NOT_RENTABLE, Boolean.FALSE.equals(offer.rentable()) || isTrue(offer.rented()));
        mask |= bit(Rejection.GPU_MODEL, offer.gpuName() == null || !gpuNames.contains(offer.gpuName()));
        mask |= bit(Rejection.GPU_COUNT, offer.numGpus() != gpuCount);
        mask |= bit(Rejection.GPU_RAM, !(offer.gpuRamMb() >= minGpuRamMb && offer.gpuRamMb() < maxGpuRamMb));
        mask |= bit(Rejection.PRICE, !(allInPerHour <= ceiling + CENTS_TOLERANCE));
        mask |= bit(Rejection.COUNTRY, !wanted.countries().isEmpty() && !countryAllowed(offer));
        mask |= bit(Rejection.DISK, offer.diskSpaceGb() < wanted.diskGb());
        mask |= bit(Rejection.RAM, minRamGb > 0 && offer.ramGb() < minRamGb);
        mask |= bit(Rejection.VM, wanted.vm() && !isTrue(offer.vmsEnabled()));
        mask |= bit(Rejection.RELIABILITY, below(offer.reliability(), wanted.minReliability()));
        // The market reports no verification in some rows that its filter let through: only a stated "no" counts.
        mask |= bit(
                Rejection.VERIFIED,
                wanted.verified()
                        && offer.verification() != null
                        && !offer.verification().equals("verified"));
        mask |= bit(
                Rejection.DATACENTER,
                wanted.datacenterOnly() && (offer.hostingType() == null || offer.hostingType() < 1));
        mask |= bit(
                Rejection.CPU_ARCH,
                !wanted.cpuArch().isEmpty() && !wanted.cpuArch().equals(offer.cpuArch()));
        mask |= bit(Rejection.CPU_CORES, below(offer.cpuCoresEffective(), wanted.minCpuCores()));
        mask |= bit(Rejection.CUDA, below(offer.cudaMaxGood(), minCuda));
        mask |= bit(
                Rejection.COMPUTE_CAP,
                wanted.minComputeCap() > 0
                        && (offer.computeCap() == null || offer.computeCap() < wanted.minComputeCap()));
        mask |= bit(Rejection.DOWNLOAD, offer.inetDownMbps() < wanted.minDownloadMbps());
        mask |= bit(Rejection.PORTS, offer.directPortCount() < wanted.minDirectPorts());
        mask |= bit(Rejection.DURATION, below(offer.durationSeconds(), minSeconds));
        return mask;
    }

    RunCost cost(Offer offer, double allInPerHour) {
        double down = value(offer.inetDownCostPerGb());
        double up = value(offer.inetUpCostPerGb());
        return RunCost.of(
                allInPerHour - trafficPerHour(down, up),
                down,
                up,
                offer.inetDownMbps(),
                offer.reliability() == null ? Double.NaN : offer.reliability(),
                wanted.expectedRun(),
                wanted.vm());
    }

    /** {@link AllInPrice#total()} in a hurry; NaN when the offer states no price. */
    double allInPerHour(Offer offer) {
        return machinePerHour(offer) + trafficPerHour(value(offer.inetDownCostPerGb()), value(offer.inetUpCostPerGb()));
    }

    private double trafficPerHour(double downPerGb, double upPerGb) {
        return (downGb * downPerGb + upGb * upPerGb) / runHours;
    }

    /** {@link AllInPrice#machine()} in a hurry; NaN when the offer states no price. */
    private double machinePerHour(Offer offer) {
        BigDecimal gpu = wanted.interruptible() && offer.minBid() != null ? offer.minBid() : offer.gpuPricePerHour();
        double disk = value(offer.storageCostPerGbMonth()) * wanted.diskGb() / AllInPrice.HOURS_PER_MONTH;
        if (gpu == null) {
            return offer.pricePerHour() == null ? Double.NaN : Math.max(disk, value(offer.pricePerHour()));
        }
        double own = value(gpu) + disk;
        return wanted.interruptible() || offer.pricePerHour() == null
                ? own
                : Math.max(own, value(offer.pricePerHour()));
    }

    private boolean countryAllowed(Offer offer) {
        String place = offer.geolocation();
        if (place == null) {
            return false;
        }
        Boolean known = countryAllowed.get(place);
        if (known == null) {
            known = offer.country().filter(wanted.countries()::contains).isPresent();
            countryAllowed.put(place, known);
        }
        return known;
    }

    private static int bit(Rejection rejection, boolean applies) {
        return applies ? rejection.bit() : 0;
    }

    private static boolean isTrue(Boolean value) {
        return Boolean.TRUE.equals(value);
    }

    /** Unknown is below every limit but none. */
    private static boolean below(Double value, double limit) {
        return limit > 0 && (value == null || value < limit);
    }

    /**
     * The market writes prices with up to 17 digits, more than {@link BigDecimal#doubleValue} converts without a detour
     * through text. Powers of ten up to 10<sup>22</sup> are exact, so one division is off by the last binary digit at most.
     */
    private static double value(BigDecimal amount) {
        if (amount == null) {
            return 0;
        }
        int scale = amount.scale();
        return scale >= 0 && scale < POWERS_OF_TEN.length && amount.precision() <= DIGITS_OF_LONG
                ? amount.scaleByPowerOfTen(scale).longValue() / POWERS_OF_TEN[scale]
                : amount.doubleValue();
    }

    private static double orElse(OptionalInt value, double other) {
        return value.isPresent() ? value.getAsInt() : other;
    }
}

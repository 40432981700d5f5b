package io.jenkins.plugins.vastai.market;

import io.jenkins.plugins.vastai.api.Offer;
import io.jenkins.plugins.vastai.text.Reason;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import java.util.stream.Collectors;

/** Counts the offers that were turned away, and remembers the nearest one for each requirement. */
final class Rejections {

    private static final Rejection[] ALL = Rejection.values();

    private final Requirements wanted;
    private final GpuWish wish;
    private final OfferCheck check;
    private final int[] counts = new int[ALL.length];
    private final int[] alone = new int[ALL.length];
    private final Offer[] nearest = new Offer[ALL.length];
    private final double[] distance = new double[ALL.length];
    private Offer leastWrong;
    private int leastWrongMask;

    Rejections(Requirements wanted, GpuWish wish, OfferCheck check) {
        this.wanted = wanted;
        this.wish = wish;
        this.check = check;
    }

    void add(Offer offer, int mask) {
        for (int rest = mask; rest != 0; rest &= rest - 1) {
            counts[Integer.numberOfTrailingZeros(rest)]++;
        }
        if (Integer.bitCount(mask) == 1) {
            int only = Integer.numberOfTrailingZeros(mask);
            double far = distance(ALL[only], offer);
            if (alone[only]++ == 0 || far < distance[only]) {
                nearest[only] = offer;
                distance[only] = far;
            }
        }
        int fewer = leastWrong == null ? -1 : Integer.bitCount(mask) - Integer.bitCount(leastWrongMask);
        if (fewer < 0 || fewer == 0 && check.allInPerHour(offer) < check.allInPerHour(leastWrong)) {
            leastWrong = offer;
            leastWrongMask = mask;
        }
    }

    Map<Rejection, Integer> counts() {
        return asMap(counts);
    }

    Map<Rejection, Integer> alone() {
        return asMap(alone);
    }

    /** What one change would do, the change that lets the most offers through first. */
    List<Relaxation> relaxations() {
        List<Relaxation> found = new ArrayList<>();
        for (Rejection rejection : ALL) {
            int i = rejection.ordinal();
            if (alone[i] > 0 && !rejection.setting().isEmpty()) {
                relaxedValue(rejection, nearest[i])
                        .ifPresent(value -> found.add(new Relaxation(rejection, value, nearest[i], alone[i])));
            }
        }
        found.sort(Comparator.comparingInt(Relaxation::offers).reversed());
        return List.copyOf(found);
    }

    List<Reason> explain(int offers) {
        List<Reason> lines = new ArrayList<>();
        counts().entrySet().stream()
                .sorted(Map.Entry.<Rejection, Integer>comparingByValue().reversed())
                .forEach(entry -> lines.add(removed(entry.getKey(), entry.getValue(), offers)));
        List<Relaxation> relaxations = relaxations();
        relaxations.forEach(relaxation -> lines.add(advice(relaxation)));
        if (relaxations.isEmpty() && leastWrong != null && Integer.bitCount(leastWrongMask) > 1) {
            String settings = OfferCheck.asSet(leastWrongMask).stream()
                    .map(Rejection::setting)
                    .filter(setting -> !setting.isEmpty())
                    .distinct()
                    .collect(Collectors.joining(", "));
            if (!settings.isEmpty()) {
                lines.add(MarketText.NO_SINGLE_CHANGE.of(leastWrong.machineId(), price(leastWrong), settings));
            }
        }
        return lines;
    }

    private Reason removed(Rejection rejection, int count, int offers) {
        return switch (rejection) {
            case NOT_RENTABLE -> MarketText.REMOVED_NOT_RENTABLE.of(count, offers);
            case BLOCKED -> MarketText.REMOVED_BLOCKED.of(count, offers, alone[rejection.ordinal()]);
            case IN_USE -> MarketText.REMOVED_IN_USE.of(count, offers, alone[rejection.ordinal()]);
            case SAME_MACHINE -> MarketText.REMOVED_SAME_MACHINE.of(count, offers);
            default ->
                MarketText.REMOVED.of(
                        count, offers, rejection.setting(), wantedValue(rejection), alone[rejection.ordinal()]);
        };
    }

    private Reason advice(Relaxation relaxation) {
        MarketText text = relaxation.rejection() == Rejection.COUNTRY ? MarketText.ADD_REGION : MarketText.RELAX;
        return text.of(
                relaxation.rejection().setting(), relaxation.value(), price(relaxation.offer()), relaxation.offers());
    }

    /** The smaller, the nearer to what is wanted; by price where a requirement knows only yes and no. */
    private double distance(Rejection rejection, Offer offer) {
        double price = check.allInPerHour(offer);
        return switch (rejection) {
            case DISK -> -offer.diskSpaceGb();
            case RAM -> -offer.ramGb();
            case RELIABILITY -> -orZero(offer.reliability());
            case CPU_CORES -> -orZero(offer.cpuCoresEffective());
            case CUDA -> -orZero(offer.cudaMaxGood());
            case COMPUTE_CAP -> offer.computeCap() == null ? 0 : -offer.computeCap();
            case DOWNLOAD -> -offer.inetDownMbps();
            case PORTS -> -offer.directPortCount();
            case DURATION -> -orZero(offer.durationSeconds());
            case GPU_COUNT -> Math.abs(offer.numGpus() - wish.count()) * 1e6 + price;
            default -> Double.isNaN(price) ? Double.MAX_VALUE : price;
        };
    }

    /** The requirement as the admin may find it in the form. */
    private String wantedValue(Rejection rejection) {
        return switch (rejection) {
            case GPU_MODEL, GPU_COUNT, GPU_RAM -> wish.describe();
            case PRICE -> AllInPrice.show(wanted.priceCeiling(wish));
            case COUNTRY -> String.join(", ", new TreeSet<>(wanted.countries()));
            case DISK -> number(wanted.diskGb());
            case RAM -> number(wanted.minRamGb());
            case VM -> "true";
            case RELIABILITY -> number(wanted.minReliability());
            case VERIFIED -> "true";
            case DATACENTER -> "true";
            case CPU_ARCH -> wanted.cpuArch();
            case CPU_CORES -> number(wanted.minCpuCores());
            case CUDA -> number(wanted.minCuda().orElse(0));
            case COMPUTE_CAP -> String.valueOf(wanted.minComputeCap());
            case DOWNLOAD -> number(wanted.minDownloadMbps());
            case PORTS -> String.valueOf(wanted.minDirectPorts());
            case DURATION -> hours(wanted.minDuration().toSeconds(), RoundingMode.CEILING);
            case NOT_RENTABLE, BLOCKED, IN_USE, SAME_MACHINE -> "";
        };
    }

    /** What to set instead so that this offer fits, rounded to its side; empty when no value would do. */
    private Optional<String> relaxedValue(Rejection rejection, Offer offer) {
        return Optional.ofNullable(
                switch (rejection) {
                    case GPU_COUNT -> offer.numGpus() < 1 ? null : offer.numGpus() + "x" + underscored(offer.gpuName());
                    case GPU_MODEL ->
                        offer.gpuName() == null ? null : wish.count() + "x" + underscored(offer.gpuName());
                    case GPU_RAM -> wish.count() + "x" + underscored(offer.gpuName());
                    case PRICE ->
                        wanted.price(offer)
                                .map(price -> AllInPrice.show(price.total().setScale(2, RoundingMode.CEILING)))
                                .orElse(null);
                    case COUNTRY -> offer.country().orElse(null);
                    case DISK -> floor(offer.diskSpaceGb(), 0, 8);
                    case RAM -> floor(offer.ramGb(), 1, 0);
                    case VM, VERIFIED, DATACENTER -> "false";
                    case RELIABILITY -> offer.reliability() == null ? null : floor(offer.reliability(), 3, 0);
                    case CPU_ARCH -> offer.cpuArch();
                    case CPU_CORES -> offer.cpuCoresEffective() == null ? null : floor(offer.cpuCoresEffective(), 1, 0);
                    case CUDA -> offer.cudaMaxGood() == null ? null : number(offer.cudaMaxGood());
                    case COMPUTE_CAP ->
                        offer.computeCap() == null ? null : offer.computeCap().toString();
                    case DOWNLOAD -> floor(offer.inetDownMbps(), 0, 0);
                    case PORTS ->
                        wanted.vm() && offer.directPortCount() < 1 ? null : String.valueOf(offer.directPortCount());
                    case DURATION ->
                        offer.durationSeconds() == null ? null : hours(offer.durationSeconds(), RoundingMode.FLOOR);
                    case NOT_RENTABLE, BLOCKED, IN_USE, SAME_MACHINE -> null;
                });
    }

    private String price(Offer offer) {
        return wanted.price(offer).map(price -> AllInPrice.show(price.total())).orElse("?");
    }

    private static String underscored(String gpuName) {
        return gpuName.replace(' ', '_');
    }

    private static double orZero(Double value) {
        return value == null ? 0 : value;
    }

    /** Null when the rounded value is below what may be set at all. */
    private static String floor(double value, int decimals, double least) {
        BigDecimal rounded = BigDecimal.valueOf(value).setScale(decimals, RoundingMode.FLOOR);
        return rounded.doubleValue() < least
                ? null
                : rounded.stripTrailingZeros().toPlainString();
    }

    private static String number(double value) {
        return BigDecimal.valueOf(value).stripTrailingZeros().toPlainString();
    }

    private static String hours(double seconds, RoundingMode rounding) {
        return BigDecimal.valueOf(seconds / 3600)
                        .setScale(1, rounding)
                        .stripTrailingZeros()
                        .toPlainString() + " h";
    }

    private static Map<Rejection, Integer> asMap(int[] counts) {
        EnumMap<Rejection, Integer> map = new EnumMap<>(Rejection.class);
        for (Rejection rejection : ALL) {
            if (counts[rejection.ordinal()] > 0) {
                map.put(rejection, counts[rejection.ordinal()]);
            }
        }
        return Collections.unmodifiableMap(map);
    }
}

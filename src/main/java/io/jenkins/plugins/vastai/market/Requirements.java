package io.jenkins.plugins.vastai.market;

import io.jenkins.plugins.vastai.api.Offer;
import io.jenkins.plugins.vastai.api.OfferQuery;
import io.jenkins.plugins.vastai.text.Reason;
import java.math.BigDecimal;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.Set;

/**
 * What a template asks of an offer. An immutable value, made by {@link #builder}; every limit is inclusive.
 *
 * @param wishes {@code instanceType}: GPUs that would do, in the order in which they are tried; at least one
 * @param image {@code machineImage}
 * @param vm {@code extraConfig.vm}: a virtual machine instead of a container
 * @param diskGb {@code extraConfig.diskSpace}: disk that is rented, GB; fixed for the machine's life
 * @param minRamGb {@code extraConfig.minRam}: our share of the machine's memory, GB of 1000 MB; 0 asks for nothing
 * @param countries {@code region}: ISO codes, see {@link Regions}; empty means anywhere
 * @param maxPricePerHour {@code maxPricePerHour}: ceiling of {@link AllInPrice#total()}, $ per hour for the whole
 *     machine; empty means {@value #DEFAULT_PRICE_PER_GPU} $ per GPU
 * @param minReliability {@code minReliability}: 0 to 1
 * @param verified {@code verified}: hosts verified by the market only
 * @param datacenterOnly {@code datacenterOnly}: no private hosts
 * @param cpuArch {@code cpuArch}: {@code amd64} or {@code arm64}; empty means any
 * @param minCuda {@code minCuda}: CUDA version that the host's driver supports; empty means any
 * @param minComputeCap {@code minComputeCap}: compute capability times 100 (890 is sm_89); 0 means any
 * @param minCpuCores {@code minCpuCores}: our share of the cores; 0 means any
 * @param minDownloadMbps {@code minDownloadMbps}: Mbit/s as claimed by the host
 * @param minDirectPorts {@code minDirectPorts}: ports that can be mapped; 1 is needed for SSH
 * @param minDuration how long the host must stay on the market: the template's longest life and a margin
 * @param interruptible rented by bid, may be taken away
 * @param expectedRun what the run is expected to need; for prices and ranking only
 */
public record Requirements(
        List<GpuWish> wishes,
        Image image,
        boolean vm,
        double diskGb,
        double minRamGb,
        Set<String> countries,
        Optional<BigDecimal> maxPricePerHour,
        double minReliability,
        boolean verified,
        boolean datacenterOnly,
        String cpuArch,
        OptionalDouble minCuda,
        int minComputeCap,
        double minCpuCores,
        double minDownloadMbps,
        int minDirectPorts,
        Duration minDuration,
        boolean interruptible,
        ExpectedRun expectedRun) {

    /** Ceiling where neither cloud nor template states one, $ per GPU and hour. */
    public static final int DEFAULT_PRICE_PER_GPU = 5;

    public Requirements {
        wishes = List.copyOf(wishes);
        countries = Set.copyOf(countries);
        Objects.requireNonNull(image, "image");
        Objects.requireNonNull(expectedRun, "expectedRun");
        if (wishes.isEmpty()) {
            throw new IllegalArgumentException("no GPU wished for");
        }
    }

    /** Starts from the defaults of a careful admin. The CUDA version is taken from the image where its tag tells. */
    public static Builder builder(List<GpuWish> wishes, Image image) {
        return new Builder(wishes, image);
    }

    /** Starts from these requirements. */
    public Builder toBuilder() {
        return new Builder(this);
    }

    /** Every contradiction and absurd value, each with setting, value and remedy; empty when all is well. */
    public List<Reason> problems() {
        return RequirementsCheck.problems(this);
    }

    /** The dearest all-in price that is accepted for this wish, $ per hour. */
    public BigDecimal priceCeiling(GpuWish wish) {
        return maxPricePerHour.orElseGet(() -> BigDecimal.valueOf((long) DEFAULT_PRICE_PER_GPU * wish.count()));
    }

    /** All requirements that the market can filter by; the answer still needs {@link #check}. */
    public OfferQuery toQuery(GpuWish wish) {
        return MarketQuery.narrow(this, wish);
    }

    /**
     * So many or more of the same GPUs without any other requirement: asked when {@link #toQuery} brought nothing, so that
     * {@link Ranking#explain()} can count what each requirement removes.
     */
    public OfferQuery toBroadQuery(GpuWish wish) {
        return MarketQuery.broad(this, wish);
    }

    /** Requirements that this offer does not meet; empty when it meets all of them. */
    public Set<Rejection> check(Offer offer, GpuWish wish) {
        return new OfferCheck(this, wish).rejections(offer);
    }

    /** Price of an offer under these requirements; empty when it states none. */
    public Optional<AllInPrice> price(Offer offer) {
        return AllInPrice.of(offer, diskGb, expectedRun, interruptible);
    }

    /** Collects requirements; not thread-safe. */
    public static final class Builder {
        private List<GpuWish> wishes;
        private Image image;
        private boolean vm;
        private double diskGb = 30;
        private double minRamGb;
        private Set<String> countries = Set.of();
        private Optional<BigDecimal> maxPricePerHour = Optional.empty();
        private double minReliability = 0.98;
        private boolean verified = true;
        private boolean datacenterOnly;
        private String cpuArch = "amd64";
        private OptionalDouble minCuda;
        private int minComputeCap;
        private double minCpuCores;
        private double minDownloadMbps = 100;
        private int minDirectPorts = 1;
        private Duration minDuration = Duration.ofDays(1);
        private boolean interruptible;
        private ExpectedRun expectedRun = ExpectedRun.DEFAULT;

        private Builder(List<GpuWish> wishes, Image image) {
            this.wishes = wishes;
            this.image = image;
            this.minCuda = image.cuda();
        }

        private Builder(Requirements from) {
            wishes = from.wishes;
            image = from.image;
            vm = from.vm;
            diskGb = from.diskGb;
            minRamGb = from.minRamGb;
            countries = from.countries;
            maxPricePerHour = from.maxPricePerHour;
            minReliability = from.minReliability;
            verified = from.verified;
            datacenterOnly = from.datacenterOnly;
            cpuArch = from.cpuArch;
            minCuda = from.minCuda;
            minComputeCap = from.minComputeCap;
            minCpuCores = from.minCpuCores;
            minDownloadMbps = from.minDownloadMbps;
            minDirectPorts = from.minDirectPorts;
            minDuration = from.minDuration;
            interruptible = from.interruptible;
            expectedRun = from.expectedRun;
        }

        public Builder wishes(List<GpuWish> value) {
            wishes = value;
            return this;
        }

        public Builder vm(boolean value) {
            vm = value;
            return this;
        }

        /** @param gb disk to rent, GB; the market rents no less than 8 */
        public Builder diskGb(double gb) {
            diskGb = gb;
            return this;
        }

        public Builder minRamGb(double gb) {
            minRamGb = gb;
            return this;
        }

        /** @param isoCodes what {@link Regions#parse} gives; empty means anywhere */
        public Builder countries(Collection<String> isoCodes) {
            countries = Set.copyOf(isoCodes);
            return this;
        }

        /** @param dollars all-in ceiling for the whole machine, $ per hour */
        public Builder maxPricePerHour(BigDecimal dollars) {
            maxPricePerHour = Optional.of(dollars);
            return this;
        }

        public Builder minReliability(double value) {
            minReliability = value;
            return this;
        }

        public Builder verified(boolean value) {
            verified = value;
            return this;
        }

        public Builder datacenterOnly(boolean value) {
            datacenterOnly = value;
            return this;
        }

        /** @param value {@code amd64}, {@code arm64} or empty for any */
        public Builder cpuArch(String value) {
            cpuArch = value;
            return this;
        }

        /** @param version overrides what the image's tag says */
        public Builder minCuda(double version) {
            minCuda = OptionalDouble.of(version);
            return this;
        }

        /** @param times100 890 is sm_89 */
        public Builder minComputeCap(int times100) {
            minComputeCap = times100;
            return this;
        }

        public Builder minCpuCores(double value) {
            minCpuCores = value;
            return this;
        }

        public Builder minDownloadMbps(double value) {
            minDownloadMbps = value;
            return this;
        }

        public Builder minDirectPorts(int value) {
            minDirectPorts = value;
            return this;
        }

        public Builder minDuration(Duration value) {
            minDuration = value;
            return this;
        }

        public Builder interruptible(boolean value) {
            interruptible = value;
            return this;
        }

        public Builder expectedRun(ExpectedRun value) {
            expectedRun = value;
            return this;
        }

        public Requirements build() {
            return new Requirements(
                    wishes,
                    image,
                    vm,
                    diskGb,
                    minRamGb,
                    countries,
                    maxPricePerHour,
                    minReliability,
                    verified,
                    datacenterOnly,
                    cpuArch,
                    minCuda,
                    minComputeCap,
                    minCpuCores,
                    minDownloadMbps,
                    minDirectPorts,
                    minDuration,
                    interruptible,
                    expectedRun);
        }
    }
}

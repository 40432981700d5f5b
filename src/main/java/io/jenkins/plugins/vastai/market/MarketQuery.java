package io.jenkins.plugins.vastai.market;

import io.jenkins.plugins.vastai.api.OfferQuery;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;

/** Requirements in the market's own terms: docs/market.md, Search. */
final class MarketQuery {

    /** The market returns no more rows, whatever is asked. */
    static final int MAX_ROWS = 64;

    /** What hosts call 64 GB is anything from 62,9xx to 65,536 MB. */
    static final double RAM_TOLERANCE = 0.98;

    /**
     * Oldest compute capability that any CUDA of this decade runs on, times 100. A filter on CUDA without one on
     * compute capability was seen to hide H100 and H200 (dstackai/gpuhunt issue 142).
     */
    static final int OLDEST_COMPUTE_CAP = 350;

    /** The storage of a query is a filter too; the price for more is reckoned in {@link AllInPrice}. */
    private static final double MIN_STORAGE_GB = 8;

    private MarketQuery() {}

    static OfferQuery narrow(Requirements wanted, GpuWish wish) {
        Map<String, Map<String, Object>> filters = new LinkedHashMap<>();
        // The market's defaults are stated all the same: they have changed before. Without a filter it hides
        // unverified hosts, so wanting both must be said.
        filters.put("verified", wanted.verified() ? Map.of("eq", true) : Map.of("in", List.of(true, false)));
        filters.put("external", Map.of("eq", false));
        filters.put("rentable", Map.of("eq", true));
        filters.put("rented", Map.of("eq", false));
        filters.put("gpu_name", Map.of("in", wish.gpuNames()));
        filters.put("num_gpus", Map.of("eq", wish.count()));
        Map<String, Object> gpuRam = new LinkedHashMap<>();
        wish.minGpuRamMb().ifPresent(mb -> gpuRam.put("gte", mb));
        wish.maxGpuRamMb().ifPresent(mb -> gpuRam.put("lt", mb));
        if (!gpuRam.isEmpty()) {
            filters.put("gpu_ram", Map.copyOf(gpuRam));
        }
        filters.put("disk_space", Map.of("gte", wanted.diskGb()));
        if (wanted.minRamGb() > 0) {
            // The whole machine's memory: necessary, not sufficient.
            filters.put("cpu_ram", Map.of("gte", Math.floor(wanted.minRamGb() * 1000 * RAM_TOLERANCE)));
        }
        if (wanted.minDirectPorts() > 0) {
            filters.put("direct_port_count", Map.of("gte", wanted.minDirectPorts()));
        }
        if (wanted.minReliability() > 0) {
            filters.put("reliability2", Map.of("gte", wanted.minReliability()));
        }
        wanted.minCuda().ifPresent(cuda -> filters.put("cuda_max_good", Map.of("gte", cuda)));
        if (wanted.minComputeCap() > 0 || wanted.minCuda().isPresent()) {
            filters.put("compute_cap", Map.of("gte", Math.max(OLDEST_COMPUTE_CAP, wanted.minComputeCap())));
        }
        if (!wanted.cpuArch().isEmpty()) {
            filters.put("cpu_arch", Map.of("eq", wanted.cpuArch()));
        }
        if (wanted.minCpuCores() > 0) {
            filters.put("cpu_cores_effective", Map.of("gte", wanted.minCpuCores()));
        }
        if (wanted.minDownloadMbps() > 0) {
            filters.put("inet_down", Map.of("gte", wanted.minDownloadMbps()));
        }
        if (!wanted.minDuration().isZero()) {
            filters.put("duration", Map.of("gte", wanted.minDuration().toSeconds()));
        }
        filters.put("dph_total", Map.of("lte", wanted.priceCeiling(wish)));
        if (!wanted.countries().isEmpty()) {
            filters.put("geolocation", Map.of("in", List.copyOf(new TreeSet<>(wanted.countries()))));
        }
        if (wanted.vm()) {
            filters.put("vms_enabled", Map.of("eq", true));
        }
        if (wanted.datacenterOnly()) {
            filters.put("datacenter", Map.of("eq", true));
        }
        return query(filters, wanted, wanted.diskGb());
    }

    static OfferQuery broad(Requirements wanted, GpuWish wish) {
        return query(
                Map.of(
                        "verified", Map.of("in", List.of(true, false)),
                        "external", Map.of("eq", false),
                        "rentable", Map.of("eq", true),
                        "rented", Map.of("eq", false),
                        "gpu_name", Map.of("in", wish.gpuNames()),
                        // The cheapest rows would otherwise all be of one card.
                        "num_gpus", Map.of("gte", wish.count())),
                wanted,
                MIN_STORAGE_GB);
    }

    private static OfferQuery query(Map<String, Map<String, Object>> filters, Requirements wanted, double storageGb) {
        return new OfferQuery(
                filters,
                wanted.interruptible() ? "bid" : "on-demand",
                List.of(List.of("dph_total", "asc")),
                MAX_ROWS,
                storageGb);
    }
}

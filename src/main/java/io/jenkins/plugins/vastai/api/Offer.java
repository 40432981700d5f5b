package io.jenkins.plugins.vastai.api;

import com.fasterxml.jackson.annotation.JsonAlias;
import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonProperty;
import java.math.BigDecimal;
import java.util.Locale;
import java.util.Optional;

/**
 * A machine, or a slice of one, that could be rented now. Any field the market leaves out is null (objects) or 0.
 * Source of names and units: the published description of {@code searchOffers}, docs/market.md, Offers.
 *
 * @param id number to rent it under; changes whenever the host lists the machine anew
 * @param machineId the physical machine; several offers share one
 * @param hostId the machine's owner
 * @param gpuName the market's name, with spaces: {@code RTX 4090}
 * @param numGpus GPUs in this offer
 * @param gpuRamMb memory of each GPU, MB as the driver reports it (a 4090 has 24564)
 * @param gpuFraction share of the machine's GPUs in this offer, 0 to 1; null when unknown
 * @param cpuRamMb memory of the <em>whole</em> machine, MB; see {@link #ramGb()} for the offer's share
 * @param cpuCores of the whole machine; null or 0 when unknown
 * @param cpuCoresEffective this offer's share of the cores
 * @param cpuArch {@code amd64} or {@code arm64}
 * @param diskSpaceGb largest disk that can be asked for, GB
 * @param inetDownMbps download, Mbit/s as claimed by the host
 * @param inetUpMbps upload, Mbit/s as claimed by the host
 * @param inetDownCostPerGb $ per GB received
 * @param inetUpCostPerGb $ per GB sent
 * @param gpuPricePerHour $ per hour for the GPUs alone ({@code dph_base})
 * @param pricePerHour $ per hour with storage for the {@code allocated_storage} of the query ({@code dph_total})
 * @param storageCostPerGbMonth $ per GB and month
 * @param minBid lowest accepted bid, $ per hour for the whole offer; null unless interruptible
 * @param reliability 0 to 1
 * @param cudaMaxGood newest CUDA the driver supports, 12.8
 * @param computeCap compute capability times 100: 890 is sm_89
 * @param directPortCount open ports that can be mapped to the instance
 * @param geolocation free text that ends in a country code: {@code Texas, US}; null when unknown
 * @param hostingType 0 a private host, 1 and above a datacenter; null when unknown
 * @param durationSeconds seconds until the host's contract ends and the instance is stopped; null when unknown
 * @param vmsEnabled can start virtual machines; null when unknown
 * @param verification {@code verified}, {@code unverified} or {@code deverified}; null when not reported
 */
@JsonIgnoreProperties(ignoreUnknown = true)
public record Offer(
        @JsonProperty("id") @JsonAlias("ask_contract_id") long id,
        @JsonProperty("machine_id") long machineId,
        @JsonProperty("host_id") long hostId,
        @JsonProperty("gpu_name") String gpuName,
        @JsonProperty("num_gpus") int numGpus,
        @JsonProperty("gpu_ram") double gpuRamMb,
        @JsonProperty("gpu_frac") Double gpuFraction,
        @JsonProperty("cpu_ram") double cpuRamMb,
        @JsonProperty("cpu_cores") Double cpuCores,
        @JsonProperty("cpu_cores_effective") Double cpuCoresEffective,
        @JsonProperty("cpu_arch") String cpuArch,
        @JsonProperty("disk_space") double diskSpaceGb,
        @JsonProperty("inet_down") double inetDownMbps,
        @JsonProperty("inet_up") double inetUpMbps,
        @JsonProperty("inet_down_cost") BigDecimal inetDownCostPerGb,
        @JsonProperty("inet_up_cost") BigDecimal inetUpCostPerGb,
        @JsonProperty("dph_base") BigDecimal gpuPricePerHour,
        @JsonProperty("dph_total") BigDecimal pricePerHour,
        @JsonProperty("storage_cost") BigDecimal storageCostPerGbMonth,
        @JsonProperty("min_bid") BigDecimal minBid,

        @JsonProperty("reliability2") @JsonAlias("reliability")
        Double reliability,

        @JsonProperty("cuda_max_good") Double cudaMaxGood,
        @JsonProperty("compute_cap") Integer computeCap,
        @JsonProperty("driver_version") String driverVersion,
        @JsonProperty("direct_port_count") int directPortCount,
        @JsonProperty("geolocation") String geolocation,
        @JsonProperty("hosting_type") Integer hostingType,
        @JsonProperty("duration") Double durationSeconds,
        @JsonProperty("vms_enabled") Boolean vmsEnabled,
        @JsonProperty("verification") String verification,
        @JsonProperty("rentable") Boolean rentable,
        @JsonProperty("rented") Boolean rented) {

    /**
     * The ISO 3166 country code: the last two letters after the last comma of {@link #geolocation}, upper case. Empty
     * when the host states none.
     */
    public Optional<String> country() {
        return country(geolocation);
    }

    /** Where it stands, for people: owners write {@code ", US"} as well as {@code "Texas, US"}. {@code ?} when unknown. */
    public String place() {
        return geolocation == null ? "?" : geolocation.replaceFirst("^[,\\s]+", "");
    }

    static Optional<String> country(String geolocation) {
        if (geolocation == null) {
            return Optional.empty();
        }
        String last =
                geolocation.substring(geolocation.lastIndexOf(',') + 1).trim().toUpperCase(Locale.ROOT);
        return last.length() == 2 && last.chars().allMatch(c -> c >= 'A' && c <= 'Z')
                ? Optional.of(last)
                : Optional.empty();
    }

    /** This offer's share of the machine's memory, GB of 1000 MB. */
    public double ramGb() {
        double share = gpuFraction != null && gpuFraction > 0
                ? gpuFraction
                : cpuCores != null && cpuCores > 0 && cpuCoresEffective != null ? cpuCoresEffective / cpuCores : 1;
        return cpuRamMb * Math.min(1, share) / 1000;
    }
}

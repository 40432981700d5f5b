package io.jenkins.plugins.vastai.rental;

import io.jenkins.plugins.vastai.market.GpuCatalogue;
import io.jenkins.plugins.vastai.market.Image;
import io.jenkins.plugins.vastai.market.InstanceType;
import io.jenkins.plugins.vastai.market.Regions;
import io.jenkins.plugins.vastai.market.Requirements;
import io.jenkins.plugins.vastai.market.SettingException;
import io.jenkins.plugins.vastai.text.Reason;
import java.math.BigDecimal;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * The machine that a template describes, in the admin's own words: what the form and the YAML file hold, unresolved.
 *
 * @param instanceType {@code 1xRTX_4090}; several separated by commas are tried in this order
 * @param machineImage Docker image, or a Vast.ai VM image when {@code vm}
 * @param region country codes and groups; empty for anywhere
 * @param diskSpaceGb disk to rent, GB
 * @param minRamGb memory, GB; 0 for any
 * @param vm virtual machine instead of a container
 * @param maxPricePerHour ceiling of the all-in price of the whole machine, $ per hour; null for the default of 5 $ per GPU
 * @param minReliability 0 to 1
 * @param verifiedOnly only hosts that Vast.ai verified
 * @param datacenterOnly only datacenters, no private hosts
 * @param minDownloadMbps Mbit/s that the host claims
 * @param runtype how the market starts the container; ignored for a VM
 * @param environment set in the container and visible to builds; never secrets, the host's owner can read them
 * @param initScript runs as root at the machine's start; empty for none
 * @param imageLogin registry login in the market's form, null for a public image
 */
public record RunnerSpec(
        String instanceType,
        String machineImage,
        String region,
        int diskSpaceGb,
        int minRamGb,
        boolean vm,
        BigDecimal maxPricePerHour,
        double minReliability,
        boolean verifiedOnly,
        boolean datacenterOnly,
        int minDownloadMbps,
        String runtype,
        Map<String, String> environment,
        String initScript,
        Hidden imageLogin) {

    /** Default of {@link #minReliability}. */
    public static final double MIN_RELIABILITY = 0.98;

    /** Default of {@link #diskSpaceGb}, GB. */
    public static final int DISK_SPACE_GB = 30;

    /** Default of {@link #minDownloadMbps}, Mbit/s. */
    public static final int MIN_DOWNLOAD_MBPS = 200;

    /** Default of {@link #runtype}: sshd on a mapped port, the proxy as second way where the market gives one. */
    public static final String RUNTYPE = "ssh_direct";

    public RunnerSpec {
        Objects.requireNonNull(instanceType, "instanceType");
        Objects.requireNonNull(machineImage, "machineImage");
        region = region == null ? "" : region;
        runtype = runtype == null || runtype.isBlank() ? RUNTYPE : runtype;
        environment = Map.copyOf(environment == null ? Map.of() : environment);
        initScript = initScript == null ? "" : initScript;
    }

    /** The smallest useful machine of a template, everything else at its default. */
    public static RunnerSpec of(String instanceType, String machineImage, boolean vm) {
        return new RunnerSpec(
                instanceType,
                machineImage,
                "",
                DISK_SPACE_GB,
                0,
                vm,
                null,
                MIN_RELIABILITY,
                true,
                false,
                MIN_DOWNLOAD_MBPS,
                RUNTYPE,
                Map.of(),
                "",
                null);
    }

    /**
     * What these words ask of an offer.
     *
     * @param maxLifetime the host must stay on the market that long, and an hour
     * @throws SettingException for the first word that cannot be understood
     */
    public Requirements requirements(GpuCatalogue catalogue, Duration maxLifetime) throws SettingException {
        Requirements.Builder builder = Requirements.builder(
                        InstanceType.parse(instanceType, catalogue), Image.parse(machineImage))
                .vm(vm)
                .diskGb(diskSpaceGb)
                .minRamGb(minRamGb)
                .countries(Regions.parse(region))
                .minReliability(minReliability)
                .verified(verifiedOnly)
                .datacenterOnly(datacenterOnly)
                .minDownloadMbps(minDownloadMbps)
                .minDuration(maxLifetime.plusHours(1));
        if (maxPricePerHour != null) {
            builder.maxPricePerHour(maxPricePerHour);
        }
        return builder.build();
    }

    /** Every contradiction among the words, each with setting, value and remedy; empty when all is well. */
    public List<Reason> problems(GpuCatalogue catalogue, Duration maxLifetime) {
        try {
            return requirements(catalogue, maxLifetime).problems();
        } catch (SettingException e) {
            return List.of(e.reason());
        }
    }
}

package io.jenkins.plugins.vastai.market;

/**
 * Why an offer is not taken: one case per requirement, plus three that have to do with ourselves. An offer that does
 * not state a required value does not meet the requirement.
 */
public enum Rejection {
    /** Taken meanwhile, or not for rent. */
    NOT_RENTABLE(""),
    GPU_MODEL("instanceType"),
    GPU_COUNT("instanceType"),
    GPU_RAM("instanceType"),
    PRICE("maxPricePerHour"),
    COUNTRY("region"),
    DISK("extraConfig.diskSpace"),
    RAM("extraConfig.minRam"),
    VM("extraConfig.vm"),
    RELIABILITY("minReliability"),
    VERIFIED("verified"),
    DATACENTER("datacenterOnly"),
    CPU_ARCH("cpuArch"),
    CPU_CORES("minCpuCores"),
    CUDA("minCuda"),
    COMPUTE_CAP("minComputeCap"),
    DOWNLOAD("minDownloadMbps"),
    PORTS("minDirectPorts"),
    DURATION("maxLifetime"),
    /** The machine or its host is on the {@link Blocklist}. */
    BLOCKED(""),
    /** We rent this machine already: a fault of the machine must not hit two builds. */
    IN_USE(""),
    /** A better offer of the same machine is among the candidates. */
    SAME_MACHINE("");

    private final String setting;

    Rejection(String setting) {
        this.setting = setting;
    }

    /** Name in form and YAML of the setting behind it; empty when there is none. */
    public String setting() {
        return setting;
    }

    int bit() {
        return 1 << ordinal();
    }
}

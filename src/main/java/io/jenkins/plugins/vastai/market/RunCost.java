package io.jenkins.plugins.vastai.market;

/**
 * What a run on a machine is expected to cost, and by what offers are ordered.
 *
 * <pre>
 * pull    = imageGb · 8000 Mbit / (½ · min(download, 1000 Mbit/s))  +  imageGb · 6 s to unpack
 * ready   = 60 s (a VM: 300 s) + pull
 * run $   = machine $/h · (ready + run time)  +  GB received · $/GB  +  GB sent · $/GB
 * p       = 4 % + 2 · (1 − reliability), at most 75 %      the chance that a draw is a dud
 * duds    = p / (1 − p)                                    duds expected before one works
 * dud $   = machine $/h · (ready + 300 s)  +  imageGb · $/GB
 * weighed = run $ · (2 − reliability)                      a host that goes away takes the run with it
 *         + duds · dud $
 *         + waiting $/h · (ready + duds · (ready + 300 s))
 * </pre>
 *
 * Half of the claimed download: hosts claim more than they deliver, and share it. Duds: the market's own test runs lose
 * 4 % of draws on good hosts, users on the cheapest ones many more (docs/market.md, Rates).
 *
 * @param run expected bill, $
 * @param weighed what counts in the order, $
 * @param readySeconds from the order to a machine that takes builds, s
 */
record RunCost(double run, double weighed, double readySeconds) {

    static final double BOOT_SECONDS = 60;
    static final double VM_BOOT_SECONDS = 300;
    static final double UNPACK_SECONDS_PER_GB = 6;
    static final double DELIVERED_SHARE = 0.5;
    static final double MOST_USEFUL_MBPS = 1000;
    /** For a host that claims nothing. */
    static final double UNKNOWN_MBPS = 50;

    static final double UNKNOWN_RELIABILITY = 0.9;
    static final double LEAST_DUDS = 0.04;
    static final double MOST_DUDS = 0.75;
    static final double DUD_NOTICED_SECONDS = 300;

    /**
     * @param machinePerHour GPUs and disk, $ per hour
     * @param downPerGb $ per GB received
     * @param upPerGb $ per GB sent
     * @param downloadMbps as claimed; 0 when unknown
     * @param reliability 0 to 1; NaN when unknown
     */
    static RunCost of(
            double machinePerHour,
            double downPerGb,
            double upPerGb,
            double downloadMbps,
            double reliability,
            ExpectedRun expected,
            boolean vm) {
        double mbps = DELIVERED_SHARE * Math.min(MOST_USEFUL_MBPS, downloadMbps > 0 ? downloadMbps : UNKNOWN_MBPS);
        double pull = expected.imageGb() * (8000 / mbps + UNPACK_SECONDS_PER_GB);
        double ready = (vm ? VM_BOOT_SECONDS : BOOT_SECONDS) + pull;
        double run = machinePerHour * (ready + expected.runTime().toSeconds()) / 3600
                + (expected.imageGb() + expected.downloadGb()) * downPerGb
                + expected.uploadGb() * upPerGb;
        double reliable = Double.isNaN(reliability) ? UNKNOWN_RELIABILITY : Math.max(0, Math.min(1, reliability));
        double dudShare = Math.min(MOST_DUDS, LEAST_DUDS + 2 * (1 - reliable));
        double duds = dudShare / (1 - dudShare);
        double dudSeconds = ready + DUD_NOTICED_SECONDS;
        double dud = machinePerHour * dudSeconds / 3600 + expected.imageGb() * downPerGb;
        double weighed =
                run * (2 - reliable) + duds * dud + expected.waitingPricePerHour() * (ready + duds * dudSeconds) / 3600;
        return new RunCost(run, weighed, ready);
    }
}

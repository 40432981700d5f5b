package io.jenkins.plugins.vastai.market;

import io.jenkins.plugins.vastai.text.Reason;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** Finds what no machine could ever meet, before anything is searched or saved. */
final class RequirementsCheck {

    private static final Set<String> ARCHITECTURES = Set.of("", "amd64", "arm64");
    /** The market rents no less, GB. */
    private static final double MIN_DISK_GB = 8;

    private final List<Reason> problems = new ArrayList<>();

    private RequirementsCheck() {}

    /** Every problem at once: a form shows them all. */
    static List<Reason> problems(Requirements wanted) {
        return new RequirementsCheck().check(wanted);
    }

    private List<Reason> check(Requirements wanted) {
        problems.addAll(wanted.image().contradictions(wanted.vm()));
        range(Rejection.DISK, wanted.diskGb(), MIN_DISK_GB, 100_000);
        range(Rejection.RAM, wanted.minRamGb(), 0, 30_000);
        if (wanted.diskGb() >= MIN_DISK_GB
                && wanted.diskGb() < wanted.expectedRun().imageGb()) {
            problems.add(MarketText.DISK_BELOW_IMAGE.of(
                    number(wanted.diskGb()), number(wanted.expectedRun().imageGb())));
        }
        wanted.maxPricePerHour().ifPresent(price -> range(Rejection.PRICE, price.doubleValue(), 0.001, 1000));
        if (wanted.minReliability() > 1 && wanted.minReliability() <= 100) {
            problems.add(MarketText.RELIABILITY_PERCENT.of(
                    number(wanted.minReliability()), number(wanted.minReliability() / 100)));
        } else {
            range(Rejection.RELIABILITY, wanted.minReliability(), 0, 1);
        }
        if (!ARCHITECTURES.contains(wanted.cpuArch())) {
            problems.add(MarketText.CPU_ARCH_UNKNOWN.of(Spelling.shown(wanted.cpuArch())));
        }
        wanted.minCuda().ifPresent(cuda -> range(Rejection.CUDA, cuda, 0, 99));
        if (wanted.minComputeCap() > 0 && wanted.minComputeCap() < 100) {
            problems.add(MarketText.COMPUTE_CAP_SMALL.of(
                    wanted.minComputeCap(), wanted.minComputeCap() * (wanted.minComputeCap() < 20 ? 100 : 10)));
        } else {
            range(Rejection.COMPUTE_CAP, wanted.minComputeCap(), 0, 9999);
        }
        range(Rejection.CPU_CORES, wanted.minCpuCores(), 0, 4096);
        range(Rejection.DOWNLOAD, wanted.minDownloadMbps(), 0, 100_000);
        // A virtual machine cannot be reached through the market's proxy.
        range(Rejection.PORTS, wanted.minDirectPorts(), wanted.vm() ? 1 : 0, 1000);
        range(Rejection.DURATION, wanted.minDuration().toSeconds() / 3600.0, 0, 24 * 365);
        ExpectedRun run = wanted.expectedRun();
        range("expectedRun.imageGb", run.imageGb(), 0, 10_000);
        range("expectedRun.downloadGb", run.downloadGb(), 0, 1_000_000);
        range("expectedRun.uploadGb", run.uploadGb(), 0, 1_000_000);
        range("expectedRun.runTime", run.runTime().toSeconds() / 3600.0, 0, 24 * 365);
        range("expectedRun.waitingPricePerHour", run.waitingPricePerHour(), 0, 10_000);
        return List.copyOf(problems);
    }

    private void range(Rejection rejection, double value, double least, double most) {
        range(rejection.setting(), value, least, most);
    }

    private void range(String setting, double value, double least, double most) {
        if (!(value >= least && value <= most)) {
            problems.add(MarketText.OUT_OF_RANGE.of(setting, number(value), number(least), number(most)));
        }
    }

    private static String number(double value) {
        return Double.isFinite(value)
                ? BigDecimal.valueOf(value).stripTrailingZeros().toPlainString()
                : String.valueOf(value);
    }
}

package io.jenkins.plugins.vastai.bench;

import java.util.Collection;
import java.util.List;
import java.util.Locale;
import org.openjdk.jmh.profile.GCProfiler;
import org.openjdk.jmh.results.Result;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;
import org.openjdk.jmh.runner.options.VerboseMode;

/** Runs {@link MarketSpeed} and {@link EngineSpeed} and holds them to their aims. */
final class PureParts {

    /**
     * @param name of the benchmark, with its stage
     * @param median time of one, ms
     * @param p99 as long or shorter take 99 of 100, ms
     * @param allocated by one, KB
     */
    record Speed(String name, double median, double p99, double allocated) {}

    private PureParts() {}

    static List<Speed> measure(boolean quick) throws RunnerException {
        Collection<RunResult> results = new Runner(new OptionsBuilder()
                        .include(MarketSpeed.class.getName() + "|" + EngineSpeed.class.getName())
                        .forks(1)
                        .warmupIterations(quick ? 2 : 5)
                        .warmupTime(TimeValue.seconds(1))
                        .measurementIterations(quick ? 2 : 5)
                        .measurementTime(TimeValue.seconds(1))
                        .jvmArgsAppend("-Djava.util.logging.config.file="
                                + System.getProperty("java.util.logging.config.file", ""))
                        .addProfiler(GCProfiler.class)
                        .verbosity(VerboseMode.NORMAL)
                        .build())
                .run();
        return results.stream().map(PureParts::speed).toList();
    }

    private static Speed speed(RunResult run) {
        String name = run.getParams().getBenchmark().replaceAll(".*\\.(\\w+\\.\\w+)$", "$1");
        String stage = run.getParams().getParam("stage");
        Result<?> time = run.getPrimaryResult();
        double perMilli = 1000;
        double bytes = run.getSecondaryResults().entrySet().stream()
                .filter(entry -> entry.getKey().endsWith("gc.alloc.rate.norm"))
                .mapToDouble(entry -> entry.getValue().getScore())
                .findFirst()
                .orElse(Double.NaN);
        return new Speed(
                stage == null ? name : name + " " + stage.toLowerCase(Locale.ROOT),
                time.getStatistics().getPercentile(50) / perMilli,
                time.getStatistics().getPercentile(99) / perMilli,
                bytes / 1024);
    }

    public static void main(String[] args) throws RunnerException {
        for (Speed speed : measure(args.length > 0)) {
            System.out.printf(
                    Locale.ROOT,
                    "%-32s median %8.3f ms  p99 %8.3f ms  %10.1f KB%n",
                    speed.name(),
                    speed.median(),
                    speed.p99(),
                    speed.allocated());
        }
    }
}

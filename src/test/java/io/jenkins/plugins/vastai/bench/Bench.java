package io.jenkins.plugins.vastai.bench;

import java.io.IOException;
import java.io.Reader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Properties;
import java.util.logging.Level;
import java.util.logging.Logger;
import java.util.stream.Collectors;
import java.util.stream.LongStream;

/**
 * Measures the engine, takes in what was measured in a real Jenkins, writes both into the document, and ends with one line
 * of figures. Fails when a figure that no machine can excuse misses its aim.
 *
 * <p>Arguments: the file with the figures from Jenkins (may be missing), the document.
 */
public final class Bench {

    private static final String BEGIN = "<!-- measured: begin -->";
    private static final String END = "<!-- measured: end -->";
    private static final double CREATE_INTERVAL_MS = 4500;

    private final boolean quick = "quick".equals(System.getenv("BENCH"));
    private final Properties jenkins = new Properties();
    private final StringBuilder text = new StringBuilder();
    private final List<String> missed = new ArrayList<>();

    private Bench() {}

    public static void main(String[] args) throws Exception {
        Logger.getLogger("").setLevel(Level.OFF);
        System.exit(new Bench().run(Path.of(args[0]), Path.of(args[1])) ? 0 : 1);
    }

    private boolean run(Path fromJenkins, Path document) throws Exception {
        if (Files.exists(fromJenkins)) {
            try (Reader reader = Files.newBufferedReader(fromJenkins)) {
                jenkins.load(reader);
            }
        }
        machine();
        Map<String, String> figures = new LinkedHashMap<>();
        if (jenkins.isEmpty()) {
            text.append("Nothing was measured in a real Jenkins: its artifacts could not be resolved.\n\n");
        } else {
            inJenkins(figures);
        }
        bursts(figures);
        pureParts();
        String line = "bench: "
                + List.of(
                                "queue_to_create_x",
                                "p99_ms",
                                "burst500_over_floor",
                                "calls_per_rental",
                                "running_to_online_x",
                                "threads_500",
                                "heap_kb_per_agent",
                                "page_ms_500")
                        .stream()
                        .map(name -> name + "=" + figures.getOrDefault(name, "left_out"))
                        .collect(Collectors.joining(" "));
        text.append("```\n").append(line).append("\n```\n");
        write(document);
        missed.forEach(miss -> System.out.println("bench: missed: " + miss));
        System.out.println(line);
        return missed.isEmpty();
    }

    private void machine() throws IOException {
        text.append("Measured on ")
                .append(LocalDate.now())
                .append(quick ? " in quick mode" : "")
                .append(", on ")
                .append(Runtime.getRuntime().availableProcessors())
                .append(" processors (")
                .append(processor())
                .append("), Java ")
                .append(System.getProperty("java.version"))
                .append(".\n\n");
    }

    private static String processor() throws IOException {
        Path info = Path.of("/proc/cpuinfo");
        return Files.isReadable(info)
                ? Files.readAllLines(info).stream()
                        .filter(line -> line.startsWith("model name"))
                        .map(line -> line.substring(line.indexOf(':') + 1).strip())
                        .findFirst()
                        .orElse("unknown")
                : System.getProperty("os.arch");
    }

    /** Times of one kind, in order. */
    private record Times(long[] sorted) {

        double median() {
            return at(0.5);
        }

        double p99() {
            return at(0.99);
        }

        private double at(double share) {
            return sorted.length == 0
                    ? Double.NaN
                    : sorted[Math.min(sorted.length - 1, (int) Math.ceil(sorted.length * share) - 1)];
        }
    }

    private Times times(String... names) {
        return new Times(Arrays.stream(names)
                .flatMapToLong(
                        name -> Arrays.stream(jenkins.getProperty(name, "").split(","))
                                .filter(value -> !value.isBlank())
                                .mapToLong(Long::parseLong))
                .sorted()
                .toArray());
    }

    private double one(String name) {
        return times(name).median();
    }

    private void inJenkins(Map<String, String> figures) {
        Times single = times("queue_to_create_single");
        Times all = times("queue_to_create_single", "queue_to_order_burst");
        Times standard = times("queue_to_create_default");
        Times online = times("running_to_online");
        Times plain = times("running_to_online_plain");
        text.append("### In a real Jenkins, with the intervals of production\n\n");
        table("what", "n", "median ms", "p99 ms", "floor");
        row("queue → create call, one item after the other (market's limits off)", single, "20 ms: one review");
        row("queue → order, hundreds at once, on one label and on two hundred", times("queue_to_order_burst"), "20 ms");
        row("the same cloud with Jenkins' own strategy, items at once on one label", standard, "");
        row("instance running → agent online", online, "sshd 2 s, then the agent's own start");
        row("plain SSH agent, launched the moment that the instance runs", plain, "as above");
        row("build end → destroy call", times("build_end_to_destroy"), "0");
        row("idle limit → destroy call", times("idle_limit_to_destroy"), "0");
        row("page of the cloud with " + Math.round(one("agents")) + " agents", times("page_ms"), "");
        text.append('\n');
        table("burst with the market's limits in force", "last create s", "floor s", "ratio");
        for (int size : new int[] {1, 10, 100}) {
            double last = one("burst_" + size);
            double floor = (size - 1) * CREATE_INTERVAL_MS;
            if (!Double.isNaN(last)) {
                text.append(format(
                        "| %d | %.1f | %.1f | %s |%n",
                        size, last / 1000, floor / 1000, size == 1 ? "" : format("%.4f", last / floor)));
            }
        }
        text.append('\n');
        text.append(format(
                "%d agents: %d threads of the plugin and its SSH and HTTP clients (%d before), %.1f KB of heap each"
                        + " (Jenkins' own part of an agent included), %.1f %% of one core.%n%n",
                Math.round(one("agents")),
                Math.round(one("threads")),
                Math.round(one("threads_before")),
                one("heap_bytes_per_agent") / 1024,
                one("cpu_permille_of_a_core") / 10));
        double faster = standard.median() / all.median();
        figures.put("queue_to_create_x", format("%.0f", faster));
        figures.put("p99_ms", format("%.0f", all.p99()));
        figures.put("running_to_online_x", format("%.2f", online.median() / plain.median()));
        figures.put("threads_500", format("%.0f", one("threads")));
        figures.put("heap_kb_per_agent", format("%.1f", one("heap_bytes_per_agent") / 1024));
        figures.put("page_ms_500", format("%.0f", times("page_ms").median()));
        aim("queue_to_create_x >= 100", faster >= 100);
        aim("threads_500 <= 20", one("threads") <= 20);
        aim("heap_kb_per_agent <= 50", one("heap_bytes_per_agent") <= 50 * 1024);
        aim("running_to_online_x <= 1.1, with room for noise 1.3", online.median() <= 1.3 * plain.median());
    }

    private void bursts(Map<String, String> figures) throws IOException, InterruptedException {
        text.append("### Engine and client alone, in driven time, market's limits in force\n\n");
        text.append("From the order to the proof that the machine is gone, 30 s of boot and 60 s of build each."
                + " The same on every machine.\n\n");
        table(
                "burst",
                "last create s",
                "turns over floor",
                "refused",
                "throttled",
                "calls per rental",
                "of these lists");
        burst(1, 0, figures);
        burst(10, 0, figures);
        burst(100, 0, figures);
        burst(500, 0, figures);
        burst(100, 0.2, figures);
        text.append(
                "\nThe last row: one offer in five is gone before its create call arrives, which takes a turn.\n\n");
    }

    private void burst(int rentals, double gone, Map<String, String> figures) throws IOException, InterruptedException {
        EngineBurst.Result result = EngineBurst.run(rentals, gone);
        text.append(format(
                "| %d%s | %.1f | %s | %d | %d | %.2f | %.2f |%n",
                rentals,
                gone > 0 ? ", offers go" : "",
                result.lastCreate().toMillis() / 1000.0,
                rentals == 1 ? "" : format("%.4f", result.overFloor()),
                result.refused(),
                result.throttled(),
                result.callsPerRental(),
                result.lists() / (double) rentals));
        System.out.println(format("bench: burst of %d: %s", rentals, result.calls()));
        if (rentals > 1) {
            aim("burst of " + rentals + " over floor <= 1.02", result.overFloor() <= 1.02);
            aim("burst of " + rentals + " never too early", result.throttled() == 0);
        }
        if (rentals == 500) {
            figures.put("burst500_over_floor", format("%.3f", result.overFloor()));
            figures.put("calls_per_rental", format("%.2f", result.callsPerRental()));
            aim("calls_per_rental <= 6", result.callsPerRental() <= 6);
        }
    }

    private void pureParts() throws Exception {
        text.append("### Pure parts (JMH)\n\n");
        table("what", "median ms", "p99 ms", "allocated KB");
        for (PureParts.Speed speed : PureParts.measure(quick)) {
            text.append(format(
                    "| %s | %.3f | %.3f | %.1f |%n", speed.name(), speed.median(), speed.p99(), speed.allocated()));
            // Milliseconds depend on the machine; what is allocated does not, and most of the time goes with it.
            if (speed.name().endsWith("rank")) {
                aim("ranking 10,000 offers allocates <= 5 MB", speed.allocated() <= 5 * 1024);
            }
            if (speed.name().endsWith("readAnswer")) {
                aim("reading 64 offers allocates <= 1.5 MB", speed.allocated() <= 1.5 * 1024);
            }
        }
        text.append('\n');
    }

    private void aim(String what, boolean met) {
        if (!met) {
            missed.add(what);
        }
    }

    private void table(String... columns) {
        text.append("| ").append(String.join(" | ", columns)).append(" |\n|");
        LongStream.range(0, columns.length).forEach(i -> text.append("---|"));
        text.append('\n');
    }

    private void row(String what, Times times, String floor) {
        text.append(format(
                "| %s | %d | %.0f | %.0f | %s |%n", what, times.sorted().length, times.median(), times.p99(), floor));
    }

    private static String format(String form, Object... values) {
        return String.format(Locale.ROOT, form, values);
    }

    private void write(Path document) throws IOException {
        String all = Files.readString(document);
        int begin = all.indexOf(BEGIN) + BEGIN.length();
        int end = all.indexOf(END);
        Files.writeString(document, all.substring(0, begin) + "\n" + text + all.substring(end));
    }
}

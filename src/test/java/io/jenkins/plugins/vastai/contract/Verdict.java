package io.jenkins.plugins.vastai.contract;

import java.io.PrintStream;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;

/** Collects what the judge finds, sorts it into known deviations and violations, and prints both. Thread-safe. */
final class Verdict {

    private final Description description;
    private final Judge judge;
    /** Operation → status → number of exchanges. */
    private final Map<String, Map<Integer, Integer>> seen = new TreeMap<>();
    private final Map<Deviation, Integer> used = new EnumMap<>(Deviation.class);
    /** Finding → how often and during what first. */
    private final Map<Finding, List<String>> violations = new TreeMap<>();
    private final List<String> failures = new ArrayList<>();
    private String scenario = "";
    private boolean judging = true;

    Verdict(Description description) {
        this.description = description;
        this.judge = new Judge(description);
    }

    /** Names what is being driven from now on, for the report. */
    synchronized void scenario(String name) {
        scenario = name;
    }

    /** Off while an injected fault makes answers that are no market's. */
    synchronized void judging(boolean on) {
        judging = on;
    }

    synchronized void accept(Exchange exchange) {
        if (!judging || !exchange.path().startsWith("/api/")) {
            return; // logs lie with a store that is no part of the API
        }
        for (Finding finding : judge.judge(exchange)) {
            Deviation known = null;
            for (Deviation deviation : Deviation.values()) {
                if (deviation.covers(finding)) {
                    known = deviation;
                    break;
                }
            }
            if (known != null) {
                used.merge(known, 1, Integer::sum);
            } else {
                violations.computeIfAbsent(finding, any -> new ArrayList<>()).add(scenario);
            }
        }
        String path = exchange.path().replaceAll("/$", "");
        String operation = description
                .operation(exchange.method(), path)
                .map(Description.Operation::toString)
                .orElse(exchange.method() + " " + path);
        seen.computeIfAbsent(operation, any -> new TreeMap<>()).merge(exchange.status(), 1, Integer::sum);
    }

    /** Client and simulator do not agree on what an answer means. */
    synchronized void failure(String message) {
        failures.add(scenario + ": " + message);
    }

    /** Statuses that the description promises for the driven operations and that no exchange showed. */
    private Map<String, TreeSet<Integer>> notShown() {
        Map<String, TreeSet<Integer>> missing = new LinkedHashMap<>();
        for (Description.Operation operation : description.operations()) {
            Map<Integer, Integer> shown = seen.get(operation.toString());
            if (shown != null) {
                TreeSet<Integer> statuses = new TreeSet<>(operation.statuses());
                statuses.removeAll(shown.keySet());
                if (!statuses.isEmpty()) {
                    missing.put(operation.toString(), statuses);
                }
            }
        }
        return missing;
    }

    /**
     * Prints everything; the last line sums it up.
     *
     * @return number of violations
     */
    synchronized int print(PrintStream out) {
        seen.forEach((operation, statuses) -> out.println("driven: " + operation + " " + statuses));
        notShown().forEach((operation, statuses) -> {
            statuses.forEach(status -> failures.add(operation + ": the described answer " + status + " was never shown"));
        });
        int unused = 0;
        for (Deviation deviation : Deviation.values()) {
            int times = used.getOrDefault(deviation, 0);
            out.println("known deviation " + deviation + ", " + (times == 0 ? "UNUSED" : "used " + times + " times")
                    + ": " + deviation.reason());
            unused += times == 0 ? 1 : 0;
        }
        violations.forEach((finding, scenarios) ->
                out.println("VIOLATION (" + scenarios.size() + " times, first in: " + scenarios.get(0) + ") " + finding));
        failures.forEach(failure -> out.println("VIOLATION " + failure));
        int total = violations.size() + failures.size() + unused;
        out.println("contract: operations=" + seen.size() + " violations=" + total);
        return total;
    }
}

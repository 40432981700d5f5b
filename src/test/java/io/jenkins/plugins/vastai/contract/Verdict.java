package io.jenkins.plugins.vastai.contract;

import io.jenkins.plugins.vastai.api.Call;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/** Collects what the judge finds, sorts it into known deviations and violations, and prints both. Thread-safe. */
final class Verdict {

    /** Answers that the description promises and that nobody can be made to give: no wrong question leads to them. */
    private static final Map<String, Set<Integer>> CANNOT_BE_SHOWN = new TreeMap<>(Map.of(
            "GET /api/v0/instances/{id}", Set.of(400),
            "GET /api/v0/instances/{id}/ssh", Set.of(400),
            "DELETE /api/v0/instances/{id}", Set.of(400)));

    private final Description description;
    private final Judge judge;
    /** Operation → status → number of exchanges. */
    private final Map<String, Map<Integer, Integer>> seen = new TreeMap<>();

    private final Map<Deviation, Integer> used = new EnumMap<>(Deviation.class);
    /** The first finding of its kind → during what all of the kind were found. */
    private final Map<Finding, List<String>> violations = new TreeMap<>(Comparator.comparing(Finding::operation)
            .thenComparing(Finding::place)
            .thenComparing(Finding::key)
            .thenComparing(finding -> finding.pointer().replaceAll("\\d+", "*")));

    private final List<String> failures = new ArrayList<>();
    private String scenario = "";
    private boolean judging = true;
    private boolean judgingRequests = true;

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

    /** Off while requests are wrong on purpose. */
    synchronized void judgingRequests(boolean on) {
        judgingRequests = on;
    }

    synchronized void accept(Exchange exchange) {
        if (!judging || !exchange.path().startsWith("/api/")) {
            return; // logs lie with a store that is no part of the API
        }
        for (Finding finding : judge.judge(exchange)) {
            if (!judgingRequests && finding.place().equals("request")) {
                continue;
            }
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

    private static boolean ofTheClient(Description.Operation operation) {
        return Arrays.stream(Call.values()).anyMatch(call -> call.toString().equals(operation + "/"));
    }

    /** Statuses that the description promises for the client's operations and that no exchange showed. */
    private Map<String, TreeSet<Integer>> notShown() {
        Map<String, TreeSet<Integer>> missing = new LinkedHashMap<>();
        for (Description.Operation operation : description.operations()) {
            Map<Integer, Integer> shown = seen.get(operation.toString());
            if (shown != null && ofTheClient(operation)) {
                TreeSet<Integer> statuses = new TreeSet<>(operation.statuses());
                statuses.removeAll(shown.keySet());
                statuses.removeAll(CANNOT_BE_SHOWN.getOrDefault(operation.toString(), Set.of()));
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
            statuses.forEach(
                    status -> failures.add(operation + ": the described answer " + status + " was never shown"));
        });
        CANNOT_BE_SHOWN.forEach((operation, statuses) -> out.println("not shown: " + operation + " " + statuses
                + ", an answer to a number that is none, which neither the client nor the described path allows"));
        int unused = 0;
        for (Deviation deviation : Deviation.values()) {
            int times = used.getOrDefault(deviation, 0);
            out.println("known deviation " + deviation + ", " + (times == 0 ? "UNUSED" : "used " + times + " times")
                    + ": " + deviation.reason());
            unused += times == 0 ? 1 : 0;
        }
        violations.forEach((finding, scenarios) -> out.println(
                "VIOLATION (" + scenarios.size() + " times, first in: " + scenarios.get(0) + ") " + finding));
        failures.forEach(failure -> out.println("VIOLATION " + failure));
        int total = violations.size() + failures.size() + unused;
        out.println("contract: operations=" + seen.size() + " violations=" + total);
        return total;
    }
}

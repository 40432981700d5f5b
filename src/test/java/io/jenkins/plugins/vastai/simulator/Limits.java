package io.jenkins.plugins.vastai.simulator;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/** Least spacing of calls for each endpoint and identity, as published. Thread-safe. */
final class Limits {
    private static final Duration SEARCH_PERIOD = Duration.ofMinutes(1);
    private static final int SEARCHES = 10;
    /** A create call that came too early makes the next one wait so long. */
    private static final Duration CREATE_PENALTY = Duration.ofSeconds(12);

    private final Map<String, Instant> free = new HashMap<>();
    private final Map<String, Deque<Instant>> searches = new HashMap<>();
    private int refusals;

    /** The refusal when the call comes too early; else the call is noted. */
    synchronized Optional<Answer> refuse(Endpoint endpoint, String identity, Instant now) {
        if (endpoint == Endpoint.SEARCH) {
            Deque<Instant> recent = searches.computeIfAbsent(identity, key -> new ArrayDeque<>());
            while (!recent.isEmpty() && !recent.peekFirst().plus(SEARCH_PERIOD).isAfter(now)) {
                recent.removeFirst();
            }
            if (recent.size() >= SEARCHES) {
                return Optional.of(refusal(6));
            }
            recent.addLast(now);
            return Optional.empty();
        }
        if (endpoint.spacing().isZero()) {
            return Optional.empty();
        }
        String bucket = endpoint + " " + identity;
        Instant next = free.get(bucket);
        if (next != null && now.isBefore(next)) {
            if (endpoint == Endpoint.CREATE) {
                free.put(bucket, now.plus(CREATE_PENALTY));
            }
            return Optional.of(refusal(endpoint.spacing().toMillis() / 1000.0));
        }
        free.put(bucket, now.plus(endpoint.spacing()));
        return Optional.empty();
    }

    /** Too many requests, in the shapes the market uses, one after the other. Never with Retry-After. */
    synchronized Answer refusal(double threshold) {
        String words = "API requests too frequent";
        return switch (refusals++ % 4) {
            case 0 -> Answer.of(429, Json.object().put("detail", words + " endpoint threshold=" + threshold));
            case 1 -> Answer.error(429, "rate_limit_exceeded", words + " endpoint threshold=" + threshold);
            case 2 -> Answer.text(429, "text/plain", words + ": endpoint threshold=" + threshold);
            default -> Answer.text(429, "text/plain", words);
        };
    }
}

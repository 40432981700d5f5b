package io.jenkins.plugins.vastai.api;

import dev.failsafe.RateLimiter;
import java.time.Duration;
import java.util.EnumMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/** One rate limiter per endpoint, and a pause for endpoints that the market has complained about. */
final class PublishedPacing implements Pacing {

    private final Duration longestWait;
    private final Map<Call, Lane> lanes = new EnumMap<>(Call.class);

    PublishedPacing(Duration longestWait) {
        this.longestWait = longestWait;
        for (Call call : Call.values()) {
            lanes.put(call, new Lane(RateLimiter.smoothBuilder(call.interval()).build(), new AtomicLong()));
        }
    }

    @Override
    public void await(Call call) throws VastException, InterruptedException {
        Lane lane = lanes.get(call);
        Duration paused = lane.pauseLeft();
        // A reserved permit cannot be given back, so the pause is judged before one is taken.
        Duration turn = paused.compareTo(longestWait) > 0
                ? Duration.ofNanos(-1)
                : lane.limiter().tryReservePermit(longestWait);
        if (turn.isNegative()) {
            throw VastException.of(VastException.Kind.THROTTLED, ApiText.PACING_WAIT.of(call, longestWait.toSeconds()))
                    .retryAfter(longest(paused, call.interval()))
                    .build();
        }
        TimeUnit.NANOSECONDS.sleep(longest(turn, paused).toNanos());
    }

    @Override
    public void throttled(Call call, Duration pause) {
        lanes.get(call).pauseFor(longest(pause, call.penalty()));
    }

    private static Duration longest(Duration a, Duration b) {
        return a.compareTo(b) > 0 ? a : b;
    }

    /** @param pausedUntil {@link System#nanoTime()}; 0 when never paused */
    private record Lane(RateLimiter<Object> limiter, AtomicLong pausedUntil) {

        Duration pauseLeft() {
            long until = pausedUntil.get();
            return until == 0 ? Duration.ZERO : Duration.ofNanos(Math.max(0, until - System.nanoTime()));
        }

        void pauseFor(Duration pause) {
            long until = System.nanoTime() + pause.toNanos();
            pausedUntil.accumulateAndGet(until, (old, now) -> old == 0 || now - old > 0 ? now : old);
        }
    }
}

package io.jenkins.plugins.vastai.api;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.EnumMap;
import java.util.Map;

/**
 * Keeps the published distance between two calls of an endpoint, and pauses endpoints that the market has complained
 * about. Failsafe's rate limiter will not do: its intervals lie on a fixed grid, so that a call late in one interval and
 * a call early in the next follow each other at once, which the market answers with twelve seconds of penalty.
 */
final class PublishedPacing implements Pacing {

    /** One call in so many: two calls take unequal times to the market, so what leaves in time may arrive too early. */
    private static final long MARGIN = 100;

    private final Duration longestWait;
    private final Time time;
    private final Map<Call, Lane> lanes = new EnumMap<>(Call.class);

    PublishedPacing(Duration longestWait, Time time) {
        this.longestWait = longestWait;
        this.time = time;
        for (Call call : Call.values()) {
            lanes.put(call, new Lane(call));
        }
    }

    @Override
    public void await(Call call) throws VastException, InterruptedException {
        time.sleep(turn(call));
    }

    /** Takes the next free turn. Returns how long it is away. */
    Duration turn(Call call) throws VastException {
        Duration wait = lanes.get(call).take(time.nanos(), longestWait.toNanos());
        if (wait.compareTo(longestWait) > 0) {
            throw VastException.of(VastException.Kind.THROTTLED, ApiText.PACING_WAIT.of(call, longestWait.toSeconds()))
                    .retryAfter(wait.compareTo(call.interval()) > 0 ? wait : call.interval())
                    .build();
        }
        return wait;
    }

    @Override
    public Duration untilTurn(Call call) {
        return Duration.ofNanos(lanes.get(call).untilFree(time.nanos()));
    }

    @Override
    public Duration interval(Call call) {
        Lane lane = lanes.get(call);
        return Duration.ofNanos(lane.period / lane.burst);
    }

    @Override
    public void throttled(Call call, Duration pause) {
        lanes.get(call).pause(time.nanos(), pause);
    }

    /** The turns of one endpoint. */
    private static final class Lane {

        private final int burst;
        private final long period;
        private final long penalty;
        /** The last {@link #burst} turns, those that are still to come included. */
        private final Deque<Long> turns = new ArrayDeque<>();

        private boolean paused;
        private long pausedUntil;

        Lane(Call call) {
            this.burst = call.burst();
            this.period = call.interval().multipliedBy(burst).toNanos() * (MARGIN + 1) / MARGIN;
            this.penalty = call.penalty().toNanos();
        }

        /** How long the next turn is away; it is taken unless that is longer than {@code longest}. */
        synchronized Duration take(long now, long longest) {
            long wait = untilFree(now);
            if (wait <= longest) {
                if (turns.size() == burst) {
                    turns.removeFirst();
                }
                turns.addLast(now + wait);
            }
            return Duration.ofNanos(wait);
        }

        synchronized long untilFree(long now) {
            long wait = turns.size() < burst ? 0 : Math.max(0, turns.peekFirst() + period - now);
            if (paused) {
                wait = Math.max(wait, pausedUntil - now);
                paused = pausedUntil - now > 0;
            }
            return wait;
        }

        synchronized void pause(long now, Duration pause) {
            long until = now + Math.max(penalty, pause.toNanos());
            if (!paused || until - pausedUntil > 0) {
                pausedUntil = until;
                paused = true;
            }
        }
    }
}

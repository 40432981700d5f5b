package io.jenkins.plugins.vastai.api;

import java.time.Duration;
import java.util.concurrent.TimeUnit;

/**
 * Decides when a call may go out. Every client of one API key shares one pacing, since the market counts per key and
 * endpoint. Implementations are thread-safe.
 */
public interface Pacing {

    /**
     * Returns when {@code call} may be sent.
     *
     * @throws VastException of kind {@link VastException.Kind#THROTTLED} if that would take longer than this pacing
     *     lets anybody wait; nothing has been sent then
     */
    void await(Call call) throws VastException, InterruptedException;

    /** How long until {@code call} may be sent; zero when it may be sent now. Takes no turn. */
    default Duration untilTurn(Call call) {
        return Duration.ZERO;
    }

    /** The time that this pacing keeps between two such calls, on average. */
    default Duration interval(Call call) {
        return Duration.ZERO;
    }

    /** The market has just said that {@code call} came too soon; nobody may send it within {@code pause}. */
    void throttled(Call call, Duration pause);

    /** The published intervals; no caller waits longer than {@code longestWait} for its turn. */
    static Pacing published(Duration longestWait) {
        return published(longestWait, Time.REAL);
    }

    /** The published intervals in another time. */
    static Pacing published(Duration longestWait, Time time) {
        return new PublishedPacing(longestWait, time);
    }

    /** Time as it passes at the market: real, or a simulator's. */
    interface Time {

        /** As {@link System#nanoTime}. */
        long nanos();

        void sleep(Duration time) throws InterruptedException;

        Time REAL = new Time() {
            @Override
            public long nanos() {
                return System.nanoTime();
            }

            @Override
            public void sleep(Duration time) throws InterruptedException {
                TimeUnit.NANOSECONDS.sleep(time.toNanos());
            }
        };
    }

    /** No pacing at all: for tests and for a simulator without limits. */
    static Pacing none() {
        return new Pacing() {
            @Override
            public void await(Call call) {
                // always its turn
            }

            @Override
            public void throttled(Call call, Duration pause) {
                // the caller's own back-off is all
            }
        };
    }
}

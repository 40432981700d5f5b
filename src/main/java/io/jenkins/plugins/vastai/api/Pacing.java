package io.jenkins.plugins.vastai.api;

import java.time.Duration;

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
        return published(longestWait, 1);
    }

    /**
     * The published intervals, each divided.
     *
     * @param divisor for a simulator whose clock runs so many times too fast; 1 for the market
     */
    static Pacing published(Duration longestWait, long divisor) {
        return new PublishedPacing(longestWait, divisor, System::nanoTime);
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

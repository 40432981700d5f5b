package io.jenkins.plugins.vastai.ssh;

import java.net.URI;
import java.time.Duration;
import java.util.Objects;

/**
 * When a machine ends itself: the last safety net, for the time when no controller can do it. The machine counts on the
 * clock of its uptime, which starts with the start script, and goes on counting after a restart of the machine.
 *
 * @param market address of the API, as the machine reaches it
 * @param silence how long the controller may not be heard of. Heard of means: it looked at the machine (see {@link
 *     Survey}), or the connection is alive that the agent runs on (see {@link StartScript#AGENT_PREFIX})
 * @param lifetime in any case; must be later than the controller's own end of the machine
 * @param check between two looks
 */
public record Watchdog(URI market, Duration silence, Duration lifetime, Duration check) {

    /**
     * Default of {@link #silence}. A controller that is upgraded or restored from a backup is back within it, and the
     * builds go on meanwhile; a controller that is gone for good costs an hour of each machine.
     */
    public static final Duration SILENCE = Duration.ofHours(1);

    /**
     * How much later than the controller's last word on a machine's lifetime the machine acts on its own: enough for a
     * destroy that has to be repeated, and within the hour for which an offer must outlast the lifetime.
     */
    public static final Duration MARGIN = Duration.ofMinutes(20);

    /** Default of {@link #check}. */
    public static final Duration CHECK = Duration.ofMinutes(1);

    public Watchdog {
        Objects.requireNonNull(market, "market");
        if (silence.compareTo(check) < 0 || check.toSeconds() < 1 || lifetime.toSeconds() < 1) {
            throw new IllegalArgumentException("silence " + silence + ", lifetime " + lifetime + ", check " + check);
        }
    }

    /** With the usual interval. */
    public static Watchdog of(URI market, Duration silence, Duration lifetime) {
        return new Watchdog(market, silence, lifetime, CHECK);
    }

    /** For the start script's head. */
    String head() {
        String address = market.toString().replaceFirst("/+$", "");
        return "A=" + Scripts.quote(address) + " Q=" + silence.toSeconds() + " L=" + lifetime.toSeconds() + " T="
                + check.toSeconds();
    }
}

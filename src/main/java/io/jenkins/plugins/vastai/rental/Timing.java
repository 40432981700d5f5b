package io.jenkins.plugins.vastai.rental;

import java.time.Duration;

/**
 * Every interval and deadline of the engine. {@link #published()} is what production uses; tests against a fast
 * simulator shorten it.
 *
 * @param pollFast between two lists while something boots or retires
 * @param pollSlow between two lists while machines only serve, and while nothing is rented (orphans are looked for)
 * @param searchFresh how long one search answer serves all that ask the same
 * @param noOffer how long a rental waits for an offer to appear, before it gives up and other clouds are asked
 * @param settle how long a create call without an answer is looked for by its label
 * @param probe between two tries to reach a running machine
 * @param refused how long connection refused is taken for sshd still starting
 * @param timedOut how long no answer at all is taken for a slow start
 * @param keyMissing how long a refused key is taken for one that has not arrived yet
 * @param noCommands how long a login that runs no commands is taken for a start script that has not silenced it yet
 * @param prepare how long Java, directory and checks may take once the machine was reached
 * @param connect how long the agent may take to come online on a machine that is fit
 * @param hostOffline how long a host may be silent while its agent serves
 * @param agentOffline how long an agent that served may stay disconnected
 * @param destroyRetry between two destroy calls for the same instance; doubles up to eight times this
 * @param orphanGrace how long an instance with our controller's label and no record must be seen before it is destroyed
 * @param keepEnded how long ended rentals stay visible
 */
public record Timing(
        Duration pollFast,
        Duration pollSlow,
        Duration searchFresh,
        Duration noOffer,
        Duration settle,
        Duration probe,
        Duration refused,
        Duration timedOut,
        Duration keyMissing,
        Duration noCommands,
        Duration prepare,
        Duration connect,
        Duration hostOffline,
        Duration agentOffline,
        Duration destroyRetry,
        Duration orphanGrace,
        Duration keepEnded) {

    /** For the real market. */
    public static Timing published() {
        return new Timing(
                Duration.ofSeconds(3),
                Duration.ofSeconds(30),
                Duration.ofSeconds(20),
                Duration.ofSeconds(60),
                Duration.ofSeconds(60),
                Duration.ofMillis(500),
                Duration.ofMinutes(5),
                Duration.ofMinutes(2),
                Duration.ofMinutes(3),
                Duration.ofSeconds(45),
                Duration.ofMinutes(6),
                Duration.ofMinutes(5),
                Duration.ofMinutes(4),
                Duration.ofMinutes(5),
                Duration.ofSeconds(10),
                Duration.ofMinutes(5),
                Duration.ofDays(7));
    }

    /** The same, but ended rentals stay visible for that long. */
    public Timing keepEnded(Duration kept) {
        return new Timing(
                pollFast,
                pollSlow,
                searchFresh,
                noOffer,
                settle,
                probe,
                refused,
                timedOut,
                keyMissing,
                noCommands,
                prepare,
                connect,
                hostOffline,
                agentOffline,
                destroyRetry,
                orphanGrace,
                kept);
    }

    /** As people are told: whole minutes, 1 at least. */
    static long minutes(Duration duration) {
        return Math.max(1, duration.toMinutes());
    }

    /** The same with every waiting time divided; what is kept for people stays as it is. */
    public Timing dividedBy(long divisor) {
        return new Timing(
                pollFast.dividedBy(divisor),
                pollSlow.dividedBy(divisor),
                searchFresh.dividedBy(divisor),
                noOffer.dividedBy(divisor),
                settle.dividedBy(divisor),
                probe.dividedBy(divisor),
                refused.dividedBy(divisor),
                timedOut.dividedBy(divisor),
                keyMissing.dividedBy(divisor),
                noCommands.dividedBy(divisor),
                prepare.dividedBy(divisor),
                connect.dividedBy(divisor),
                hostOffline.dividedBy(divisor),
                agentOffline.dividedBy(divisor),
                destroyRetry.dividedBy(divisor),
                orphanGrace.dividedBy(divisor),
                keepEnded);
    }
}

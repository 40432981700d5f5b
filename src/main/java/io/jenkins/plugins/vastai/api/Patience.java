package io.jenkins.plugins.vastai.api;

import java.time.Duration;

/**
 * How long and how often the client tries. Tries end at whichever limit comes first.
 *
 * @param tries how often a call is sent at most, the first time included
 * @param firstDelay pause after the first failure; doubles with each further one
 * @param longestDelay limit of that pause; a market that asks for a longer one is left to the caller
 * @param total time after which nothing is tried again
 * @param answer limit for one call, from connecting to the last byte of the answer
 * @param createAnswer the same for a create, which the market takes longer to answer
 */
public record Patience(
        int tries, Duration firstDelay, Duration longestDelay, Duration total, Duration answer, Duration createAnswer) {

    /** For the engine: up to four tries, 2 to 30 s apart, within 90 s; 30 s for an answer, 120 s for a create. */
    public static Patience standard() {
        return new Patience(
                4,
                Duration.ofSeconds(2),
                Duration.ofSeconds(30),
                Duration.ofSeconds(90),
                Duration.ofSeconds(30),
                Duration.ofSeconds(120));
    }

    /** For somebody who waits in front of a page: one try. */
    public static Patience once(Duration answer) {
        return new Patience(1, Duration.ZERO, Duration.ZERO, answer, answer, answer);
    }

    /** {@link #standard()} without pauses between tries: for a simulator. */
    public static Patience withoutDelay() {
        Patience standard = standard();
        return new Patience(
                standard.tries, Duration.ZERO, Duration.ZERO, standard.total, standard.answer, standard.createAnswer);
    }
}

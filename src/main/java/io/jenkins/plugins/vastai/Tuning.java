package io.jenkins.plugins.vastai;

import io.jenkins.plugins.vastai.api.Pacing;
import io.jenkins.plugins.vastai.api.Patience;
import io.jenkins.plugins.vastai.rental.Timing;
import java.time.Duration;
import java.util.function.Supplier;

/**
 * Every interval of the Jenkins face. Tests against a fast simulator replace {@link #current} before Jenkins starts.
 *
 * @param engine intervals and deadlines of the engine
 * @param pacing one for each fleet
 * @param patience of calls to the market
 * @param review from the moment that an item becomes buildable to the count of what is missing
 * @param upkeep between two comparisons of agents and rentals
 * @param minute what a minute of a template's settings lasts
 * @param unwanted how long nobody may wait for an agent that serves nobody, before it is given back
 * @param grace how long an agent without rental, a rental without agent or a rental without cloud is tolerated
 * @param reconnect between two tries to connect the same agent
 * @param backOff how long a template rests after its first failure; doubles with each further one
 * @param longestBackOff limit of that
 */
record Tuning(
        Timing engine,
        Supplier<Pacing> pacing,
        Patience patience,
        Duration review,
        Duration upkeep,
        Duration minute,
        Duration unwanted,
        Duration grace,
        Duration reconnect,
        Duration backOff,
        Duration longestBackOff) {

    static final Tuning PUBLISHED = new Tuning(
            Timing.published(),
            () -> Pacing.published(Duration.ofSeconds(60)),
            Patience.standard(),
            Duration.ofMillis(20),
            Duration.ofSeconds(1),
            Duration.ofMinutes(1),
            Duration.ofSeconds(30),
            Duration.ofSeconds(30),
            Duration.ofSeconds(10),
            Duration.ofSeconds(30),
            Duration.ofMinutes(30));

    /** Taken by each Jenkins when it starts. */
    static volatile Tuning current = PUBLISHED;
}

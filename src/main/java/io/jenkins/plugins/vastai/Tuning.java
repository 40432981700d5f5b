package io.jenkins.plugins.vastai;

import io.jenkins.plugins.okhttp.api.JenkinsOkHttpClient;
import io.jenkins.plugins.vastai.api.Pacing;
import io.jenkins.plugins.vastai.api.Patience;
import io.jenkins.plugins.vastai.rental.Timing;
import java.time.Duration;
import java.time.InstantSource;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import okhttp3.OkHttpClient;

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
 * @param hindsight how long a build's failure is its own only if its machine outlives it
 * @param verdict how long a build whose connection broke waits to hear why
 * @param http changes every HTTP client before it is used
 * @param clock the engine's
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
        Duration longestBackOff,
        Duration hindsight,
        Duration verdict,
        UnaryOperator<OkHttpClient.Builder> http,
        InstantSource clock) {

    static final Tuning PUBLISHED = new Tuning(
            Timing.published(),
            () -> Pacing.published(Duration.ofSeconds(90)),
            Patience.standard(),
            Duration.ofMillis(20),
            Duration.ofSeconds(1),
            Duration.ofMinutes(1),
            Duration.ofSeconds(30),
            Duration.ofSeconds(30),
            Duration.ofSeconds(10),
            Duration.ofSeconds(30),
            Duration.ofMinutes(30),
            Duration.ofSeconds(2),
            Duration.ofSeconds(20),
            UnaryOperator.identity(),
            InstantSource.system());

    /** Taken by each Jenkins when it starts. */
    static volatile Tuning current = PUBLISHED;

    /** A new client with Jenkins' proxy settings. */
    OkHttpClient client() {
        return http.apply(JenkinsOkHttpClient.newClientBuilder(new OkHttpClient()))
                .build();
    }
}

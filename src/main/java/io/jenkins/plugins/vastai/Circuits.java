package io.jenkins.plugins.vastai;

import io.jenkins.plugins.vastai.rental.Rental;
import io.jenkins.plugins.vastai.rental.RunnerSpec;
import io.jenkins.plugins.vastai.text.Reason;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Templates that rest after a rental of theirs failed, so that other templates and clouds are asked instead. The rest
 * doubles with each failure in a row and ends at once when the template is changed. Thread-safe.
 */
final class Circuits {

    private static final int MOST_DOUBLINGS = 10;

    private record Place(String cloud, String template) {}

    /**
     * @param spec that failed
     * @param failures in a row
     * @param until when it is rented for again
     * @param why the failure
     */
    record Rest(RunnerSpec spec, int failures, Instant until, Reason why) {}

    private final Tuning tuning;
    private final Map<Place, Rest> rests = new ConcurrentHashMap<>();

    Circuits(Tuning tuning) {
        this.tuning = tuning;
    }

    /** The template's rest; empty when it may be rented for. */
    Optional<Rest> resting(VastAiCloud cloud, VastAiTemplate template) {
        return resting(cloud, template, Instant.now());
    }

    Optional<Rest> resting(VastAiCloud cloud, VastAiTemplate template, Instant now) {
        Place place = new Place(cloud.getName(), template.getName());
        Rest rest = rests.get(place);
        if (rest == null || !now.isBefore(rest.until())) {
            return Optional.empty();
        }
        if (!rest.spec().equals(template.spec(cloud))) {
            rests.remove(place, rest); // mended, or meant to be: worth a try
            return Optional.empty();
        }
        return Optional.of(rest);
    }

    /** The last failure of the template as it stands now, whether or not it still rests; empty once it served. */
    Optional<Rest> failing(VastAiCloud cloud, VastAiTemplate template) {
        return Optional.ofNullable(rests.get(new Place(cloud.getName(), template.getName())))
                .filter(rest -> rest.spec().equals(template.spec(cloud)));
    }

    /** The template may be tried now; the next failure counts as the first. */
    void release(String cloud, String template) {
        rests.remove(new Place(cloud, template));
    }

    /** A rental ended before it served. */
    void failed(Rental rental, Reason why) {
        failed(rental, why, Instant.now());
    }

    void failed(Rental rental, Reason why, Instant now) {
        rests.compute(place(rental), (place, rest) -> {
            if (rest != null && now.isBefore(rest.until())) {
                return rest; // ordered together, failed together: one failure
            }
            int before = rest == null || !rest.spec().equals(rental.order().spec()) ? 0 : rest.failures();
            Duration wait = tuning.backOff().multipliedBy(1L << Math.min(before, MOST_DOUBLINGS));
            Duration longest = tuning.longestBackOff();
            return new Rest(
                    rental.order().spec(), before + 1, now.plus(wait.compareTo(longest) > 0 ? longest : wait), why);
        });
    }

    /** An agent came online. */
    void served(Rental rental) {
        rests.remove(place(rental));
    }

    private static Place place(Rental rental) {
        return new Place(rental.order().cloud(), rental.order().template());
    }
}

package io.jenkins.plugins.vastai;

import io.jenkins.plugins.vastai.rental.Rental;
import io.jenkins.plugins.vastai.text.Reason;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/** Places under the limits of clouds and templates, counted once and taken one by one; under the plugin's lock. */
final class Caps {

    private record Place(String cloud, String template) {}

    private final Map<Place, Integer> held = new HashMap<>();

    /** @param rentals all of them: those that have not ended hold a place, being destroyed or not */
    Caps(Stream<Rental> rentals) {
        rentals.filter(rental -> !rental.state().ended())
                .forEach(rental -> take(rental.order().cloud(), rental.order().template()));
    }

    boolean room(VastAiCloud cloud, VastAiTemplate template) {
        return below(cloud.getInstanceCap(), new Place(cloud.getName(), null))
                && below(template.getInstanceCap(), new Place(cloud.getName(), template.getName()));
    }

    /** Why there is no room; empty when there is. */
    Optional<Reason> full(VastAiCloud cloud, VastAiTemplate template) {
        if (room(cloud, template)) {
            return Optional.empty();
        }
        boolean all = !below(cloud.getInstanceCap(), new Place(cloud.getName(), null));
        return Optional.of(
                all
                        ? AgentText.CLOUD_FULL.of(cloud.getName(), cloud.getInstanceCap())
                        : AgentText.TEMPLATE_FULL.of(template.getName(), template.getInstanceCap()));
    }

    void take(String cloud, String template) {
        held.merge(new Place(cloud, null), 1, Integer::sum);
        held.merge(new Place(cloud, template), 1, Integer::sum);
    }

    private boolean below(int cap, Place place) {
        return cap <= 0 || held.getOrDefault(place, 0) < cap;
    }
}

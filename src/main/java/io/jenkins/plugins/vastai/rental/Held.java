package io.jenkins.plugins.vastai.rental;

import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/**
 * What the fleet holds at the market, or may hold: machines that are not rented twice, and places taken under caps.
 * Counted once for each pass, since five hundred rentals that each count five hundred others are a quarter of a million.
 */
final class Held {

    private record Place(String cloud, String template) {}

    private final Set<Long> machines = new HashSet<>();
    private final Map<Place, Integer> places = new HashMap<>();

    static Held by(Collection<Rental> rentals) {
        Held held = new Held();
        for (Rental rental : rentals) {
            for (Draw draw : rental.draws()) {
                if (draw.open()) {
                    held.add(rental.order(), draw);
                }
            }
        }
        return held;
    }

    void add(Order order, Draw draw) {
        machines.add(draw.machineId());
        places.merge(new Place(order.cloud(), null), 1, Integer::sum);
        places.merge(new Place(order.cloud(), order.template()), 1, Integer::sum);
    }

    Set<Long> machines() {
        return machines;
    }

    /** Instances that the order's cloud holds. */
    int ofCloud(Order order) {
        return places.getOrDefault(new Place(order.cloud(), null), 0);
    }

    /** Instances that the order's template holds. */
    int ofTemplate(Order order) {
        return places.getOrDefault(new Place(order.cloud(), order.template()), 0);
    }
}

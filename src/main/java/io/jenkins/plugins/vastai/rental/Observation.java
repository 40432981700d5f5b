package io.jenkins.plugins.vastai.rental;

import io.jenkins.plugins.vastai.api.Instance;
import java.time.Instant;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * One complete answer of the market about all instances of the account. A failed or partial list never becomes an
 * observation.
 *
 * @param number counts from 1; 0 before the first
 * @param begun when the list call was sent: what happened later may be missing
 * @param byId every instance, in the market's order; some may have been looked at since
 * @param looks counts these looks as well
 */
record Observation(long number, Instant begun, Map<Long, Instance> byId, long looks) {

    static final Observation NONE = new Observation(0, Instant.MIN, Map.of(), 0);

    /** The next complete list. */
    Observation next(Instant sent, List<Instance> instances) {
        Map<Long, Instance> all = new LinkedHashMap<>();
        instances.forEach(instance -> all.put(instance.id(), instance));
        return new Observation(number + 1, sent, Collections.unmodifiableMap(all), looks + 1);
    }

    /** The same list with what was seen of some instances since; it proves nothing about those that were not seen. */
    Observation with(List<Instance> some) {
        Map<Long, Instance> all = new LinkedHashMap<>(byId);
        some.forEach(instance -> all.put(instance.id(), instance));
        return new Observation(number, begun, Collections.unmodifiableMap(all), looks + 1);
    }

    /** By the contract when it is known, else by the label. */
    Optional<Instance> of(Draw draw) {
        return draw.instanceId() != null
                ? Optional.ofNullable(byId.get(draw.instanceId()))
                : byId.values().stream()
                        .filter(instance -> draw.label().equals(instance.label()))
                        .findFirst();
    }

    Collection<Instance> all() {
        return byId.values();
    }

    boolean after(Instant moment) {
        return begun.isAfter(moment);
    }
}

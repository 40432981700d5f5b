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
 * @param byId every instance, in the market's order
 */
record Observation(long number, Instant begun, Map<Long, Instance> byId) {

    static final Observation NONE = new Observation(0, Instant.MIN, Map.of());

    static Observation of(long number, Instant begun, List<Instance> instances) {
        Map<Long, Instance> byId = new LinkedHashMap<>();
        instances.forEach(instance -> byId.put(instance.id(), instance));
        return new Observation(number, begun, Collections.unmodifiableMap(byId));
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

package io.jenkins.plugins.vastai.rental;

import io.jenkins.plugins.vastai.api.Instance;
import io.jenkins.plugins.vastai.api.VastClient;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.logging.Level;
import java.util.logging.Logger;

/**
 * The one list call that tells the state of every instance, however many rentals there are. A list that fails in any
 * way is no observation: what was not seen is not gone.
 */
final class Poll {

    private static final Logger LOGGER = Logger.getLogger(Poll.class.getName());
    private static final int LONGEST_BACKOFF = 5;

    private final VastClient client;
    private final Lanes lanes;
    private final Timing timing;
    private final Standing standing;

    private Observation observed = Observation.NONE;
    private Instant next = Instant.EPOCH;
    private int failures;

    Poll(VastClient client, Lanes lanes, Timing timing, Standing standing) {
        this.client = client;
        this.lanes = lanes;
        this.timing = timing;
        this.standing = standing;
    }

    /** The newest complete list. */
    Observation observed() {
        return observed;
    }

    /** When the next list is due; long ago for at once. */
    Instant due() {
        return next;
    }

    /** Something changed at the market by our own doing: look soon. */
    void soon(Instant now) {
        Instant early = now.plus(timing.pollFast());
        if (failures == 0 && next.isAfter(early)) {
            next = early;
        }
    }

    /** Starts a list call when one is due. */
    void pass(Instant now, boolean busy) {
        if (busy) {
            soon(now);
        }
        if (now.isBefore(next) || !lanes.free(Lanes.Lane.LIST)) {
            return;
        }
        next = now.plus(busy ? timing.pollFast() : timing.pollSlow());
        lanes.submit(Lanes.Lane.LIST, client::listInstances, (instances, failure) -> seen(now, instances, failure));
    }

    private void seen(Instant begun, List<Instance> instances, Exception failure) {
        if (failure == null) {
            failures = 0;
            observed = Observation.of(observed.number() + 1, begun, instances);
            standing.answered();
            return;
        }
        failures = Math.min(failures + 1, LONGEST_BACKOFF);
        next = begun.plus(backOff());
        standing.failed(failure, begun);
        LOGGER.log(Level.FINE, "The list of instances failed; nothing is concluded from it", failure);
    }

    private Duration backOff() {
        Duration wait = timing.pollFast().multipliedBy(1L << failures);
        return wait.compareTo(timing.pollSlow()) > 0 ? timing.pollSlow() : wait;
    }
}

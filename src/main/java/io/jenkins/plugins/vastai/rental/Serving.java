package io.jenkins.plugins.vastai.rental;

import io.jenkins.plugins.vastai.api.Instance;
import io.jenkins.plugins.vastai.text.Reason;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/**
 * Watches a machine while its agent serves. It is given up only for what was seen: a host that is silent for a while may
 * come back, and an instance that one list leaves out is still there.
 */
final class Serving {

    private static final int LISTS = 3;
    /** The agent is drained when its lifetime is over; a build that still runs then gets this long. */
    static final Duration DRAIN = Duration.ofMinutes(10);

    private final Records records;
    private final Timing timing;

    Serving(Records records, Timing timing) {
        this.records = records;
        this.timing = timing;
    }

    void step(Rental rental, Progress progress, Observation observed, Instant now) {
        Draw draw = rental.current().orElse(null);
        if (draw == null) {
            end(rental, RentalText.VANISHED.of("?"), now);
            return;
        }
        if (rental.reach() == null) {
            // Without the pin nobody could tell whose machine answers at the address: not trusted anew.
            end(rental, RentalText.VANISHED.of(draw.instanceId()), now);
            return;
        }
        Duration lifetime = rental.order().maxLifetime();
        if (now.isAfter(draw.sent().plus(lifetime).plus(DRAIN))) {
            end(rental, RentalText.LIFETIME_OVER.of(lifetime.toMinutes()), now);
            return;
        }
        if (progress.agentOfflineSince != null && now.isAfter(progress.agentOfflineSince.plus(timing.agentOffline()))) {
            end(rental, RentalText.AGENT_LOST.of(Booting.minutes(timing.agentOffline())), now);
            return;
        }
        if (observed.number() == 0 || !observed.after(draw.since()) || observed.number() == progress.absenceCounted) {
            return;
        }
        progress.absenceCounted = observed.number();
        Optional<Instance> seen = observed.of(draw);
        if (seen.isEmpty()) {
            absent(rental, progress, draw, now);
            return;
        }
        progress.absences = 0;
        progress.absentSince = null;
        present(rental, progress, seen.get(), now);
    }

    private void present(Rental rental, Progress progress, Instance instance, Instant now) {
        boolean ended =
                switch (instance.status()) {
                    case EXITED, STOPPED, FROZEN -> true;
                    default -> instance.stopped();
                };
        if (ended) {
            end(
                    rental,
                    RentalText.STOPPED_OUTSIDE.of(instance.actualStatus() == null ? "?" : instance.actualStatus()),
                    now);
            return;
        }
        boolean silent = instance.status() == Instance.Status.OFFLINE || instance.status() == Instance.Status.UNKNOWN;
        if (!silent) {
            progress.hostOfflineSince = null;
        } else if (progress.hostOfflineSince == null) {
            progress.hostOfflineSince = now;
        } else if (now.isAfter(progress.hostOfflineSince.plus(timing.hostOffline()))) {
            end(rental, RentalText.HOST_OFFLINE.of(Booting.minutes(timing.hostOffline())), now);
        }
    }

    /** An agent that is connected proves more than a list that leaves its machine out. */
    private void absent(Rental rental, Progress progress, Draw draw, Instant now) {
        if (progress.absentSince == null) {
            progress.absentSince = now;
        }
        progress.absences++;
        if (progress.absences >= LISTS
                && progress.agentOfflineSince != null
                && now.isAfter(progress.absentSince.plus(timing.settle()))) {
            end(rental, RentalText.VANISHED.of(draw.instanceId()), now);
        }
    }

    private void end(Rental rental, Reason why, Instant now) {
        records.save(rental.unneeded(why, true, now));
    }
}

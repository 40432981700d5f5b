package io.jenkins.plugins.vastai.rental;

import io.jenkins.plugins.vastai.api.Instance;
import io.jenkins.plugins.vastai.text.Reason;
import java.time.Duration;
import java.time.Instant;
import java.util.EnumSet;
import java.util.Optional;
import java.util.Set;

/**
 * Watches a machine while its agent serves. It is given up only for what was seen: a host that is silent for a while may
 * come back, and an instance that one list leaves out is still there.
 */
final class Serving {

    private static final int LISTS = 3;
    /** The agent is drained when its lifetime is over; a build that still runs then gets this long. */
    static final Duration DRAIN = Duration.ofMinutes(10);

    /** How long the reason of a stop may wait for the account's credit. */
    private static final Duration CREDIT_PATIENCE = Duration.ofSeconds(10);

    private static final Set<Instance.Status> STOPPED =
            EnumSet.of(Instance.Status.EXITED, Instance.Status.STOPPED, Instance.Status.FROZEN);

    private final Records records;
    private final Timing timing;
    private final Standing standing;

    Serving(Records records, Timing timing, Standing standing) {
        this.records = records;
        this.timing = timing;
        this.standing = standing;
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
            end(rental, RentalText.AGENT_LOST.of(Timing.minutes(timing.agentOffline())), now);
            return;
        }
        if (progress.stoppedSince != null) {
            stopped(rental, progress, now);
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
        if ("unloaded".equals(instance.currentState()) || "unloaded".equals(instance.nextState())) {
            // Its hardware is given back: destroyed, though lists still show it for a moment.
            end(rental, RentalText.VANISHED.of(instance.id()), now);
            return;
        }
        if (instance.stopped() || STOPPED.contains(instance.status())) {
            if (instance.durationSeconds() != null && instance.durationSeconds() <= 0) {
                end(rental, RentalText.CONTRACT_ENDED.of(instance.id()), now);
            } else if (Boolean.TRUE.equals(instance.bid()) && "running".equals(instance.intendedStatus())) {
                end(rental, RentalText.OUTBID.of(instance.id()), now);
            } else if (instance.status() == Instance.Status.EXITED && !instance.stopped()) {
                end(
                        rental,
                        RentalText.CONTAINER_ENDED.of(instance.id(), StatusText.shown(instance.statusMessage())),
                        now);
            } else {
                // The market says the same when the money is gone; whether it is tells the account.
                progress.stoppedSince = now;
                progress.stoppedAs = instance.actualStatus();
                standing.askCredit(now);
                stopped(rental, progress, now);
            }
            return;
        }
        boolean silent = instance.status() == Instance.Status.OFFLINE || instance.status() == Instance.Status.UNKNOWN;
        if (!silent) {
            progress.hostOfflineSince = null;
        } else if (progress.hostOfflineSince == null) {
            progress.hostOfflineSince = now;
        } else if (now.isAfter(progress.hostOfflineSince.plus(timing.hostOffline()))) {
            end(rental, RentalText.HOST_OFFLINE.of(Timing.minutes(timing.hostOffline())), now);
        }
    }

    private void stopped(Rental rental, Progress progress, Instant now) {
        Optional<Boolean> broke = standing.broke(progress.stoppedSince);
        if (broke.isEmpty() && now.isBefore(progress.stoppedSince.plus(CREDIT_PATIENCE))) {
            return;
        }
        end(
                rental,
                broke.orElse(false)
                        ? RentalText.CREDIT_GONE.of(
                                rental.current().map(Draw::instanceId).orElse(null))
                        : RentalText.STOPPED_OUTSIDE.of(progress.stoppedAs == null ? "?" : progress.stoppedAs),
                now);
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

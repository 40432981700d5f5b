package io.jenkins.plugins.vastai.rental;

import io.jenkins.plugins.vastai.api.Call;
import io.jenkins.plugins.vastai.api.Instance;
import io.jenkins.plugins.vastai.api.VastClient;
import io.jenkins.plugins.vastai.api.VastException;
import io.jenkins.plugins.vastai.market.AllInPrice;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/**
 * Destroys instances until the market shows that they are gone. One acknowledged call is no proof: instances come back,
 * and lists can be empty by error. The proof is an acknowledged destroy, then {@value #LISTS} complete lists in a row
 * that began after it and do not show the instance, then the market's answer for that very contract that there is none.
 */
final class Disposal {

    static final int LISTS = 2;
    /** Lists that must not show a label before a create without an answer counts as never made. */
    private static final int LISTS_FOR_NEVER_MADE = 3;

    private final Records records;
    private final Lanes lanes;
    private final VastClient client;
    private final Timing timing;
    private final Standing standing;

    Disposal(Records records, Lanes lanes, VastClient client, Timing timing, Standing standing) {
        this.records = records;
        this.lanes = lanes;
        this.client = client;
        this.timing = timing;
        this.standing = standing;
    }

    /** Takes the next step for a draw that is no longer wanted. */
    void step(Rental rental, Progress progress, Draw draw, Observation observed, Instant now) {
        Progress.Disposing memory = progress.disposing(draw);
        if (memory.busy || draw.phase() != Draw.Phase.DISPOSING) {
            return;
        }
        Optional<Instance> seen = observed.of(draw);
        boolean acknowledged = draw.destroyedAt() != null;
        boolean back = acknowledged && seen.isPresent() && observed.after(draw.destroyedAt());
        if (!acknowledged || back) {
            if (!now.isBefore(memory.notBefore)) {
                destroy(rental, memory, draw, back, now);
            }
        } else if (observed.after(draw.destroyedAt()) && observed.number() > memory.counted) {
            memory.counted = observed.number();
            int absences = draw.absences() + 1;
            Rental next = records.save(rental.draw(draw.absent(absences)));
            if (absences >= LISTS) {
                confirm(next, memory, draw.absent(absences));
            }
        }
    }

    /**
     * Settles a create call of which the outcome is unknown: the label tells. Never sends it again.
     *
     * @return the draw as it turned out; unchanged while it cannot be told yet
     */
    Draw settle(Rental rental, Progress progress, Draw draw, Observation observed, Instant now) {
        if (draw.phase() != Draw.Phase.SENDING || progress.busy) {
            return draw;
        }
        Optional<Instance> found = observed.of(draw);
        if (found.isPresent()) {
            Draw held = draw.held(found.get().id(), now);
            records.save(rental.draw(held)
                    .say(RentalText.ANSWER_SETTLED.of(draw.label(), found.get().id()), now));
            progress.absences = 0;
            return held;
        }
        if (observed.after(draw.sent()) && observed.number() > progress.absenceCounted) {
            progress.absenceCounted = observed.number();
            progress.absences++;
        }
        if (progress.absences >= LISTS_FOR_NEVER_MADE
                && observed.after(draw.sent().plus(timing.settle()))) {
            Draw gone = draw.gone(
                    RentalText.NEVER_MADE.of(draw.label(), timing.settle().toSeconds()), now);
            records.save(rental.draw(gone).say(gone.failure(), now));
            progress.absences = 0;
            return gone;
        }
        return draw;
    }

    private void destroy(Rental rental, Progress.Disposing memory, Draw draw, boolean back, Instant now) {
        long instance = draw.instanceId();
        boolean started =
                lanes.submit(Lanes.Lane.DESTROY, () -> client.destroyInstance(instance), (existed, failure) -> {
                    memory.busy = false;
                    destroyed(rental.id(), draw.number(), failure, now);
                });
        if (started) {
            memory.busy = true;
            memory.notBefore = now.plus(backOff(draw.destroys()));
            if (back) {
                records.say(rental, RentalText.DESTROY_AGAIN.of(instance));
            }
        }
    }

    private void destroyed(String rentalId, int number, Exception failure, Instant sent) {
        if (failure == null) {
            standing.answered(Call.DESTROY, sent);
        }
        Rental rental = records.get(rentalId).orElse(null);
        if (rental == null) {
            return;
        }
        Instant now = records.now();
        Draw draw = rental.draws().get(number - 1);
        if (failure == null) {
            records.save(rental.draw(draw.destroySent(now)).say(RentalText.DESTROY_SENT.of(draw.instanceId()), now));
            return;
        }
        standing.failed(failure, now);
        records.save(rental.draw(draw.destroySent(null))
                .say(RentalText.DESTROY_FAILED.of(draw.instanceId(), said(failure)), now));
    }

    private void confirm(Rental rental, Progress.Disposing memory, Draw draw) {
        long instance = draw.instanceId();
        boolean started = lanes.submit(Lanes.Lane.CONFIRM, () -> client.showInstance(instance), (seen, failure) -> {
            memory.busy = false;
            confirmed(rental.id(), draw.number(), seen, failure);
        });
        memory.busy = started;
    }

    private void confirmed(String rentalId, int number, Optional<Instance> seen, Exception failure) {
        Rental rental = records.get(rentalId).orElse(null);
        if (rental == null || failure != null) {
            return; // asked again with the next list
        }
        Instant now = records.now();
        Draw draw = rental.draws().get(number - 1);
        if (seen.isPresent()) {
            // Still there although two lists left it out: destroy again.
            records.save(rental.draw(draw.found(draw.instanceId(), now)));
            return;
        }
        Draw gone = draw.gone(null, now);
        records.save(rental.draw(gone)
                .say(RentalText.DESTROYED.of(gone.instanceId(), AllInPrice.show(Cost.of(gone, now))), now));
    }

    private Duration backOff(int destroys) {
        return timing.destroyRetry().multipliedBy(1L << Math.min(destroys, 3));
    }

    static Object said(Exception failure) {
        if (failure instanceof VastException vast) {
            return vast.reason();
        }
        Throwable said = failure instanceof Lanes.CallFailed error ? error.getCause() : failure;
        return said.getClass().getSimpleName();
    }
}

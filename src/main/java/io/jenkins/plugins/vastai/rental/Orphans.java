package io.jenkins.plugins.vastai.rental;

import io.jenkins.plugins.vastai.api.Instance;
import io.jenkins.plugins.vastai.rental.ControllerIdentity.Stranger;
import io.jenkins.plugins.vastai.text.Reason;
import io.jenkins.plugins.vastai.text.Texts;
import java.io.IOException;
import java.math.BigDecimal;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import java.util.logging.Level;
import java.util.logging.Logger;
import java.util.stream.Collectors;

/**
 * Instances that carry this controller's label and that no record wants: what a lost record or a destroy that did not
 * last left behind. An unlabelled instance or another controller's is never touched, nor one that this home never
 * ordered, though it carries our id: see {@link ControllerIdentity}. Each gets a record of its own, so that its destroy
 * is as verified and as persistent as any other. What was seen and what was done survives restarts.
 */
final class Orphans {

    static final String NAME = "orphans";
    /** Deeds that are remembered. */
    static final int KEPT = 200;

    private static final int VERSION = 1;
    private static final Logger LOGGER = Logger.getLogger(Orphans.class.getName());
    /** A mistake must not empty an account at once: so many may be taken within {@link #SWEEP}. */
    static final int MOST_PER_SWEEP = 5;

    static final Duration SWEEP = Duration.ofMinutes(1);

    /** Seen in one list at {@code first}; not missing from lists for longer than the grace since. */
    private record Sighting(long instance, Instant first, Instant last) {}

    private record Stored(int version, List<Sighting> seen, List<Reaped> reaped) {}

    private final Records records;
    private final RentalStore store;
    private final ControllerIdentity identity;
    private final Predicate<String> knownElsewhere;
    private final Timing timing;
    private final Map<Long, Sighting> seen = new HashMap<>();
    private final boolean mayWrite;
    private volatile List<Reaped> reaped = List.of();
    private Instant sweep = Instant.MIN;
    private int swept;
    private long looked;
    private boolean changed;

    Orphans(
            Records records,
            RentalStore store,
            ControllerIdentity identity,
            Predicate<String> knownElsewhere,
            Timing timing)
            throws IOException {
        this.records = records;
        this.store = store;
        this.identity = identity;
        this.knownElsewhere = knownElsewhere;
        this.timing = timing;
        boolean readable = true;
        try {
            store.load(NAME, Stored.class, VERSION).ifPresent(stored -> {
                stored.seen().forEach(sighting -> seen.put(sighting.instance(), sighting));
                reaped = List.copyOf(stored.reaped());
            });
        } catch (NewerVersion e) {
            LOGGER.severe(e.getMessage());
            readable = false;
        }
        mayWrite = readable;
    }

    /** What was done, newest first. Any thread. */
    List<Reaped> reaped() {
        return reaped;
    }

    void pass(Observation observed, Instant now) {
        if (observed.number() == looked) {
            return;
        }
        looked = observed.number();
        Set<Long> cared = records.live().stream()
                .flatMap(rental -> rental.draws().stream())
                .filter(draw -> draw.open() && draw.instanceId() != null)
                .map(Draw::instanceId)
                .collect(Collectors.toSet());
        Set<Stranger> strangers = new HashSet<>();
        for (Instance instance : observed.all()) {
            if (!cared.contains(instance.id())) {
                Labels.parse(instance.label())
                        .filter(label -> label.controller().equals(identity.id()))
                        .filter(label -> !records.newer(label.rental()) && !knownElsewhere.test(label.rental()))
                        .ifPresent(label -> look(instance, label, observed, strangers, now));
            }
        }
        identity.strangers(this, strangers);
        // A list that leaves an instance out once, by error, does not make it a new one.
        changed |= seen.values().removeIf(one -> now.isAfter(one.last().plus(timing.orphanGrace())));
        if (changed) {
            write();
        }
    }

    private void look(
            Instance instance, Labels.Parts label, Observation observed, Set<Stranger> strangers, Instant now) {
        Optional<Rental> known = records.get(label.rental());
        Optional<Draw> draw = known.flatMap(rental -> drawOf(rental, instance, label));
        if (draw.isPresent()) {
            cameBack(known.get(), draw.get(), instance, observed, now);
            return;
        }
        if (!seenLong(instance, observed, now)) {
            return;
        }
        if (!identity.ordered(label.rental())) {
            strangers.add(new Stranger(label.rental(), instance.label(), instance.id()));
        } else if (mayTake(now)) {
            adopt(instance, label, now);
        }
    }

    private static Optional<Draw> drawOf(Rental rental, Instance instance, Labels.Parts label) {
        return rental.draws().stream()
                .filter(draw -> draw.number() == label.draw())
                .filter(draw -> draw.instanceId() == null || draw.instanceId() == instance.id())
                .findFirst();
    }

    /** Seen twice, and for a while: not the answer to a create that is just under way. */
    private boolean seenLong(Instance instance, Observation observed, Instant now) {
        Sighting before = seen.get(instance.id());
        Instant first = before == null ? observed.begun() : before.first();
        seen.put(instance.id(), new Sighting(instance.id(), first, observed.begun()));
        changed |= before == null;
        return before != null && !now.isBefore(first.plus(timing.orphanGrace()));
    }

    private boolean mayTake(Instant now) {
        if (!now.isBefore(sweep.plus(SWEEP))) {
            sweep = now;
            swept = 0;
        }
        return swept < MOST_PER_SWEEP;
    }

    /** It came back, or came late. Its record is opened again until it is proved gone once more. */
    private void cameBack(Rental rental, Draw draw, Instance instance, Observation observed, Instant now) {
        if (draw.phase() != Draw.Phase.GONE || !observed.after(draw.since())) {
            return;
        }
        Reason why = RentalText.DESTROY_AGAIN.of(instance.id());
        Rental open = rental.draw(draw.found(instance.id(), now)).say(why, now);
        records.save(rental.state().ended() ? open.state(State.RETIRING, now) : open);
        did(instance, rental.id(), why, now);
    }

    private void adopt(Instance instance, Labels.Parts label, Instant now) {
        swept++;
        seen.remove(instance.id());
        String id = identity.newRentalId();
        Reason why = RentalText.ORPHAN.of(instance.label(), instance.id());
        Instant began = instance.started().orElse(now);
        Draw draw = Draw.planned(
                        1,
                        instance.label(),
                        0,
                        instance.machineId(),
                        instance.hostId(),
                        instance.numGpus() + "x " + (instance.gpuName() == null ? "?" : instance.gpuName()),
                        instance.country().orElse("?"),
                        instance.pricePerHour() == null ? BigDecimal.ZERO : instance.pricePerHour(),
                        began)
                .held(instance.id(), began)
                .disposing(why, now);
        Order order = new Order(
                label.cloud(),
                "",
                "",
                RunnerSpec.of("?", "?", false),
                "/",
                0,
                1,
                Duration.ZERO,
                Duration.ZERO,
                0,
                0,
                null);
        records.save(new Rental(
                Rental.VERSION,
                id,
                order,
                "",
                State.RETIRING,
                now,
                now,
                false,
                why,
                true,
                List.of(draw),
                "",
                new Hidden(""),
                null,
                null,
                null,
                List.of(new Line(now, why))));
        did(instance, id, why, now);
    }

    private void did(Instance instance, String rental, Reason why, Instant now) {
        LOGGER.warning(() -> Texts.render(why));
        List<Reaped> deeds = new ArrayList<>(reaped);
        deeds.add(0, new Reaped(now, instance.id(), instance.label(), rental, why));
        reaped = List.copyOf(deeds.subList(0, Math.min(KEPT, deeds.size())));
        changed = true;
    }

    private void write() {
        changed = false;
        if (!mayWrite) {
            return;
        }
        try {
            store.save(NAME, new Stored(VERSION, List.copyOf(seen.values()), reaped));
        } catch (IOException e) {
            // Costs the grace again after a restart, and a line of history; the records of what was taken are written.
            LOGGER.log(Level.WARNING, "Cannot write what the sweep saw and did", e);
        }
    }
}

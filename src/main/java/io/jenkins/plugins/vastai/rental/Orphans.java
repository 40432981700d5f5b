package io.jenkins.plugins.vastai.rental;

import io.jenkins.plugins.vastai.api.Instance;
import io.jenkins.plugins.vastai.text.Reason;
import io.jenkins.plugins.vastai.text.Texts;
import java.math.BigDecimal;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import java.util.logging.Logger;
import java.util.stream.Collectors;

/**
 * Instances that carry this controller's label and that no record wants: what a crash, a lost answer or a destroy that
 * did not last left behind. Only labels of this very controller count; an unlabelled instance or another controller's is
 * never touched. Each gets a record of its own, so that its destroy is as verified and as persistent as any other.
 */
final class Orphans {

    private static final Logger LOGGER = Logger.getLogger(Orphans.class.getName());
    /** A mistake must not empty an account at once. */
    private static final int MOST_PER_LIST = 5;

    private final Records records;
    private final Predicate<String> knownElsewhere;
    private final Timing timing;
    private final String controller;
    private final Map<Long, Instant> firstSeen = new HashMap<>();
    private long looked;

    Orphans(Records records, Predicate<String> knownElsewhere, Timing timing, String controller) {
        this.records = records;
        this.knownElsewhere = knownElsewhere;
        this.timing = timing;
        this.controller = controller;
    }

    void pass(Observation observed, Instant now) {
        if (observed.number() == looked) {
            return;
        }
        looked = observed.number();
        firstSeen.keySet().retainAll(observed.byId().keySet());
        Set<Long> cared = records.unordered().stream()
                .flatMap(rental -> rental.draws().stream())
                .filter(draw -> draw.open() && draw.instanceId() != null)
                .map(Draw::instanceId)
                .collect(Collectors.toSet());
        int taken = 0;
        for (Instance instance : observed.all()) {
            if (cared.contains(instance.id())) {
                continue;
            }
            Optional<Labels.Parts> ours = Labels.parse(instance.label())
                    .filter(parts -> parts.controller().equals(controller))
                    .filter(parts -> !knownElsewhere.test(parts.rental()));
            if (ours.isPresent() && taken < MOST_PER_LIST) {
                taken += look(instance, ours.get(), observed, now) ? 1 : 0;
            }
        }
    }

    private boolean look(Instance instance, Labels.Parts label, Observation observed, Instant now) {
        Optional<Rental> known = records.get(label.rental());
        if (known.isPresent()) {
            return knownRental(known.get(), instance, label, observed, now);
        }
        return unknown(instance, label, observed, now);
    }

    /** Seen more than once, and for a while: not the answer to a create that is just under way. */
    private boolean unknown(Instance instance, Labels.Parts label, Observation observed, Instant now) {
        Instant first = firstSeen.putIfAbsent(instance.id(), observed.begun());
        if (first == null || now.isBefore(first.plus(timing.orphanGrace()))) {
            return false;
        }
        adopt(instance, label, now);
        return true;
    }

    /** A record that believes this instance gone, or that never knew of it, is put right. */
    private boolean knownRental(
            Rental rental, Instance instance, Labels.Parts label, Observation observed, Instant now) {
        Draw draw = label.draw() >= 1 && label.draw() <= rental.draws().size()
                ? rental.draws().get(label.draw() - 1)
                : null;
        if (draw == null || (draw.instanceId() != null && draw.instanceId() != instance.id())) {
            return unknown(instance, label, observed, now);
        }
        if (draw.phase() == Draw.Phase.GONE && observed.after(draw.since())) {
            // It came back, or came late. Its record is opened again until it is proved gone once more.
            LOGGER.warning(() -> "Instance " + instance.id() + " of rental " + rental.id() + " is back");
            Rental open =
                    rental.draw(draw.found(instance.id(), now)).say(RentalText.DESTROY_AGAIN.of(instance.id()), now);
            records.save(rental.state().ended() ? open.state(State.RETIRING, now) : open);
            return true;
        }
        return false;
    }

    private void adopt(Instance instance, Labels.Parts label, Instant now) {
        firstSeen.remove(instance.id());
        String id = Labels.newRentalId();
        Reason why = RentalText.ORPHAN.of(instance.label(), instance.id());
        LOGGER.warning(() -> Texts.render(why));
        Draw draw = Draw.planned(
                        1,
                        instance.label(),
                        0,
                        instance.machineId(),
                        instance.hostId(),
                        instance.numGpus() + "x " + (instance.gpuName() == null ? "?" : instance.gpuName()),
                        instance.country().orElse("?"),
                        instance.pricePerHour() == null ? BigDecimal.ZERO : instance.pricePerHour(),
                        instance.started().orElse(now))
                .held(instance.id(), instance.started().orElse(now))
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
    }
}

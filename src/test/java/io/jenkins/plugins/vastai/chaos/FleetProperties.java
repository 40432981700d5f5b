package io.jenkins.plugins.vastai.chaos;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jenkins.plugins.vastai.rental.Draw;
import io.jenkins.plugins.vastai.rental.Rental;
import io.jenkins.plugins.vastai.rental.State;
import io.jenkins.plugins.vastai.simulator.Books;
import java.io.IOException;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.ShrinkingMode;
import net.jqwik.api.Tuple;

/** What holds of the state machine after each step of any history of orders, news, faults and restarts. */
class FleetProperties {

    /** @param which of the rentals or machines there are, when the act needs one */
    record Step(Act act, int which) {}

    @Property(tries = 40, shrinking = ShrinkingMode.BOUNDED)
    void invariantsHoldWhateverHappens(@ForAll("histories") List<Step> history) throws IOException {
        try (OneFleet one = new OneFleet()) {
            Set<String> unneeded = new HashSet<>();
            for (Step step : history) {
                step.act().on(one, step.which());
                check(one, unneeded);
            }
            one.calm();
            one.passes(Duration.ofMinutes(40));
            for (Rental rental : one.rentals()) {
                assertTrue(rental.state().ended(), () -> "stuck: " + rental);
            }
            assertEquals(List.of(), one.books().left());
            one.fleet().flush();
            assertEquals(one.rentals(), one.onDisk(), "memory and disk of a controller that stops");
        }
    }

    @Provide
    Arbitrary<List<Step>> histories() {
        // Time must pass most of the time, or nothing gets far.
        Arbitrary<Act> acts = Arbitraries.frequencyOf(
                Tuple.of(3, Arbitraries.just(Act.TIME)),
                Tuple.of(2, Arbitraries.just(Act.ORDER)),
                Tuple.of(6, Arbitraries.of(Act.class)));
        return Combinators.combine(acts, Arbitraries.integers().between(0, 20))
                .as(Step::new)
                .list()
                .ofMinSize(5)
                .ofMaxSize(60);
    }

    private static void check(OneFleet one, Set<String> unneeded) throws IOException {
        Set<String> labels = new HashSet<>();
        for (Books.Entry entry : one.books().entries()) {
            assertTrue(labels.add(entry.label()), () -> "made twice: " + entry);
        }
        for (Rental rental : one.rentals()) {
            if (!rental.needed()) {
                unneeded.add(rental.id());
            }
            assertFalse(rental.needed() && unneeded.contains(rental.id()), () -> "needed again: " + rental);
            for (Draw draw : rental.draws()) {
                boolean gone = draw.phase() == Draw.Phase.GONE;
                assertTrue(gone || !rental.state().ended(), () -> "ended with a draw that is open: " + rental);
                if (gone && draw.instanceId() != null) {
                    assertTrue(
                            one.books()
                                    .entry(draw.instanceId())
                                    .orElseThrow()
                                    .destroyed()
                                    .isPresent(),
                            () -> "believed gone, and alive: " + draw);
                }
            }
        }
        assertTrue(one.books().maximumAlive() <= OneFleet.CAP, "over the cap");
        Map<String, Rental> disk = one.onDisk().stream().collect(Collectors.toMap(Rental::id, Function.identity()));
        for (Rental rental : one.rentals()) {
            Rental written = disk.remove(rental.id());
            if (written == null) {
                // Nothing was ever sent for it: a crash may lose the order, Jenkins asks again.
                assertEquals(State.ORDERED, rental.state(), () -> "not on disk: " + rental);
                assertEquals(List.of(), rental.draws(), () -> "not on disk: " + rental);
            } else {
                assertEquals(exceptStory(rental), exceptStory(written), "memory and disk");
            }
        }
        assertEquals(Map.of(), disk, "on disk only");
    }

    /** The story alone may be written a little later. */
    private static List<Object> exceptStory(Rental rental) {
        return Stream.of(Rental.class.getRecordComponents())
                .filter(component -> !component.getName().equals("story"))
                .<Object>map(component -> {
                    try {
                        return component.getName() + "="
                                + component.getAccessor().invoke(rental);
                    } catch (ReflectiveOperationException e) {
                        throw new AssertionError(e);
                    }
                })
                .toList();
    }
}

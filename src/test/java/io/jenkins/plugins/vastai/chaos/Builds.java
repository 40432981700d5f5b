package io.jenkins.plugins.vastai.chaos;

import io.jenkins.plugins.vastai.rental.Draw;
import io.jenkins.plugins.vastai.rental.Fleet;
import io.jenkins.plugins.vastai.rental.Rental;
import io.jenkins.plugins.vastai.rental.RentalText;
import io.jenkins.plugins.vastai.rental.State;
import io.jenkins.plugins.vastai.simulator.Books;
import io.jenkins.plugins.vastai.simulator.SimulatedInstance;
import io.jenkins.plugins.vastai.simulator.Simulator;
import java.math.BigDecimal;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;

/**
 * The builds of one controller, in place of Jenkins: most agents serve one build, some serve many with pauses between
 * them. Knows which machines are in use, and so whether one was destroyed that should not have been.
 */
final class Builds {

    private static final Duration IDLE = Duration.ofMinutes(2);

    /** @param left builds still to come; {@code end} of the present one, or of the pause after it */
    private record Work(int left, boolean building, Instant end) {}

    private final Simulator simulator;
    private final InstantSource clock;
    private final Random random;
    private final Map<String, Work> works = new HashMap<>();
    private final Map<String, BigDecimal> ceilings = new HashMap<>();
    private final Set<Long> excused = new HashSet<>();
    private int served;
    private long killed;
    private long tooDear;

    Builds(Simulator simulator, InstantSource clock, Random random) {
        this.simulator = simulator;
        this.clock = clock;
        this.random = random;
    }

    /** @param ceiling $ per hour that its machine may cost */
    void ordered(String rental, BigDecimal ceiling) {
        ceilings.put(rental, ceiling);
    }

    /** One look at everything: agents come online, builds begin and end. */
    void step(Fleet fleet) {
        for (Rental rental : fleet.rentals()) {
            if (!rental.needed()) {
                continue; // given up by the engine; watch() sees whether that was a mistake
            }
            if (rental.state() == State.REACHABLE) {
                online(fleet, rental);
            } else if (rental.state() == State.IN_SERVICE) {
                serve(fleet, rental);
            } else if (random.nextInt(2000) == 0) {
                retire(fleet, rental); // its build was cancelled while the machine was on its way
            }
        }
    }

    private void online(Fleet fleet, Rental rental) {
        fleet.agentOnline(rental.id(), rental.attempt());
        if (!works.containsKey(rental.id())) {
            works.put(rental.id(), new Work(random.nextInt(5) == 0 ? 2 + random.nextInt(6) : 1, true, later(10, 80)));
            served++;
            long instance = rental.current().orElseThrow().instanceId();
            BigDecimal price = simulator.books().entry(instance).orElseThrow().perHour();
            if (price.compareTo(ceilings.get(rental.id())) > 0) {
                tooDear++;
                System.out.println("chaos: " + price + " $ per hour served, ceiling " + ceilings.get(rental.id()));
            }
        }
    }

    private void serve(Fleet fleet, Rental rental) {
        Work work = works.computeIfAbsent(rental.id(), id -> new Work(1, true, later(10, 80)));
        if (!clock.instant().isBefore(work.end())) {
            if (work.building()) {
                int left = work.left() - 1;
                if (left == 0 && random.nextBoolean()) {
                    retire(fleet, rental);
                } else {
                    works.put(
                            rental.id(),
                            new Work(left, false, left == 0 ? clock.instant().plus(IDLE) : later(5, 60)));
                }
            } else if (work.left() == 0) {
                retire(fleet, rental);
            } else {
                works.put(rental.id(), new Work(work.left(), true, later(10, 80)));
            }
        }
        if (!running(rental)) {
            fleet.agentOffline(rental.id(), rental.attempt());
        }
    }

    private Instant later(int least, int most) {
        return clock.instant().plusSeconds(least + random.nextInt(most - least));
    }

    void retire(Fleet fleet, Rental rental) {
        works.remove(rental.id());
        fleet.retire(rental.id(), RentalText.BUILD_DONE.of());
    }

    /** The truth about machines whose agent is in use: nobody destroys them with our key, unless fate struck them. */
    void watch(Fleet fleet) {
        for (String id : List.copyOf(works.keySet())) {
            Rental rental = fleet.rental(id).orElse(null);
            if (rental == null) {
                works.remove(id);
                continue;
            }
            Draw draw = rental.draws().get(rental.draws().size() - 1);
            if (!excused.contains(draw.instanceId()) && destroyedByKey(draw.instanceId())) {
                killed++;
                works.remove(id);
                System.out.println("chaos: killed " + draw + " of " + rental.story());
            } else if (rental.state().ended()) {
                works.remove(id);
            }
        }
    }

    private boolean destroyedByKey(long instance) {
        return simulator
                .books()
                .entry(instance)
                .flatMap(Books.Entry::destroyedBy)
                .equals(Optional.of(Books.Hand.API_KEY));
    }

    private boolean running(Rental rental) {
        return rental.current()
                .map(Draw::instanceId)
                .flatMap(simulator::instance)
                .map(SimulatedInstance::running)
                .orElse(false);
    }

    /** Whatever happens to this machine from now on is nobody's mistake. */
    void struck(long instance) {
        excused.add(instance);
    }

    /** The controller came back: an agent of which there is no record goes, and its build with it. */
    void restarted(Fleet fleet) {
        works.keySet().removeIf(rental -> fleet.rental(rental).isEmpty());
    }

    /** Agents that served at least one build. */
    int served() {
        return served;
    }

    /** Machines in use that were destroyed from here. */
    long killed() {
        return killed;
    }

    /** Agents that served on a machine dearer than their template's ceiling. */
    long tooDear() {
        return tooDear;
    }
}

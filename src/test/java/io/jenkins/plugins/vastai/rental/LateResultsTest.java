package io.jenkins.plugins.vastai.rental;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jenkins.plugins.vastai.text.Texts;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What comes too late, or too early, changes nothing. */
class LateResultsTest {

    @TempDir
    Path home;

    private EngineRig rig;

    @BeforeEach
    void start() throws IOException {
        rig = new EngineRig(home);
    }

    @AfterEach
    void close() {
        rig.close();
    }

    /** Its agent was being launched when the machine was replaced, and comes online after all. */
    @Test
    void anAgentOnAReplacedMachineIsNotTheRentals() {
        Rental rental = rig.untilState(rig.order(), State.REACHABLE);
        rig.fleet.machineRefused(rental.id(), RentalText.VANISHED.of("?"));
        rig.until("replaced", () -> rig.now(rental).attempt() == 2 && rig.state(rental) == State.REACHABLE);

        rig.fleet.agentOnline(rental.id(), 1);
        rig.step();
        rig.step();

        assertEquals(State.REACHABLE, rig.state(rental), rig.story());
        rig.fleet.agentOnline(rental.id(), 2);
        rig.untilState(rental, State.IN_SERVICE);
        rig.fleet.agentOffline(rental.id(), 1);
        rig.steps(Duration.ofMinutes(7));
        assertEquals(State.IN_SERVICE, rig.state(rental), rig.story());
        rig.fleet.retire(rental.id(), RentalText.BUILD_DONE.of());
        rig.untilState(rental, State.DESTROYED);
        assertEquals(List.of(), rig.simulator.books().left());
    }

    /** More than get their keys in one pass. */
    @Test
    void rentalsThatAreRetiredBeforeTheyBeginJustEnd() {
        List<Rental> rentals = new ArrayList<>();
        for (int i = 0; i < 40; i++) {
            rentals.add(rig.order());
        }
        rentals.forEach(rental -> rig.fleet.retire(rental.id(), RentalText.BUILD_DONE.of()));

        for (int i = 0; i < 5; i++) {
            rig.step();
            assertEquals("", rig.fleet.trouble().map(Texts::render).orElse(""));
        }

        assertTrue(rentals.stream().allMatch(rental -> rig.state(rental) == State.DESTROYED), rig.story());
        rentals.forEach(rental -> assertEquals("", rig.now(rental).publicKey(), "no key is made for them"));
    }
}

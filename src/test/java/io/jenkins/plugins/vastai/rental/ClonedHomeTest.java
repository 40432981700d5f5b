package io.jenkins.plugins.vastai.rental;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jenkins.plugins.vastai.simulator.Books;
import io.jenkins.plugins.vastai.simulator.Endpoint;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Two controllers that run on one identity, because somebody copied the home. */
class ClonedHomeTest {

    @TempDir
    Path homes;

    private EngineRig original;
    private EngineRig copy;

    @BeforeEach
    void start() throws IOException {
        original = new EngineRig(homes.resolve("original"));
    }

    @AfterEach
    void close() {
        if (copy != null) {
            copy.close();
        }
        original.close();
    }

    private Rental serving() {
        Rental rental = original.untilState(original.order(), State.REACHABLE);
        original.agentOnline(rental);
        return original.untilState(rental, State.IN_SERVICE);
    }

    private void both(Duration time) {
        for (long i = 0; i < time.toSeconds(); i++) {
            copy.fleet.pass();
            original.step();
        }
    }

    private void copyHome(String to, String host) throws IOException {
        Homes.copy(original.home, homes.resolve(to));
        copy = new EngineRig(homes.resolve(to), host, original);
    }

    @Test
    void copyOfAHomeCallsNobodyUntilAnAdminDecides() throws IOException {
        Rental rental = serving();
        copyHome("copy", "staging");
        int calls = original.simulator.requests().size();
        // Whatever the copy's own Jenkins makes of agents that it cannot serve.
        copy.fleet.fail(rental.id(), RentalText.AGENT_LOST.of(5));
        Rental ordered = copy.order();
        for (int i = 0; i < 600; i++) {
            copy.fleet.pass();
            original.clock.advance(Duration.ofSeconds(1));
        }
        assertEquals(calls, original.simulator.requests().size());
        assertEquals(State.FAILED, copy.state(ordered));
        assertTrue(copy.now(ordered).why().is(RentalText.COPIED_HOME), copy.story());
        assertTrue(copy.fleet.trouble().orElseThrow().is(RentalText.COPIED_HOME));
        assertEquals(1, original.simulator.books().left().size());
    }

    @Test
    void copyThatTakesANewIdLeavesTheOthersMachinesAlone() throws IOException {
        serving();
        String id = original.identity.id();
        copyHome("copy", "staging");
        copy.identity.renew();
        copy.restart();
        assertNotEquals(id, copy.identity.id());
        assertEquals(List.of(), copy.fleet.rentals());
        both(Duration.ofMinutes(20));
        assertEquals(1, original.simulator.books().left().size());
        Rental own = copy.order();
        copy.until("reachable", () -> copy.state(own) == State.REACHABLE);
        assertEquals(0, original.simulator.requests(Endpoint.DESTROY).size());
        copy.restart();
        assertEquals(1, copy.fleet.rentals().size(), "set aside once, not at each start");
    }

    @Test
    void movedHomeGoesOnOnceAnAdminSaysThatItIsTheOnlyOne() throws IOException {
        Rental rental = serving();
        copyHome("moved", "new-host");
        copy.identity.keep();
        copy.fleet.retire(rental.id(), RentalText.BUILD_DONE.of());
        copy.until("destroyed", () -> copy.state(rental) == State.DESTROYED);
        assertEquals(List.of(), original.simulator.books().left());
    }

    /** As a copied disk does: path, host and even the directory's number are those of the original. */
    @Test
    void undetectedCopyAndOriginalNeitherKillEachOthersMachinesNorStaySilent() throws IOException {
        Homes.copy(original.home, homes.resolve("twin"));
        copy = new EngineRig(homes.resolve("twin"), "here", original) {
            @Override
            Path place() {
                return original.home;
            }
        };
        assertFalse(copy.identity.dormant());
        Rental one = serving();
        Rental two = copy.order();
        copy.until("reachable", () -> copy.state(two) == State.REACHABLE);
        copy.agentOnline(two);
        both(Duration.ofMinutes(20));
        assertEquals(2, original.simulator.books().left().size(), original.story());
        for (EngineRig rig : List.of(original, copy)) {
            assertEquals(
                    Suspicion.Kind.SHARED_ID,
                    rig.identity.suspicion().orElseThrow().kind());
        }
        // The twin goes for good, and leaves its machine.
        original.identity.keep();
        original.until(
                "the twin's machine is taken for our own",
                () -> original.simulator.books().left().size() == 1);
        assertEquals(State.IN_SERVICE, original.state(one));
        Books.Entry left = original.simulator.books().left().get(0);
        assertTrue(left.label().contains(one.id()));
        assertEquals(1, original.fleet.reaped().size());
    }
}

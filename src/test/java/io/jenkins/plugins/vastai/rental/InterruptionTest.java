package io.jenkins.plugins.vastai.rental;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jenkins.plugins.vastai.text.Texts;
import java.io.IOException;
import java.math.BigDecimal;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A machine that ends under its build: each cause is told by its own name, in the record that the build's log quotes. */
class InterruptionTest {

    @TempDir
    Path home;

    private EngineRig rig;
    private Rental rental;
    private long instance;

    @BeforeEach
    void serve() throws IOException {
        rig = new EngineRig(home);
        rental = rig.untilState(rig.order(), State.REACHABLE);
        rig.agentOnline(rental);
        rental = rig.untilState(rental, State.IN_SERVICE);
        instance = rental.current().orElseThrow().instanceId();
    }

    @AfterEach
    void close() {
        rig.close();
    }

    private void ends(RentalText why, Duration within) {
        rig.until(why.name(), within, () -> !rig.now(rental).needed());
        Rental ended = rig.now(rental);
        assertTrue(ended.failed());
        assertEquals(why.key(), ended.why().key(), rig.story());
        String told = Texts.render(ended.why());
        assertFalse(told.contains("{") || told.isBlank(), told);
        rig.untilState(rental, State.FAILED);
        assertTrue(rig.simulator.books().left().isEmpty());
    }

    private void agentGoes() {
        rig.agentOffline(rental);
    }

    @Test
    void hostThatStaysOffline() {
        rig.simulator.hostOffline(instance);
        ends(RentalText.HOST_OFFLINE, Duration.ofMinutes(6));
    }

    @Test
    void hostThatComesBackWithinItsGraceCostsNothing() {
        rig.simulator.hostOffline(instance);
        rig.steps(Duration.ofMinutes(3));
        rig.simulator.hostOnline(instance);
        rig.steps(Duration.ofMinutes(10));
        assertEquals(State.IN_SERVICE, rig.state(rental), rig.story());
    }

    @Test
    void stoppedByAPerson() {
        rig.simulator.stopFromOutside(instance);
        ends(RentalText.STOPPED_OUTSIDE, Duration.ofSeconds(45));
    }

    @Test
    void outbid() {
        rig.simulator.outbid(instance);
        ends(RentalText.OUTBID, Duration.ofSeconds(35));
    }

    @Test
    void containerThatEndsByItself() {
        rig.simulator.exit(instance);
        ends(RentalText.CONTAINER_ENDED, Duration.ofSeconds(35));
    }

    @Test
    void creditRunOut() {
        rig.simulator.account().setCredit(new BigDecimal("0.0001"));
        ends(RentalText.CREDIT_GONE, Duration.ofMinutes(5));
        assertTrue(rig.fleet.trouble().isPresent(), "and nothing more is rented");
    }

    @Test
    void destroyedByAPerson() {
        rig.simulator.destroyFromOutside(instance);
        agentGoes();
        ends(RentalText.VANISHED, Duration.ofMinutes(4));
    }

    @Test
    void agentThatIsLostThoughItsMachineRuns() {
        agentGoes();
        ends(RentalText.AGENT_LOST, Duration.ofMinutes(6));
    }

    @Test
    void agentThatComesBackInTimeGoesOn() {
        agentGoes();
        rig.steps(Duration.ofMinutes(4));
        rig.agentOnline(rental);
        rig.steps(Duration.ofMinutes(10));
        assertEquals(State.IN_SERVICE, rig.state(rental), rig.story());
    }

    @Test
    void hostsContractEnds() {
        // The market gives its hosts at most 320 days; time passes while the controller is away.
        rig.clock.advance(Duration.ofDays(330));
        rig.until("ended", Duration.ofMinutes(5), () -> !rig.now(rental).needed());
        assertTrue(rig.now(rental).failed());
    }
}

package io.jenkins.plugins.vastai.simulator;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.math.BigDecimal;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class BootFaultsTest {
    private final DrivenClock clock = new DrivenClock();
    private Simulator simulator;
    private Caller caller;

    @BeforeEach
    void start() throws IOException {
        simulator = Simulator.builder()
                .clock(clock)
                .ssh(false)
                .limits(false)
                .boot(Duration.ofSeconds(100))
                .start();
        caller = new Caller(simulator);
    }

    @AfterEach
    void end() {
        simulator.close();
    }

    /** The instance an hour after its creation under the fault. */
    private JsonNode hourAfter(Fault fault) throws IOException {
        simulator.faults().add(fault.once());
        long id = caller.rent("RTX 4090", "a", "");
        clock.advance(Duration.ofHours(1));
        return caller.show(id);
    }

    private void assertNoGpuCost() {
        assertEquals(0, simulator.books().entries().get(0).gpu().compareTo(BigDecimal.ZERO));
        assertTrue(simulator.books().entries().get(0).storage().signum() > 0);
    }

    @Test
    void stuckLoading() throws IOException {
        assertEquals(
                "loading",
                hourAfter(Fault.of(Fault.Kind.STUCK_LOADING))
                        .get("actual_status")
                        .asText());
        assertNoGpuCost();
    }

    @Test
    void fatalStatusTexts() throws IOException {
        JsonNode instance = hourAfter(Fault.of(Fault.Kind.FATAL_STATUS).text("manifest unknown"));
        assertEquals("manifest unknown", instance.get("status_msg").asText());
        assertEquals("loading", instance.get("actual_status").asText());
        JsonNode other = hourAfter(Fault.of(Fault.Kind.FATAL_STATUS));
        assertTrue(other.get("status_msg").asText().contains("OCI runtime create failed"));
        assertEquals("created", other.get("actual_status").asText());
        JsonNode third = hourAfter(Fault.of(Fault.Kind.FATAL_STATUS));
        assertTrue(third.get("status_msg").asText().contains("pull rate limit"));
    }

    @Test
    void exitedWhileBooting() throws IOException {
        assertEquals(
                "exited",
                hourAfter(Fault.of(Fault.Kind.EXITED_IN_BOOT))
                        .get("actual_status")
                        .asText());
        assertNoGpuCost();
    }

    @Test
    void doomedInstancesAreWantedStopped() throws IOException {
        JsonNode instance = hourAfter(Fault.of(Fault.Kind.DOOMED));
        assertEquals("stopped", instance.get("intended_status").asText());
        assertEquals("loading", instance.get("actual_status").asText());
    }

    @Test
    void theHostGoesOfflineWhileBootingOrLater() throws IOException {
        assertEquals(
                "offline",
                hourAfter(Fault.of(Fault.Kind.HOST_OFFLINE))
                        .get("actual_status")
                        .asText());
        simulator
                .faults()
                .add(Fault.of(Fault.Kind.HOST_OFFLINE)
                        .delay(Duration.ofMinutes(3))
                        .once());
        long id = caller.rent("RTX 4090", "b", "");
        clock.advance(Duration.ofMinutes(3));
        assertEquals("running", caller.show(id).get("actual_status").asText());
        clock.advance(Duration.ofMinutes(3));
        assertEquals("offline", caller.show(id).get("actual_status").asText());
    }

    @Test
    void aPhantomNeverShowsAndCostsAndCanBeDestroyed() throws IOException {
        simulator.faults().add(Fault.of(Fault.Kind.PHANTOM).once());
        long id = caller.rent("RTX 4090", "a", "");
        assertTrue(caller.show(id).isNull());
        clock.advance(Duration.ofHours(1));
        assertTrue(caller.show(id).isNull());
        assertEquals(0, caller.list().size());
        assertNoGpuCost();
        assertEquals(200, caller.destroy(id).status());
        assertTrue(simulator.books().left().isEmpty());
    }

    @Test
    void portsMayNeverCome() throws IOException {
        JsonNode instance = hourAfter(Fault.of(Fault.Kind.NO_PORTS));
        assertEquals("running", instance.get("actual_status").asText());
        assertTrue(instance.get("ports").isNull());
        assertTrue(instance.get("ssh_port").asInt() > 0);
    }

    @Test
    void aBadMachineIsBadUnderEveryOfferAndOthersAreNot() throws IOException {
        long machine = simulator.market().list("RTX 4090", 2, BigDecimal.ONE, "Texas, US");
        simulator.faults().add(Fault.of(Fault.Kind.STUCK_LOADING).machine(machine));
        for (int i = 0; i < 2; i++) {
            long offer = simulator.market().offers().stream()
                    .filter(o -> o.machineId() == machine)
                    .findFirst()
                    .orElseThrow()
                    .id();
            long id = caller.rent(offer, Caller.container("a", ""));
            clock.advance(Duration.ofHours(1));
            assertEquals("loading", caller.show(id).get("actual_status").asText());
            caller.destroy(id);
        }
        long other = caller.rent("RTX 4090", "b", "");
        clock.advance(Duration.ofHours(1));
        assertEquals("running", caller.show(other).get("actual_status").asText());
    }
}

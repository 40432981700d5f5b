package io.jenkins.plugins.vastai.rental;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jenkins.plugins.vastai.market.FailureClass;
import io.jenkins.plugins.vastai.simulator.Endpoint;
import io.jenkins.plugins.vastai.simulator.Fault;
import io.jenkins.plugins.vastai.simulator.SimulatedInstance;
import io.jenkins.plugins.vastai.text.Texts;
import java.io.IOException;
import java.math.BigDecimal;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The engine from the order to the verified destroy, and through what goes wrong on the way. */
class FleetTest {

    @TempDir
    Path home;

    private EngineRig rig;

    @BeforeEach
    void start() throws IOException {
        rig = new EngineRig(home);
    }

    @AfterEach
    void nothingIsLeft() {
        rig.simulator.faults().clear();
        for (Rental rental : rig.fleet.rentals()) {
            rig.fleet.retire(rental.id(), RentalText.LIFETIME_OVER.of(0));
        }
        rig.until("all rentals ended", () -> rig.fleet.rentals().stream()
                .allMatch(rental -> rental.state().ended()));
        assertEquals(List.of(), rig.simulator.books().left());
        rig.close();
    }

    @Test
    void containerIsRentedReachedAndDestroyed() {
        Rental rental = rig.order();
        rental = rig.untilState(rental, State.REACHABLE);
        assertTrue(rental.reach().javaPath().endsWith("java"), rig.story());
        assertTrue(rental.reach().gpus().contains("4090"), rig.story());
        rig.agentOnline(rental);
        rig.untilState(rental, State.IN_SERVICE);
        rig.fleet.retire(rental.id(), RentalText.LIFETIME_OVER.of(1));
        rental = rig.untilState(rental, State.DESTROYED);
        assertEquals(1, rental.draws().size());
        assertTrue(
                rig.simulator.books().entries().get(0).label().startsWith("jenkins-" + rig.identity.id() + "-vast-"));
    }

    @Test
    void virtualMachineGetsItsKeyFromTheAccount() {
        Rental rental = rig.untilState(rig.order(EngineRig.vm("1xRTX_4090")), State.REACHABLE);
        SimulatedInstance instance = rig.simulator.instances().get(0);
        assertTrue(instance.vm());
        assertTrue(instance.image().startsWith("docker.io/vastai/kvm:"), instance.image());
        assertEquals(1, rig.simulator.account().sshKeys().size());
        Rental second = rig.untilState(rig.order(EngineRig.vm("1xRTX_4090")), State.REACHABLE);
        assertEquals(1, rig.simulator.account().sshKeys().size());
        assertEquals(rental.publicKey(), second.publicKey());
    }

    @Test
    void recordIsOnDiskWithItsLabelBeforeTheCreateCall() throws IOException {
        rig.simulator
                .faults()
                .add(Fault.of(Fault.Kind.TIMEOUT_AFTER)
                        .endpoint(Endpoint.CREATE)
                        .delay(Duration.ofMillis(100))
                        .once());
        Rental rental = rig.order();
        rig.until("create sent", () -> !rig.simulator.requests(Endpoint.CREATE).isEmpty());
        String label = rig.simulator.books().entries().get(0).label();
        try (Stream<Path> files = Files.list(home.resolve("rentals"))) {
            assertTrue(Files.readString(files.findFirst().orElseThrow()).contains(label));
        }
        assertEquals(1, rig.now(rental).draws().size());
    }

    @ParameterizedTest
    @EnumSource(
            value = Fault.Kind.class,
            names = {"TIMEOUT_AFTER", "LOST_ANSWER", "SERVER_ERROR_AFTER"})
    void lostAnswerOfACreateIsSettledByItsLabelAndNeverSentAgain(Fault.Kind kind) {
        rig.simulator
                .faults()
                .add(Fault.of(kind)
                        .endpoint(Endpoint.CREATE)
                        .delay(Duration.ofMillis(100))
                        .once());
        Rental rental = rig.untilState(rig.order(), State.REACHABLE);
        assertEquals(1, rig.simulator.requests(Endpoint.CREATE).size());
        assertEquals(1, rig.simulator.books().entries().size());
        assertEquals(1, rental.draws().size());
    }

    @Test
    void createThatNeverArrivedIsReplacedByAnother() {
        rig.simulator
                .faults()
                .add(Fault.of(Fault.Kind.CONNECTION_CUT)
                        .endpoint(Endpoint.CREATE)
                        .once());
        Rental rental = rig.untilState(rig.order(), State.REACHABLE);
        assertEquals(1, rig.simulator.books().entries().size());
        assertEquals(2, rental.draws().size());
        assertEquals(Draw.Phase.GONE, rental.draws().get(0).phase());
    }

    @Test
    void takenOffersCostNeitherADrawNorABlock() {
        rig.simulator.faults().add(Fault.of(Fault.Kind.OFFER_GONE).times(5));
        Rental rental = rig.untilState(rig.order(), State.REACHABLE);
        assertEquals(6, rental.draws().size());
        assertEquals(List.of(), rig.fleet.blocks());
    }

    @ParameterizedTest
    @EnumSource(
            value = Fault.Kind.class,
            names = {
                "EXITED_IN_BOOT",
                "DOOMED",
                "HOST_OFFLINE",
                "STUCK_LOADING",
                "PHANTOM",
                "SSH_REFUSES",
                "KEYS_REFUSED",
                "WRONG_GPU"
            })
    void machineThatFailsIsDestroyedRememberedAndReplaced(Fault.Kind kind) {
        // With labels ending in the draw's number: the first machine only.
        rig.simulator.faults().add(Fault.of(kind).once());
        Rental rental = rig.untilState(rig.order(), State.REACHABLE);
        assertEquals(2, rental.draws().size(), rig.story());
        long bad = rental.draws().get(0).machineId();
        assertNotEquals(bad, rental.draws().get(1).machineId());
        assertTrue(rig.fleet.blocks().stream().anyMatch(block -> block.machineId() == bad), rig.story());
    }

    @Test
    void mistakeOfTheTemplateEndsTheRentalAndBlocksNoMachine() {
        rig.simulator
                .faults()
                .add(Fault.of(Fault.Kind.FATAL_STATUS).text("Error response from daemon: manifest unknown"));
        Rental rental = rig.untilState(rig.order(), State.FAILED);
        assertEquals(1, rental.draws().size());
        assertTrue(rental.why().is(RentalText.TEMPLATE_WRONG), rig.story());
        assertTrue(Texts.render(rental.why()).contains("nvidia/cuda"), Texts.render(rental.why()));
        assertEquals(List.of(), rig.fleet.blocks());
    }

    @Test
    void rentalGivesUpAfterItsDrawsAndSaysWhy() {
        rig.simulator.faults().add(Fault.of(Fault.Kind.EXITED_IN_BOOT));
        Rental rental = rig.untilState(rig.order(), State.FAILED);
        assertEquals(4, rental.draws().size());
        assertTrue(rental.why().is(RentalText.DRAWS_USED));
        assertEquals(4, rig.fleet.blocks().size());
        assertEquals(FailureClass.HOST_FAULT, rig.fleet.blocks().get(0).failure());
    }

    @Test
    void withoutAnyOfferItGivesUpWithinAMinuteAndSaysWhatWouldHelp() {
        rig.simulator.market().clear();
        Rental rental = rig.untilState(rig.order(), State.FAILED);
        assertTrue(rental.why().is(RentalText.NO_OFFER), rig.story());
        assertEquals(0, rental.draws().size());
        assertFalse(rental.since().isAfter(rental.orderedAt().plusSeconds(75)), rig.story());
        assertEquals(0, rig.simulator.requests(Endpoint.CREATE).size());
    }

    @Test
    void nothingAboveTheCeilingIsRented() {
        RunnerSpec cheap = new RunnerSpec(
                "1xRTX_4090",
                "nvidia/cuda:12.0.0-base-ubuntu22.04",
                "",
                30,
                0,
                false,
                new BigDecimal("0.01"),
                0.98,
                true,
                false,
                200,
                null,
                null,
                null,
                null);
        Rental rental = rig.untilState(rig.order(cheap), State.FAILED);
        assertTrue(rental.why().is(RentalText.NO_OFFER), rig.story());
        assertEquals(0, rig.simulator.books().entries().size());
    }

    @Test
    void emptyBalanceStopsEveryTryUntilItIsMended() {
        rig.simulator.account().setCredit(BigDecimal.ZERO);
        Rental first = rig.untilState(rig.order(), State.FAILED);
        assertTrue(first.why().is(RentalText.ACCOUNT_TROUBLE), rig.story());
        int creates = rig.simulator.requests(Endpoint.CREATE).size();
        rig.simulator.account().setCredit(BigDecimal.TEN);
        rig.fleet.retryAccount();
        rig.untilState(rig.order(), State.REACHABLE);
        assertEquals(1, creates);
    }

    @Test
    void refusedKeyKeepsRentalsAndTheyAreDestroyedOnceItIsMended() {
        Rental rental = rig.untilState(rig.order(), State.REACHABLE);
        rig.agentOnline(rental);
        rig.untilState(rental, State.IN_SERVICE);
        rig.apiKey("wrong");
        rig.steps(Duration.ofMinutes(3));
        assertEquals(State.IN_SERVICE, rig.state(rental));
        assertTrue(rig.fleet.trouble().isPresent());
        rig.fleet.retire(rental.id(), RentalText.LIFETIME_OVER.of(1));
        rig.steps(Duration.ofMinutes(3));
        assertEquals(State.RETIRING, rig.state(rental));
        rig.apiKey(rig.simulator.apiKey());
        rig.untilState(rental, State.DESTROYED);
    }

    @ParameterizedTest
    @EnumSource(
            value = Fault.Kind.class,
            names = {"EMPTY_LIST", "NULL_LIST", "TRUNCATED_LIST", "SERVER_ERROR", "NOT_JSON"})
    void badListNeitherKillsNorForgets(Fault.Kind kind) {
        Rental rental = rig.untilState(rig.order(), State.REACHABLE);
        rig.agentOnline(rental);
        rig.untilState(rental, State.IN_SERVICE);
        rig.simulator.faults().add(Fault.of(kind).endpoint(Endpoint.LIST));
        rig.steps(Duration.ofMinutes(10));
        assertEquals(State.IN_SERVICE, rig.state(rental), rig.story());
        rig.fleet.retire(rental.id(), RentalText.LIFETIME_OVER.of(1));
        rig.steps(Duration.ofMinutes(1));
        // Whatever the lists claim: gone is only what the contract itself shows to be gone.
        if (rig.state(rental).ended()) {
            assertEquals(List.of(), rig.simulator.books().left());
        }
    }

    @Test
    void destroyIsRepeatedUntilTheInstanceStaysAway() {
        Rental rental = rig.untilState(rig.order(), State.REACHABLE);
        rig.simulator
                .faults()
                .add(Fault.of(Fault.Kind.DESTROY_RESURRECTS)
                        .delay(Duration.ofSeconds(20))
                        .once());
        rig.fleet.retire(rental.id(), RentalText.LIFETIME_OVER.of(1));
        rig.until(
                "nothing left",
                () -> rig.simulator.books().left().isEmpty()
                        && rig.state(rental).ended());
        assertTrue(rig.simulator.requests(Endpoint.DESTROY).size() >= 2, rig.story());
    }

    @ParameterizedTest
    @EnumSource(
            value = Fault.Kind.class,
            names = {"DESTROY_IGNORED", "SERVER_ERROR", "THROTTLED", "LOST_ANSWER"})
    void failingDestroyIsTriedAgain(Fault.Kind kind) {
        Rental rental = rig.untilState(rig.order(), State.REACHABLE);
        rig.simulator.faults().add(Fault.of(kind).endpoint(Endpoint.DESTROY).times(3));
        rig.fleet.retire(rental.id(), RentalText.LIFETIME_OVER.of(1));
        rig.untilState(rental, State.DESTROYED);
        assertEquals(List.of(), rig.simulator.books().left());
    }

    @Test
    void controllerThatComesBackGoesOnWhereTheRecordsStand() throws IOException {
        Rental booting = rig.order();
        rig.untilState(booting, State.BOOTING);
        rig.restart();
        rig.untilState(booting, State.REACHABLE);
        assertEquals(1, rig.simulator.books().entries().size());
        rig.agentOnline(booting);
        rig.untilState(booting, State.IN_SERVICE);
        rig.restart();
        rig.steps(Duration.ofMinutes(1));
        assertEquals(State.IN_SERVICE, rig.state(booting));
        rig.fleet.retire(booting.id(), RentalText.LIFETIME_OVER.of(1));
        rig.until(
                "destroy sent", () -> !rig.simulator.requests(Endpoint.DESTROY).isEmpty());
        rig.restart();
        rig.untilState(booting, State.DESTROYED);
    }

    @Test
    void controllerThatDiedBeforeTheAnswerFindsItsInstance() throws IOException {
        rig.simulator
                .faults()
                .add(Fault.of(Fault.Kind.LOST_ANSWER).endpoint(Endpoint.CREATE).once());
        Rental rental = rig.order();
        rig.until("create sent", () -> !rig.simulator.requests(Endpoint.CREATE).isEmpty());
        rig.restart();
        rig.untilState(rental, State.REACHABLE);
        assertEquals(1, rig.simulator.books().entries().size());
    }

    @Test
    void instanceWithOurLabelAndNoRecordIsDestroyedAndNobodyElses() throws IOException {
        Rental lost = rig.untilState(rig.order(), State.REACHABLE);
        Rental kept = rig.untilState(rig.order(), State.REACHABLE);
        Files.delete(home.resolve("rentals").resolve(lost.id() + ".json"));
        rig.restart();
        rig.agentOnline(kept);
        rig.until(
                "orphan destroyed",
                Duration.ofMinutes(8),
                () -> rig.simulator.books().left().size() == 1);
        assertEquals(1, rig.simulator.requests(Endpoint.DESTROY).size(), rig.story());
        assertEquals(State.IN_SERVICE, rig.state(kept));
        rig.restart();
        Reaped deed = rig.fleet.reaped().get(0);
        assertTrue(deed.label().contains(lost.id()));
        assertTrue(deed.reason().is(RentalText.ORPHAN));
    }

    @Test
    void rentalRetiredWhileItsMachineBootsLeavesNothing() {
        Rental rental = rig.order();
        rig.untilState(rental, State.BOOTING);
        rig.fleet.retire(rental.id(), RentalText.LIFETIME_OVER.of(1));
        rig.untilState(rental, State.DESTROYED);
    }

    @Test
    void rentalRetiredBeforeItsCreateNeverCalls() {
        Rental rental = rig.order();
        rig.fleet.retire(rental.id(), RentalText.LIFETIME_OVER.of(1));
        rig.untilState(rental, State.DESTROYED);
        assertEquals(0, rig.simulator.requests(Endpoint.CREATE).size());
    }

    @Test
    void instanceStoppedFromOutsideEndsTheRental() {
        Rental rental = rig.untilState(rig.order(), State.REACHABLE);
        rig.agentOnline(rental);
        rig.untilState(rental, State.IN_SERVICE);
        rig.simulator.stopFromOutside(rental.current().orElseThrow().instanceId());
        rental = rig.untilState(rental, State.FAILED);
        assertTrue(rental.why().is(RentalText.STOPPED_OUTSIDE), rig.story());
    }

    @Test
    void whoRentsAllThatAnAnswerToldOfAsksAgainBeforeItIsOld() throws IOException {
        rig.close();
        rig = new EngineRig(home.resolve("large"), builder -> builder.scale(12));
        List<Rental> rentals = new ArrayList<>();
        for (int i = 0; i < 80; i++) {
            rentals.add(rig.order());
        }

        rig.steps(Timing.published().searchFresh().minusSeconds(1));

        long rented = rentals.stream()
                .filter(rental -> rig.state(rental) == State.BOOTING)
                .count();
        assertTrue(rented > 64, () -> "as many as one answer tells of, though there are more: " + rented);
    }

    @Test
    void burstTakesDifferentMachinesAndStaysBelowTheCap() {
        List<Rental> rentals = new ArrayList<>();
        for (int i = 0; i < 12; i++) {
            rentals.add(rig.order(EngineRig.container("1xRTX_4090"), 5));
        }
        rig.until("five rented", () -> rig.simulator.books().left().size() == 5);
        rig.steps(Duration.ofMinutes(1));
        assertEquals(5, rig.simulator.books().maximumAlive());
        assertEquals(
                5,
                rig.simulator.books().entries().stream()
                        .map(entry -> entry.machineId())
                        .distinct()
                        .count());
        assertTrue(rig.simulator.requests(Endpoint.SEARCH).size() < 12, "searches are shared");
        rentals.forEach(rental -> rig.fleet.retire(rental.id(), RentalText.LIFETIME_OVER.of(1)));
    }

    @Test
    void recordsHoldNoReadableSecret() throws IOException {
        Rental rental = rig.untilState(rig.order(), State.REACHABLE);
        String record = Files.readString(home.resolve("rentals").resolve(rental.id() + ".json"));
        assertFalse(record.contains("PRIVATE KEY"), record);
        assertFalse(record.contains(rig.simulator.apiKey()));
        assertFalse(rental.toString().contains("PRIVATE KEY"));
    }
}

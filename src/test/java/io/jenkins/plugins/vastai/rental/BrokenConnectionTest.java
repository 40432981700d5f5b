package io.jenkins.plugins.vastai.rental;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jenkins.plugins.vastai.simulator.Endpoint;
import io.jenkins.plugins.vastai.simulator.Fault;
import io.jenkins.plugins.vastai.text.Reason;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Why the connection to a machine broke is told from what the market shows afterwards, within seconds. */
class BrokenConnectionTest {

    /** What somebody who waits for the answer has patience for. */
    private static final Duration SOON = Duration.ofSeconds(20);

    @TempDir
    Path home;

    private EngineRig rig;
    private Rental rental;
    private long instance;

    @BeforeEach
    void anAgentServes() throws IOException {
        rig = new EngineRig(home);
        rental = rig.untilState(rig.order(), State.REACHABLE);
        rig.agentOnline(rental);
        rental = rig.untilState(rental, State.IN_SERVICE);
        instance = rental.current().orElseThrow().instanceId();
        rig.steps(Duration.ofMinutes(2)); // lists are seldom by now
    }

    @AfterEach
    void end() {
        rig.close();
    }

    private Reason explained() {
        rig.agentOffline(rental);
        CompletableFuture<Reason> answer = rig.fleet.explain(rental.id());
        rig.until("answered", SOON, answer::isDone);
        return answer.join();
    }

    @Test
    void aHostThatWentOfflineIsTheReasonLongBeforeItsMachineIsGivenUp() {
        rig.simulator.hostOffline(instance);
        assertTrue(explained().is(RentalText.HOST_WENT_OFFLINE));
        assertTrue(rig.now(rental).needed(), "it may come back");
    }

    @Test
    void aMachineThatWasStoppedTellsWhatEndedItsRental() {
        rig.simulator.stopFromOutside(instance);
        Reason told = explained();
        assertTrue(told.equals(rig.now(rental).why()), told + "\n" + rig.story());
    }

    @Test
    void aMachineThatIsNoLongerListedIsSaidToBe() {
        rig.simulator.destroyFromOutside(instance);
        Reason told = explained();
        // The lists alone, or already what ended the rental for it.
        assertTrue(told.is(RentalText.NOT_LISTED) || told.is(RentalText.VANISHED), told + "\n" + rig.story());
    }

    @Test
    void aMachineThatRunsOnHadItsConnectionBroken() {
        assertTrue(explained().is(RentalText.CONNECTION_BROKE));
        assertTrue(rig.now(rental).needed(), "the agent may come back");
    }

    @Test
    void nothingIsToldWhileTheMarketDoesNotAnswer() {
        rig.simulator.faults().add(Fault.of(Fault.Kind.SERVER_ERROR).endpoint(Endpoint.LIST));
        CompletableFuture<Reason> answer = rig.fleet.explain(rental.id());
        rig.steps(Duration.ofMinutes(1));
        assertFalse(answer.isDone());
        answer.cancel(false);
        rig.simulator.faults().clear();
        rig.steps(Duration.ofMinutes(1));
        assertTrue(rig.now(rental).needed());
    }
}

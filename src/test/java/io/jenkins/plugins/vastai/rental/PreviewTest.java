package io.jenkins.plugins.vastai.rental;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jenkins.plugins.vastai.market.Candidate;
import io.jenkins.plugins.vastai.market.FailureClass;
import io.jenkins.plugins.vastai.market.Requirements;
import io.jenkins.plugins.vastai.market.SettingException;
import io.jenkins.plugins.vastai.simulator.Endpoint;
import io.jenkins.plugins.vastai.simulator.Fault;
import io.jenkins.plugins.vastai.text.Texts;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What people are shown is what would be rented. */
class PreviewTest {

    @TempDir
    Path home;

    private EngineRig rig;

    @BeforeEach
    void start() throws IOException {
        rig = new EngineRig(home);
    }

    @AfterEach
    void end() {
        rig.simulator.faults().clear();
        rig.fleet.rentals().forEach(rental -> rig.fleet.retire(rental.id(), RentalText.LIFETIME_OVER.of(0)));
        rig.until("all rentals ended", () -> rig.fleet.rentals().stream()
                .allMatch(rental -> rental.state().ended()));
        assertEquals(List.of(), rig.simulator.books().left());
        rig.close();
    }

    private Requirements wanted(String instanceType) {
        try {
            return EngineRig.container(instanceType).requirements(rig.fleet.catalogue(), Duration.ofHours(8));
        } catch (SettingException e) {
            throw new AssertionError(e);
        }
    }

    private Preview preview(String instanceType) {
        CompletableFuture<Preview> answer = rig.fleet.preview(wanted(instanceType));
        rig.until("a preview", answer::isDone);
        return answer.join();
    }

    private Preview.Shown shown(String instanceType) {
        Preview preview = preview(instanceType);
        return assertInstanceOf(Preview.Shown.class, preview, preview.toString());
    }

    private int searches() {
        return rig.simulator.requests(Endpoint.SEARCH).size();
    }

    @Test
    void theFirstMachineShownIsTheOneThatIsRented() {
        Preview.Shown shown = shown("1xRTX_4090");
        assertTrue(shown.best().size() > 1 && shown.best().size() <= 10, shown.toString());
        assertTrue(shown.fit() >= shown.best().size());
        assertTrue(rig.simulator.books().entries().isEmpty(), "nothing is rented for a preview");

        Rental rental = rig.untilState(rig.order(), State.BOOTING);
        assertEquals(
                shown.best().get(0).offer().machineId(), rental.draws().get(0).machineId());
    }

    @Test
    void aFreshAnswerServesPreviewsAndRentalsAlike() {
        Preview.Shown first = shown("1xRTX_4090");
        assertEquals(1, searches());
        rig.steps(Duration.ofSeconds(5));
        Preview.Shown again = shown("1xRTX_4090");
        rig.untilState(rig.order(), State.BOOTING);
        assertEquals(1, searches());
        assertEquals(first.asOf(), again.asOf(), "how old it is can be told");
        rig.steps(Duration.ofSeconds(20));
        assertTrue(shown("1xRTX_4090").asOf().isAfter(first.asOf()));
        assertEquals(2, searches());
    }

    @Test
    void machinesInUseAndBlockedOnesAreNamedInsteadOfOffered() {
        Rental rental = rig.untilState(rig.order(), State.BOOTING);
        long used = rental.draws().get(0).machineId();
        Candidate next = shown("1xRTX_4090").best().get(0);
        long blocked = next.offer().machineId();
        rig.fleet.blocks(list -> list.after(
                blocked,
                next.offer().hostId(),
                FailureClass.UNREACHABLE,
                RentalText.HOST_OFFLINE.of(4),
                rig.clock.instant()));
        // As if the market still listed the machine that is rented: other slices of it often are.
        rig.steps(Duration.ofSeconds(1));

        Preview.Shown shown = shown("1xRTX_4090");

        assertTrue(shown.best().stream()
                .noneMatch(candidate -> candidate.offer().machineId() == used
                        || candidate.offer().machineId() == blocked));
        Preview.Withheld withheld = shown.withheld().stream()
                .filter(left -> left.offer().machineId() == blocked)
                .findFirst()
                .orElseThrow();
        assertEquals(
                RentalText.HOST_OFFLINE.of(4), withheld.block().orElseThrow().reason());
        assertTrue(withheld.price().isPresent());
        shown.withheld().stream()
                .filter(left -> left.offer().machineId() == used)
                .forEach(left ->
                        assertEquals(rental.order().agent(), left.agent().orElseThrow()));
    }

    @Test
    void nothingFoundIsExplained() {
        rig.simulator.market().clear();
        Preview.Shown shown = shown("1xRTX_4090");
        assertEquals(List.of(), shown.best());
        assertEquals(0, shown.fit());
        assertTrue(Texts.render(shown.explanation().get(0)).contains("no offer of 1x RTX 4090"));
    }

    @Test
    void aMarketThatFailsIsAReasonAndNoEndlessSearch() {
        rig.simulator.faults().add(Fault.of(Fault.Kind.SERVER_ERROR).endpoint(Endpoint.SEARCH));
        Preview preview = preview("1xRTX_4090");
        Preview.Refused refused = assertInstanceOf(Preview.Refused.class, preview);
        assertTrue(Texts.render(refused.why()).contains("cannot serve"), Texts.render(refused.why()));
        int asked = searches();
        rig.steps(Duration.ofSeconds(30));
        assertEquals(asked, searches(), "nobody waits any more");
    }

    @Test
    void previewsLeaveSearchesForRentals() {
        for (String type : List.of("1xRTX_4090", "1xRTX_3090", "1xA100_SXM4")) {
            shown(type);
        }
        int asked = searches();
        Preview.Refused refused = assertInstanceOf(Preview.Refused.class, preview("1xH100_SXM"));
        assertTrue(refused.why().is(RentalText.PREVIEW_TOO_MANY), refused.toString());
        shown("1xA100_SXM4"); // what is here is shown
        assertEquals(asked, searches());
        rig.untilState(rig.order(EngineRig.container("1xRTX_3080")), State.BOOTING);
        rig.steps(Duration.ofSeconds(60));
        shown("1xH100_SXM");
    }

    @Test
    void whoHasWaitedLongEnoughIsForgotten() {
        CompletableFuture<Preview> answer = rig.fleet.preview(wanted("1xRTX_4090"));
        answer.cancel(false);
        rig.steps(Duration.ofSeconds(5));
        assertEquals(0, searches());
    }

    @Test
    void namesAreTheMarketsOnceItAnswersAndTheBuiltInOnesUntilThen() {
        rig.simulator.faults().add(Fault.of(Fault.Kind.SERVER_ERROR).endpoint(Endpoint.GPU_NAMES));
        assertTrue(names().asOf().isEmpty());
        assertTrue(names().catalogue().names().contains("RTX 4090"));
        rig.simulator.faults().clear();
        rig.steps(Duration.ofSeconds(31));
        Names live = names();
        assertTrue(live.asOf().isPresent());
        int asked = rig.simulator.requests(Endpoint.GPU_NAMES).size();
        rig.steps(Duration.ofMinutes(5));
        assertEquals(live, names());
        assertEquals(asked, rig.simulator.requests(Endpoint.GPU_NAMES).size());
        assertFalse(live.catalogue().names().isEmpty());
    }

    private Names names() {
        CompletableFuture<Names> answer = rig.fleet.names();
        rig.until("names", answer::isDone);
        return answer.join();
    }
}

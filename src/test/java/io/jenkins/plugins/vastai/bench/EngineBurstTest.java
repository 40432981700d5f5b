package io.jenkins.plugins.vastai.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jenkins.plugins.vastai.rental.Rental;
import io.jenkins.plugins.vastai.rental.RentalText;
import io.jenkins.plugins.vastai.rental.RunnerSpec;
import io.jenkins.plugins.vastai.rental.State;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** How the engine uses what the market's limits leave. */
class EngineBurstTest {

    /** More than one page of the list, so that machines on their way are looked at by themselves. */
    private static final int RENTALS = 60;

    @ParameterizedTest
    @ValueSource(doubles = {0, 0.2})
    void everyTurnIsUsedAndNoneIsTakenEarlyWhetherOffersStayOrGo(double gone) throws Exception {
        EngineBurst.Result result = EngineBurst.run(RENTALS, gone);
        assertEquals(0, result.throttled());
        assertEquals(gone > 0, result.refused() > 0);
        assertTrue(result.overFloor() >= 1 && result.overFloor() <= 1.02, "over floor " + result.overFloor());
        assertTrue(result.callsPerRental() <= 7, result.calls().toString());
        assertTrue(result.latestNews().compareTo(Duration.ofSeconds(6)) <= 0, "news after " + result.latestNews());
    }

    @Test
    void whoWaitsForAMachineIsServedByAgeAndToldPlaceAndTime() throws Exception {
        List<Rental> rentals = EngineBurst.run(10, 0).ended();
        Instant last = Instant.MIN;
        for (Rental rental : rentals.stream()
                .sorted(Comparator.comparing(Rental::orderedAt).thenComparing(Rental::id))
                .toList()) {
            Instant sent = rental.draws().get(0).sent();
            assertTrue(sent.isAfter(last));
            last = sent;
        }
        Rental latest = rentals.stream()
                .max(Comparator.comparing(rental -> rental.draws().get(0).sent()))
                .orElseThrow();
        List<List<Object>> told = latest.story().stream()
                .filter(line -> line.reason().is(RentalText.WAITING_TURN))
                .map(line -> line.reason().args())
                .toList();
        assertEquals(1, told.size(), "told once");
        assertEquals("9", told.get(0).get(0).toString(), "place behind the one that is served");
        long expected = Long.parseLong(told.get(0).get(1).toString());
        long waited = Duration.between(latest.orderedAt(), latest.draws().get(0).sent())
                .toSeconds();
        assertTrue(Math.abs(expected - waited) <= 2, "told " + expected + " s, waited " + waited);
    }

    @Test
    void thoseForWhomThereIsNothingDoNotKeepOthersFromBeingSearchedFor() throws Exception {
        List<RunnerSpec> runners = new ArrayList<>();
        for (int disk = 100_000; disk < 100_030; disk++) {
            runners.add(disk(disk)); // nobody has such a disk, and each is a question of its own
        }
        runners.add(SimulatedFleet.SPEC);
        EngineBurst.Result result = EngineBurst.run(runners, 0);
        long failed =
                result.ended().stream().filter(r -> r.state() == State.FAILED).count();
        assertEquals(runners.size() - 1, failed);
        // 31 questions, ten of them a minute.
        assertTrue(result.lastCreate().compareTo(Duration.ofSeconds(190)) < 0, "after " + result.lastCreate());
    }

    private static RunnerSpec disk(int gigabytes) {
        RunnerSpec usual = SimulatedFleet.SPEC;
        return new RunnerSpec(
                "1xRTX_4090",
                usual.machineImage(),
                usual.region(),
                gigabytes,
                usual.minRamGb(),
                usual.vm(),
                usual.maxPricePerHour(),
                usual.minReliability(),
                usual.verifiedOnly(),
                usual.datacenterOnly(),
                usual.minDownloadMbps(),
                usual.runtype(),
                usual.environment(),
                usual.initScript(),
                usual.imageLogin());
    }
}

package io.jenkins.plugins.vastai.rental;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneId;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Sums by day, cloud and template are right while records are there, after they are forgotten, and in between. */
class SpendTest {

    private static final ZoneId ZONE = ZoneId.of("Europe/Berlin");
    private static final LocalDate DAY = LocalDate.of(2026, 11, 23);
    private static final Instant MIDNIGHT = DAY.plusDays(1).atStartOfDay(ZONE).toInstant();
    private static final Instant NOW = MIDNIGHT.plus(Duration.ofHours(12));

    @TempDir
    Path directory;

    private RentalStore store;

    @BeforeEach
    void open() throws IOException {
        store = new RentalStore(directory, EngineRig.SECRETS);
    }

    @Test
    void aRentalThatSpansMidnightIsSplitAtTheControllersMidnight() {
        Rental rental = rental("a", "vast", "gpu", MIDNIGHT.minusSeconds(3600), MIDNIGHT.plusSeconds(1800));

        List<Spend.Amount> sums = spend().since(DAY, List.of(rental), NOW);

        assertEquals(2, sums.size(), sums::toString);
        assertDollars("2.00", sums, DAY);
        assertDollars("1.00", sums, DAY.plusDays(1));
    }

    @Test
    void aMachineThatIsStillThereCountsUntilNow() {
        Rental rental = rental("a", "vast", "gpu", NOW.minusSeconds(7200), null);

        assertDollars("4.00", spend().since(DAY, List.of(rental), NOW), DAY.plusDays(1));
    }

    @Test
    void theDaysAddUpToTheCostOfTheRental() {
        Instant begin = MIDNIGHT.minus(Duration.ofDays(3)).plusMillis(123_456);
        Rental rental = rental("a", "vast", "gpu", begin, NOW.minusMillis(987));

        BigDecimal sum = spend().since(DAY.minusDays(10), List.of(rental), NOW).stream()
                .map(Spend.Amount::dollars)
                .reduce(BigDecimal.ZERO, BigDecimal::add);

        assertEquals(
                0,
                Cost.of(rental, NOW)
                        .subtract(sum)
                        .setScale(9, RoundingMode.HALF_UP)
                        .signum());
    }

    @Test
    void whatIsForgottenStaysInTheSumsAlsoAfterARestart() {
        Rental rental = rental("a", "vast", "gpu", MIDNIGHT.minusSeconds(3600), MIDNIGHT);
        Rental other = rental("b", "vast", "gpu", MIDNIGHT.minusSeconds(1800), MIDNIGHT);
        Spend spend = spend();

        spend.keep(rental, NOW);
        spend.keep(other, NOW);

        assertDollars("3.00", spend.since(DAY, List.of(), NOW), DAY);
        assertDollars("3.00", spend().since(DAY, List.of(), NOW), DAY);
    }

    @Test
    void aCrashBetweenTheSumsAndTheRemovalOfTheRecordCountsNothingTwice() throws IOException {
        Rental rental = rental("a", "vast", "gpu", MIDNIGHT.minusSeconds(3600), MIDNIGHT);
        store.save(rental);
        spend().keep(rental, NOW);

        Spend after = spend(); // the record is still there

        assertDollars("2.00", after.since(DAY, List.of(rental), NOW), DAY);
        after.keep(rental, NOW);
        assertDollars("2.00", after.since(DAY, List.of(), NOW), DAY);
    }

    @Test
    void aRecordThatCouldNotBeRemovedIsNotCountedTwiceThoughAnotherWasForgottenSince() throws IOException {
        Rental stays = rental("a", "vast", "gpu", MIDNIGHT.minusSeconds(3600), MIDNIGHT);
        Rental goes = rental("b", "vast", "gpu", MIDNIGHT.minusSeconds(1800), MIDNIGHT);
        store.save(stays);
        store.save(goes);
        Spend spend = spend();
        spend.keep(stays, NOW); // and the disk does not remove its record
        spend.keep(goes, NOW);
        store.delete(goes.id());
        spend.forgotten(goes.id());

        for (Spend any : List.of(spend, spend())) {
            any.keep(stays, NOW); // tried again with the next sweep
            assertDollars("3.00", any.since(DAY, List.of(stays), NOW), DAY);
        }
    }

    @Test
    void sumsOfBeforeIdsWereKeptAreRead() throws IOException {
        Rental stays = rental("a", "vast", "gpu", MIDNIGHT.minusSeconds(3600), MIDNIGHT);
        store.save(stays);
        Files.writeString(directory.resolve("spend.json"), """
                {"version": 1, "last": "a", "amounts": [
                  {"day": "2026-11-23", "cloud": "vast", "template": "gpu", "dollars": 2.00}]}
                """);

        assertDollars("2.00", spend().since(DAY, List.of(stays), NOW), DAY);
    }

    @Test
    void aRenamedCloudTakesItsPastAlong() {
        Spend spend = spend();
        spend.keep(rental("a", "vast", "gpu", MIDNIGHT.minusSeconds(3600), MIDNIGHT), NOW);
        spend.keep(rental("b", "other", "gpu", MIDNIGHT.minusSeconds(3600), MIDNIGHT), NOW);

        spend.renamed("vast", "market");

        assertTrue(spend.since(DAY, List.of(), NOW).stream()
                .noneMatch(amount -> amount.cloud().equals("vast")));
        assertEquals(2, spend().since(DAY, List.of(), NOW).size());
    }

    @Test
    void sumsOfMoreThanAYearAgoAreDropped() {
        Spend spend = spend();
        spend.keep(rental("a", "vast", "gpu", MIDNIGHT.minusSeconds(3600), MIDNIGHT), NOW);

        Instant later = NOW.plus(Duration.ofDays(401));
        spend.keep(rental("b", "vast", "gpu", later.minusSeconds(3600), later), later);

        assertEquals(1, spend.since(LocalDate.MIN, List.of(), later).size());
    }

    @Test
    void sumsThatCannotBeReadDoNotKeepTheEngineFromStarting() throws IOException {
        Files.writeString(directory.resolve("spend.json"), "{ half a");

        assertEquals(List.of(), spend().since(DAY, List.of(), NOW));
    }

    private Spend spend() {
        return new Spend(store, ZONE);
    }

    private static void assertDollars(String expected, List<Spend.Amount> sums, LocalDate day) {
        BigDecimal sum = sums.stream()
                .filter(amount -> amount.day().equals(day))
                .map(Spend.Amount::dollars)
                .reduce(BigDecimal.ZERO, BigDecimal::add);
        assertEquals(0, new BigDecimal(expected).compareTo(sum), day + ": " + sum);
    }

    /** Two dollars an hour. */
    private static Rental rental(String id, String cloud, String template, Instant from, Instant to) {
        Draw draw = Draw.planned(1, "label", 1, 2, 3, "1x RTX 4090", "US", new BigDecimal("2.00"), from)
                .held(7, from);
        if (to != null) {
            draw = draw.disposing(RentalText.BUILD_DONE.of(), to)
                    .destroySent(to)
                    .gone(null, to.plusSeconds(60));
        }
        Order order = new Order(
                cloud,
                template,
                "agent-" + id,
                RunnerSpec.of("1xRTX_4090", "ubuntu:24.04", false),
                "/home/jenkins",
                17,
                1,
                Duration.ofMinutes(15),
                Duration.ofHours(8),
                0,
                0,
                null);
        return Rental.ordered(id, order, "", "", new Hidden(""), new Line(from, RentalText.BUILD_DONE.of()), from)
                .draw(draw);
    }
}

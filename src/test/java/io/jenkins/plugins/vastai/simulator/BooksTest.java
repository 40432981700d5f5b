package io.jenkins.plugins.vastai.simulator;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class BooksTest {
    /** 0.72 $/GB and month of 720 h: 30 GB cost 0.03 $ an hour. */
    private static final BigDecimal STORAGE = new BigDecimal("0.72");

    private final DrivenClock clock = new DrivenClock();
    private Simulator simulator;
    private Caller caller;

    @BeforeEach
    void start() throws IOException {
        simulator = Simulator.builder()
                .clock(clock)
                .ssh(false)
                .limits(false)
                .boot(Duration.ofMinutes(10))
                .unload(Duration.ofSeconds(5))
                .start();
        caller = new Caller(simulator);
    }

    @AfterEach
    void end() {
        simulator.close();
    }

    private long rent(String price, String label) throws IOException {
        long machine = simulator
                .market()
                .list("RTX 3090", 1, new BigDecimal(price), "Texas, US", fields -> fields.put("storage_cost", STORAGE));
        long offer = simulator.market().offers().stream()
                .filter(o -> o.machineId() == machine)
                .findFirst()
                .orElseThrow()
                .id();
        return caller.rent(offer, Caller.container(label, ""));
    }

    private static void assertMoney(String expected, BigDecimal found) {
        assertEquals(new BigDecimal(expected), found.setScale(6, RoundingMode.HALF_UP));
    }

    private Books.Entry entry(long id) {
        return simulator.books().entry(id).orElseThrow();
    }

    @Test
    void gpusCostFromRunningAndDiskFromCreateUntilDestroyed() throws IOException {
        long id = rent("0.36", "a");
        clock.advance(Duration.ofMinutes(10));
        assertMoney("0.005000", entry(id).storage());
        assertMoney("0.000000", entry(id).gpu());
        clock.advance(Duration.ofSeconds(1));
        assertMoney("0.000100", entry(id).gpu());
        clock.advance(Duration.ofMinutes(30).minusSeconds(1));
        caller.destroy(id);
        clock.advance(Duration.ofHours(5));
        assertMoney("0.180000", entry(id).gpu());
        assertMoney("0.020000", entry(id).storage());
        assertMoney("0.200000", simulator.books().total());
        assertMoney("99.800000", simulator.account().credit());
        assertEquals(Optional.of(Books.Hand.API_KEY), entry(id).destroyedBy());
        assertTrue(simulator.books().left().isEmpty());
    }

    @Test
    void theBillDoesNotDependOnHowCoarselyTimeIsDriven() throws IOException {
        long id = rent("0.36", "a");
        clock.advance(Duration.ofHours(2).plusMinutes(10));
        assertMoney("0.720000", entry(id).gpu());
        assertMoney("0.065000", entry(id).storage());
    }

    @Test
    void stoppedInstancesCostTheirDisk() throws IOException {
        long id = rent("0.36", "a");
        clock.advance(Duration.ofMinutes(70));
        simulator.stopFromOutside(id);
        clock.advance(Duration.ofHours(1));
        assertMoney("0.360000", entry(id).gpu());
        assertMoney("0.065000", entry(id).storage());
    }

    @Test
    void offlineHostsCostNothing() throws IOException {
        long id = rent("0.36", "a");
        clock.advance(Duration.ofMinutes(70));
        simulator.hostOffline(id);
        clock.advance(Duration.ofHours(10));
        simulator.hostOnline(id);
        clock.advance(Duration.ofMinutes(50));
        assertMoney("0.660000", entry(id).gpu());
        assertMoney("0.060000", entry(id).storage());
    }

    @Test
    void everythingStopsWhenTheCreditIsGone() throws IOException {
        simulator.account().setCredit(new BigDecimal("0.395"));
        long id = rent("0.36", "a");
        // 0.005 for the disk while loading, then 0.39 an hour: one hour.
        clock.advance(Duration.ofHours(3));
        assertMoney("0.360000", entry(id).gpu());
        assertEquals("stopped", simulator.instance(id).orElseThrow().status());
        assertTrue(simulator.account().credit().signum() < 0, "the disk is billed on");
        long offer = simulator.market().find("RTX 4090", 1).get(0).id();
        assertEquals(
                "insufficient_credit",
                caller.create(offer, Caller.container("b", "")).error());
    }

    @Test
    void theHostsContractEndsTheInstance() throws IOException {
        long machine = simulator
                .market()
                .list(
                        "RTX 3090",
                        1,
                        BigDecimal.ONE,
                        "Texas, US",
                        fields -> fields.put("end_date", (double)
                                clock.instant().plus(Duration.ofHours(2)).getEpochSecond()));
        long offer = simulator.market().offers().stream()
                .filter(o -> o.machineId() == machine)
                .findFirst()
                .orElseThrow()
                .id();
        long id = caller.rent(offer, Caller.container("a", ""));
        clock.advance(Duration.ofHours(3));
        assertEquals("stopped", caller.show(id).get("actual_status").asText());
        assertMoney("1.833333", entry(id).gpu());
        clock.advance(Duration.ofHours(48));
        assertTrue(caller.show(id).isNull(), "removed in the end");
        assertEquals(Optional.of(Books.Hand.OUTSIDE), entry(id).destroyedBy());
    }

    @Test
    void tellsHowManyWereAliveAtOnceAndWhoDestroyed() throws IOException {
        Instant begin = clock.instant();
        long first = rent("0.1", "jenkins-1-a");
        long second = rent("0.1", "jenkins-1-b");
        long other = rent("0.1", "mine");
        clock.advance(Duration.ofMinutes(1));
        caller.destroy(first);
        long third = rent("0.1", "jenkins-1-c");
        simulator.destroyFromOutside(second);
        assertEquals(4, simulator.books().entries().size());
        assertEquals(3, simulator.books().maximumAlive());
        assertEquals(2, simulator.books().maximumAlive("jenkins-1-"));
        assertEquals(1, simulator.books().left("jenkins-1-").size());
        assertEquals(third, simulator.books().left("jenkins-1-").get(0).id());
        assertEquals(Optional.of(Books.Hand.OUTSIDE), entry(second).destroyedBy());
        assertEquals(begin, entry(other).created());
    }

    @Test
    void aMachineMayDestroyItselfAndNoOtherWithItsOwnKey() throws IOException {
        long offer = simulator.market().find("RTX 4090", 1).get(0).id();
        Caller.Reply created = caller.create(offer, Caller.container("a", ""));
        long id = created.json().get("new_contract").asLong();
        long other = rent("0.1", "b");
        Caller machine =
                new Caller(simulator, created.json().get("instance_api_key").asText());
        assertEquals(403, machine.destroy(other).status());
        assertEquals(
                403,
                machine.create(simulator.market().find("RTX 4090", 1).get(0).id(), Caller.container("x", ""))
                        .status());
        assertEquals(200, machine.destroy(id).status());
        assertEquals(Optional.of(Books.Hand.INSTANCE_KEY), entry(id).destroyedBy());
    }

    @Test
    void chargesRepeatTheBooksInPages() throws IOException {
        for (int i = 0; i < 3; i++) {
            rent("0.36", "l" + i);
        }
        clock.advance(Duration.ofMinutes(70));
        long day = clock.instant().getEpochSecond();
        String filters = Caller.encoded("{\"day\":{\"gte\":" + (day - 86400) + ",\"lte\":" + day + "}}");
        Caller.Reply first = caller.get("/api/v0/charges/?limit=2&latest_first=false&select_filters=" + filters);
        assertEquals(2, first.json().get("count").asInt());
        assertEquals(3, first.json().get("total").asInt());
        assertEquals(0.395, first.json().at("/results/0/amount").asDouble());
        assertEquals("l0", first.json().at("/results/0/metadata/label").asText());
        Caller.Reply second =
                caller.get("/api/v0/charges/?limit=2&latest_first=false&select_filters=" + filters + "&after_token="
                        + Caller.encoded(first.json().get("next_token").asText()));
        assertEquals(1, second.json().get("results").size());
        assertTrue(second.json().get("next_token").isNull());
        assertEquals(400, caller.get("/api/v0/charges/").status());
    }
}

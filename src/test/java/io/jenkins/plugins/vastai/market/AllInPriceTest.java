package io.jenkins.plugins.vastai.market;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.json.JsonMapper;
import io.jenkins.plugins.vastai.api.Instance;
import io.jenkins.plugins.vastai.api.Offer;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.time.Duration;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class AllInPriceTest {

    /** 10 GB in and 1 GB out within half an hour. */
    private static final ExpectedRun RUN = new ExpectedRun(8, 2, 1, Duration.ofMinutes(30), 1);

    private static AllInPrice price(TestOffer offer, double diskGb) {
        return AllInPrice.of(offer.build(), diskGb, RUN, false).orElseThrow();
    }

    private static void assertDollars(String expected, BigDecimal actual) {
        assertEquals(
                0,
                new BigDecimal(expected).compareTo(actual.setScale(6, RoundingMode.HALF_UP)),
                () -> expected + " but was " + actual);
    }

    @Test
    void addsDiskAndTrafficToTheGpus() {
        AllInPrice price = price(
                TestOffer.rtx4090()
                        .price(0.4)
                        .with("storage_cost", 0.18)
                        .with("inet_down_cost", 0.01)
                        .with("inet_up_cost", 0.02),
                40);
        assertDollars("0.4", price.gpuPerHour());
        assertDollars("0.01", price.diskPerHour());
        assertDollars("0.12", price.trafficPerHour());
        assertDollars("0.53", price.total());
        assertDollars("0.41", price.machine());
    }

    @Test
    void reckonsTheDiskItselfWhenTheSearchForgotIt() {
        // dph_total covers the 8 GB of a careless search; 720 GB are wanted.
        TestOffer offer = TestOffer.rtx4090()
                .with("dph_base", 0.4)
                .with("dph_total", 0.402)
                .with("storage_cost", 0.18)
                .without("inet_down_cost")
                .without("inet_up_cost");
        assertDollars("0.58", price(offer, 720).total());
    }

    @Test
    void believesTheMarketWhenItAsksForMore() {
        TestOffer offer = TestOffer.rtx4090()
                .with("dph_base", 0.4)
                .with("dph_total", 0.47)
                .without("storage_cost")
                .without("inet_down_cost")
                .without("inet_up_cost");
        assertDollars("0.47", price(offer, 40).total());
    }

    @Test
    void spreadsTrafficOverALongRunAndOverAnHourAtLeast() {
        Offer offer = TestOffer.rtx4090()
                .with("inet_down_cost", 0.1)
                .with("inet_up_cost", 0)
                .build();
        ExpectedRun tenHours = new ExpectedRun(8, 2, 1, Duration.ofHours(10), 1);
        assertDollars(
                "0.1", AllInPrice.of(offer, 40, tenHours, false).orElseThrow().trafficPerHour());
        assertDollars("1", AllInPrice.of(offer, 40, RUN, false).orElseThrow().trafficPerHour());
    }

    @Test
    void countsTheBidForAnInterruptibleMachine() {
        Offer offer = TestOffer.rtx4090().price(0.4).with("min_bid", 0.15).build();
        assertDollars("0.15", AllInPrice.of(offer, 40, RUN, true).orElseThrow().gpuPerHour());
        assertDollars("0.4", AllInPrice.of(offer, 40, RUN, false).orElseThrow().gpuPerHour());
    }

    @Test
    void hasNoOpinionWithoutAPrice() {
        TestOffer offer = TestOffer.rtx4090().without("dph_base").without("dph_total");
        assertEquals(Optional.empty(), AllInPrice.of(offer.build(), 40, RUN, false));
    }

    @Test
    void judgesTheInstanceLikeTheOffer() throws Exception {
        Instance instance = new JsonMapper().readValue("""
                        {"id": 1, "machine_id": 2, "dph_base": 0.3333333, "dph_total": 0.3416667,
                         "storage_total_cost": 0.0083333, "inet_down_cost": 0.01, "inet_up_cost": 0.02}""", Instance.class);
        AllInPrice price = AllInPrice.of(instance, RUN).orElseThrow();
        assertDollars("0.461667", price.total());
        assertTrue(price.within(new BigDecimal("0.47")));
        assertFalse(price.within(new BigDecimal("0.46")));
        Instance unpriced = new JsonMapper().readValue("{\"id\": 1}", Instance.class);
        assertEquals(Optional.empty(), AllInPrice.of(unpriced, RUN));
    }

    /** Ranking reckons in double for speed; the same offers must come out as in exact money. */
    @Test
    void agreesWithTheSumThatRankingMakes() {
        Random random = new Random(3);
        for (int i = 0; i < 2_000; i++) {
            TestOffer draft = TestOffer.rtx4090();
            for (String field :
                    new String[] {"dph_base", "dph_total", "storage_cost", "min_bid", "inet_down_cost", "inet_up_cost"
                    }) {
                draft = random.nextInt(5) == 0 ? draft.without(field) : draft.with(field, random.nextDouble());
            }
            Offer offer = draft.build();
            Requirements wanted = Fixtures.requirements(Fixtures.RTX_4090)
                    .diskGb(8 + random.nextInt(1000))
                    .interruptible(random.nextBoolean())
                    .expectedRun(new ExpectedRun(
                            random.nextInt(50), random.nextInt(9), 1, Duration.ofMinutes(random.nextInt(600)), 1))
                    .build();
            double quick = new OfferCheck(wanted, Fixtures.RTX_4090).allInPerHour(offer);
            double exact = wanted.price(offer)
                    .map(price -> price.total().doubleValue())
                    .orElse(Double.NaN);
            assertEquals(exact, quick, 1e-9);
        }
    }

    @ParameterizedTest
    @CsvSource({"0.4, 0.40", "5, 5.00", "0.33333333, 0.3333", "12.5, 12.50", "0, 0.00", "100, 100.00", "0.00004, 0.00"})
    void showsWhatPeopleCanRead(BigDecimal dollars, String shown) {
        assertEquals(shown, AllInPrice.show(dollars));
    }
}

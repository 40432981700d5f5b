package io.jenkins.plugins.vastai.market;

import static io.jenkins.plugins.vastai.market.Fixtures.NOW;
import static io.jenkins.plugins.vastai.market.Fixtures.RTX_4090;
import static io.jenkins.plugins.vastai.market.Fixtures.rank;
import static io.jenkins.plugins.vastai.market.Fixtures.requirements;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jenkins.plugins.vastai.api.Offer;
import io.jenkins.plugins.vastai.text.Reason;
import io.jenkins.plugins.vastai.text.Texts;
import java.math.BigDecimal;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RankingTest {

    private static List<Long> ids(Ranking ranking) {
        return ranking.candidates().stream().map(c -> c.offer().id()).toList();
    }

    private static TestOffer offer(long id) {
        return TestOffer.rtx4090().with("id", id);
    }

    private static List<String> explained(Ranking ranking) {
        return ranking.explain().stream().map(Texts::render).toList();
    }

    @ParameterizedTest
    @CsvSource({
        "1xRTX_4090, 3",
        "4xA100_SXM, 3",
        "4xA100_40GB, 1",
        "4xA100_80GB, 2",
        "2xH100, 3",
        "8xA100_SXM4_80GB, 1",
        "1xRTX_4090_24GB, 2"
    })
    void theExamplesOfTheProductThatUsersMoveFromFindOffers(String instanceType, int machines) throws SettingException {
        GpuWish wish = InstanceType.parse(instanceType, GpuCatalogue.builtIn()).get(0);
        Ranking ranking = rank(TestOffer.market(), requirements(wish).build());
        assertEquals(machines, ranking.candidates().size());
        for (Candidate candidate : ranking.candidates()) {
            assertTrue(wish.gpuNames().contains(candidate.offer().gpuName()), candidate.toString());
            assertEquals(wish.count(), candidate.offer().numGpus());
        }
    }

    @Test
    void theCheaperOfTwoEqualMachinesComesFirst() {
        List<Offer> offers =
                List.of(offer(1).price(0.5).build(), offer(2).price(0.4).build());
        assertEquals(List.of(2L, 1L), ids(rank(offers, requirements(RTX_4090).build())));
    }

    @Test
    void aSlowDownloadCostsMoreThanItSaves() {
        List<Offer> offers = List.of(
                offer(1).price(0.39).with("inet_down", 100).build(),
                offer(2).price(0.41).with("inet_down", 900).build());
        Requirements big = requirements(RTX_4090)
                .expectedRun(new ExpectedRun(15, 0, 0, Duration.ofMinutes(20), 0))
                .build();
        assertEquals(List.of(2L, 1L), ids(rank(offers, big)));
        Requirements longRun = big.toBuilder()
                .expectedRun(new ExpectedRun(1, 0, 0, Duration.ofHours(20), 0))
                .build();
        assertEquals(List.of(1L, 2L), ids(rank(offers, longRun)), "a long run does not care");
    }

    @Test
    void dearTrafficOutweighsACheapGpu() {
        List<Offer> offers = List.of(
                offer(1).price(0.30).with("inet_down_cost", 0.04).build(),
                offer(2).price(0.45).with("inet_down_cost", 0).build());
        Requirements big = requirements(RTX_4090)
                .expectedRun(new ExpectedRun(20, 10, 0, Duration.ofMinutes(30), 0))
                .build();
        assertEquals(List.of(2L, 1L), ids(rank(offers, big)));
    }

    @Test
    void anUnreliableHostMustBeCheaperToBeChosen() {
        Requirements any = requirements(RTX_4090).minReliability(0.8).build();
        assertEquals(
                List.of(2L, 1L),
                ids(rank(
                        List.of(
                                offer(1).price(0.39).with("reliability2", 0.85).build(),
                                offer(2).price(0.41).with("reliability2", 0.999).build()),
                        any)));
        assertEquals(
                List.of(1L, 2L),
                ids(rank(
                        List.of(
                                offer(1).price(0.10).with("reliability2", 0.95).build(),
                                offer(2).price(0.90).with("reliability2", 0.999).build()),
                        any)));
    }

    @Test
    void waitingCountsAsMuchAsTheAdminSays() {
        List<Offer> offers = List.of(
                offer(1).price(0.30).with("inet_down", 120).build(),
                offer(2).price(0.60).with("inet_down", 900).build());
        ExpectedRun run = new ExpectedRun(6, 0, 0, Duration.ofHours(1), 0);
        assertEquals(
                List.of(1L, 2L),
                ids(rank(offers, requirements(RTX_4090).expectedRun(run).build())));
        ExpectedRun hurry = new ExpectedRun(6, 0, 0, Duration.ofHours(1), 10);
        assertEquals(
                List.of(2L, 1L),
                ids(rank(offers, requirements(RTX_4090).expectedRun(hurry).build())));
    }

    @Test
    void oneMachineIsOneCandidateWithItsBestOffer() {
        List<Offer> offers = List.of(
                offer(1).price(0.5).with("machine_id", 7).build(),
                offer(2).price(0.4).with("machine_id", 7).build(),
                offer(3).price(0.45).with("machine_id", 8).build());
        Ranking ranking = rank(offers, requirements(RTX_4090).build());
        assertEquals(List.of(2L, 3L), ids(ranking));
        assertEquals(Map.of(Rejection.SAME_MACHINE, 1), ranking.rejected());
        assertEquals(2, ranking.best().orElseThrow().of());
    }

    @Test
    void blockedMachinesAndThoseInUseAreLeftOut() {
        List<Offer> offers = List.of(
                offer(1).with("machine_id", 7).with("host_id", 1).build(),
                offer(2).with("machine_id", 8).with("host_id", 1).build(),
                offer(3).with("machine_id", 9).with("host_id", 1).build());
        Blocklist blocklist = Blocklist.EMPTY.after(7, 1, FailureClass.SLOW, new Reason("x", List.of()), NOW);
        Requirements wanted = requirements(RTX_4090).build();
        Ranking ranking = Ranking.rank(offers, wanted, RTX_4090, blocklist, Set.of(8L), NOW);
        assertEquals(List.of(3L), ids(ranking));
        assertEquals(Map.of(Rejection.BLOCKED, 1, Rejection.IN_USE, 1), ranking.rejected());
        Ranking later = Ranking.rank(offers, wanted, RTX_4090, blocklist, Set.of(), NOW.plus(Duration.ofHours(6)));
        assertEquals(3, later.candidates().size());
    }

    @Test
    void theChosenMachineIsToldWithPriceAndCause() {
        Ranking ranking = rank(
                List.of(
                        offer(1).with("machine_id", 41233).price(0.4).build(),
                        offer(2).price(0.9).build()),
                requirements(RTX_4090).build());
        Candidate best = ranking.best().orElseThrow();
        String why = Texts.render(best.why());
        assertTrue(why.startsWith("Chose machine 41233 (1x RTX 4090, Texas, US), number 1 of 2 that fit: "), why);
        assertTrue(why.contains("0.4213 $ per hour all-in"), why);
        assertTrue(why.contains("GPU 0.40, disk 0.0063, traffic 0.015") && why.contains("reliability 0.995"), why);
        assertEquals(Duration.ofSeconds(190), best.readyIn());
        // 0.40625 $/h for 190 s and half an hour, 7 GB in and half a GB out at 0.2 cents.
        assertEquals(new BigDecimal("0.2396"), best.runCost());
        assertEquals(
                "machines fit, from 2 offers of 1x RTX 4090.",
                explained(ranking).get(0).substring(2));
    }

    @Test
    void nothingOnTheMarketIsSaidSo() {
        Ranking ranking = rank(List.of(), requirements(RTX_4090).build());
        assertTrue(ranking.best().isEmpty());
        assertEquals(List.of(MarketText.NO_OFFERS.of("1x RTX 4090")), ranking.explain());
    }

    @Test
    void nothingFoundSaysWhichRequirementRemovedHowManyAndWhatWouldHelp() {
        List<Offer> offers = List.of(
                offer(1).price(0.61).build(),
                offer(2).price(0.55).build(),
                offer(3).price(0.30).with("geolocation", "Taiwan, TW").build(),
                offer(4).price(0.80).with("geolocation", "Spain, ES").build(),
                offer(5).price(0.30).with("reliability2", 0.9712).build());
        Ranking ranking = rank(
                offers,
                requirements(RTX_4090)
                        .maxPricePerHour(new BigDecimal("0.5"))
                        .countries(Set.of("US"))
                        .build());
        assertEquals(Map.of(Rejection.PRICE, 3, Rejection.COUNTRY, 2, Rejection.RELIABILITY, 1), ranking.rejected());
        assertEquals(
                Map.of(Rejection.PRICE, 2, Rejection.COUNTRY, 1, Rejection.RELIABILITY, 1), ranking.rejectedAlone());
        assertEquals(
                List.of(
                        "None of 5 offers of 1x RTX 4090 fits.",
                        "3 of 5 offers do not meet maxPricePerHour = 0.50; 2 of them meet everything else.",
                        "2 of 5 offers do not meet region = US; 1 of them meet everything else.",
                        "1 of 5 offers do not meet minReliability = 0.98; 1 of them meet everything else.",
                        "maxPricePerHour = 0.58 would admit an offer at 0.5713 $ per hour all-in"
                                + " (2 offers fail on maxPricePerHour alone).",
                        "Adding TW to region would admit an offer at 0.3213 $ per hour all-in"
                                + " (1 offers fail on region alone).",
                        "minReliability = 0.971 would admit an offer at 0.3213 $ per hour all-in"
                                + " (1 offers fail on minReliability alone)."),
                explained(ranking));
    }

    @Test
    void withoutASingleRemedyTheNearestOfferIsNamed() {
        List<Offer> offers = List.of(
                offer(1).with("machine_id", 11)
                        .price(9)
                        .with("reliability2", 0.5)
                        .with("disk_space", 10)
                        .build(),
                offer(2).with("machine_id", 12)
                        .price(7)
                        .with("reliability2", 0.5)
                        .build(),
                offer(3).with("machine_id", 13)
                        .price(8)
                        .with("reliability2", 0.5)
                        .build());
        List<String> lines = explained(rank(offers, requirements(RTX_4090).build()));
        assertEquals(
                "No change of one setting alone would help. The nearest offer (machine 12, 7.0213 $ per hour all-in)"
                        + " fails on: maxPricePerHour, minReliability.",
                lines.get(lines.size() - 1));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "disk_space        | 25.9  | extraConfig.diskSpace = 25",
                "cpu_ram           | 60000 | extraConfig.minRam = 15",
                "cuda_max_good     | 11.4  | minCuda = 11.4",
                "inet_down         | 64.2  | minDownloadMbps = 64",
                "duration          | 40000 | maxLifetime = 11.1 h",
                "verification      | unverified | verified = false",
                "num_gpus          | 2     | instanceType = 2xRTX_4090",
                "cpu_arch          | arm64 | cpuArch = arm64",
                "direct_port_count | 0     | minDirectPorts = 0",
            })
    void theRemedyIsTheNearestValueThatWouldFit(String field, String value, String remedy) {
        Object typed = value.matches("[\\d.]+") ? (Object) Double.valueOf(value) : value;
        Offer misfit = offer(1).with(
                        field, field.matches("num_gpus|direct_port_count") ? (Object) Integer.valueOf(value) : typed)
                .build();
        List<String> lines = explained(
                rank(List.of(misfit), requirements(RTX_4090).minRamGb(32).build()));
        assertTrue(lines.get(lines.size() - 1).startsWith(remedy + " would admit"), lines.toString());
    }

    @Test
    void aRemedyReallyHelps() {
        Random random = new Random(11);
        int tried = 0;
        for (int round = 0; round < 300; round++) {
            List<Offer> offers = randomOffers(random, 12);
            Requirements wanted = requirements(RTX_4090)
                    .maxPricePerHour(BigDecimal.valueOf(30 + random.nextInt(60), 2))
                    .diskGb(100 + random.nextInt(900))
                    .minRamGb(random.nextInt(100))
                    .minReliability(0.9 + random.nextInt(10) / 100.0)
                    .minDownloadMbps(random.nextInt(900))
                    .build();
            for (Relaxation relaxation : rank(offers, wanted).relaxations()) {
                Requirements.Builder relaxed = wanted.toBuilder();
                String value = relaxation.value();
                switch (relaxation.rejection()) {
                    case PRICE -> relaxed.maxPricePerHour(new BigDecimal(value));
                    case DISK -> relaxed.diskGb(Double.parseDouble(value));
                    case RAM -> relaxed.minRamGb(Double.parseDouble(value));
                    case RELIABILITY -> relaxed.minReliability(Double.parseDouble(value));
                    case DOWNLOAD -> relaxed.minDownloadMbps(Double.parseDouble(value));
                    default -> throw new AssertionError(relaxation);
                }
                assertEquals(Set.of(), relaxed.build().check(relaxation.offer(), RTX_4090), relaxation.toString());
                assertEquals(List.of(), relaxed.build().problems());
                tried++;
            }
        }
        assertTrue(tried > 300, "only " + tried);
    }

    @Test
    void whateverComesInEveryCandidateFitsAndEveryOfferIsAccountedFor() {
        Random random = new Random(5);
        for (int round = 0; round < 100; round++) {
            List<Offer> offers = randomOffers(random, 60);
            Requirements wanted = requirements(RTX_4090)
                    .maxPricePerHour(new BigDecimal("0.6"))
                    .diskGb(200)
                    .minReliability(0.95)
                    .build();
            Ranking ranking = rank(offers, wanted);
            Set<Long> machines = new HashSet<>();
            double last = 0;
            for (Candidate candidate : ranking.candidates()) {
                assertTrue(wanted.check(candidate.offer(), RTX_4090).isEmpty());
                assertTrue(machines.add(candidate.offer().machineId()));
                assertTrue(candidate.price().within(new BigDecimal("0.6")));
                assertTrue(candidate.weighedDollars() >= last);
                last = candidate.weighedDollars();
            }
            long misfits = offers.stream()
                    .filter(offer -> !wanted.check(offer, RTX_4090).isEmpty())
                    .count();
            int twins = ranking.rejected().getOrDefault(Rejection.SAME_MACHINE, 0);
            assertEquals(offers.size(), ranking.candidates().size() + twins + misfits);
            List<Offer> shuffled = new ArrayList<>(offers);
            Collections.shuffle(shuffled, random);
            assertEquals(ids(ranking), ids(rank(shuffled, wanted)), "the market's order does not matter");
        }
    }

    @Test
    void nothingIsRejectedForASingleReasonThatIsNotAmongTheRejections() {
        Ranking ranking = rank(
                randomOffers(new Random(9), 200),
                requirements(RTX_4090).diskGb(500).build());
        ranking.rejectedAlone().forEach((rejection, alone) -> {
            assertTrue(ranking.rejected().get(rejection) >= alone);
            assertFalse(alone == 0);
        });
    }

    private static List<Offer> randomOffers(Random random, int count) {
        List<Offer> offers = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            TestOffer offer = TestOffer.rtx4090()
                    .with("machine_id", random.nextInt(count) + 1)
                    .price(0.2 + random.nextDouble())
                    .with("disk_space", 20 + 1000 * random.nextDouble())
                    .with("cpu_ram", 20_000 + random.nextInt(500_000))
                    .with("reliability2", 0.85 + 0.15 * random.nextDouble())
                    .with("inet_down", 10 + 1500 * random.nextDouble());
            offers.add((random.nextInt(20) == 0 ? offer.without("reliability2") : offer).build());
        }
        return offers;
    }
}

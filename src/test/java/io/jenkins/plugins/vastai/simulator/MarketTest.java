package io.jenkins.plugins.vastai.simulator;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.math.BigDecimal;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class MarketTest {
    private final DrivenClock clock = new DrivenClock();
    private Simulator simulator;
    private Caller caller;

    @BeforeEach
    void start() throws IOException {
        simulator = Simulator.builder().clock(clock).ssh(false).limits(false).start();
        // Searching takes no key.
        caller = new Caller(simulator, "");
    }

    @AfterEach
    void end() {
        simulator.close();
    }

    private List<JsonNode> search(String filters) throws IOException {
        Caller.Reply reply = caller.search("{" + filters + "}");
        assertEquals(200, reply.status());
        return StreamSupport.stream(reply.json().get("offers").spliterator(), false)
                .toList();
    }

    @ParameterizedTest
    @CsvSource({
        "RTX 4090, 1, 24000, 25000",
        "A100 SXM4, 4, 40000, 41000",
        "H100 SXM, 2, 80000, 82000",
        "A100 SXM4, 8, 80000, 82000"
    })
    void theExamplesCanBeRentedOnSeveralMachinesInTheUs(String gpu, int count, int least, int most) throws IOException {
        List<JsonNode> found = search("\"gpu_name\":{\"eq\":\"" + gpu + "\"},\"num_gpus\":{\"eq\":" + count
                + "},\"gpu_ram\":{\"gte\":" + least + ",\"lte\":" + most + "},\"geolocation\":{\"in\":[\"US\"]},"
                + "\"reliability2\":{\"gte\":0.98},\"direct_port_count\":{\"gte\":1},\"cpu_arch\":{\"eq\":\"amd64\"},"
                + "\"allocated_storage\":200");
        Set<Long> machines = new HashSet<>();
        found.forEach(offer -> machines.add(offer.get("machine_id").asLong()));
        assertTrue(machines.size() >= 2, gpu + " on " + machines);
    }

    @Test
    void virtualMachinesAreOfferedOn4090sInTheUs() throws IOException {
        assertFalse(search("\"gpu_name\":{\"eq\":\"RTX 4090\"},\"num_gpus\":{\"eq\":1},\"vms_enabled\":{\"eq\":true},"
                        + "\"geolocation\":{\"eq\":\"US\"},\"reliability\":{\"gt\":0.98}")
                .isEmpty());
    }

    @Test
    void everyModelIsOnTheMarketSomewhere() throws IOException {
        Set<String> offered = new HashSet<>();
        simulator.market().offers().forEach(o -> offered.add(o.gpuName()));
        GpuModel.all().forEach(model -> assertTrue(offered.contains(model.name()), model.name()));
        JsonNode names = caller.get("/api/v0/gpu_names/unique/").json().get("gpu_names");
        assertTrue(names.size() >= offered.size());
        assertTrue(caller.get("/api/v0/gpu_types/").json().get("gpu_types").size() > 100);
        assertTrue(simulator.market().offers().size() > 300, "hundreds of offers");
    }

    @Test
    void oneSeedGivesOneMarket() throws IOException {
        try (Simulator same = Simulator.builder().clock(clock).ssh(false).start();
                Simulator other =
                        Simulator.builder().clock(clock).ssh(false).seed(7).start()) {
            assertEquals(simulator.market().offers(), same.market().offers());
            assertNotEquals(simulator.market().offers(), other.market().offers());
        }
    }

    @Test
    void placesLookAsOnTheRealMarket() {
        Set<String> places = new HashSet<>();
        simulator.market().offers().forEach(o -> places.add(o.geolocation()));
        assertTrue(places.containsAll(List.of("Texas, US", ", US", "Czechia, CZ")));
        assertTrue(places.contains(null));
    }

    @Test
    void neverMoreThan64Rows() throws IOException {
        assertEquals(64, search("\"limit\":500").size());
        assertEquals(3, search("\"limit\":3").size());
    }

    @Test
    void unverifiedHostsAreHiddenUnlessAskedFor() throws IOException {
        assertTrue(search("\"limit\":64").stream()
                .allMatch(o -> o.get("verification").asText().equals("verified")));
        assertTrue(search("\"verified\":{\"eq\":false}").stream()
                .noneMatch(o -> o.get("verification").asText().equals("verified")));
        assertFalse(search("\"verified\":{\"eq\":false}").isEmpty());
    }

    @Test
    void theDiskAskedForIsInThePriceAndMustFit() throws IOException {
        long offer = simulator.market().find("RTX 4090", 1).get(0).id();
        String only = "\"ask_contract_id\":{\"eq\":" + offer + "},\"allocated_storage\":";
        JsonNode small = search(only + "10").get(0);
        JsonNode big = search(only + "100").get(0);
        double storage = small.get("storage_cost").asDouble();
        assertEquals(
                small.get("dph_total").asDouble() + 90 * storage / 720,
                big.get("dph_total").asDouble(),
                1e-6);
        assertEquals(
                big.get("dph_base").asDouble() + big.get("storage_total_cost").asDouble(),
                big.get("dph_total").asDouble(),
                1e-6);
        assertTrue(search(only + "90000").isEmpty());
    }

    @Test
    void filtersKnowAllOperatorsAndAliases() throws IOException {
        String all = "\"gpu_name\":{\"in\":[\"RTX 4090\",\"RTX 3090\"]},\"limit\":64";
        int both = search(all).size();
        int one = search("\"gpu_name\":{\"eq\":\"RTX 4090\"}").size();
        assertEquals(both - one, search("\"gpu_name\":{\"in\":[\"RTX 3090\"]}").size());
        assertTrue(search(all + ",\"num_gpus\":{\"gt\":1,\"lt\":4}").stream()
                .allMatch(o -> o.get("num_gpus").asInt() == 2));
        assertTrue(search(all + ",\"num_gpus\":{\"neq\":1}").stream()
                .noneMatch(o -> o.get("num_gpus").asInt() == 1));
        assertTrue(search(all + ",\"geolocation\":{\"notin\":[\"US\"]}").stream()
                .noneMatch(o -> o.get("geolocation").asText().endsWith("US")));
        assertTrue(search("\"datacenter\":{\"eq\":true}").stream()
                .allMatch(o -> o.get("hosting_type").asInt() >= 1));
        assertTrue(search("\"gpu_ram_GB\":{\"gte\":80}").stream()
                .allMatch(o -> o.get("gpu_ram").asInt() >= 80_000));
        assertTrue(search("\"driver_version\":{\"gte\":\"580.0.0\"}").stream()
                .allMatch(o -> o.get("driver_version").asText().startsWith("580")));
        assertTrue(search("\"reliability2\":{\"gte\":0.999}").stream()
                .allMatch(o -> o.get("reliability2").asDouble() >= 0.999));
        assertTrue(search("\"duration\":{\"gte\":20000000}").stream()
                .allMatch(o -> o.get("duration").asDouble() >= 20_000_000));
    }

    @Test
    void unknownKeysAreIgnoredAndIdFindsNothing() throws IOException {
        assertEquals(64, search("\"no_such_field\":{\"eq\":1}").size());
        long offer = simulator.market().offers().get(0).id();
        assertTrue(search("\"id\":{\"eq\":" + offer + "}").isEmpty());
        assertEquals(1, search("\"ask_contract_id\":{\"eq\":" + offer + "}").size());
    }

    @Test
    void rowsComeInTheOrderAskedFor() throws IOException {
        List<Double> prices = search("\"order\":[[\"dph_total\",\"asc\"]]").stream()
                .map(o -> o.get("dph_total").asDouble())
                .toList();
        assertEquals(prices.stream().sorted().toList(), prices);
    }

    @Test
    void theOtherSearchAnswersTheSame() throws IOException {
        String question = "{\"gpu_name\":{\"eq\":\"H200\"}}";
        JsonNode wanted = caller.search(question).json();
        JsonNode put = caller.call(
                        "PUT",
                        "/api/v0/search/asks/",
                        Json.parse("{\"select_cols\":[\"*\"],\"q\":" + question + "}")
                                .orElseThrow())
                .json();
        assertEquals(wanted, put);
        assertEquals(
                wanted,
                caller.get("/api/v0/bundles/?q=" + Caller.encoded(question)).json());
        assertEquals(
                400,
                caller.call(
                                "POST",
                                "/api/v0/bundles/",
                                Json.MAPPER.getNodeFactory().textNode("x"))
                        .status());
    }

    @Test
    void aBidSearchShowsTheLowestBid() throws IOException {
        JsonNode offer =
                search("\"type\":\"bid\",\"gpu_name\":{\"eq\":\"RTX 4090\"}").get(0);
        assertTrue(offer.get("is_bid").asBoolean());
        assertEquals(offer.get("min_bid").asDouble(), offer.get("dph_base").asDouble());
    }

    @Test
    void rentingOneSliceTakesTheOverlappingOffersAndOffersTheRestAnew() throws IOException {
        long machine = simulator.market().list("RTX 4090", 4, new BigDecimal("0.4"), "Texas, US");
        List<SimulatedOffer> before = of(machine);
        assertEquals(
                List.of(1, 2, 4),
                before.stream().map(SimulatedOffer::gpus).sorted().toList());
        Caller owner = new Caller(simulator);
        long single = before.stream()
                .filter(o -> o.gpus() == 1)
                .findFirst()
                .orElseThrow()
                .id();
        long id = owner.rent(single, Caller.container("a", ""));
        List<SimulatedOffer> after = of(machine);
        assertEquals(
                List.of(1, 2), after.stream().map(SimulatedOffer::gpus).sorted().toList());
        assertTrue(after.stream().noneMatch(o -> before.stream().anyMatch(b -> b.id() == o.id())));
        assertEquals(410, owner.create(single, Caller.container("b", "")).status(), "each number is used once");
        owner.destroy(id);
        assertEquals(
                List.of(1, 2, 4),
                of(machine).stream().map(SimulatedOffer::gpus).sorted().toList());
        assertTrue(simulator.market().offer(single).isEmpty(), "back under another number");
    }

    private List<SimulatedOffer> of(long machine) {
        return simulator.market().offers().stream()
                .filter(o -> o.machineId() == machine)
                .toList();
    }

    @Test
    void pricesAndOffersChangeOnDemand() throws IOException {
        SimulatedOffer offer = simulator.market().find("RTX 4090", 1).get(0);
        simulator.market().setPrice(offer.id(), new BigDecimal("9.5"));
        assertEquals(
                new BigDecimal("9.5"),
                simulator.market().offer(offer.id()).orElseThrow().pricePerHour());
        simulator.market().remove(offer.id());
        assertTrue(simulator.market().offer(offer.id()).isEmpty());
        simulator.market().clear();
        assertTrue(search("").isEmpty());
    }

    @Test
    void hostsWhoseContractIsOverLeaveTheMarket() throws IOException {
        clock.advance(Duration.ofDays(3650));
        assertTrue(search("").isEmpty());
    }
}

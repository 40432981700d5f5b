package io.jenkins.plugins.vastai.market;

import static io.jenkins.plugins.vastai.market.Fixtures.IMAGE;
import static io.jenkins.plugins.vastai.market.Fixtures.RTX_4090;
import static io.jenkins.plugins.vastai.market.Fixtures.image;
import static io.jenkins.plugins.vastai.market.Fixtures.requirements;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.datatype.jdk8.Jdk8Module;
import com.fasterxml.jackson.datatype.jsr310.JavaTimeModule;
import io.jenkins.plugins.vastai.api.Offer;
import io.jenkins.plugins.vastai.api.OfferQuery;
import io.jenkins.plugins.vastai.text.Reason;
import io.jenkins.plugins.vastai.text.Texts;
import java.math.BigDecimal;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

class RequirementsTest {

    private static final Requirements DEFAULTS = requirements(RTX_4090).build();

    @Test
    void defaultsAreWhatACarefulAdminWouldChoose() {
        assertEquals(0.98, DEFAULTS.minReliability());
        assertTrue(DEFAULTS.verified());
        assertFalse(DEFAULTS.datacenterOnly());
        assertFalse(DEFAULTS.interruptible());
        assertEquals("amd64", DEFAULTS.cpuArch());
        assertEquals(12.0, DEFAULTS.minCuda().orElseThrow(), "from the image");
        assertEquals(new BigDecimal("5"), DEFAULTS.priceCeiling(RTX_4090));
        assertEquals(new BigDecimal("40"), DEFAULTS.priceCeiling(new GpuWish(8, "RTX 4090")));
        assertEquals(List.of(), DEFAULTS.problems());
    }

    @Test
    void statesTheMarketsDefaultsAndEveryRequirementInTheQuery() throws Exception {
        GpuWish wish = InstanceType.parse("4xA100_80GB", GpuCatalogue.builtIn()).get(0);
        Requirements all = requirements(wish)
                .diskGb(40)
                .minRamGb(64)
                .countries(List.of("US", "DE"))
                .maxPricePerHour(new BigDecimal("4.50"))
                .datacenterOnly(true)
                .minComputeCap(800)
                .minCpuCores(16)
                .minDuration(Duration.ofHours(5))
                .build();
        OfferQuery query = all.toQuery(wish);
        assertEquals(
                Map.ofEntries(
                        Map.entry("verified", Map.of("eq", true)),
                        Map.entry("external", Map.of("eq", false)),
                        Map.entry("rentable", Map.of("eq", true)),
                        Map.entry("rented", Map.of("eq", false)),
                        Map.entry("gpu_name", Map.of("in", List.of("A100 PCIE", "A100 SXM", "A100 SXM4", "A100X"))),
                        Map.entry("num_gpus", Map.of("eq", 4)),
                        Map.entry("gpu_ram", Map.of("gte", 76000, "lt", 90000)),
                        Map.entry("disk_space", Map.of("gte", 40.0)),
                        Map.entry("cpu_ram", Map.of("gte", 62720.0)),
                        Map.entry("direct_port_count", Map.of("gte", 1)),
                        Map.entry("reliability2", Map.of("gte", 0.98)),
                        Map.entry("cuda_max_good", Map.of("gte", 12.0)),
                        Map.entry("compute_cap", Map.of("gte", 800)),
                        Map.entry("cpu_arch", Map.of("eq", "amd64")),
                        Map.entry("cpu_cores_effective", Map.of("gte", 16.0)),
                        Map.entry("inet_down", Map.of("gte", 100.0)),
                        Map.entry("duration", Map.of("gte", 18000L)),
                        Map.entry("dph_total", Map.of("lte", new BigDecimal("4.50"))),
                        Map.entry("geolocation", Map.of("in", List.of("DE", "US"))),
                        Map.entry("datacenter", Map.of("eq", true))),
                query.filters());
        assertEquals("on-demand", query.type());
        assertEquals(List.of(List.of("dph_total", "asc")), query.order());
        assertEquals(64, query.limit());
        assertEquals(40, query.allocatedStorageGb());
    }

    @Test
    void asksForVirtualMachinesUnverifiedHostsAndBidsWhenWanted() {
        Requirements vm = Requirements.builder(List.of(RTX_4090), image("vastai/kvm:ubuntu_terminal"))
                .vm(true)
                .verified(false)
                .interruptible(true)
                .build();
        OfferQuery query = vm.toQuery(RTX_4090);
        assertEquals(Map.of("eq", true), query.filters().get("vms_enabled"));
        assertEquals(Map.of("in", List.of(true, false)), query.filters().get("verified"));
        assertEquals("bid", query.type());
        assertFalse(query.filters().containsKey("cuda_max_good"), "the image says nothing of CUDA");
        assertFalse(query.filters().containsKey("compute_cap"));
        assertFalse(DEFAULTS.toQuery(RTX_4090).filters().containsKey("vms_enabled"));
        assertFalse(DEFAULTS.toQuery(RTX_4090).filters().containsKey("geolocation"));
    }

    @Test
    void aFilterOnCudaComesWithOneOnComputeCapability() {
        assertEquals(Map.of("gte", 350), DEFAULTS.toQuery(RTX_4090).filters().get("compute_cap"));
    }

    @Test
    void theBroadQueryAsksForTheGpusAlone() {
        OfferQuery broad = requirements(RTX_4090).diskGb(500).build().toBroadQuery(RTX_4090);
        assertEquals(
                Set.of("verified", "external", "rentable", "rented", "gpu_name", "num_gpus"),
                broad.filters().keySet());
        assertEquals(8, broad.allocatedStorageGb(), "storage filters too");
    }

    private static final UnaryOperator<Requirements.Builder> AS_IS = builder -> builder;

    /** What the market may return although the query said otherwise. */
    static Stream<Arguments> offers() {
        return Stream.of(
                offer(null, AS_IS, o -> o),
                offer(Rejection.NOT_RENTABLE, AS_IS, o -> o.with("rentable", false)),
                offer(Rejection.NOT_RENTABLE, AS_IS, o -> o.with("rented", true)),
                offer(null, AS_IS, o -> o.without("rentable").without("rented")),
                offer(Rejection.GPU_MODEL, AS_IS, o -> o.with("gpu_name", "RTX 4090D")),
                offer(Rejection.GPU_MODEL, AS_IS, o -> o.without("gpu_name")),
                offer(Rejection.GPU_COUNT, AS_IS, o -> o.with("num_gpus", 2)),
                offer(Rejection.PRICE, b -> b.maxPricePerHour(new BigDecimal("0.40")), o -> o.price(0.4)),
                offer(null, b -> b.maxPricePerHour(new BigDecimal("0.43")), o -> o.price(0.4)),
                offer(Rejection.PRICE, AS_IS, o -> o.without("dph_base").without("dph_total")),
                offer(null, AS_IS, o -> o.price(4.9)),
                offer(Rejection.PRICE, AS_IS, o -> o.price(5)),
                offer(Rejection.PRICE, AS_IS, o -> o.price(4.9).with("inet_down_cost", 0.5)),
                offer(Rejection.PRICE, b -> b.diskGb(700), o -> o.price(4.9)),
                // Places as hosts write them.
                offer(null, b -> b.countries(Set.of("US")), o -> o),
                offer(null, b -> b.countries(Set.of("US")), o -> o.with("geolocation", ", US")),
                offer(null, b -> b.countries(Set.of("US")), o -> o.with("geolocation", "1 Main St, Reno, NV, us ")),
                offer(Rejection.COUNTRY, b -> b.countries(Set.of("US")), o -> o.with("geolocation", "Czechia, CZ")),
                offer(
                        Rejection.COUNTRY,
                        b -> b.countries(Set.of("US")),
                        o -> o.with("geolocation", "California, United States")),
                offer(Rejection.COUNTRY, b -> b.countries(Set.of("US")), o -> o.without("geolocation")),
                offer(null, AS_IS, o -> o.without("geolocation")),
                offer(null, b -> b.diskGb(812), o -> o),
                offer(Rejection.DISK, b -> b.diskGb(813), o -> o),
                // A quarter of a machine with 257614 MB.
                offer(null, b -> b.minRamGb(64), o -> o),
                offer(Rejection.RAM, b -> b.minRamGb(80), o -> o),
                offer(null, b -> b.minRamGb(250), o -> o.with("gpu_frac", 1.0)),
                offer(null, b -> b.minRamGb(64), o -> o.without("gpu_frac")),
                offer(Rejection.RAM, b -> b.minRamGb(80), o -> o.without("gpu_frac")),
                offer(Rejection.RAM, b -> b.minRamGb(1), o -> o.without("cpu_ram")),
                offer(Rejection.RELIABILITY, AS_IS, o -> o.with("reliability2", 0.97)),
                offer(Rejection.RELIABILITY, AS_IS, o -> o.without("reliability2")),
                offer(null, b -> b.minReliability(0), o -> o.without("reliability2")),
                offer(Rejection.VERIFIED, AS_IS, o -> o.with("verification", "deverified")),
                offer(Rejection.VERIFIED, AS_IS, o -> o.with("verification", "unverified")),
                offer(null, AS_IS, o -> o.without("verification")),
                offer(null, b -> b.verified(false), o -> o.with("verification", "unverified")),
                offer(Rejection.DATACENTER, b -> b.datacenterOnly(true), o -> o.with("hosting_type", 0)),
                offer(Rejection.DATACENTER, b -> b.datacenterOnly(true), o -> o.without("hosting_type")),
                offer(null, AS_IS, o -> o.with("hosting_type", 0)),
                offer(Rejection.CPU_ARCH, AS_IS, o -> o.with("cpu_arch", "arm64")),
                offer(null, b -> b.cpuArch(""), o -> o.with("cpu_arch", "arm64")),
                offer(Rejection.CPU_CORES, b -> b.minCpuCores(17), o -> o),
                offer(Rejection.CPU_CORES, b -> b.minCpuCores(1), o -> o.without("cpu_cores_effective")),
                offer(Rejection.CUDA, AS_IS, o -> o.with("cuda_max_good", 11.8)),
                offer(Rejection.CUDA, AS_IS, o -> o.without("cuda_max_good")),
                offer(Rejection.CUDA, b -> b.minCuda(12.9), o -> o),
                offer(Rejection.COMPUTE_CAP, b -> b.minComputeCap(900), o -> o),
                offer(Rejection.COMPUTE_CAP, b -> b.minComputeCap(100), o -> o.without("compute_cap")),
                offer(Rejection.DOWNLOAD, AS_IS, o -> o.with("inet_down", 99)),
                offer(Rejection.DOWNLOAD, AS_IS, o -> o.without("inet_down")),
                offer(Rejection.PORTS, AS_IS, o -> o.with("direct_port_count", 0)),
                offer(Rejection.DURATION, AS_IS, o -> o.with("duration", 86_399)),
                offer(Rejection.DURATION, AS_IS, o -> o.without("duration")));
    }

    private static Arguments offer(
            Rejection expected, UnaryOperator<Requirements.Builder> wanted, UnaryOperator<TestOffer> offered) {
        TestOffer offer = offered.apply(TestOffer.rtx4090());
        return Arguments.of(
                wanted.apply(requirements(RTX_4090)).build(),
                offer.build(),
                expected == null ? Set.of() : Set.of(expected));
    }

    @ParameterizedTest
    @MethodSource("offers")
    void everyRequirementIsCheckedOnWhatComesBack(Requirements wanted, Offer offer, Set<Rejection> expected) {
        assertEquals(expected, wanted.check(offer, RTX_4090));
    }

    @Test
    void everyRequirementHasATestThatViolatesItAlone() {
        Set<Rejection> ours = Set.of(Rejection.BLOCKED, Rejection.IN_USE, Rejection.SAME_MACHINE);
        Set<Rejection> elsewhere = Set.of(Rejection.VM, Rejection.GPU_RAM);
        List<Rejection> tested = offers().flatMap(
                        arguments -> ((Set<?>) arguments.get()[2]).stream())
                .map(Rejection.class::cast)
                .toList();
        for (Rejection rejection : Rejection.values()) {
            assertTrue(
                    tested.contains(rejection) || ours.contains(rejection) || elsewhere.contains(rejection),
                    rejection.name());
        }
    }

    @ParameterizedTest
    @CsvSource(
            nullValues = "-",
            value = {"true, true", "false, false", "-, false"})
    void aVirtualMachineNeedsAHostThatCanStartOne(Boolean enabled, boolean fits) {
        Requirements vm = Requirements.builder(List.of(RTX_4090), image("vastai/kvm:ubuntu_terminal"))
                .vm(true)
                .build();
        TestOffer offer = TestOffer.rtx4090();
        Offer built = (enabled == null ? offer.without("vms_enabled") : offer.with("vms_enabled", enabled)).build();
        assertEquals(fits ? Set.of() : Set.of(Rejection.VM), vm.check(built, RTX_4090));
        assertEquals(Set.of(), DEFAULTS.check(built, RTX_4090));
    }

    static Stream<Arguments> mistakes() {
        return Stream.of(
                mistake(MarketText.OUT_OF_RANGE, "extraConfig.diskSpace is 7", b -> b.diskGb(7)),
                mistake(MarketText.OUT_OF_RANGE, "extraConfig.diskSpace is -30", b -> b.diskGb(-30)),
                mistake(MarketText.OUT_OF_RANGE, "extraConfig.diskSpace is NaN", b -> b.diskGb(Double.NaN)),
                mistake(MarketText.OUT_OF_RANGE, "extraConfig.diskSpace is 1000000", b -> b.diskGb(1e6)),
                mistake(MarketText.OUT_OF_RANGE, "extraConfig.minRam is -1", b -> b.minRamGb(-1)),
                mistake(MarketText.OUT_OF_RANGE, "maxPricePerHour is 0", b -> b.maxPricePerHour(BigDecimal.ZERO)),
                mistake(MarketText.RELIABILITY_PERCENT, "write 0.98", b -> b.minReliability(98)),
                mistake(MarketText.OUT_OF_RANGE, "minReliability is -0.5", b -> b.minReliability(-0.5)),
                mistake(MarketText.CPU_ARCH_UNKNOWN, "\"x86\"", b -> b.cpuArch("x86")),
                mistake(MarketText.COMPUTE_CAP_SMALL, "for example 890", b -> b.minComputeCap(89)),
                mistake(MarketText.COMPUTE_CAP_SMALL, "for example 800", b -> b.minComputeCap(8)),
                mistake(MarketText.OUT_OF_RANGE, "minDirectPorts is -1", b -> b.minDirectPorts(-1)),
                mistake(MarketText.VM_NEEDS_VM_IMAGE, "extraConfig.vm", b -> b.vm(true)),
                mistake(MarketText.DISK_BELOW_IMAGE, "diskSpace 10 GB", b -> b.diskGb(10)
                        .expectedRun(new ExpectedRun(12, 0, 0, Duration.ofHours(1), 0))));
    }

    private static Arguments mistake(MarketText text, String says, UnaryOperator<Requirements.Builder> change) {
        return Arguments.of(text, says, change.apply(requirements(RTX_4090)).build());
    }

    @ParameterizedTest
    @MethodSource("mistakes")
    void nonsenseIsNamedWithItsRemedy(MarketText text, String says, Requirements nonsense) {
        List<Reason> problems = nonsense.problems();
        assertEquals(List.of(text.key()), problems.stream().map(Reason::key).toList());
        String sentence = Texts.render(problems.get(0));
        assertTrue(sentence.contains(says), sentence);
    }

    @Test
    void everyMistakeIsNamedAtOnce() {
        assertEquals(
                3,
                requirements(RTX_4090)
                        .diskGb(1)
                        .minReliability(2000)
                        .cpuArch("mips")
                        .build()
                        .problems()
                        .size());
    }

    @Test
    void survivesTheDisk() throws Exception {
        JsonMapper json = JsonMapper.builder()
                .addModule(new JavaTimeModule())
                .addModule(new Jdk8Module())
                .build();
        Requirements wanted = requirements(InstanceType.parse("2xH100_80GB", GpuCatalogue.builtIn())
                        .get(0))
                .maxPricePerHour(new BigDecimal("7.25"))
                .countries(Set.of("SE", "NO"))
                .build();
        String text = json.writeValueAsString(wanted);
        assertEquals(wanted, json.readValue(text, Requirements.class), text);
        assertEquals(wanted, wanted.toBuilder().build());
        assertEquals(IMAGE, wanted.image());
    }
}

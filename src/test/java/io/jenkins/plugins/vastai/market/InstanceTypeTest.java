package io.jenkins.plugins.vastai.market;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jenkins.plugins.vastai.api.Offer;
import io.jenkins.plugins.vastai.text.Texts;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.OptionalInt;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class InstanceTypeTest {

    private static final GpuCatalogue CATALOGUE = GpuCatalogue.builtIn();

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                // The examples of the product that users move from.
                "1xRTX_4090          | 1 | RTX 4090",
                "4xA100_SXM          | 4 | A100 SXM,A100 SXM4",
                "2xH100              | 2 | H100 NVL,H100 PCIE,H100 SXM",
                "8xA100_SXM4_80GB    | 8 | A100 SXM,A100 SXM4",
                // Spelling.
                "1x rtx 4090         | 1 | RTX 4090",
                "1XRtx-4090          | 1 | RTX 4090",
                " 1 x RTX__4090      | 1 | RTX 4090",
                "1×RTX4090           | 1 | RTX 4090",
                "1x4090              | 1 | RTX 4090",
                "1xNVIDIA_GeForce_RTX_4090 | 1 | RTX 4090",
                "1xA10G              | 1 | A10g",
                "2xa100-pcie         | 2 | A100 PCIE",
                "12xRTX_4090         | 12 | RTX 4090",
                "1xA100              | 1 | A100 PCIE,A100 SXM,A100 SXM4,A100X",
                "1xA800              | 1 | A800 PCIE",
                "1xGH200             | 1 | GH200 SXM",
                "1xH100_SXM5         | 1 | H100 SXM",
                "1xH200              | 1 | H200",
                "1xH200_SXM          | 1 | H200",
                "1xT4                | 1 | Tesla T4",
                "1xV100              | 1 | Tesla V100",
                "1xA6000             | 1 | RTX A6000",
                "1xRTX_6000_Ada      | 1 | RTX 6000Ada",
                "1xRTX_6000_Ada_Generation | 1 | RTX 6000Ada",
                "1xRTX 6000Ada       | 1 | RTX 6000Ada",
                "1xQuadro_RTX_6000   | 1 | Q RTX 6000",
                "1xRTX_4080_Super    | 1 | RTX 4080S",
                "1xRTX_4070_Ti_Super | 1 | RTX 4070S Ti",
                "1xGTX_1660_Super    | 1 | GTX 1660 S",
                "1xRTX_PRO_6000_WS   | 1 | RTX PRO 6000 WS",
                "1xMI210             | 1 | InstinctMI210",
                "1x7900_XTX          | 1 | RX 7900 XTX",
            })
    void understandsEverySpelling(String text, int count, String names) throws SettingException {
        List<GpuWish> wishes = InstanceType.parse(text, CATALOGUE);
        assertEquals(1, wishes.size());
        assertEquals(count, wishes.get(0).count());
        assertEquals(Arrays.asList(names.split(",")), wishes.get(0).gpuNames());
    }

    /** The names of the market's own list, also as somebody would type them. */
    static Stream<String> namesOfTheMarket() {
        return Stream.of(
                        "A10,A10g,A16,A30,A40,A100 PCIE,A100 SXM4,A100 SXM,A100X,A800 PCIE,B200,GH200 SXM,H100 PCIE",
                        "H100 SXM,H100 NVL,H200,H200 NVL,L4,L40,L40S,Tesla K80,Tesla M40,Tesla P4,Tesla P6,Tesla P40",
                        "Tesla P100,Tesla T4,Tesla V100,GTX 1050,GTX 1050 Ti,GTX 1060,GTX 1070,GTX 1070 Ti,GTX 1080",
                        "GTX 1080 Ti,GTX 1650,GTX 1650 S,GTX 1650 Ti,GTX 1660,GTX 1660 S,GTX 1660 Ti,RTX 2060",
                        "RTX 2060S,RTX 2070,RTX 2070S,RTX 2080,RTX 2080S,RTX 2080 Ti,RTX 3050,RTX 3060,RTX 3060 Ti",
                        "RTX 3060 laptop,RTX 3070,RTX 3070 Ti,RTX 3070 laptop,RTX 3080,RTX 3080 Ti,RTX 3090",
                        "RTX 3090 Ti,RTX 4060,RTX 4060 Ti,RTX 4060 laptop,RTX 4070,RTX 4070 Ti,RTX 4070S,RTX 4070S Ti",
                        "RTX 4070 laptop,RTX 4080,RTX 4080S,RTX 4080 laptop,RTX 4090,RTX 4090D,RTX 4090 Ti,RTX 5060",
                        "RTX 5060 Ti,RTX 5070,RTX 5070 Ti,RTX 5080,RTX 5090,RTX A2000,RTX A4000,RTX A4500,RTX A5000",
                        "RTX A6000,RTX 2000Ada,RTX 4000Ada,RTX 4500Ada,RTX 5000Ada,RTX 5880Ada,RTX 6000Ada",
                        "RTX PRO 4000,RTX PRO 4500,RTX PRO 5000,RTX PRO 6000,RTX PRO 6000 S,RTX PRO 6000 WS",
                        "RTX PRO 6000 Max-Q,Q RTX 4000,Q RTX 5000,Q RTX 6000,Q RTX 8000,Titan RTX,Titan V,Titan X",
                        "Titan Xp,Quadro P4000,CMP 50HX,CMP 170HX,InstinctMI50,InstinctMI100,InstinctMI210",
                        "InstinctMI250X,PRO W6800,PRO W7800,PRO W7900,Radeon VII,RX 6800,RX 7900 XTX")
                .flatMap(line -> Stream.of(line.split(",")));
    }

    @ParameterizedTest
    @MethodSource("namesOfTheMarket")
    void resolvesEveryNameOfTheMarketHoweverItIsWritten(String name) throws SettingException {
        for (String written : List.of(
                name,
                name.replace(' ', '_'),
                name.toLowerCase(Locale.ROOT),
                name.replace(" ", ""),
                name.replace(' ', '-'))) {
            List<String> names =
                    InstanceType.parse("2x" + written, CATALOGUE).get(0).gpuNames();
            assertTrue(names.contains(name), () -> written + " became " + names);
            if (!name.startsWith("A100 SXM")) {
                assertEquals(List.of(name), names, written);
            }
        }
    }

    @Test
    void keepsTheOrderOfAlternativesAndDropsRepetitions() throws SettingException {
        List<GpuWish> wishes = InstanceType.parse("2xH100, 1xRTX_4090,,1x rtx 4090, 8xA100_SXM4_80GB,", CATALOGUE);
        assertEquals(
                List.of("2x H100 NVL/H100 PCIE/H100 SXM", "1x RTX 4090", "8x A100 SXM/A100 SXM4 (76+ GB)"),
                wishes.stream().map(GpuWish::describe).toList());
    }

    @ParameterizedTest
    @CsvSource({
        "8xA100_SXM4_80GB, 81920, true",
        "8xA100_SXM4_80GB, 40960, false",
        "1xA100_40GB, 40960, true",
        "1xA100_40GB, 81920, false",
        "1xA100_40G, 81920, false",
        "1xA100-80GB-PCIe, 81920, true",
        "2xH100_80GB, 81559, true",
        "2xH100_80GB, 95830, false",
        "1xH100_NVL_94GB, 95830, true",
        "1xH200_141GB, 143771, true",
        "1xB200_192GB, 183359, true",
        // 24 GB are 24564 MB on a 4090 and 23028 MB on an A10 with error correction; 24 * 1024 would lose both.
        "1xRTX_4090_24GB, 24564, true",
        "1xRTX_3090 24 GB, 24576, true",
        "1xA10_24GB, 23028, true",
        "1xRTX_4090_24GB, 49140, false",
        "1xL40S_48GB, 46068, true",
        "1xT4_16GB, 15360, true",
        "1xV100_16GB, 32768, false",
        "1xRTX_4090, 24564, true",
        "1xRTX_4090, 49140, true",
    })
    void readsMemoryAsAWindowOnWhatCardsReport(String text, double reportedMb, boolean fits) throws SettingException {
        GpuWish wish = InstanceType.parse(text, CATALOGUE).get(0);
        Requirements any = Fixtures.requirements(wish).build();
        Offer offer = TestOffer.of(wish.gpuNames().get(0))
                .with("num_gpus", wish.count())
                .with("gpu_ram", reportedMb)
                .build();
        assertEquals(fits, !any.check(offer, wish).contains(Rejection.GPU_RAM));
    }

    @Test
    void asksForNoMemoryWhenNoneIsStated() throws SettingException {
        GpuWish wish = InstanceType.parse("1xRTX_4090", CATALOGUE).get(0);
        assertEquals(OptionalInt.empty(), wish.minGpuRamMb());
        assertEquals(OptionalInt.empty(), wish.maxGpuRamMb());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "''                | INSTANCE_TYPE_EMPTY",
                "' , ,'            | INSTANCE_TYPE_EMPTY",
                "RTX_4090          | INSTANCE_TYPE_NO_COUNT",
                "A100_80GB         | INSTANCE_TYPE_NO_COUNT",
                "gpu               | INSTANCE_TYPE_MALFORMED",
                "1x                | INSTANCE_TYPE_MALFORMED",
                "-1xRTX_4090       | INSTANCE_TYPE_MALFORMED",
                "1.5xRTX_4090      | INSTANCE_TYPE_MALFORMED",
                "0xRTX_4090        | INSTANCE_TYPE_COUNT",
                "33xRTX_4090       | INSTANCE_TYPE_COUNT",
                "99999999999999999999xRTX_4090 | INSTANCE_TYPE_COUNT",
                "1xRTX_4090_0GB    | INSTANCE_TYPE_MEMORY",
                "1xRTX_4090_9999GB | INSTANCE_TYPE_MEMORY",
                "1xRTX_4900        | GPU_UNKNOWN",
                "1xRTX             | GPU_UNKNOWN",
                "1xRTX_6000        | GPU_UNKNOWN",
                "1x!!!             | GPU_UNKNOWN",
                "1xRTX_4090, 1xFoo | GPU_UNKNOWN",
            })
    void refusesWhatCannotBeMeant(String text, MarketText expected) {
        SettingException error = assertThrows(SettingException.class, () -> InstanceType.parse(text, CATALOGUE));
        assertEquals(expected.key(), error.reason().key());
        assertTrue(error.getMessage().startsWith("instanceType"), error.getMessage());
    }

    @Test
    void treatsNothingAsEmpty() {
        assertThrows(SettingException.class, () -> InstanceType.parse(null, CATALOGUE));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "1xRTX_4900 | RTX 4090",
                "1xRTX_490  | RTX 4090",
                "1xRTX_6000 | RTX 6000Ada",
                "1xH1000    | H100 SXM",
                "1xRXT_3090 | RTX 3090",
                "1xL40SS    | L40S",
                "1xMI200    | InstinctMI210",
                "1xTitan    | Titan X",
            })
    void offersTheNearestNamesForAnUnknownGpu(String text, String among) {
        SettingException error = assertThrows(SettingException.class, () -> InstanceType.parse(text, CATALOGUE));
        assertTrue(
                Arrays.asList(error.reason().args().get(2).toString().split(", "))
                        .contains(among),
                error.getMessage());
    }

    @Test
    void showsAnUnknownGpuAsItWasWritten() {
        SettingException error =
                assertThrows(SettingException.class, () -> InstanceType.parse("2x RTX_4900", CATALOGUE));
        assertTrue(Texts.render(error.reason()).contains("no GPU \"RTX_4900\""), error.getMessage());
    }

    @ParameterizedTest
    @ValueSource(strings = {"1xRTX_6090", "1xrtx 6090", "4xB300", "1x6090"})
    void acceptsWhatTheMarketHasLearntSince(String text) throws SettingException {
        assertThrows(SettingException.class, () -> InstanceType.parse(text, CATALOGUE));
        GpuCatalogue live = CATALOGUE.refreshedWith(List.of("RTX 6090", "B300 SXM", "RTX 4090", "N/A", " "));
        assertEquals(1, InstanceType.parse(text, live).get(0).gpuNames().size());
        assertEquals(CATALOGUE.names().size() + 2, live.names().size());
    }

    @Test
    void countsNewMembersToAFamily() {
        GpuCatalogue live = CATALOGUE.refreshedWith(List.of("H100 CNX", "A100 PCIe"));
        assertEquals(List.of("H100 CNX", "H100 NVL", "H100 PCIE", "H100 SXM"), live.resolve("h100"));
        assertEquals(List.of("A100 PCIe"), live.resolve("A100_PCIE"), "the market's own spelling counts");
    }

    @Test
    void neverFailsOtherwiseThanWithAReason() {
        Random random = new Random(42);
        String alphabet = "0123456789xX×*_-, GBgbRTXAHrtx.\t\n日'{}<>";
        for (int i = 0; i < 20_000; i++) {
            StringBuilder text = new StringBuilder();
            for (int length = random.nextInt(20); length > 0; length--) {
                text.append(alphabet.charAt(random.nextInt(alphabet.length())));
            }
            try {
                InstanceType.parse(text.toString(), CATALOGUE).forEach(wish -> {
                    assertTrue(wish.count() >= 1 && wish.count() <= InstanceType.MAX_COUNT);
                    assertTrue(CATALOGUE.names().containsAll(wish.gpuNames()));
                });
            } catch (SettingException e) {
                assertTrue(e.getMessage().length() < 400, e.getMessage());
            }
        }
    }
}

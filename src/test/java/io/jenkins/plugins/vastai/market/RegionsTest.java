package io.jenkins.plugins.vastai.market;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HashSet;
import java.util.Locale;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class RegionsTest {

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "US              | US",
                "us              | US",
                " de , Se;us     | DE,SE,US",
                "US CA           | CA,US",
                "UK              | GB",
                "USA             | US",
                "Germany         | DE",
                "south korea, JP | JP,KR",
                "Czech Republic  | CZ",
                "NA              | CA,MX,US",
                "north america   | CA,MX,US",
                "NORDICS         | DK,FI,IS,NO,SE",
                "dach            | AT,CH,DE",
                // A country's code is never a group, but for NA.
                "SA              | SA",
                "AF              | AF",
                "Namibia         | NA",
            })
    void readsCodesNamesAndGroups(String text, String codes) throws SettingException {
        assertEquals(codes, String.join(",", Regions.parse(text)));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "  ", ",", "any", "US, worldwide"})
    void anywhereIsEmpty(String text) throws SettingException {
        assertEquals(Set.of(), Regions.parse(text));
        assertEquals(Set.of(), Regions.parse(null));
    }

    @Test
    void groupsHoldWhatTheirNamesSay() throws SettingException {
        assertEquals(27, Regions.parse("EU").size());
        assertEquals(30, Regions.parse("EEA").size());
        assertTrue(Regions.parse("EUROPE").containsAll(Regions.parse("EEA")));
        assertTrue(Regions.parse("europe").contains("GB"));
        assertFalse(Regions.parse("EU").contains("GB"));
        assertTrue(Regions.parse("APAC").containsAll(Set.of("AU", "JP", "SG", "IN", "TW")));
        assertTrue(Regions.parse("SOUTH_AMERICA").containsAll(Set.of("AR", "BR", "CL")));
    }

    @Test
    void everyGroupConsistsOfRealCountries() {
        Set<String> real = new HashSet<>(Set.of(Locale.getISOCountries()));
        real.add("XK");
        Regions.groups().forEach((group, codes) -> assertTrue(real.containsAll(codes), group));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "vast/us  | REGION_UNKNOWN | US (United States)",
                "Germny   | REGION_UNKNOWN | DE (Germany)",
                "EUU      | REGION_UNKNOWN | EU",
                "XX       | REGION_UNKNOWN | ''",
                "us-east-1 | REGION_UNKNOWN | US (United States)",
                "US, Atlantis | REGION_UNKNOWN | ''",
            })
    void namesTheNearestAndTheGroupsForTheUnknown(String text, MarketText expected, String near) {
        SettingException error = assertThrows(SettingException.class, () -> Regions.parse(text));
        assertEquals(expected.key(), error.reason().key());
        assertTrue(error.reason().args().get(1).toString().contains(near), error.getMessage());
        assertTrue(error.getMessage().contains("APAC") && error.getMessage().startsWith("region"));
    }

    @Test
    void namesCountriesInTheReadersLanguage() {
        assertEquals("Germany", Regions.countryName("DE", Locale.ENGLISH));
        assertEquals("Deutschland", Regions.countryName("DE", Locale.GERMAN));
        assertEquals("?!", Regions.countryName("?!", Locale.ENGLISH));
    }

    @Test
    void neverFailsOtherwiseThanWithAReason() {
        Random random = new Random(7);
        for (int i = 0; i < 3_000; i++) {
            StringBuilder text = new StringBuilder();
            for (int length = random.nextInt(8); length > 0; length--) {
                text.append((char) (32 + random.nextInt(96)));
            }
            try {
                Regions.parse(text.toString()).forEach(code -> assertEquals(2, code.length()));
            } catch (SettingException e) {
                assertEquals(MarketText.REGION_UNKNOWN.key(), e.reason().key());
            }
        }
    }
}

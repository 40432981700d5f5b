package io.jenkins.plugins.vastai.market;

import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.IllformedLocaleException;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.MissingResourceException;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;

/**
 * Countries and groups of countries, the values of {@code region}. The market filters by country alone, so groups are
 * spelled out here. A group never takes the code of a country, but for {@code NA}, which everybody reads as North
 * America: Namibia is written {@code NAM} or by name. {@code SA} is Saudi Arabia.
 */
public final class Regions {

    private static final String EU = "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK";
    private static final String EEA = EU + " IS LI NO";
    private static final String NORTH_AMERICA = "CA MX US";
    private static final String SOUTH_AMERICA = "AR BO BR CL CO EC GF GY PE PY SR UY VE";
    private static final String ASIA =
            "AF AM AZ BD BN BT CN GE HK ID IN JP KG KH KP KR KZ LA LK MM MN MO MV MY NP PH PK SG TH TJ TL TM TW UZ VN";
    private static final String OCEANIA = "AU FJ NC NZ PG";

    private static final SortedMap<String, SortedSet<String>> GROUPS = groups(Map.ofEntries(
            Map.entry("EU", EU),
            Map.entry("EEA", EEA),
            Map.entry("EUROPE", EEA + " AD AL BA BY CH FO GB GG GI IM JE MC MD ME MK RS RU SM UA VA XK"),
            Map.entry("DACH", "AT CH DE"),
            Map.entry("NORDICS", "DK FI IS NO SE"),
            Map.entry("NA", NORTH_AMERICA),
            Map.entry("NORTH_AMERICA", NORTH_AMERICA),
            Map.entry("SOUTH_AMERICA", SOUTH_AMERICA),
            Map.entry("LATAM", SOUTH_AMERICA + " BZ CR CU DO GT HN HT JM MX NI PA PR SV TT"),
            Map.entry("ASIA", ASIA),
            Map.entry("OCEANIA", OCEANIA),
            Map.entry("APAC", ASIA + " " + OCEANIA),
            Map.entry("MIDDLE_EAST", "AE BH IL IQ IR JO KW LB OM PS QA SA SY TR YE"),
            Map.entry("AFRICA", africa())));

    private static final Set<String> ANYWHERE = Set.of("any", "anywhere", "global", "world", "worldwide");

    /** Key of every way to name a country, and its code. */
    private static final Map<String, String> COUNTRIES = countries();

    private Regions() {}

    /**
     * Reads country codes (two letters, or three), English country names and groups, separated by commas, semicolons
     * or, between codes, spaces; case does not matter.
     *
     * @param text null counts as empty
     * @return ISO 3166 codes, upper case, immutable; empty means anywhere
     * @throws SettingException when a part is unknown (offers the nearest, and the groups)
     */
    public static SortedSet<String> parse(String text) throws SettingException {
        TreeSet<String> codes = new TreeSet<>();
        boolean anywhere = false;
        for (String part : (text == null ? "" : text).split("[,;\n]")) {
            if (part.isBlank()) {
                continue;
            }
            if (ANYWHERE.contains(GpuCatalogue.key(part))) {
                anywhere = true;
                continue;
            }
            Optional<SortedSet<String>> whole = find(part);
            if (whole.isPresent()) {
                codes.addAll(whole.get());
                continue;
            }
            for (String word : part.strip().split("\\s+")) {
                codes.addAll(find(word).orElseThrow(() -> unknown(part)));
            }
        }
        return Collections.unmodifiableSortedSet(anywhere ? new TreeSet<>() : codes);
    }

    /** Every group with its countries, by name. */
    public static SortedMap<String, SortedSet<String>> groups() {
        return GROUPS;
    }

    /** {@code Germany} for {@code DE}, in the language of {@code locale}; the code itself when it is none. */
    public static String countryName(String isoCode, Locale locale) {
        try {
            String name = new Locale.Builder().setRegion(isoCode).build().getDisplayCountry(locale);
            return name.isEmpty() ? isoCode : name;
        } catch (IllformedLocaleException e) {
            return isoCode;
        }
    }

    private static Optional<SortedSet<String>> find(String text) {
        String key = GpuCatalogue.key(text);
        for (Map.Entry<String, SortedSet<String>> group : GROUPS.entrySet()) {
            if (GpuCatalogue.key(group.getKey()).equals(key)) {
                return Optional.of(group.getValue());
            }
        }
        String code = COUNTRIES.get(key);
        return code == null ? Optional.empty() : Optional.of(new TreeSet<>(Set.of(code)));
    }

    private static SettingException unknown(String part) {
        String key = GpuCatalogue.key(Spelling.shown(part));
        // Two letters are near to every other two letters: a code is then taken for the beginning of a name.
        List<String> likeliest = Stream.concat(
                        GROUPS.keySet().stream(),
                        Stream.of(Locale.getISOCountries()).map(code -> countryName(code, Locale.ENGLISH)))
                .sorted(Comparator.comparingInt(name -> distance(key, GpuCatalogue.key(name))))
                .limit(3)
                .toList();
        // Other clouds write us-east-1, or vast/us.
        Stream<String> within = Stream.of(part.split("\\P{L}+"))
                .filter(word -> word.length() == 2)
                .map(word -> COUNTRIES.get(GpuCatalogue.key(word)))
                .filter(Objects::nonNull)
                .map(code -> countryName(code, Locale.ENGLISH));
        List<String> nearest = Stream.concat(within, likeliest.stream())
                .distinct()
                .limit(3)
                .map(Regions::withCode)
                .toList();
        return new SettingException(MarketText.REGION_UNKNOWN.of(
                Spelling.shown(part), String.join(", ", nearest), String.join(", ", GROUPS.keySet())));
    }

    private static String withCode(String name) {
        String code = COUNTRIES.get(GpuCatalogue.key(name));
        return code == null || GROUPS.containsKey(name) ? name : code + " (" + name + ")";
    }

    private static int distance(String key, String name) {
        return name.startsWith(key) ? 0 : Spelling.distance(key, name);
    }

    private static SortedMap<String, SortedSet<String>> groups(Map<String, String> lists) {
        SortedMap<String, SortedSet<String>> groups = new TreeMap<>();
        lists.forEach((name, codes) ->
                groups.put(name, Collections.unmodifiableSortedSet(new TreeSet<>(List.of(codes.split(" "))))));
        return Collections.unmodifiableSortedMap(groups);
    }

    private static String africa() {
        return "AO BF BI BJ BW CD CF CG CI CM CV DJ DZ EG ER ET GA GH GM GN GQ GW KE KM LR LS LY MA MG ML MR MU MW MZ"
                + " NA NE NG RW SC SD SL SN SO SS ST SZ TD TG TN TZ UG ZA ZM ZW";
    }

    private static Map<String, String> countries() {
        Map<String, String> byKey = new HashMap<>();
        for (String code : Locale.getISOCountries()) {
            byKey.put(GpuCatalogue.key(countryName(code, Locale.ENGLISH)), code);
            try {
                String three = new Locale.Builder().setRegion(code).build().getISO3Country();
                byKey.put(GpuCatalogue.key(three), code);
            } catch (MissingResourceException e) {
                // Some codes have no form of three letters; that one is then simply not understood.
                byKey.remove("");
            }
            byKey.put(GpuCatalogue.key(code), code);
        }
        byKey.put("xk", "XK");
        byKey.put("uk", "GB");
        byKey.put("czechrepublic", "CZ");
        byKey.put("korea", "KR");
        byKey.put("turkey", "TR");
        byKey.put("holland", "NL");
        byKey.put("thenetherlands", "NL");
        byKey.put("hongkong", "HK");
        byKey.remove("");
        return Map.copyOf(byKey);
    }
}

package io.jenkins.plugins.vastai.market;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalInt;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.stream.Stream;

/**
 * GPU models by the names that the market gives them, and the other names that people give them. The market matches
 * names exactly, so a spelling of our own would find nothing. An immutable value.
 */
public final class GpuCatalogue {

    /**
     * The market's names and the memory of one card in MB as its driver reports it, where all cards of the name have
     * the same. Source of the names: the vendor's command-line tool; of the sizes: offers seen, docs/market.md, Offers.
     */
    private static final String BUILT_IN = """
            A10=23028, A10g=23028, A16, A30=24576, A40=46068, A100 PCIE, A100 SXM4, A100 SXM, A100X=81920, A800 PCIE,
            B200=183359, GH200 SXM, H100 PCIE=81559, H100 SXM=81559, H100 NVL=95830, H200=143771, H200 NVL=143771,
            L4=23034, L40=46068, L40S=46068, Tesla K20c, Tesla K80, Tesla M40, Tesla P4, Tesla P6, Tesla P40,
            Tesla P100, Tesla T4=15360, Tesla V100,
            GeForce 970, GTX 750 Ti, GTX 1050, GTX 1050 Ti, GTX 1060, GTX 1070=8192, GTX 1070 Ti=8192, GTX 1080=8192,
            GTX 1080 Ti=11264, GTX 1650, GTX 1650 S, GTX 1650 Ti, GTX 1660=6144, GTX 1660 S=6144, GTX 1660 Ti=6144,
            GTX TITAN X, RTX 2060, RTX 2060S=8192, RTX 2070=8192, RTX 2070S=8192, RTX 2080=8192, RTX 2080S=8192,
            RTX 2080 Ti, RTX 3050, RTX 3060, RTX 3060 laptop, RTX 3060 Ti=8192, RTX 3070=8192, RTX 3070 laptop,
            RTX 3070 Ti=8192, RTX 3080, RTX 3080 Ti=12288, RTX 3090=24576, RTX 3090 Ti=24564,
            RTX 4060=8188, RTX 4060 laptop, RTX 4060 Ti, RTX 4070=12282, RTX 4070 laptop, RTX 4070S=12282,
            RTX 4070S Ti=16376, RTX 4070 Ti=12282, RTX 4080=16376, RTX 4080 laptop, RTX 4080S=16376, RTX 4090=24564,
            RTX 4090D, RTX 4090 Ti, RTX 5060, RTX 5060 Ti, RTX 5070=12227, RTX 5070 Ti=16303, RTX 5080=16303,
            RTX 5090=32607, RTX 5090 Ti, Titan RTX=24576, Titan V, TITAN V CEO, Titan X, Titan Xp,
            Quadro K620, Quadro K2200, Quadro P2000, Quadro P4000, Quadro P5000, Quadro P6000, Quadro GP100,
            Quadro GV100,
            Q RTX 4000=8192, Q RTX 5000=16384, Q RTX 6000=24576, Q RTX 8000=49152,
            RTX A2000, RTX A4000=16376, RTX A4500=20470, RTX A5000=24564, RTX A6000=49140,
            RTX 2000Ada=16380, RTX 4000Ada=20475, RTX 4500Ada=24570, RTX 5000Ada=32760, RTX 5880Ada=49140,
            RTX 6000Ada=49140, RTX PRO 4000, RTX PRO 4000 Mobile, RTX PRO 4500, RTX PRO 5000, RTX PRO 6000=97887,
            RTX PRO 6000 S=97887, RTX PRO 6000 WS=97887, RTX PRO 6000 Max-Q=97887,
            CMP 50HX, CMP 170HX, P104-100, P106-100, InstinctMI50, InstinctMI100, InstinctMI210, InstinctMI250X,
            PRO W6800, PRO W7800, PRO W7900, Pro V620, Radeon VII, Radeon Pro VII, RX 6800, RX 6800 XT, RX 6900 XT,
            RX 6950 XT, RX 7600, RX 7700 XT, RX 7800 XT, RX 7900 GRE, RX 7900 XT, RX 7900 XTX""";

    /** Other names, by key; what follows from {@link #variants} or from a common beginning is not listed. */
    private static final Map<String, List<String>> ALIASES = Map.ofEntries(
            Map.entry("a100", List.of("A100 PCIE", "A100 SXM4", "A100 SXM", "A100X")),
            // One form factor under two names.
            Map.entry("a100sxm", List.of("A100 SXM4", "A100 SXM")),
            Map.entry("a100sxm4", List.of("A100 SXM4", "A100 SXM")),
            Map.entry("h100sxm5", List.of("H100 SXM")),
            Map.entry("h200sxm", List.of("H200")),
            Map.entry("h200sxm5", List.of("H200")),
            Map.entry("b200sxm", List.of("B200")),
            Map.entry("b200sxm6", List.of("B200")),
            Map.entry("v100sxm2", List.of("Tesla V100")),
            Map.entry("v100pcie", List.of("Tesla V100")),
            Map.entry("p100pcie", List.of("Tesla P100")),
            Map.entry("rtx6000pro", List.of("RTX PRO 6000")),
            Map.entry(
                    "rtxpro6000blackwell",
                    List.of("RTX PRO 6000", "RTX PRO 6000 S", "RTX PRO 6000 WS", "RTX PRO 6000 Max-Q")),
            Map.entry("rtxpro6000server", List.of("RTX PRO 6000 S")),
            Map.entry("rtxpro6000blackwellserver", List.of("RTX PRO 6000 S")),
            Map.entry("rtxpro6000workstation", List.of("RTX PRO 6000 WS")),
            Map.entry("rtxpro6000blackwellworkstation", List.of("RTX PRO 6000 WS")),
            Map.entry("rtxpro6000blackwellmaxq", List.of("RTX PRO 6000 Max-Q")));

    /** Words that people leave out or put before a model. */
    private static final List<String> PREFIXES =
            List.of("rtx", "gtx", "tesla", "instinct", "pro", "rx", "quadro", "radeon");

    private static final List<String> VENDORS = List.of("nvidia", "amd", "geforce", "radeon");

    private static final GpuCatalogue RELEASED = released();

    private final SortedSet<String> names;
    private final Map<String, Integer> ramMb;
    private final Map<String, String> byKey = new HashMap<>();

    private GpuCatalogue(Collection<String> names, Map<String, Integer> ramMb) {
        TreeSet<String> sorted = new TreeSet<>(names);
        this.names = Collections.unmodifiableSortedSet(sorted);
        this.ramMb = ramMb;
        sorted.forEach(name -> byKey.put(key(name), name));
    }

    /** The names known when this was released. */
    public static GpuCatalogue builtIn() {
        return RELEASED;
    }

    private static GpuCatalogue released() {
        Map<String, Integer> ramMb = new HashMap<>();
        List<String> names = new ArrayList<>();
        for (String entry : BUILT_IN.split(",")) {
            String[] nameAndRam = entry.trim().split("=");
            names.add(nameAndRam[0]);
            if (nameAndRam.length > 1) {
                ramMb.put(nameAndRam[0], Integer.valueOf(nameAndRam[1]));
            }
        }
        return new GpuCatalogue(names, Map.copyOf(ramMb));
    }

    /**
     * This catalogue and the names that the market uses today ({@code /gpu_names/unique/}). Names that it no longer
     * lists stay: the list covers what is offered at the moment. A new spelling of a known name replaces it.
     */
    public GpuCatalogue refreshedWith(Collection<String> liveNames) {
        Map<String, String> merged = new HashMap<>(byKey);
        for (String name : liveNames) {
            // The market's list holds oddities such as "N/A".
            if (name != null && !name.isBlank() && !name.equals("N/A")) {
                merged.put(key(name), name.trim());
            }
        }
        return merged.equals(byKey) ? this : new GpuCatalogue(merged.values(), ramMb);
    }

    /** All names, as the market spells them. */
    public SortedSet<String> names() {
        return names;
    }

    /**
     * The models that somebody means: one name in any spelling (case, spaces, underscores, hyphens, a missing
     * {@code RTX}, {@code Super} for {@code S} do not matter), or a family such as {@code H100}, whose members all
     * begin with it.
     *
     * @return the market's names, sorted; empty when unknown
     */
    public List<String> resolve(String model) {
        TreeSet<String> found = new TreeSet<>();
        for (String key : variants(key(model))) {
            String exact = byKey.get(key);
            if (exact != null) {
                found.add(exact);
            }
            found.addAll(ALIASES.getOrDefault(key, List.of()));
            if (isFamily(key) && (exact == null || ALIASES.containsKey(key))) {
                names.stream().filter(name -> key(firstWord(name)).equals(key)).forEach(found::add);
            }
            if (!found.isEmpty()) {
                break;
            }
        }
        return List.copyOf(found);
    }

    /** Names most like a text, the likeliest first; {@code limit} at most. */
    public List<String> nearest(String text, int limit) {
        String wanted = key(text);
        Map<String, Integer> distances = new HashMap<>();
        names.forEach(name -> distances.put(name, distance(wanted, key(name))));
        return names.stream()
                .sorted(Comparator.comparing(distances::get))
                .limit(limit)
                .toList();
    }

    /** Memory that one card of a model reports, MB; empty when not known or when there are several sizes. */
    public OptionalInt typicalRamMb(String name) {
        Integer known = ramMb.get(name);
        return known == null ? OptionalInt.empty() : OptionalInt.of(known);
    }

    /** What is left of a name when spelling is forgiven. */
    static String key(String name) {
        StringBuilder key = new StringBuilder(name.length());
        String lower = name.toLowerCase(Locale.ROOT);
        for (int i = 0; i < lower.length(); i++) {
            if (Character.isLetterOrDigit(lower.charAt(i))) {
                key.append(lower.charAt(i));
            }
        }
        return key.toString();
    }

    /** The key as written, then other ways to write the same, likeliest first. */
    private static List<String> variants(String key) {
        String plain = key.replace("generation", "")
                .replace("edition", "")
                .replace("tisuper", "sti")
                .replace("super", "s")
                .replace("quadrortx", "qrtx");
        String model = withoutVendor(plain);
        return Stream.concat(Stream.of(key, plain, model), PREFIXES.stream().map(prefix -> prefix + model))
                .filter(variant -> !variant.isEmpty())
                .distinct()
                .toList();
    }

    private static String withoutVendor(String key) {
        String rest = key;
        for (String vendor : VENDORS) {
            rest = rest.startsWith(vendor) ? rest.substring(vendor.length()) : rest;
        }
        return rest;
    }

    /** "H100" may stand for several models, "RTX" may not. */
    private static boolean isFamily(String key) {
        return !key.isEmpty() && Character.isLetter(key.charAt(0)) && Character.isDigit(key.charAt(key.length() - 1));
    }

    private static String firstWord(String name) {
        int space = name.indexOf(' ');
        return space < 0 ? name : name.substring(0, space);
    }

    /** A model's number says more than the words around it, and its first letter more than the last. */
    private static int distance(String wanted, String key) {
        String number = wanted.replaceAll("\\D", "");
        if (number.isEmpty() && !wanted.isEmpty() && key.startsWith(wanted)) {
            return 0;
        }
        int numbers = number.isEmpty() ? 0 : 3 * Spelling.distance(number, key.replaceAll("\\D", ""));
        String wantedModel = model(wanted);
        String model = model(key);
        int words = Math.min(Spelling.distance(wanted, key), Spelling.distance(wantedModel, model));
        boolean sameLetter = !wantedModel.isEmpty() && !model.isEmpty() && wantedModel.charAt(0) == model.charAt(0);
        return 2 * words + numbers + (sameLetter ? 0 : 3);
    }

    /** The key without maker and series. */
    private static String model(String key) {
        String rest = withoutVendor(key);
        for (String series : PREFIXES) {
            if (rest.startsWith(series)) {
                return rest.substring(series.length());
            }
        }
        return rest;
    }
}

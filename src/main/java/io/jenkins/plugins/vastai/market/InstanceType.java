package io.jenkins.plugins.vastai.market;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.OptionalInt;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The grammar of {@code instanceType}: {@code 1xRTX_4090}, {@code 2xH100, 8xA100_SXM4_80GB}. */
public final class InstanceType {

    /** More GPUs than any machine of the market has. */
    public static final int MAX_COUNT = 32;

    /** More alternatives than anybody can mean; each may cost a search. */
    public static final int MAX_ALTERNATIVES = 16;

    private static final Pattern PART = Pattern.compile("(\\d+)\\s*[x×*]\\s*(\\S.*)");
    private static final Pattern MEMORY = Pattern.compile("(?<![\\p{Alnum}.])(\\d{1,4})\\s?g(?:i?b)?(?!\\p{Alnum})");
    private static final int MAX_MEMORY_GB = 1000;

    /**
     * Cards report less than their box says (error correction takes up to 6 %: an L40S of 48 GB reports 46068 MB), or
     * more (a card of 80 GB reports 81920 MB, of 1024 each). The window takes both and leaves out the next size.
     */
    private static final double SMALLEST_REPORTED = 950;

    private static final double BELOW_REPORTED = 1125;

    private InstanceType() {}

    /**
     * Reads {@code {count}x{model}}, several separated by commas. Case, spaces, underscores and hyphens do not matter;
     * a model may be a family ({@code H100}) and may end in the memory of one card ({@code _80GB}), which is then
     * looked for, no less and not the next size.
     *
     * @param text null counts as empty
     * @return what to look for, in the order in which it is to be tried; at least one, immutable
     * @throws SettingException when empty, malformed, absurd, or when a GPU is unknown (offers the nearest names)
     */
    public static List<GpuWish> parse(String text, GpuCatalogue catalogue) throws SettingException {
        List<GpuWish> wishes = new ArrayList<>();
        for (String part : (text == null ? "" : text).split("[,;\n]")) {
            if (part.isBlank()) {
                continue;
            }
            GpuWish wish = parsePart(part.strip(), catalogue);
            if (!wishes.contains(wish)) {
                wishes.add(wish);
            }
            if (wishes.size() > MAX_ALTERNATIVES) {
                throw new SettingException(MarketText.INSTANCE_TYPE_TOO_MANY.of(MAX_ALTERNATIVES));
            }
        }
        if (wishes.isEmpty()) {
            throw new SettingException(MarketText.INSTANCE_TYPE_EMPTY.of());
        }
        return List.copyOf(wishes);
    }

    private static GpuWish parsePart(String part, GpuCatalogue catalogue) throws SettingException {
        String plain = part.toLowerCase(Locale.ROOT).replaceAll("[\\s_-]+", " ").strip();
        Matcher matcher = PART.matcher(plain);
        // A sign is not a separator.
        if (part.startsWith("-") || !matcher.matches()) {
            if (!catalogue.resolve(withoutMemory(plain)).isEmpty()) {
                throw new SettingException(MarketText.INSTANCE_TYPE_NO_COUNT.of(Spelling.shown(part)));
            }
            throw new SettingException(MarketText.INSTANCE_TYPE_MALFORMED.of(Spelling.shown(part)));
        }
        String digits = matcher.group(1);
        int count = digits.length() > 4 ? Integer.MAX_VALUE : Integer.parseInt(digits);
        if (count < 1 || count > MAX_COUNT) {
            throw new SettingException(
                    MarketText.INSTANCE_TYPE_COUNT.of(Spelling.shown(part), Spelling.shown(digits), MAX_COUNT));
        }
        String model = matcher.group(2);
        // The name as a whole first: "A10g" ends in a G that is no unit.
        List<String> names = catalogue.resolve(model);
        OptionalInt min = OptionalInt.empty();
        OptionalInt max = OptionalInt.empty();
        Matcher memory = MEMORY.matcher(model);
        if (names.isEmpty() && memory.find()) {
            int gb = Integer.parseInt(memory.group(1));
            if (gb < 1 || gb > MAX_MEMORY_GB) {
                throw new SettingException(MarketText.INSTANCE_TYPE_MEMORY.of(Spelling.shown(part), gb));
            }
            min = OptionalInt.of((int) (gb * SMALLEST_REPORTED));
            max = OptionalInt.of((int) (gb * BELOW_REPORTED));
            model = withoutMemory(model);
            names = catalogue.resolve(model);
        }
        if (names.isEmpty()) {
            String nearest = String.join(", ", catalogue.nearest(Spelling.shown(model), 5));
            String original = part.substring(Math.min(part.length(), firstLetterOfModel(part)));
            throw new SettingException(
                    MarketText.GPU_UNKNOWN.of(Spelling.shown(part), Spelling.shown(original), nearest));
        }
        return new GpuWish(count, names, min, max);
    }

    private static String withoutMemory(String model) {
        return MEMORY.matcher(model).replaceFirst("").strip();
    }

    /** Where the model begins in what was written: after the digits and the x. */
    private static int firstLetterOfModel(String part) {
        Matcher matcher = Pattern.compile("\\d+[\\s_-]*[xX×*][\\s_-]*").matcher(part);
        return matcher.lookingAt() ? matcher.end() : 0;
    }
}

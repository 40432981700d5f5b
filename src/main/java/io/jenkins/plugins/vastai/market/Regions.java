package io.jenkins.plugins.vastai.market;

import java.util.SortedMap;
import java.util.SortedSet;

/** Countries and groups of countries, the values of {@code region}. */
public final class Regions {

    private Regions() {}

    /**
     * Reads country codes, country names and groups, separated by commas; case does not matter.
     *
     * @return ISO 3166 codes, upper case, immutable; empty means anywhere
     * @throws SettingException when a part is unknown (offers the nearest, and the groups)
     */
    public static SortedSet<String> parse(String text) throws SettingException {
        throw new UnsupportedOperationException();
    }

    /** Every group with its countries. */
    public static SortedMap<String, SortedSet<String>> groups() {
        throw new UnsupportedOperationException();
    }

    /** {@code Germany} for {@code DE}, in the language of {@code locale}; the code itself when it is none. */
    public static String countryName(String isoCode, java.util.Locale locale) {
        throw new UnsupportedOperationException();
    }
}

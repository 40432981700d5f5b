package io.jenkins.plugins.vastai.api;

import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

/** Makes the words of others fit for our messages: no secrets, one line, short. */
final class Redaction {

    private static final int LONGEST = 300;
    private static final String HIDDEN = "****";

    private static final List<Map.Entry<Pattern, String>> SHAPES = List.of(
            Map.entry(Pattern.compile("(?i)(bearer\\s+)[^\\s\"',;<]+"), "$1" + HIDDEN),
            Map.entry(
                    Pattern.compile("(?i)((?:api_?key|token|password|secret)[\"']?\\s*[=:]\\s*[\"']?)[^\\s\"',;&<]+"),
                    "$1" + HIDDEN),
            Map.entry(
                    Pattern.compile("((?<![\\w-])(?:-p|--password)[\\s=]+)(?!\\d+:\\d+)[^\\s\"',;<]+"), "$1" + HIDDEN),
            // Keys of the market are 64 hexadecimal digits; digests of images, which look alike, name themselves.
            Map.entry(Pattern.compile("(?i)(?<!sha256:)\\b[0-9a-f]{32,}\\b"), HIDDEN));

    private Redaction() {}

    /** @param secrets texts that must not appear, whatever they look like */
    static String hide(String text, Collection<String> secrets) {
        String hidden = text;
        List<String> longestFirst = secrets.stream()
                .filter(secret -> !secret.isBlank())
                .sorted(Comparator.comparingInt(String::length).reversed())
                .toList();
        for (String secret : longestFirst) {
            hidden = hidden.replace(secret, HIDDEN);
        }
        for (Map.Entry<Pattern, String> shape : SHAPES) {
            hidden = shape.getKey().matcher(hidden).replaceAll(shape.getValue());
        }
        return hidden;
    }

    /** Hidden as by {@link #hide}, without markup and control characters, at most 300 characters. */
    static String line(String text, Collection<String> secrets) {
        String line = hide(text, secrets)
                .replaceAll("<[^>]{0,200}>", " ")
                .replaceAll("[\\p{Cntrl}\\s]+", " ")
                .strip();
        return line.length() > LONGEST ? line.substring(0, LONGEST) + "…" : line;
    }
}

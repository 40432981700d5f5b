package io.jenkins.plugins.vastai.rental;

import java.util.Locale;
import java.util.Optional;
import java.util.random.RandomGenerator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * The only mark of ownership that the market keeps: {@code jenkins-<controller>-<cloud>-<rental>-<draw>}, at most 60
 * characters. Everybody with the account's key can write labels, so a label alone never suffices to destroy something
 * of somebody else's: the controller's id must match, and the rental must have been ordered here, see
 * {@link ControllerIdentity}.
 */
final class Labels {

    private static final String ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789";
    private static final int CLOUD_LENGTH = 18;
    static final int CONTROLLER_LENGTH = 8;
    static final int START_LENGTH = 5;
    private static final int NUMBER_LENGTH = 5;
    private static final Pattern FORM = Pattern.compile("jenkins-([a-z0-9]{8})-(.*)-([a-z0-9]{10})-([0-9]{1,3})");

    private Labels() {}

    /** A label of this form, taken apart. */
    record Parts(String controller, String cloud, String rental, int draw) {}

    static String of(String controller, String cloud, String rental, int draw) {
        return prefix(controller) + clean(cloud) + "-" + rental + "-" + draw;
    }

    /** What one controller is called on the account. */
    static String owner(String controller) {
        return "jenkins-" + controller;
    }

    /** What all labels of one controller begin with. */
    static String prefix(String controller) {
        return owner(controller) + "-";
    }

    static Optional<Parts> parse(String label) {
        Matcher matcher = FORM.matcher(label == null ? "" : label);
        return matcher.matches()
                ? Optional.of(new Parts(
                        matcher.group(1), matcher.group(2), matcher.group(3), Integer.parseInt(matcher.group(4))))
                : Optional.empty();
    }

    /** @param number counts a start's orders from 1 */
    static String rentalId(String start, long number) {
        StringBuilder text = new StringBuilder();
        long left = number;
        for (int i = 0; i < NUMBER_LENGTH; i++) {
            text.insert(0, ALPHABET.charAt((int) (left % ALPHABET.length())));
            left /= ALPHABET.length();
        }
        return start + text;
    }

    /** Whether {@link #start} and {@link #number} can be told. */
    static boolean isRentalId(String rental) {
        return rental.length() == START_LENGTH + NUMBER_LENGTH
                && rental.chars().allMatch(c -> ALPHABET.indexOf(c) >= 0);
    }

    static String start(String rental) {
        return rental.substring(0, START_LENGTH);
    }

    static long number(String rental) {
        return rental.substring(START_LENGTH)
                .chars()
                .asLongStream()
                .reduce(0, (sum, c) -> sum * ALPHABET.length() + ALPHABET.indexOf((int) c));
    }

    /** A word of letters and digits that cannot be taken for others. */
    static String word(int length, RandomGenerator random) {
        return random.ints(length, 0, ALPHABET.length())
                .mapToObj(i -> String.valueOf(ALPHABET.charAt(i)))
                .collect(Collectors.joining());
    }

    private static String clean(String cloud) {
        String clean =
                cloud.toLowerCase(Locale.ROOT).replaceAll("[^a-z0-9]+", "-").replaceAll("^-|-$", "");
        return clean.substring(0, Math.min(CLOUD_LENGTH, clean.length()));
    }
}

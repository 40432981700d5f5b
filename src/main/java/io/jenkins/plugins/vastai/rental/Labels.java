package io.jenkins.plugins.vastai.rental;

import java.security.SecureRandom;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The only mark of ownership that the market keeps: {@code jenkins-<controller>-<cloud>-<rental>-<draw>}, at most 60
 * characters. Everybody with the account's key can write labels, so a label alone never suffices to destroy something
 * of somebody else's: the controller's id must match.
 */
final class Labels {

    private static final String ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789";
    private static final int CLOUD_LENGTH = 18;
    private static final Pattern FORM = Pattern.compile("jenkins-([a-z0-9]{8})-(.*)-([a-z0-9]{10})-([0-9]{1,3})");
    private static final SecureRandom RANDOM = new SecureRandom();

    private Labels() {}

    /** A label of this form, taken apart. */
    record Parts(String controller, String cloud, String rental, int draw) {}

    static String of(String controller, String cloud, String rental, int draw) {
        return prefix(controller) + clean(cloud) + "-" + rental + "-" + draw;
    }

    /** What all labels of one controller begin with. */
    static String prefix(String controller) {
        return "jenkins-" + controller + "-";
    }

    static Optional<Parts> parse(String label) {
        Matcher matcher = FORM.matcher(label == null ? "" : label);
        return matcher.matches()
                ? Optional.of(new Parts(
                        matcher.group(1), matcher.group(2), matcher.group(3), Integer.parseInt(matcher.group(4))))
                : Optional.empty();
    }

    static String newRentalId() {
        return random(10);
    }

    static String newControllerId() {
        return random(8);
    }

    private static String clean(String cloud) {
        String clean =
                cloud.toLowerCase(Locale.ROOT).replaceAll("[^a-z0-9]+", "-").replaceAll("^-|-$", "");
        return clean.substring(0, Math.min(CLOUD_LENGTH, clean.length()));
    }

    private static String random(int length) {
        StringBuilder text = new StringBuilder(length);
        for (int i = 0; i < length; i++) {
            text.append(ALPHABET.charAt(RANDOM.nextInt(ALPHABET.length())));
        }
        return text.toString();
    }
}

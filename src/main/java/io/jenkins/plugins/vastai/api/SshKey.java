package io.jenkins.plugins.vastai.api;

/**
 * A public key that the market knows.
 *
 * @param id the market's number; 0 if it states none
 * @param publicKey one line in OpenSSH form
 */
public record SshKey(long id, String publicKey) {

    /** Whether {@code other} is the same key, whatever its comment: type and base64 decide. */
    public boolean sameAs(String other) {
        return material(publicKey).equals(material(other));
    }

    private static String material(String line) {
        String[] words = line.strip().split("\\s+", 3);
        return words.length < 2 ? words[0] : words[0] + " " + words[1];
    }
}

package io.jenkins.plugins.vastai.api;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/**
 * A key of the market: of an account, or the restricted one of a single instance. It never shows itself; whoever
 * really needs the characters asks for them with {@link #reveal()}.
 */
public final class ApiKey {

    private final String value;

    private ApiKey(String value) {
        this.value = value;
    }

    /**
     * @param text the key; white space around it, as copying leaves it, is dropped
     * @throws IllegalArgumentException if nothing is left, or if it could not travel in an HTTP header; the message
     *     does not repeat the text
     */
    public static ApiKey of(String text) {
        String value = text == null ? "" : text.strip();
        if (value.isEmpty() || !value.chars().allMatch(c -> c > ' ' && c < 0x7f)) {
            throw new IllegalArgumentException("not an API key");
        }
        return new ApiKey(value);
    }

    /** The characters themselves: for the HTTP header and for encrypted storage only. */
    public String reveal() {
        return value;
    }

    /** 16 hexadecimal digits of the key's SHA-256: tells keys apart in maps and names, and does not give the key away. */
    public String fingerprint() {
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(value.getBytes(StandardCharsets.US_ASCII));
            return HexFormat.of().formatHex(digest, 0, 8);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e); // every Java has SHA-256
        }
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof ApiKey key
                && MessageDigest.isEqual(
                        value.getBytes(StandardCharsets.US_ASCII), key.value.getBytes(StandardCharsets.US_ASCII));
    }

    @Override
    public int hashCode() {
        return fingerprint().hashCode();
    }

    @Override
    public String toString() {
        return "****";
    }
}

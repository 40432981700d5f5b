package io.jenkins.plugins.vastai.ssh;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.PublicKey;
import java.util.Base64;
import java.util.List;
import java.util.Objects;
import org.apache.sshd.common.util.buffer.ByteArrayBuffer;

/**
 * The pin: the public host key that a machine showed at first contact. Two pins are equal when their key blobs are;
 * names of algorithms do not count, since an RSA key is negotiated under several names.
 *
 * @param type key type as written inside the blob, for example {@code ssh-ed25519}; another name given is replaced by it
 * @param base64 the blob in the form of known_hosts
 */
public record HostKey(String type, String base64) {

    /** Longer blobs than those of 16384 bit RSA are no keys. */
    private static final int MAX_BLOB = 8192;

    public HostKey {
        Objects.requireNonNull(type, "type");
        type = typeIn(blob(base64));
    }

    /**
     * Reads {@code type base64 [comment]}.
     *
     * @throws IllegalArgumentException when the text is no public key
     */
    public static HostKey parse(String line) {
        String[] words = line.trim().split("\\s+");
        if (words.length < 2) {
            throw new IllegalArgumentException("not a public key line");
        }
        return new HostKey(words[0], words[1]);
    }

    static HostKey of(PublicKey key) {
        ByteArrayBuffer buffer = new ByteArrayBuffer();
        buffer.putRawPublicKey(key);
        byte[] blob = buffer.getCompactData();
        return new HostKey(typeIn(blob), Base64.getEncoder().encodeToString(blob));
    }

    /** {@code SHA256:...} as ssh-keygen prints it. */
    public String fingerprint() {
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(blob());
            return "SHA256:" + Base64.getEncoder().withoutPadding().encodeToString(digest);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    public byte[] blob() {
        return blob(base64);
    }

    /** Whether the other key, as raw blob, is this one. */
    public boolean matches(byte[] otherBlob) {
        return MessageDigest.isEqual(blob(), otherBlob);
    }

    /**
     * Names to offer in the key exchange so that the server shows this very key, best first. The old {@code ssh-rsa}
     * (SHA-1) is not among them: current servers refuse it.
     */
    public List<String> algorithms() {
        return type.equals("ssh-rsa") ? List.of("rsa-sha2-512", "rsa-sha2-256") : List.of(type);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof HostKey that && matches(that.blob());
    }

    @Override
    public int hashCode() {
        return base64.hashCode();
    }

    /** The line that {@link #parse} reads. */
    @Override
    public String toString() {
        return type + " " + base64;
    }

    private static byte[] blob(String base64) {
        byte[] blob = Base64.getDecoder().decode(Objects.requireNonNull(base64, "base64"));
        if (blob.length < 8 || blob.length > MAX_BLOB) {
            throw new IllegalArgumentException("not a public key: " + blob.length + " bytes");
        }
        return blob;
    }

    private static String typeIn(byte[] blob) {
        int length = ByteBuffer.wrap(blob).getInt();
        if (length < 3 || length > 64 || length + 4 > blob.length) {
            throw new IllegalArgumentException("not a public key");
        }
        String type = new String(blob, 4, length, StandardCharsets.US_ASCII);
        if (!type.matches("[a-z0-9@.-]+")) {
            throw new IllegalArgumentException("not a public key");
        }
        return type;
    }
}

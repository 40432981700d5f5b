package io.jenkins.plugins.vastai.ssh;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.util.Iterator;
import java.util.Objects;
import org.apache.sshd.common.NamedResource;
import org.apache.sshd.common.config.keys.KeyUtils;
import org.apache.sshd.common.config.keys.PublicKeyEntry;
import org.apache.sshd.common.config.keys.writer.openssh.OpenSSHKeyPairResourceWriter;
import org.apache.sshd.common.util.security.SecurityUtils;

/**
 * The key pair with which the controller logs in. Its text is OpenSSH's own format, which trilead (the agent channel)
 * reads too. {@link #toString} shows the public line only. Immutable.
 */
public final class SshKeyPair {

    /** What kind of key; ed25519 unless something on the way cannot read it. */
    public enum Type {
        ED25519("ssh-ed25519", 256),
        ECDSA("ecdsa-sha2-nistp256", 256);

        private final String keyType;
        private final int bits;

        Type(String keyType, int bits) {
            this.keyType = keyType;
            this.bits = bits;
        }
    }

    private final KeyPair pair;
    private final String privateText;
    private final String publicLine;

    private SshKeyPair(KeyPair pair, String privateText, String publicLine) {
        this.pair = pair;
        this.privateText = privateText;
        this.publicLine = publicLine;
    }

    /** A fresh ed25519 pair. */
    public static SshKeyPair generate(String comment) {
        return generate(Type.ED25519, comment);
    }

    /** @param comment ends the public line; characters outside {@code [A-Za-z0-9@._-]} become {@code -} */
    public static SshKeyPair generate(Type type, String comment) {
        try {
            KeyPair pair = KeyUtils.generateKeyPair(type.keyType, type.bits);
            String safe = Objects.requireNonNull(comment, "comment").replaceAll("[^A-Za-z0-9@._-]", "-");
            ByteArrayOutputStream out = new ByteArrayOutputStream();
            OpenSSHKeyPairResourceWriter.INSTANCE.writePrivateKey(pair, safe, null, out);
            return new SshKeyPair(pair, out.toString(StandardCharsets.US_ASCII), publicLine(pair, safe));
        } catch (GeneralSecurityException | IOException e) {
            throw new IllegalStateException("cannot make a key pair of type " + type.keyType, e);
        }
    }

    /**
     * Reads what {@link #privateText} gave.
     *
     * @throws IllegalArgumentException when the text is no unencrypted private key; the text is not in the message
     */
    public static SshKeyPair parse(String privateText, String comment) {
        try (ByteArrayInputStream in = new ByteArrayInputStream(privateText.getBytes(StandardCharsets.US_ASCII))) {
            Iterable<KeyPair> pairs =
                    SecurityUtils.loadKeyPairIdentities(null, NamedResource.ofName("rental key"), in, null);
            Iterator<KeyPair> found = pairs == null ? null : pairs.iterator();
            if (found != null && found.hasNext()) {
                KeyPair pair = found.next();
                String safe = comment.replaceAll("[^A-Za-z0-9@._-]", "-");
                return new SshKeyPair(pair, privateText, publicLine(pair, safe));
            }
        } catch (IOException | GeneralSecurityException | RuntimeException e) {
            // No cause: parsers like to quote what they could not read.
            throw new IllegalArgumentException(
                    "not a private key: " + e.getClass().getSimpleName());
        }
        throw new IllegalArgumentException("not a private key");
    }

    /** Private key, OpenSSH format. A secret. */
    public String privateText() {
        return privateText;
    }

    /** {@code type base64 comment}, one line without line end: the form of authorized_keys and of the API. */
    public String publicLine() {
        return publicLine;
    }

    KeyPair pair() {
        return pair;
    }

    @Override
    public String toString() {
        return publicLine;
    }

    private static String publicLine(KeyPair pair, String comment) throws IOException {
        String line = PublicKeyEntry.toString(pair.getPublic());
        return comment.isEmpty() ? line : line + " " + comment;
    }
}

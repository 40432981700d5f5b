package io.jenkins.plugins.vastai.simulator;

import java.io.IOException;
import java.security.GeneralSecurityException;
import java.security.PublicKey;
import java.time.Instant;
import java.util.Optional;
import org.apache.sshd.common.config.keys.AuthorizedKeyEntry;
import org.apache.sshd.common.config.keys.PublicKeyEntryResolver;

/** A public key that the market keeps, in OpenSSH's line format. */
record SshKey(long id, String line, Instant added) {

    /** Empty when the line is no key. */
    static Optional<PublicKey> parse(String line) {
        try {
            AuthorizedKeyEntry entry = AuthorizedKeyEntry.parseAuthorizedKeyEntry(line.trim());
            return entry == null
                    ? Optional.empty()
                    : Optional.of(entry.resolvePublicKey(null, PublicKeyEntryResolver.IGNORING));
        } catch (IllegalArgumentException | IOException | GeneralSecurityException e) {
            return Optional.empty();
        }
    }

    /** Type and base64 without the comment. */
    String identity() {
        String[] parts = line.trim().split("\\s+");
        return parts.length < 2 ? line.trim() : parts[0] + " " + parts[1];
    }
}

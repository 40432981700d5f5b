package io.jenkins.plugins.vastai.simulator;

import java.security.GeneralSecurityException;
import org.apache.sshd.common.config.keys.KeyUtils;
import org.apache.sshd.common.config.keys.PublicKeyEntry;

/** Fresh public keys for tests that never use the private half. */
final class SshKeyLines {
    String next() {
        try {
            return PublicKeyEntry.toString(
                            KeyUtils.generateKeyPair("ssh-ed25519", 256).getPublic())
                    + " someone";
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }
}

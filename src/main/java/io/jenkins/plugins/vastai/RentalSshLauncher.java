package io.jenkins.plugins.vastai;

import com.cloudbees.jenkins.plugins.sshcredentials.impl.BasicSSHUserPrivateKey;
import com.cloudbees.plugins.credentials.CredentialsScope;
import com.cloudbees.plugins.credentials.common.StandardUsernameCredentials;
import hudson.model.TaskListener;
import hudson.plugins.sshslaves.SSHLauncher;
import hudson.plugins.sshslaves.verifiers.HostKey;
import hudson.plugins.sshslaves.verifiers.SshHostKeyVerificationStrategy;
import hudson.slaves.SlaveComputer;
import io.jenkins.plugins.vastai.rental.Rental;
import io.jenkins.plugins.vastai.ssh.Watchdog;
import java.util.Objects;

/**
 * SSH Build Agents' launcher for one connection to a rental's machine. The key is handed over in memory: it is in no
 * credentials store, no drop-down and no fingerprint. Made for each launch, never persisted.
 */
final class RentalSshLauncher extends SSHLauncher {

    private static final int TIMEOUT_SECONDS = 30;
    private static final int RETRIES = 2;
    private static final int RETRY_SECONDS = 1;

    private final transient StandardUsernameCredentials credentials;

    /** @param rental with {@link Rental#reach()} */
    RentalSshLauncher(Rental rental, String jvmOptions) {
        super(
                rental.reach().endpoint().host(),
                rental.reach().endpoint().port(),
                "rental-" + rental.id(),
                jvmOptions,
                rental.reach().javaPath(),
                Watchdog.ANNOUNCE_AGENT,
                "",
                TIMEOUT_SECONDS,
                RETRIES,
                RETRY_SECONDS,
                new Pinned(io.jenkins.plugins.vastai.ssh.HostKey.parse(
                        rental.reach().hostKey())));
        credentials = new BasicSSHUserPrivateKey(
                CredentialsScope.SYSTEM,
                "rental-" + rental.id(),
                rental.reach().user(),
                new BasicSSHUserPrivateKey.DirectEntryPrivateKeySource(
                        rental.privateKey().value()),
                "",
                "");
    }

    @Override
    public StandardUsernameCredentials getCredentials() {
        return credentials;
    }

    /** Would write one fingerprint file for each rental. */
    @Override
    public boolean getTrackCredentials() {
        return false;
    }

    /** The inherited one prints the machine's environment, which holds its API key, into the log. */
    @Override
    protected void reportEnvironment(TaskListener listener) {
        // nothing
    }

    /** Accepts the very key that the engine saw at first contact. */
    static final class Pinned extends SshHostKeyVerificationStrategy {

        private final io.jenkins.plugins.vastai.ssh.HostKey pin;

        Pinned(io.jenkins.plugins.vastai.ssh.HostKey pin) {
            this.pin = Objects.requireNonNull(pin);
        }

        /** By blob: an RSA key goes under several names. */
        @Override
        public boolean verify(SlaveComputer computer, HostKey shown, TaskListener listener) {
            return pin.matches(shown.getKey());
        }

        @Override
        public String[] getPreferredKeyAlgorithms(SlaveComputer computer) {
            return pin.algorithms().toArray(String[]::new);
        }
    }
}

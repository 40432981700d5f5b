package io.jenkins.plugins.vastai;

import com.cloudbees.jenkins.plugins.sshcredentials.impl.BasicSSHUserPrivateKey;
import com.cloudbees.plugins.credentials.CredentialsScope;
import com.cloudbees.plugins.credentials.common.StandardUsernameCredentials;
import hudson.AbortException;
import hudson.model.TaskListener;
import hudson.plugins.sshslaves.SSHLauncher;
import hudson.plugins.sshslaves.verifiers.HostKey;
import hudson.plugins.sshslaves.verifiers.SshHostKeyVerificationStrategy;
import hudson.slaves.SlaveComputer;
import io.jenkins.plugins.vastai.api.Instance;
import io.jenkins.plugins.vastai.rental.Rental;
import io.jenkins.plugins.vastai.ssh.SshText;
import io.jenkins.plugins.vastai.ssh.StartScript;
import io.jenkins.plugins.vastai.text.Reason;
import io.jenkins.plugins.vastai.text.Texts;
import java.io.IOException;
import java.util.Base64;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * SSH Build Agents' launcher for one connection to a rental's machine. The key is handed over in memory: it is in no
 * credentials store, no drop-down and no fingerprint. Made for each launch, never persisted.
 */
final class RentalSshLauncher extends SSHLauncher {

    private static final int TIMEOUT_SECONDS = 30;
    private static final int RETRIES = 2;
    private static final int RETRY_SECONDS = 1;

    private final transient StandardUsernameCredentials credentials;
    private final transient Pinned pinned;

    /** @param rental with {@link Rental#reach()} */
    RentalSshLauncher(Rental rental, String jvmOptions) {
        super(
                rental.reach().endpoint().host(),
                rental.reach().endpoint().port(),
                "rental-" + rental.id(),
                jvmOptions,
                rental.reach().javaPath(),
                StartScript.AGENT_PREFIX,
                "",
                TIMEOUT_SECONDS,
                RETRIES,
                RETRY_SECONDS,
                new Pinned(
                        io.jenkins.plugins.vastai.ssh.HostKey.parse(
                                rental.reach().hostKey()),
                        rental.reach().endpoint()));
        pinned = (Pinned) getSshHostKeyVerificationStrategy();
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

    /**
     * The SSH library only says that its key exchange did not come to an end, with a stack trace: another host key is no
     * fault of the program, and is called by its name.
     */
    @Override
    protected void openConnection(TaskListener listener, SlaveComputer computer)
            throws IOException, InterruptedException {
        try {
            super.openConnection(listener, computer);
        } catch (IOException | RuntimeException e) {
            Optional<Reason> changed = changedHostKey();
            if (changed.isPresent()) {
                throw new AbortException(Texts.render(changed.get()));
            }
            throw e;
        }
    }

    /** Says what the machine showed instead of the pinned host key; empty while it did not. */
    Optional<Reason> changedHostKey() {
        return Optional.ofNullable(pinned.changed);
    }

    /** Accepts the very key that the engine saw at first contact. */
    static final class Pinned extends SshHostKeyVerificationStrategy {

        private static final List<String> KNOWN = List.of(
                "ssh-ed25519",
                "ecdsa-sha2-nistp256",
                "ecdsa-sha2-nistp384",
                "ecdsa-sha2-nistp521",
                "rsa-sha2-512",
                "rsa-sha2-256");

        private final io.jenkins.plugins.vastai.ssh.HostKey pin;
        private final transient Instance.Endpoint endpoint;
        private transient volatile Reason changed;

        Pinned(io.jenkins.plugins.vastai.ssh.HostKey pin, Instance.Endpoint endpoint) {
            this.pin = Objects.requireNonNull(pin);
            this.endpoint = endpoint;
        }

        /** By blob: an RSA key goes under several names. Another key is another machine, and no retry makes it this one. */
        @Override
        public boolean verify(SlaveComputer computer, HostKey shown, TaskListener listener) {
            if (pin.matches(shown.getKey())) {
                return true;
            }
            if (changed == null) {
                changed = SshText.HOST_KEY_CHANGED.of(
                        endpoint,
                        pin.fingerprint(),
                        new io.jenkins.plugins.vastai.ssh.HostKey(
                                        shown.getAlgorithm(),
                                        Base64.getEncoder().encodeToString(shown.getKey()))
                                .fingerprint());
                listener.getLogger().println(Texts.render(changed));
                if (computer instanceof VastAiComputer ours) {
                    ours.machineRefused(changed);
                }
            }
            return false;
        }

        /** The pinned kind first. The others follow so that a server without it shows what it has, and is recognized. */
        @Override
        public String[] getPreferredKeyAlgorithms(SlaveComputer computer) {
            return Stream.concat(pin.algorithms().stream(), KNOWN.stream())
                    .distinct()
                    .toArray(String[]::new);
        }
    }
}

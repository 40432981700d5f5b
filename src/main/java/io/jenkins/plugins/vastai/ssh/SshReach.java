package io.jenkins.plugins.vastai.ssh;

import io.jenkins.plugins.vastai.api.Instance.Endpoint;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;

/**
 * The plugin's one SSH client. A machine that is being waited for holds a socket at most, never a thread; the few
 * threads are daemons. Thread-safe. Make one per process and close it.
 */
public final class SshReach implements AutoCloseable {

    private SshReach() {}

    public static SshReach start() {
        return new SshReach();
    }

    /**
     * Tries the endpoints one after the other until one is reached. Never fails exceptionally, except after
     * {@link #close}.
     *
     * @param endpoints direct first, proxy second; leave the proxy out while it should not be used yet
     * @param pin from an earlier contact; without one, the first key shown (ed25519, else ecdsa, else rsa) is trusted and
     *     returned
     * @param timeout for each endpoint, from connecting to the end of {@code exit 0}
     */
    public CompletableFuture<Probe> probeAsync(
            List<Endpoint> endpoints, String user, SshKeyPair key, Optional<HostKey> pin, Duration timeout) {
        throw new UnsupportedOperationException();
    }

    /** {@link #probeAsync}, waiting; returns at the latest after the time-outs of all endpoints. */
    public Probe probe(List<Endpoint> endpoints, String user, SshKeyPair key, Optional<HostKey> pin, Duration timeout) {
        return probeAsync(endpoints, user, key, pin, timeout).join();
    }

    @Override
    public void close() {}
}

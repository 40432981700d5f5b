package io.jenkins.plugins.vastai.rental;

import io.jenkins.plugins.vastai.api.Instance.Endpoint;
import io.jenkins.plugins.vastai.ssh.Access;
import io.jenkins.plugins.vastai.ssh.Bootstrap;
import io.jenkins.plugins.vastai.ssh.Probe;
import io.jenkins.plugins.vastai.ssh.SshKeyPair;
import io.jenkins.plugins.vastai.ssh.SshReach;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;

/**
 * How the engine gets to machines: over SSH, or, where time is driven and nobody listens, by what a simulation knows.
 * Implementations are thread-safe and return at once.
 */
public interface Machines {

    /** First contact; see {@link SshReach#probeAsync}. */
    CompletableFuture<Probe> probe(List<Endpoint> endpoints, String user, SshKeyPair key, Duration timeout);

    /** One step towards a machine fit for the agent; see {@link Bootstrap#step}. */
    CompletableFuture<Bootstrap.Step> prepare(Access access, Bootstrap.Wanted wanted, boolean patient);

    /** The real thing. */
    static Machines overSsh(SshReach reach, Bootstrap bootstrap) {
        return new Machines() {
            @Override
            public CompletableFuture<Probe> probe(
                    List<Endpoint> endpoints, String user, SshKeyPair key, Duration timeout) {
                return reach.probeAsync(endpoints, user, key, Optional.empty(), timeout);
            }

            @Override
            public CompletableFuture<Bootstrap.Step> prepare(Access access, Bootstrap.Wanted wanted, boolean patient) {
                return bootstrap.step(access, wanted, patient);
            }
        };
    }
}

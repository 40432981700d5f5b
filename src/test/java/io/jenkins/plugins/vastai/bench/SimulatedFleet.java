package io.jenkins.plugins.vastai.bench;

import io.jenkins.plugins.vastai.api.Instance;
import io.jenkins.plugins.vastai.api.VastClient;
import io.jenkins.plugins.vastai.rental.Agents;
import io.jenkins.plugins.vastai.rental.ControllerIdentity;
import io.jenkins.plugins.vastai.rental.Fleet;
import io.jenkins.plugins.vastai.rental.Machines;
import io.jenkins.plugins.vastai.rental.Order;
import io.jenkins.plugins.vastai.rental.RentalStore;
import io.jenkins.plugins.vastai.rental.RentalText;
import io.jenkins.plugins.vastai.rental.RunnerSpec;
import io.jenkins.plugins.vastai.rental.Secrets;
import io.jenkins.plugins.vastai.rental.Timing;
import io.jenkins.plugins.vastai.ssh.Access;
import io.jenkins.plugins.vastai.ssh.Bootstrap;
import io.jenkins.plugins.vastai.ssh.HostKey;
import io.jenkins.plugins.vastai.ssh.Probe;
import io.jenkins.plugins.vastai.ssh.SshKeyPair;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;

/** The real engine with machines that are reached, and fit, as soon as the market says that they run. */
final class SimulatedFleet {

    static final RunnerSpec SPEC =
            RunnerSpec.of("1xRTX_4090, 1xRTX_3090, 1xRTX_5090", "nvidia/cuda:12.0.0-base-ubuntu22.04", false);

    private static final HostKey HOST_KEY =
            HostKey.parse(SshKeyPair.generate("host").publicLine());

    private static final Secrets PLAIN = new Secrets() {
        @Override
        public String encrypt(String plain) {
            return plain;
        }

        @Override
        public String decrypt(String encrypted) {
            return encrypted;
        }
    };

    private SimulatedFleet() {}

    static Fleet of(VastClient client, Executor workers, InstantSource clock, Timing timing) throws IOException {
        Path directory = directory();
        return new Fleet(new Fleet.Parts(
                ControllerIdentity.open(directory),
                client,
                new RentalStore(directory, PLAIN),
                Agents.NONE,
                new Reached(),
                workers,
                id -> false,
                clock,
                timing));
    }

    /** In memory where there is such a place: how long a disk takes is not what is measured. */
    private static Path directory() throws IOException {
        Path memory = Path.of("/dev/shm");
        Path directory = Files.isWritable(memory)
                ? Files.createTempDirectory(memory, "vastai-bench")
                : Files.createTempDirectory("vastai-bench");
        directory.toFile().deleteOnExit();
        return directory;
    }

    static Order order(String id) {
        return order(id, SPEC);
    }

    static Order order(String id, RunnerSpec spec) {
        return new Order(
                "vast",
                "gpu",
                "gpu-" + id,
                spec,
                "/home/jenkins",
                17,
                4,
                Duration.ofDays(100_000),
                Duration.ZERO,
                100_000,
                100_000,
                null);
    }

    private static final class Reached implements Machines {

        @Override
        public CompletableFuture<Probe> probe(
                List<Instance.Endpoint> endpoints, String user, SshKeyPair key, Duration timeout) {
            return CompletableFuture.completedFuture(new Probe(
                    Probe.Outcome.REACHED,
                    endpoints.get(0),
                    Optional.of(HOST_KEY),
                    RentalText.PROGRESS.of("reached", ""),
                    List.of()));
        }

        @Override
        public CompletableFuture<Bootstrap.Step> prepare(Access access, Bootstrap.Wanted wanted, boolean patient) {
            return CompletableFuture.completedFuture(new Bootstrap.Prepared(
                    "/usr/bin/java",
                    21,
                    List.of(new Bootstrap.Gpu("GPU", 1)),
                    Optional.empty(),
                    Optional.empty(),
                    20,
                    List.of()));
        }
    }
}

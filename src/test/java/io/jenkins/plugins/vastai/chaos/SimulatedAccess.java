package io.jenkins.plugins.vastai.chaos;

import io.jenkins.plugins.vastai.api.Instance;
import io.jenkins.plugins.vastai.rental.Machines;
import io.jenkins.plugins.vastai.rental.RentalText;
import io.jenkins.plugins.vastai.simulator.Books;
import io.jenkins.plugins.vastai.simulator.Simulator;
import io.jenkins.plugins.vastai.ssh.Access;
import io.jenkins.plugins.vastai.ssh.Bootstrap;
import io.jenkins.plugins.vastai.ssh.HostKey;
import io.jenkins.plugins.vastai.ssh.Probe;
import io.jenkins.plugins.vastai.ssh.SshKeyPair;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CompletableFuture;

/** What SSH would show, by what the simulator knows and by chance. */
final class SimulatedAccess implements Machines {

    private static final HostKey HOST_KEY =
            HostKey.parse(SshKeyPair.generate("host").publicLine());

    private final Simulator simulator;
    private final Random random;

    SimulatedAccess(Simulator simulator, Random random) {
        this.simulator = simulator;
        this.random = random;
    }

    @Override
    public CompletableFuture<Probe> probe(
            List<Instance.Endpoint> endpoints, String user, SshKeyPair key, Duration timeout) {
        Instance.Endpoint endpoint = endpoints.get(0);
        boolean up = simulator.books().left().stream()
                .map(Books.Entry::id)
                .flatMap(id -> simulator.instance(id).stream())
                .anyMatch(instance -> instance.running()
                        && (instance.directPort() == endpoint.port() || instance.proxyPort() == endpoint.port()));
        Probe.Outcome outcome = !up || random.nextInt(20) == 0
                ? Probe.Outcome.REFUSED
                : random.nextInt(100) == 0 ? Probe.Outcome.AUTH_REFUSED : Probe.Outcome.REACHED;
        return CompletableFuture.completedFuture(new Probe(
                outcome,
                endpoint,
                outcome == Probe.Outcome.REACHED ? Optional.of(HOST_KEY) : Optional.empty(),
                RentalText.PROGRESS.of(outcome, endpoint),
                List.of()));
    }

    @Override
    public CompletableFuture<Bootstrap.Step> prepare(Access access, Bootstrap.Wanted wanted, boolean patient) {
        int fate = random.nextInt(30);
        Bootstrap.Step step =
                switch (fate) {
                    case 0 ->
                        new Bootstrap.Failed(
                                RentalText.PROGRESS.of("wrong GPU", fate), Bootstrap.Fault.MACHINE, List.of());
                    case 1, 2, 3 -> new Bootstrap.Pending(RentalText.PROGRESS.of("installing", fate));
                    default ->
                        new Bootstrap.Prepared(
                                "/usr/bin/java",
                                21,
                                List.of(new Bootstrap.Gpu("GPU", 1)),
                                Optional.empty(),
                                Optional.empty(),
                                20,
                                List.of());
                };
        return CompletableFuture.completedFuture(step);
    }
}

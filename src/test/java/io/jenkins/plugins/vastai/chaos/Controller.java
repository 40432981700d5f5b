package io.jenkins.plugins.vastai.chaos;

import io.jenkins.plugins.vastai.api.ApiKey;
import io.jenkins.plugins.vastai.api.CreateRequest;
import io.jenkins.plugins.vastai.api.Instance;
import io.jenkins.plugins.vastai.api.Pacing;
import io.jenkins.plugins.vastai.api.Patience;
import io.jenkins.plugins.vastai.api.VastClient;
import io.jenkins.plugins.vastai.rental.Agents;
import io.jenkins.plugins.vastai.rental.ControllerIdentity;
import io.jenkins.plugins.vastai.rental.Draw;
import io.jenkins.plugins.vastai.rental.Fleet;
import io.jenkins.plugins.vastai.rental.Homes;
import io.jenkins.plugins.vastai.rental.Machines;
import io.jenkins.plugins.vastai.rental.Order;
import io.jenkins.plugins.vastai.rental.Rental;
import io.jenkins.plugins.vastai.rental.RentalStore;
import io.jenkins.plugins.vastai.rental.RentalText;
import io.jenkins.plugins.vastai.rental.RunnerSpec;
import io.jenkins.plugins.vastai.rental.Secrets;
import io.jenkins.plugins.vastai.rental.State;
import io.jenkins.plugins.vastai.rental.Timing;
import io.jenkins.plugins.vastai.simulator.Books;
import io.jenkins.plugins.vastai.simulator.DrivenClock;
import io.jenkins.plugins.vastai.simulator.SimulatedInstance;
import io.jenkins.plugins.vastai.simulator.Simulator;
import io.jenkins.plugins.vastai.ssh.Access;
import io.jenkins.plugins.vastai.ssh.Bootstrap;
import io.jenkins.plugins.vastai.ssh.HostKey;
import io.jenkins.plugins.vastai.ssh.Probe;
import io.jenkins.plugins.vastai.ssh.SshKeyPair;
import io.jenkins.plugins.vastai.text.Texts;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import okhttp3.Interceptor;
import okhttp3.OkHttpClient;
import okhttp3.Response;

/** A controller that dies at random, and whose builds begin and end at random. */
final class Controller {

    static final int CAP = 40;
    private static final double CRASH_AT_CALL = 0.002;
    private static final double CRASH_BETWEEN_PASSES = 0.002;
    /** Long enough that the engine's own patience with orphans and late instances is over. */
    private static final Duration LAST_LOOK = Duration.ofMinutes(20);

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

    /** The process is gone: nothing after this line runs. */
    private static final class Crash extends Error {
        private static final long serialVersionUID = 1;
    }

    private final String id;
    private final Path directory;
    private final Simulator simulator;
    private final DrivenClock clock;
    private final Random random;
    private final OkHttpClient http;
    private final Set<String> ordered = new HashSet<>();
    private final Set<String> retired = new HashSet<>();
    private final Set<Long> struck = new HashSet<>();
    private final Map<String, Instant> builds = new HashMap<>();
    private ControllerIdentity identity;
    private Fleet fleet;
    private int crashes;
    private long killed;
    private boolean calm;
    private Instant quietSince;

    Controller(String id, Path directory, Simulator simulator, DrivenClock clock, Random random) throws IOException {
        this.id = id;
        this.directory = directory;
        this.simulator = simulator;
        this.clock = clock;
        this.random = random;
        this.http = new OkHttpClient.Builder().addInterceptor(this::crashing).build();
        start();
    }

    private void start() throws IOException {
        VastClient client = new VastClient(
                simulator.uri(),
                () -> ApiKey.of(simulator.apiKey()),
                http,
                Pacing.none(),
                new Patience(
                        1,
                        Duration.ZERO,
                        Duration.ZERO,
                        Duration.ofSeconds(20),
                        Duration.ofSeconds(10),
                        Duration.ofSeconds(10)));
        identity = Homes.open(directory, directory, id, clock, new Random(random.nextLong()));
        fleet = new Fleet(new Fleet.Parts(
                identity,
                client,
                new RentalStore(directory, PLAIN),
                Agents.NONE,
                new SimulatedAccess(),
                Runnable::run,
                rental -> false,
                clock,
                Timing.published()));
    }

    /** Dies before the call is sent, or after the market acted and before the answer is read. */
    private Response crashing(Interceptor.Chain chain) throws IOException {
        maybeCrash();
        Response response = chain.proceed(chain.request());
        try {
            maybeCrash();
        } catch (Crash e) {
            response.close();
            throw e;
        }
        return response;
    }

    private void maybeCrash() {
        if (!calm && random.nextDouble() < CRASH_AT_CALL) {
            throw new Crash();
        }
    }

    /** One step of the controller's life: order, pass, builds begin and end. Returns how many were ordered. */
    int work(int most) {
        int count = 0;
        for (int i = 0; i < 3 && count < most && open() < CAP; i++) {
            ordered.add(order().id());
            count++;
        }
        pass();
        builds();
        if (random.nextDouble() < CRASH_BETWEEN_PASSES) {
            crash();
        }
        return count;
    }

    void pass() {
        try {
            fleet.pass();
        } catch (Crash e) {
            crash();
        }
        watch();
    }

    private void crash() {
        crashes++;
        try {
            start();
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
        // As the Jenkins face does: builds hold on to their agents, and an agent without a rental goes.
        builds.keySet().removeIf(rental -> fleet.rental(rental).isEmpty());
    }

    private void builds() {
        for (Rental rental : fleet.rentals()) {
            if (!rental.needed()) {
                builds.remove(rental.id());
            } else if (rental.state() == State.REACHABLE) {
                fleet.agentOnline(rental.id());
                builds.putIfAbsent(rental.id(), clock.instant().plusSeconds(10 + random.nextInt(150)));
            } else if (rental.state() == State.IN_SERVICE) {
                Instant end = builds.computeIfAbsent(
                        rental.id(), key -> clock.instant().plusSeconds(10 + random.nextInt(150)));
                if (clock.instant().isAfter(end)) {
                    retire(rental);
                }
                if (!running(rental)) {
                    fleet.agentOffline(rental.id());
                }
            } else if (random.nextInt(2000) == 0) {
                retire(rental); // its build was cancelled while the machine was on its way
            }
        }
    }

    private void retire(Rental rental) {
        retired.add(rental.id());
        fleet.retire(rental.id(), RentalText.BUILD_DONE.of());
    }

    /** The truth about machines whose agent is in use: they are alive unless fate struck them. */
    private void watch() {
        for (Rental rental : fleet.rentals()) {
            Draw draw = rental.draws().isEmpty()
                    ? null
                    : rental.draws().get(rental.draws().size() - 1);
            if (builds.containsKey(rental.id())
                    && !retired.contains(rental.id())
                    && draw != null
                    && draw.instanceId() != null
                    && !struck.contains(draw.instanceId())) {
                boolean dead = simulator
                        .books()
                        .entry(draw.instanceId())
                        .map(entry -> entry.destroyedBy().equals(Optional.of(Books.Hand.API_KEY)))
                        .orElse(false);
                if (dead && running(draw.instanceId())) {
                    continue;
                }
                if (dead) {
                    killed++;
                    struck.add(draw.instanceId());
                    System.out.println("chaos: killed " + draw + " of " + rental.story());
                }
            }
        }
    }

    private boolean running(Rental rental) {
        return rental.current().map(Draw::instanceId).map(this::running).orElse(false);
    }

    private boolean running(long instance) {
        return simulator.instance(instance).map(SimulatedInstance::running).orElse(false);
    }

    /** No more orders and no more crashes: everything is given back. */
    void finish() {
        calm = true;
        for (Rental rental : fleet.rentals()) {
            if (rental.needed()) {
                retire(rental);
            }
        }
    }

    /** Rentals that have not ended. */
    long open() {
        return fleet.rentals().stream()
                .filter(rental -> !rental.state().ended())
                .count();
    }

    /** Whether nothing has been open for so long that nothing late can come any more. */
    boolean lookedLong() {
        if (open() > 0) {
            quietSince = null;
            return false;
        }
        if (quietSince == null) {
            quietSince = clock.instant();
        }
        return clock.instant().isAfter(quietSince.plus(LAST_LOOK));
    }

    /** Prints what this controller believes of the instance with that label. */
    void tell(String label) {
        fleet.rentals().stream()
                .filter(rental ->
                        rental.draws().stream().anyMatch(draw -> draw.label().equals(label)))
                .forEach(rental -> {
                    System.out.println("  " + rental.state() + " " + rental.draws());
                    rental.story()
                            .forEach(line -> System.out.println("  " + line.at() + " " + Texts.render(line.reason())));
                });
    }

    void struck(long instance) {
        struck.add(instance);
    }

    int crashes() {
        return crashes;
    }

    long killedByMistake() {
        return killed;
    }

    String prefix() {
        return "jenkins-" + identity.id() + "-";
    }

    private Rental order() {
        String[] kinds = {"1xRTX_4090", "1xRTX_3090", "1xRTX_5090", "1xRTX_3060", "1xRTX_A6000, 1xL40S"};
        RunnerSpec spec = RunnerSpec.of(
                kinds[random.nextInt(kinds.length)], "nvidia/cuda:12.0.0-base-ubuntu22.04", random.nextInt(20) == 0);
        RunnerSpec runner =
                spec.vm() ? RunnerSpec.of("1xRTX_4090", "vastai/kvm:ubuntu_cli_22.04-2025-11-21", true) : spec;
        return fleet.order(rental -> new Order(
                "chaos",
                "gpu",
                "gpu-" + rental,
                runner,
                "/home/jenkins",
                17,
                4,
                Duration.ofMinutes(15),
                Duration.ofHours(2),
                CAP,
                0,
                null));
    }

    /** A machine that somebody with the same account rented by hand. */
    static long rentForSomebodyElse(Simulator simulator) throws IOException {
        VastClient client =
                new VastClient(simulator.uri(), () -> ApiKey.of(simulator.apiKey()), new OkHttpClient(), Pacing.none());
        return client.createInstance(
                        simulator.market().find("RTX 4090", 1).get(0).id(),
                        CreateRequest.builder()
                                .image("ubuntu:22.04")
                                .label("somebody-else")
                                .diskGb(20)
                                .runtype("ssh_direct")
                                .build())
                .instanceId();
    }

    /** What SSH would show, by what the simulator knows. */
    private final class SimulatedAccess implements Machines {

        @Override
        public CompletableFuture<Probe> probe(
                List<Instance.Endpoint> endpoints, String user, SshKeyPair key, Duration timeout) {
            Instance.Endpoint endpoint = endpoints.get(0);
            boolean up = simulator.instances().stream()
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
}

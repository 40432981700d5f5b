package io.jenkins.plugins.vastai.rental;

import io.jenkins.plugins.vastai.api.ApiKey;
import io.jenkins.plugins.vastai.api.Pacing;
import io.jenkins.plugins.vastai.api.Patience;
import io.jenkins.plugins.vastai.api.VastClient;
import io.jenkins.plugins.vastai.simulator.DrivenClock;
import io.jenkins.plugins.vastai.simulator.Simulator;
import io.jenkins.plugins.vastai.ssh.Bootstrap;
import io.jenkins.plugins.vastai.ssh.SshReach;
import io.jenkins.plugins.vastai.text.Texts;
import java.io.IOException;
import java.math.BigDecimal;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Random;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.UnaryOperator;
import okhttp3.OkHttpClient;

/**
 * The real engine and client against the simulator, with the clock in the test's hand: each step is one pass and one
 * second. Calls to the market run in place; only SSH takes real time.
 */
class EngineRig implements AutoCloseable {

    static final Secrets SECRETS = new Secrets() {
        @Override
        public String encrypt(String plain) {
            return new StringBuilder("x" + plain).reverse().toString();
        }

        @Override
        public String decrypt(String encrypted) {
            return new StringBuilder(encrypted).reverse().substring(1);
        }
    };
    private static final Duration STEP = Duration.ofSeconds(1);
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    final DrivenClock clock;
    final Simulator simulator;
    final Path home;
    private final boolean own;
    private final String host;
    private final Random random = new Random();
    private final OkHttpClient http = new OkHttpClient();
    /** Null until somebody reaches machines by it. */
    private SshReach reach;

    /** Null for none. */
    private String apiKey;

    ControllerIdentity identity;
    Fleet fleet;

    EngineRig(Path home) throws IOException {
        this(home, builder -> builder);
    }

    EngineRig(Path home, UnaryOperator<Simulator.Builder> change) throws IOException {
        this.home = home;
        host = "here";
        own = true;
        clock = new DrivenClock();
        simulator = change.apply(Simulator.builder()
                        .clock(clock)
                        .limits(false)
                        .boot(Duration.ofSeconds(30))
                        .portsLag(Duration.ofSeconds(2))
                        .sshdDelay(Duration.ofSeconds(5))
                        .unload(Duration.ofSeconds(2)))
                .start();
        apiKey = simulator.apiKey();
        restart();
    }

    /** Another controller on the same account. */
    EngineRig(Path home, String host, EngineRig other) throws IOException {
        this.home = home;
        this.host = host;
        own = false;
        clock = other.clock;
        simulator = other.simulator;
        apiKey = other.apiKey;
        restart();
    }

    /** What the identity takes for the place of the home. */
    Path place() {
        return home;
    }

    /** A controller that comes back: nothing is left of the old one but its disk. */
    void restart() throws IOException {
        VastClient client = new VastClient(
                simulator.uri(),
                () -> apiKey == null ? null : ApiKey.of(apiKey),
                http,
                Pacing.none(),
                new Patience(
                        1,
                        Duration.ZERO,
                        Duration.ZERO,
                        Duration.ofSeconds(5),
                        Duration.ofSeconds(2),
                        Duration.ofSeconds(2)));
        identity = Homes.open(home, place(), host, clock, random);
        fleet = new Fleet(new Fleet.Parts(
                identity,
                client,
                new RentalStore(home, SECRETS),
                Agents.NONE,
                machines(),
                Runnable::run,
                id -> false,
                clock,
                Timing.published()));
    }

    /** How the engine reaches machines. */
    Machines machines() {
        if (reach == null) {
            reach = SshReach.start();
        }
        return Machines.overSsh(
                reach, new Bootstrap(reach, http, home.resolve("java"), List::of, Bootstrap.Timeouts.DEFAULT));
    }

    void apiKey(String key) {
        apiKey = key;
    }

    Rental order() {
        return order(container("1xRTX_4090"));
    }

    Rental order(RunnerSpec spec) {
        return order(spec, 0);
    }

    Rental order(RunnerSpec spec, int cap) {
        return order(spec, cap, null);
    }

    Rental order(RunnerSpec spec, int cap, BigDecimal balanceFloor) {
        return fleet.order(id -> new Order(
                "vast",
                "gpu",
                "gpu-" + id,
                spec,
                "/home/jenkins",
                17,
                4,
                Duration.ofMinutes(spec.vm() ? 30 : 15),
                Duration.ofHours(8),
                cap,
                0,
                balanceFloor));
    }

    static RunnerSpec container(String instanceType) {
        return RunnerSpec.of(instanceType, "nvidia/cuda:12.0.0-base-ubuntu22.04", false);
    }

    static RunnerSpec vm(String instanceType) {
        return RunnerSpec.of(instanceType, "vastai/kvm:ubuntu_cli_22.04-2025-11-21", true);
    }

    Rental now(Rental rental) {
        return fleet.rental(rental.id()).orElseThrow();
    }

    State state(Rental rental) {
        return now(rental).state();
    }

    /** The agent on the rental's present machine is online. */
    void agentOnline(Rental rental) {
        fleet.agentOnline(rental.id(), now(rental).attempt());
    }

    void agentOffline(Rental rental) {
        fleet.agentOffline(rental.id(), now(rental).attempt());
    }

    /** One pass, one second. */
    void step() {
        fleet.pass();
        clock.advance(STEP);
    }

    void steps(Duration time) {
        for (long i = 0; i < time.toSeconds(); i++) {
            step();
        }
    }

    /** Steps until {@code done}, in bounded real time. */
    void until(String what, BooleanSupplier done) {
        until(what, Duration.ofHours(2), done);
    }

    /** Steps until {@code done}, in bounded driven and real time. */
    void until(String what, Duration driven, BooleanSupplier done) {
        Instant end = Instant.now().plus(PATIENCE);
        Instant drivenEnd = clock.instant().plus(driven);
        while (!done.getAsBoolean()) {
            if (Instant.now().isAfter(end) || clock.instant().isAfter(drivenEnd)) {
                throw new AssertionError("Not reached: " + what + "\n" + story());
            }
            step();
            breathe();
        }
    }

    Rental untilState(Rental rental, State wanted) {
        until(wanted.toString(), () -> state(rental) == wanted || state(rental).ended());
        if (state(rental) != wanted) {
            throw new AssertionError("Ended instead of " + wanted + "\n" + story());
        }
        return now(rental);
    }

    /** SSH is real: give it real time, so that driven deadlines do not overtake it. */
    void breathe() {
        LockSupport.parkNanos(Duration.ofMillis(sshUnderWay() ? 40 : 1).toNanos());
    }

    private boolean sshUnderWay() {
        return fleet.rentals().stream()
                .anyMatch(rental -> rental.state() == State.BOOTING
                        && rental.current().map(Draw::runningFrom).isPresent());
    }

    String story() {
        StringBuilder text = new StringBuilder();
        for (Rental rental : fleet.rentals()) {
            text.append(rental.id()).append(' ').append(rental.state()).append('\n');
            rental.story().forEach(line -> text.append("  ")
                    .append(line.at())
                    .append(' ')
                    .append(Texts.render(line.reason()))
                    .append('\n'));
        }
        return text.toString();
    }

    @Override
    public void close() {
        if (reach != null) {
            reach.close();
        }
        if (own) {
            simulator.close();
        }
        http.connectionPool().evictAll();
        http.dispatcher().executorService().shutdown();
    }
}

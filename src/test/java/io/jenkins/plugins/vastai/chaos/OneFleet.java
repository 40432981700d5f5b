package io.jenkins.plugins.vastai.chaos;

import io.jenkins.plugins.vastai.api.ApiKey;
import io.jenkins.plugins.vastai.api.Pacing;
import io.jenkins.plugins.vastai.api.Patience;
import io.jenkins.plugins.vastai.api.VastClient;
import io.jenkins.plugins.vastai.chaos.Crashes.Crash;
import io.jenkins.plugins.vastai.rental.Agents;
import io.jenkins.plugins.vastai.rental.ControllerIdentity;
import io.jenkins.plugins.vastai.rental.Fleet;
import io.jenkins.plugins.vastai.rental.Homes;
import io.jenkins.plugins.vastai.rental.Order;
import io.jenkins.plugins.vastai.rental.Rental;
import io.jenkins.plugins.vastai.rental.RentalStore;
import io.jenkins.plugins.vastai.rental.RentalText;
import io.jenkins.plugins.vastai.rental.RunnerSpec;
import io.jenkins.plugins.vastai.rental.Secrets;
import io.jenkins.plugins.vastai.rental.Timing;
import io.jenkins.plugins.vastai.simulator.Books;
import io.jenkins.plugins.vastai.simulator.DrivenClock;
import io.jenkins.plugins.vastai.simulator.Fault;
import io.jenkins.plugins.vastai.simulator.Simulator;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import okhttp3.Interceptor;
import okhttp3.OkHttpClient;
import okhttp3.Response;

/** A fleet with a world of its own, to which the things of {@link Act} happen one by one. */
final class OneFleet implements AutoCloseable {

    static final int CAP = 3;

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

    private final DrivenClock clock = new DrivenClock();
    private final Random random = new Random(5);
    private final Path home = Files.createTempDirectory("vastai-properties");
    private final Path aside = home.resolveSibling(home.getFileName() + ".dead");
    private final OkHttpClient http =
            new OkHttpClient.Builder().addInterceptor(this::crashing).build();
    private final Simulator simulator;
    private Fleet.Parts parts;
    private Fleet fleet;
    private boolean crash;
    private boolean beforeSend;
    private boolean dead;

    OneFleet() throws IOException {
        simulator = Simulator.builder()
                .clock(clock)
                .ssh(false)
                .limits(false)
                .boot(Duration.ofSeconds(20))
                .unload(Duration.ofSeconds(4))
                .readLag(Duration.ofSeconds(3))
                .start();
        restart();
    }

    private Response crashing(Interceptor.Chain chain) throws IOException {
        if (dead) {
            throw new IOException("gone");
        }
        if (crash && beforeSend) {
            throw died();
        }
        Response response = chain.proceed(chain.request());
        if (crash) {
            response.close();
            throw died();
        }
        return response;
    }

    /** The engine lives on until its pass ends, as no process would: its home is out of its reach from here on. */
    private Crash died() throws IOException {
        crash = false;
        dead = true;
        Files.move(home, aside);
        return new Crash();
    }

    /** A controller that comes back: nothing is left of the old one but its disk. */
    void restart() {
        try {
            ControllerIdentity identity = Homes.open(home, home, "here", clock, random);
            parts = new Fleet.Parts(
                    identity,
                    new VastClient(
                            simulator.uri(),
                            () -> ApiKey.of(simulator.apiKey()),
                            http,
                            Pacing.none(),
                            new Patience(
                                    1,
                                    Duration.ZERO,
                                    Duration.ZERO,
                                    Duration.ofSeconds(60),
                                    Duration.ofSeconds(60),
                                    Duration.ofSeconds(60))),
                    new RentalStore(home, PLAIN),
                    Agents.NONE,
                    new SimulatedAccess(simulator, random),
                    Runnable::run,
                    rental -> false,
                    clock,
                    Timing.published());
            fleet = new Fleet(parts);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    void crashAtCall(boolean before) {
        crash = true;
        beforeSend = before;
    }

    void fault(Fault fault) {
        simulator.faults().add(fault);
        pass();
    }

    /** Passes until no answer waits to be taken in, so that memory and disk can be compared. */
    void pass() {
        fleet.pass();
        if (!dead) {
            fleet.pass();
        }
        if (dead) {
            dead = false;
            try {
                Files.move(aside, home);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
            restart();
            pass();
        }
    }

    void passes(Duration time) {
        for (long i = 0; i < time.toSeconds(); i += 3) {
            pass();
            clock.advance(Duration.ofSeconds(3));
        }
        pass();
    }

    /** No more faults, and nobody needs anything. */
    void calm() {
        crash = false;
        simulator.faults().clear();
        for (Rental rental : fleet.rentals()) {
            fleet.retire(rental.id(), RentalText.BUILD_DONE.of());
        }
    }

    void order() {
        RunnerSpec spec = RunnerSpec.of("1xRTX_4090", "nvidia/cuda:12.0.0-base-ubuntu22.04", false);
        fleet.order(id -> new Order(
                "vast",
                "gpu",
                "gpu-" + id,
                spec,
                "/home/jenkins",
                17,
                3,
                Duration.ofMinutes(15),
                Duration.ofHours(2),
                CAP,
                0,
                null));
        pass();
    }

    /** One of the rentals that there are; null when there are none. */
    Rental rental(int which) {
        List<Rental> all = fleet.rentals();
        return all.isEmpty() ? null : all.get(which % all.size());
    }

    List<Rental> rentals() {
        return fleet.rentals();
    }

    /** What a controller that came back now would know. */
    List<Rental> onDisk() throws IOException {
        return new Fleet(parts).rentals();
    }

    Fleet fleet() {
        return fleet;
    }

    Simulator simulator() {
        return simulator;
    }

    Books books() {
        return simulator.books();
    }

    @Override
    public void close() throws IOException {
        simulator.close();
        http.connectionPool().evictAll();
        http.dispatcher().executorService().shutdown();
        List<Path> all;
        try (Stream<Path> walk = Files.walk(home)) {
            all = walk.sorted(Comparator.reverseOrder()).toList();
        }
        for (Path path : all) {
            Files.delete(path);
        }
    }
}

package io.jenkins.plugins.vastai.machines;

import io.jenkins.plugins.vastai.api.ApiKey;
import io.jenkins.plugins.vastai.api.Pacing;
import io.jenkins.plugins.vastai.api.VastClient;
import io.jenkins.plugins.vastai.rental.Agents;
import io.jenkins.plugins.vastai.rental.ControllerIdentity;
import io.jenkins.plugins.vastai.rental.Fleet;
import io.jenkins.plugins.vastai.rental.FleetThread;
import io.jenkins.plugins.vastai.rental.Line;
import io.jenkins.plugins.vastai.rental.Order;
import io.jenkins.plugins.vastai.rental.Rental;
import io.jenkins.plugins.vastai.rental.RentalStore;
import io.jenkins.plugins.vastai.rental.RunnerSpec;
import io.jenkins.plugins.vastai.rental.Secrets;
import io.jenkins.plugins.vastai.rental.State;
import io.jenkins.plugins.vastai.rental.Timing;
import io.jenkins.plugins.vastai.simulator.Hosting;
import io.jenkins.plugins.vastai.simulator.Simulator;
import io.jenkins.plugins.vastai.ssh.Bootstrap;
import io.jenkins.plugins.vastai.ssh.SshReach;
import io.jenkins.plugins.vastai.text.Texts;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import okhttp3.OkHttpClient;

/** The real engine against a simulator whose machines are real. */
final class Engine implements AutoCloseable {

    static final String REMOTE_FS = "/home/jenkins";

    /** As published, but what waits for minutes waits for less than one, with a second for a busy computer. */
    private static final Timing TIMING = new Timing(
            Duration.ofSeconds(1),
            Duration.ofSeconds(3),
            Duration.ofSeconds(20),
            Duration.ofSeconds(60),
            Duration.ofSeconds(10),
            Duration.ofMillis(500),
            Duration.ofSeconds(40),
            Duration.ofSeconds(40),
            Duration.ofSeconds(25),
            Duration.ofSeconds(7),
            Duration.ofSeconds(45),
            Duration.ofMinutes(5),
            Duration.ofMinutes(4),
            Duration.ofMinutes(5),
            Duration.ofSeconds(3),
            Duration.ofMinutes(5),
            Duration.ofDays(7));

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

    final Simulator simulator;
    final Fleet fleet;
    private final SshReach reach = SshReach.start();
    private final OkHttpClient http = new OkHttpClient();
    private final ExecutorService workers = Executors.newFixedThreadPool(8);
    private final FleetThread thread;
    private final Map<String, List<Moment>> stories = new ConcurrentHashMap<>();

    /** Something that the engine said or did, in the words that a person reads. */
    record Moment(Instant at, State state, String text) {}

    Engine(Path home, Hosting hosting) throws IOException {
        simulator = Simulator.builder()
                .hosting(hosting)
                .limits(false)
                .scale(8)
                .boot(Duration.ofMillis(500))
                .start();
        fleet = new Fleet(new Fleet.Parts(
                ControllerIdentity.open(home),
                new VastClient(simulator.uri(), () -> ApiKey.of(simulator.apiKey()), http, Pacing.none()),
                new RentalStore(home, PLAIN),
                new Told(),
                io.jenkins.plugins.vastai.rental.Machines.overSsh(
                        reach, new Bootstrap(reach, http, home.resolve("java"), List::of, Bootstrap.Timeouts.DEFAULT)),
                workers,
                id -> false,
                InstantSource.system(),
                TIMING));
        thread = FleetThread.start(fleet);
    }

    Rental order(Case wanted, int number) {
        RunnerSpec small = RunnerSpec.of("1xRTX_4090", "machines/case:" + number, false);
        RunnerSpec spec = new RunnerSpec(
                small.instanceType(),
                small.machineImage(),
                small.region(),
                small.diskSpaceGb(),
                small.minRamGb(),
                false,
                null,
                small.minReliability(),
                true,
                false,
                small.minDownloadMbps(),
                small.runtype(),
                wanted.environment,
                wanted.init,
                null);
        return fleet.order(id -> new Order(
                "machines",
                "case-" + number,
                "agent-" + id,
                spec,
                REMOTE_FS,
                17,
                1,
                Duration.ofMinutes(3),
                Duration.ofHours(1),
                0,
                0,
                null));
    }

    /** Everything that was told of the rental so far, oldest first. */
    List<Moment> story(String rental) {
        return stories.computeIfAbsent(rental, id -> new CopyOnWriteArrayList<>());
    }

    State state(String rental) {
        return fleet.rental(rental).map(Rental::state).orElse(State.FAILED);
    }

    private final class Told implements Agents {
        @Override
        public void changed(Rental before, Rental after) {
            if (before == null || before.state() != after.state()) {
                story(after.id()).add(new Moment(Instant.now(), after.state(), "-> " + after.state()));
            }
        }

        @Override
        public void told(Rental rental, Line line) {
            story(rental.id()).add(new Moment(Instant.now(), rental.state(), Texts.render(line.reason())));
        }
    }

    @Override
    public void close() {
        thread.close();
        workers.shutdownNow();
        reach.close();
        simulator.close();
        http.dispatcher().executorService().shutdown();
        http.connectionPool().evictAll();
    }
}

package io.jenkins.plugins.vastai.demo;

import io.jenkins.plugins.vastai.api.ApiKey;
import io.jenkins.plugins.vastai.api.Pacing;
import io.jenkins.plugins.vastai.api.VastClient;
import io.jenkins.plugins.vastai.market.AllInPrice;
import io.jenkins.plugins.vastai.rental.Agents;
import io.jenkins.plugins.vastai.rental.ControllerIdentity;
import io.jenkins.plugins.vastai.rental.Cost;
import io.jenkins.plugins.vastai.rental.Draw;
import io.jenkins.plugins.vastai.rental.Fleet;
import io.jenkins.plugins.vastai.rental.FleetThread;
import io.jenkins.plugins.vastai.rental.Line;
import io.jenkins.plugins.vastai.rental.Machines;
import io.jenkins.plugins.vastai.rental.Order;
import io.jenkins.plugins.vastai.rental.Reach;
import io.jenkins.plugins.vastai.rental.Rental;
import io.jenkins.plugins.vastai.rental.RentalStore;
import io.jenkins.plugins.vastai.rental.RentalText;
import io.jenkins.plugins.vastai.rental.RunnerSpec;
import io.jenkins.plugins.vastai.rental.Secrets;
import io.jenkins.plugins.vastai.rental.State;
import io.jenkins.plugins.vastai.rental.Timing;
import io.jenkins.plugins.vastai.simulator.Simulator;
import io.jenkins.plugins.vastai.ssh.Bootstrap;
import io.jenkins.plugins.vastai.ssh.HostKey;
import io.jenkins.plugins.vastai.ssh.SshReach;
import io.jenkins.plugins.vastai.text.Texts;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyPair;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.logging.Level;
import java.util.logging.Logger;
import okhttp3.OkHttpClient;
import org.apache.sshd.client.SshClient;
import org.apache.sshd.client.session.ClientSession;
import org.apache.sshd.common.config.keys.PublicKeyEntry;
import org.apache.sshd.common.util.security.SecurityUtils;

/**
 * The main job without Jenkins: the real engine rents from the simulator in container and in VM mode, a command runs on
 * the machine over a real SSH session, and the machine is destroyed until the market shows that it is gone.
 */
public final class StandaloneDemo {

    private static final Duration LIMIT = Duration.ofMinutes(2);

    /** The records of a demonstration last for a minute, on a simulated market: nothing to hide. */
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

    private StandaloneDemo() {}

    /** Ends with exit code 1 when anything is left or a command failed. */
    public static void main(String[] args) throws Exception {
        Logger.getLogger("").setLevel(Level.WARNING);
        Path directory = Files.createTempDirectory("vastai-demo");
        int built = 0;
        List<RunnerSpec> runners = List.of(
                RunnerSpec.of("1xRTX_4090", "nvidia/cuda:12.0.0-base-ubuntu22.04", false),
                RunnerSpec.of("1xRTX_4090", "vastai/kvm:ubuntu_cli_22.04-2025-11-21", true));
        ExecutorService workers = Executors.newFixedThreadPool(6);
        try (Simulator simulator =
                        Simulator.builder().boot(Duration.ofSeconds(3)).start();
                SshReach reach = SshReach.start()) {
            System.out.println("demo: the simulated market answers at " + simulator.uri());
            OkHttpClient http = new OkHttpClient();
            Told told = new Told(runners.size());
            Fleet fleet = new Fleet(new Fleet.Parts(
                    ControllerIdentity.open(directory),
                    new VastClient(
                            simulator.uri(),
                            () -> ApiKey.of(simulator.apiKey()),
                            http,
                            Pacing.published(Duration.ofMinutes(2))),
                    new RentalStore(directory, PLAIN),
                    told,
                    Machines.overSsh(
                            reach,
                            new Bootstrap(
                                    reach, http, directory.resolve("java"), List::of, Bootstrap.Timeouts.DEFAULT)),
                    workers,
                    id -> false,
                    InstantSource.system(),
                    Timing.published()));
            try (FleetThread thread = FleetThread.start(fleet)) {
                for (RunnerSpec runner : runners) {
                    fleet.order(id -> new Order(
                            "demo",
                            runner.vm() ? "vastai-gpu-vm-runner" : "vastai-gpu-runner",
                            "demo-" + id,
                            runner,
                            "/home/jenkins",
                            17,
                            4,
                            Duration.ofMinutes(2),
                            Duration.ofHours(1),
                            2,
                            0,
                            null));
                }
                if (!told.reachable.await(LIMIT.toSeconds(), TimeUnit.SECONDS)) {
                    System.out.println("demo: not every machine became reachable within " + LIMIT.toSeconds() + " s");
                }
                for (Rental rental : fleet.rentals()) {
                    if (rental.state() == State.REACHABLE) {
                        built += build(rental);
                        fleet.agentOnline(rental.id(), rental.attempt());
                        fleet.retire(rental.id(), RentalText.BUILD_DONE.of());
                    }
                }
                told.ended.await(LIMIT.toSeconds(), TimeUnit.SECONDS);
                summary(fleet);
                long destroyed = fleet.rentals().stream()
                        .filter(rental -> rental.state() == State.DESTROYED)
                        .count();
                int left = simulator.books().left().size();
                System.out.println("demo: the market's books say "
                        + AllInPrice.show(simulator.books().total()) + " $ in total");
                System.out.println("demo: builds=" + built + " rentals="
                        + fleet.rentals().size() + " destroyed=" + destroyed + " left=" + left);
                if (left > 0 || built < runners.size() || destroyed < runners.size()) {
                    System.exit(1);
                }
            }
        } finally {
            workers.shutdownNow();
        }
        System.exit(0);
    }

    private static void summary(Fleet fleet) {
        System.out.printf(
                "%-22s %-12s %-4s %9s %8s %9s  %s%n", "template", "machine", "in", "$/h", "ready s", "cost $", "state");
        for (Rental rental : fleet.rentals()) {
            Draw draw = rental.draws().get(rental.draws().size() - 1);
            Instant ready = rental.story().stream()
                    .filter(line -> line.reason().is(RentalText.FIT))
                    .map(Line::at)
                    .findFirst()
                    .orElse(rental.since());
            System.out.printf(
                    "%-22s %-12s %-4s %9s %8d %9s  %s%n",
                    rental.order().template(),
                    draw.gpus(),
                    draw.place(),
                    AllInPrice.show(draw.pricePerHour()),
                    Duration.between(rental.orderedAt(), ready).toSeconds(),
                    AllInPrice.show(Cost.of(rental, Instant.now())),
                    rental.state());
        }
    }

    /** What stands for a build: a command on the machine, host key checked. */
    private static int build(Rental rental) throws IOException {
        Reach reach = rental.reach();
        HostKey pin = HostKey.parse(reach.hostKey());
        KeyPair key;
        try (ByteArrayInputStream text =
                new ByteArrayInputStream(rental.privateKey().value().getBytes(StandardCharsets.US_ASCII))) {
            key = SecurityUtils.loadKeyPairIdentities(null, null, text, null)
                    .iterator()
                    .next();
        } catch (java.security.GeneralSecurityException e) {
            throw new IOException(e);
        }
        try (SshClient client = SshClient.setUpDefaultClient()) {
            client.setServerKeyVerifier((session, address, shown) ->
                    HostKey.parse(PublicKeyEntry.toString(shown)).equals(pin));
            client.start();
            try (ClientSession session = client.connect(
                            reach.user(),
                            reach.endpoint().host(),
                            reach.endpoint().port())
                    .verify(Duration.ofSeconds(10))
                    .getSession()) {
                session.addPublicKeyIdentity(key);
                session.auth().verify(Duration.ofSeconds(10));
                String output = session.executeRemoteCommand("nvidia-smi --query-gpu=name --format=csv,noheader; "
                        + reach.javaPath() + " -version 2>&1 | head -1");
                System.out.println("[" + rental.order().template() + "] build says: "
                        + String.join(" / ", output.strip().split("\\R")));
                return 1;
            }
        }
    }

    /** Prints the stories as they grow. */
    private static final class Told implements Agents {
        private final CountDownLatch reachable;
        private final CountDownLatch ended;

        Told(int rentals) {
            reachable = new CountDownLatch(rentals);
            ended = new CountDownLatch(rentals);
        }

        @Override
        public void changed(Rental before, Rental after) {
            if (after.state() == State.REACHABLE) {
                reachable.countDown();
            } else if (after.state().ended()) {
                reachable.countDown();
                ended.countDown();
            }
        }

        @Override
        public void told(Rental rental, Line line) {
            System.out.println("[" + rental.order().template() + "] " + Texts.render(line.reason()));
        }
    }
}

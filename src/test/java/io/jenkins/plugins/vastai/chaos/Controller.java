package io.jenkins.plugins.vastai.chaos;

import io.jenkins.plugins.vastai.api.ApiKey;
import io.jenkins.plugins.vastai.api.Pacing;
import io.jenkins.plugins.vastai.api.Patience;
import io.jenkins.plugins.vastai.api.VastClient;
import io.jenkins.plugins.vastai.chaos.Crashes.Crash;
import io.jenkins.plugins.vastai.chaos.Crashes.Moment;
import io.jenkins.plugins.vastai.market.Blocklist;
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
import io.jenkins.plugins.vastai.rental.Suspicion;
import io.jenkins.plugins.vastai.rental.Timing;
import io.jenkins.plugins.vastai.simulator.Simulator;
import io.jenkins.plugins.vastai.text.Texts;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.math.BigDecimal;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import okhttp3.Interceptor;
import okhttp3.OkHttpClient;
import okhttp3.Response;

/**
 * A controller that dies at random, whose disk loses a record now and then, whose clock is wrong, and whose admin
 * decides what the engine asks. Nothing of it outlives a crash but its directory; its builds hold on to their agents.
 */
final class Controller {

    static final int CAP = 12;
    /** Rentals ordered beyond the cap: they have to wait. */
    private static final int WAITING = 5;

    /** Long enough that the engine's own patience with orphans and late instances is over. */
    private static final Duration LAST_LOOK = Duration.ofMinutes(25);
    /** How long the admin takes to decide. */
    private static final Duration THINKING = Duration.ofMinutes(30);

    private static final Duration ENDED_KEPT = Duration.ofHours(1);
    private static final Duration BLOCKS_LIFTED = Duration.ofMinutes(20);

    /** GPU wanted, and the ceiling for it: above some offers of the market and below others. */
    private record Kind(String instanceType, String ceiling) {}

    private static final List<Kind> KINDS = List.of(
            new Kind("1xRTX_4090", "0.62"),
            new Kind("1xRTX_3090", "0.40"),
            new Kind("1xRTX_5090", "0.80"),
            new Kind("1xRTX_3060", "0.30"),
            new Kind("1xRTX_A6000, 1xL40S", "1.10"));

    private final Simulator simulator;
    private final InstantSource clock;
    private final Random random;
    private final Crashes crashes;
    private final Builds builds;
    private final OkHttpClient http;
    private final Set<String> prefixes = new TreeSet<>();
    private final Set<String> lost = new HashSet<>();
    private Path home;
    private String host;
    private ControllerIdentity identity;
    private Fleet fleet;
    private String writing;
    private boolean calm;
    private boolean copy;
    private Instant quietSince;
    private Instant blocksLifted;
    private int decisions;

    /** @param skew by how much its clock is wrong */
    Controller(String host, Path home, Duration skew, Simulator simulator, Random random) throws IOException {
        this.host = host;
        this.home = home;
        this.simulator = simulator;
        this.random = random;
        this.clock = () -> simulator.clock().instant().plus(skew);
        this.crashes = new Crashes(random);
        this.builds = new Builds(simulator, clock, random);
        this.http = new OkHttpClient.Builder().addInterceptor(this::crashing).build();
        this.blocksLifted = clock.instant();
        start();
    }

    private void start() throws IOException {
        writing = null;
        VastClient client = new VastClient(
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
                        Duration.ofSeconds(60)));
        identity = Homes.open(home, home, host, clock, new Random(random.nextLong()));
        if (!identity.dormant()) {
            prefixes.add(prefix(identity.id())); // a copy orders nothing before it has an identity of its own
        }
        Timing published = Timing.published();
        fleet = new Fleet(new Fleet.Parts(
                identity,
                client,
                new RentalStore(home, new Disk()),
                Agents.NONE,
                new SimulatedAccess(simulator, random),
                Runnable::run,
                rental -> false,
                clock,
                published.keepEnded(ENDED_KEPT)));
    }

    /** Dies before the call is sent, after the market acted and before the answer is read, or soon after that. */
    private Response crashing(Interceptor.Chain chain) throws IOException {
        if (crashes.dead()) {
            throw new IOException("gone");
        }
        boolean create = chain.request().url().encodedPath().contains("/asks/")
                && chain.request().method().equals("PUT");
        boolean destroy = chain.request().method().equals("DELETE");
        maybe(create ? Moment.CREATE_BEFORE_SEND : destroy ? Moment.DESTROY_BEFORE_SEND : Moment.OTHER_CALL);
        Response response = chain.proceed(chain.request());
        Moment answer =
                create ? Moment.CREATE_BEFORE_ANSWER : destroy ? Moment.DESTROY_BEFORE_ANSWER : Moment.OTHER_CALL;
        if (crashes.decide(answer)) {
            response.close();
            throw died(crashes.die(answer));
        }
        if ((create || destroy) && response.isSuccessful()) {
            writing = create ? "CREATE" : "DESTROY";
        }
        return response;
    }

    private void maybe(Moment moment) {
        if (crashes.decide(moment)) {
            throw died(crashes.die(moment));
        }
    }

    /** The engine lives on until its pass ends, as no process would: its home is out of its reach from here on. */
    private Crash died(Crash crash) {
        try {
            Files.move(home, aside());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return crash;
    }

    private Path aside() {
        return home.resolveSibling(home.getFileName() + ".dead");
    }

    /** Where records are written: each write asks for the rental's private key to be encrypted. */
    private final class Disk implements Secrets {
        @Override
        public String encrypt(String plain) {
            if (writing != null) {
                Moment moment = Moment.valueOf(writing + "_BEFORE_RECORD");
                writing = null;
                maybe(moment);
            }
            return plain;
        }

        @Override
        public String decrypt(String encrypted) {
            return encrypted;
        }
    }

    /** One step of the controller's life: order, pass, builds begin and end. Returns how many were ordered. */
    int work(int most) {
        int count = 0;
        for (int i = 0; i < 3 && count < most && !identity.dormant() && open() < CAP + WAITING; i++) {
            order();
            count++;
        }
        pass();
        if (!identity.dormant()) {
            builds.step(fleet);
        }
        if (crashes.decide(Moment.BETWEEN_PASSES)) {
            died(crashes.die(Moment.BETWEEN_PASSES));
            crash();
        }
        return count;
    }

    void pass() {
        fleet.pass();
        if (crashes.dead()) {
            crash();
        }
        builds.watch(fleet);
        admin();
    }

    private void crash() {
        try {
            crashes.alive();
            Files.move(aside(), home);
            if (!calm && random.nextInt(10) == 0) {
                loseARecord();
            }
            start();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        builds.restarted(fleet);
    }

    private void loseARecord() throws IOException {
        List<Path> files;
        try (Stream<Path> list = Files.list(home.resolve("rentals"))) {
            files = list.filter(file -> file.toString().endsWith(".json"))
                    .sorted()
                    .toList();
        }
        if (!files.isEmpty()) {
            Path file = files.get(random.nextInt(files.size()));
            Files.delete(file);
            lost.add(file.getFileName().toString().replace(".json", ""));
        }
    }

    /** Lifts blocks, or the market would run out of machines, and answers what the engine asks. */
    private void admin() {
        if (clock.instant().isAfter(blocksLifted.plus(BLOCKS_LIFTED))) {
            blocksLifted = clock.instant();
            fleet.blocks(Blocklist::forgotten);
        }
        Suspicion suspicion = identity.suspicion().orElse(null);
        if (suspicion == null || clock.instant().isBefore(suspicion.since().plus(THINKING))) {
            return;
        }
        decisions++;
        try {
            if (copy && suspicion.kind() == Suspicion.Kind.COPIED_HOME) {
                identity.renew();
                start();
            } else {
                identity.keep();
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** A controller that starts on a copy of this one's home, which lives on. Its Jenkins knows the same agents. */
    Controller cloned(String otherHost, Path to, Random chance) throws IOException {
        Homes.copy(home, to);
        Controller clone = new Controller(otherHost, to, Duration.ZERO, simulator, chance);
        clone.copy = true;
        // Their agents cannot connect from there, and its Jenkins gives them up.
        clone.fleet.rentals().forEach(clone::giveUp);
        return clone;
    }

    private void giveUp(Rental rental) {
        fleet.fail(rental.id(), RentalText.AGENT_LOST.of(5));
    }

    /** The home moves to another computer, and goes on there. */
    void moved(String otherHost, Path to) throws IOException {
        Homes.copy(home, to);
        home = to;
        host = otherHost;
        start();
        builds.restarted(fleet);
    }

    /** No more orders and no more crashes: everything is given back. */
    void finish() {
        calm = true;
        crashes.stop();
        for (Rental rental : fleet.rentals()) {
            if (rental.needed()) {
                builds.retire(fleet, rental);
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
        if (open() > 0 || identity.suspicion().isPresent()) {
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

    Builds builds() {
        return builds;
    }

    Map<Moment, Integer> crashes() {
        return crashes.came();
    }

    /** Rentals of which the disk lost the record. */
    Set<String> lost() {
        return lost;
    }

    int decisions() {
        return decisions;
    }

    /** Of every identity that it ever had. */
    Set<String> prefixes() {
        return prefixes;
    }

    private static String prefix(String id) {
        return "jenkins-" + id + "-";
    }

    private void order() {
        Kind kind = KINDS.get(random.nextInt(KINDS.size()));
        boolean vm = random.nextInt(20) == 0;
        BigDecimal ceiling = new BigDecimal(vm ? "0.90" : kind.ceiling());
        RunnerSpec spec = new RunnerSpec(
                vm ? "1xRTX_4090" : kind.instanceType(),
                vm ? "vastai/kvm:ubuntu_cli_22.04-2025-11-21" : "nvidia/cuda:12.0.0-base-ubuntu22.04",
                "",
                RunnerSpec.DISK_SPACE_GB,
                0,
                vm,
                ceiling,
                RunnerSpec.MIN_RELIABILITY,
                true,
                false,
                RunnerSpec.MIN_DOWNLOAD_MBPS,
                RunnerSpec.RUNTYPE,
                Map.of(),
                "",
                null);
        Rental rental = fleet.order(id -> new Order(
                "chaos",
                "gpu",
                "gpu-" + id,
                spec,
                "/home/jenkins",
                17,
                4,
                Duration.ofMinutes(15),
                Duration.ofHours(2),
                CAP,
                0,
                null));
        builds.ordered(rental.id(), ceiling);
    }
}

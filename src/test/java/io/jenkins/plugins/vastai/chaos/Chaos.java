package io.jenkins.plugins.vastai.chaos;

import io.jenkins.plugins.vastai.api.ApiKey;
import io.jenkins.plugins.vastai.api.CreateRequest;
import io.jenkins.plugins.vastai.api.Pacing;
import io.jenkins.plugins.vastai.api.VastClient;
import io.jenkins.plugins.vastai.chaos.Crashes.Moment;
import io.jenkins.plugins.vastai.simulator.Books;
import io.jenkins.plugins.vastai.simulator.DrivenClock;
import io.jenkins.plugins.vastai.simulator.Endpoint;
import io.jenkins.plugins.vastai.simulator.Fault;
import io.jenkins.plugins.vastai.simulator.SimulatedInstance;
import io.jenkins.plugins.vastai.simulator.SimulatedOffer;
import io.jenkins.plugins.vastai.simulator.Simulator;
import java.io.IOException;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.ToLongFunction;
import java.util.logging.Level;
import java.util.logging.Logger;
import okhttp3.OkHttpClient;

/**
 * The real engine and client against the simulator's faults, with driven time: controllers on one account rent
 * thousands of machines while calls fail, machines fail, prices rise, clocks are an hour wrong, disks lose records and
 * controllers die between any two side effects. A third of the way a controller starts on a copy of another's home; two
 * thirds of the way a home moves. What is counted at the end comes from the simulator's books, not from the plugin.
 *
 * <p>Arguments: number of rentals (10000), seed (by the time). The same seed makes the same run; the line
 * {@code chaos: run=} tells runs apart.
 */
public final class Chaos {

    private static final Duration STEP = Duration.ofSeconds(5);
    /** Longest time after the last order for everything to be gone. */
    private static final Duration SETTLE = Duration.ofHours(4);

    /** Worlds side by side, each with an account, controllers and disasters of its own. */
    private static final int WORLDS = 4;

    /** With so many rentals every kind of crash must have come. */
    private static final int ENOUGH = 2_000;

    private static final BigDecimal RISE = new BigDecimal("1.6");

    /** What new hosts of a model ask, $ per hour. */
    private static final Map<String, BigDecimal> USUAL = Map.of(
            "RTX 4090", new BigDecimal("0.40"),
            "RTX 3090", new BigDecimal("0.20"),
            "RTX 5090", new BigDecimal("0.50"),
            "RTX 3060", new BigDecimal("0.08"),
            "L40S", new BigDecimal("0.66"));

    private static final List<String> GPUS = USUAL.keySet().stream().sorted().toList();

    private final Random random;
    private final Path directory;
    private final DrivenClock clock = new DrivenClock();
    private final Simulator simulator;
    private final List<Controller> controllers = new ArrayList<>();
    private final Set<Long> foreign = new HashSet<>();
    private final Map<Long, BigDecimal> prices = new HashMap<>();

    private Chaos(long seed, Path directory) throws IOException {
        this.directory = directory;
        random = new Random(seed);
        simulator = Simulator.builder()
                .clock(clock)
                .seed(seed)
                .ssh(false)
                .limits(false)
                .scale(3)
                .credit("100000000")
                .boot(Duration.ofSeconds(20))
                .portsLag(Duration.ofSeconds(2))
                .sshdDelay(Duration.ofSeconds(5))
                .unload(Duration.ofSeconds(4))
                .readLag(Duration.ofSeconds(3))
                .start();
        controllers.add(controller("fast", Duration.ofHours(1)));
        controllers.add(controller("slow", Duration.ofHours(-1)));
    }

    private Controller controller(String host, Duration skew) throws IOException {
        return new Controller(host, directory.resolve(host), skew, simulator, new Random(random.nextLong()));
    }

    /** Exit code 1 when a promise was broken, or when a long run did not put it to the test. */
    public static void main(String[] args) throws IOException {
        Logger.getLogger("").setLevel(Level.OFF);
        int rentals = args.length > 0 && !args[0].isBlank() ? Integer.parseInt(args[0]) : 10_000;
        long seed = args.length > 1 ? Long.parseLong(args[1]) : System.nanoTime() % 1_000_000;
        Instant begun = Instant.now();
        Outcome outcome = run(rentals, seed, WORLDS);
        System.out.println("chaos: crashes " + outcome.crashes());
        System.out.println("chaos: run=" + outcome.run() + " seconds="
                + Duration.between(begun, Instant.now()).toSeconds());
        Set<Moment> missing = EnumSet.allOf(Moment.class);
        missing.removeAll(outcome.crashes().keySet());
        boolean tame = rentals >= ENOUGH && !missing.isEmpty();
        if (tame) {
            System.out.println("chaos: nobody ever died " + missing + ", so this run shows nothing about it");
        }
        System.out.println(outcome.result());
        System.exit(outcome.result().broken() || tame ? 1 : 0);
    }

    /**
     * @param rentals that were ordered
     * @param leaked instances of ours that the market still bills when all has settled
     * @param killedByMistake machines destroyed while their agent was in use, and machines of others
     * @param doubled labels under which two machines were made
     * @param overCeiling controllers that held more machines than their cap at any moment, and agents that served on a
     *     machine dearer than their template allows
     * @param stuck rentals that never ended
     */
    record Result(
            int rentals, long leaked, long killedByMistake, long doubled, long overCeiling, long stuck, long seed) {
        boolean broken() {
            return leaked + killedByMistake + doubled + overCeiling + stuck > 0;
        }

        Result and(Result other) {
            return new Result(
                    rentals + other.rentals,
                    leaked + other.leaked,
                    killedByMistake + other.killedByMistake,
                    doubled + other.doubled,
                    overCeiling + other.overCeiling,
                    stuck + other.stuck,
                    seed);
        }

        @Override
        public String toString() {
            return "chaos: rentals=" + rentals + " leaked=" + leaked + " killed_by_mistake=" + killedByMistake
                    + " doubled=" + doubled + " over_ceiling=" + overCeiling + " stuck=" + stuck + " seed=" + seed;
        }
    }

    /** @param crashes how often each kind came; @param run tells runs apart */
    record Outcome(Result result, Map<Moment, Integer> crashes, String run) {
        static Outcome none(long seed) {
            return new Outcome(new Result(0, 0, 0, 0, 0, 0, seed), Map.of(), "");
        }

        Outcome and(Outcome other) {
            Map<Moment, Integer> both = new EnumMap<>(Moment.class);
            both.putAll(crashes);
            other.crashes.forEach((moment, times) -> both.merge(moment, times, Integer::sum));
            return new Outcome(result.and(other.result), both, run.isEmpty() ? other.run : run + "-" + other.run);
        }
    }

    /** Several worlds, as many at a time as there are processors; each follows from the seed alone. */
    static Outcome run(int rentals, long seed, int worlds) throws IOException {
        ExecutorService threads =
                Executors.newFixedThreadPool(Runtime.getRuntime().availableProcessors());
        try {
            List<Future<Outcome>> under = new ArrayList<>();
            for (int i = 0; i < worlds; i++) {
                int share = rentals / worlds + (i < rentals % worlds ? 1 : 0);
                long own = seed * 1_000 + i;
                under.add(threads.submit(() -> run(share, own)));
            }
            Outcome all = Outcome.none(seed);
            for (Future<Outcome> one : under) {
                all = all.and(one.get());
            }
            return all;
        } catch (InterruptedException | ExecutionException e) {
            throw new IOException(e);
        } finally {
            threads.shutdownNow();
        }
    }

    /** One world. */
    private static Outcome run(int rentals, long seed) throws IOException {
        Path memory = Path.of("/dev/shm");
        // Each record is forced to the disk; where there is one in memory, that costs nothing.
        Path directory = Files.isWritable(memory)
                ? Files.createTempDirectory(memory, "vastai-chaos")
                : Files.createTempDirectory("vastai-chaos");
        Chaos chaos = new Chaos(seed, directory);
        try {
            return chaos.go(rentals, seed);
        } finally {
            chaos.simulator.close();
            delete(directory);
        }
    }

    private static void delete(Path directory) throws IOException {
        List<Path> all;
        try (var walk = Files.walk(directory)) {
            all = walk.sorted(Comparator.reverseOrder()).toList();
        }
        for (Path path : all) {
            Files.delete(path);
        }
    }

    private Outcome go(int rentals, long seed) throws IOException {
        for (int i = 0; i < 3; i++) {
            foreign.add(rentForSomebodyElse());
        }
        faults();
        int ordered = 0;
        int nextNews = rentals / 10;
        boolean cloned = false;
        boolean moved = false;
        while (ordered < rentals) {
            for (Controller controller : List.copyOf(controllers)) {
                ordered += controller.work(rentals - ordered);
            }
            if (!cloned && ordered >= rentals / 3) {
                cloned = true;
                controllers.add(
                        controllers.get(0).cloned("copy", directory.resolve("copy"), new Random(random.nextLong())));
            }
            if (!moved && ordered >= rentals * 2L / 3) {
                moved = true;
                controllers.get(1).moved("moved", directory.resolve("moved"));
            }
            weather();
            clock.advance(STEP);
            if (ordered >= nextNews) {
                news(ordered);
                nextNews += Math.max(1, rentals / 10);
            }
        }
        simulator.faults().clear();
        controllers.forEach(Controller::finish);
        long steps = SETTLE.dividedBy(STEP);
        for (long i = 0; i < steps && controllers.stream().anyMatch(c -> c.open() > 0 || !c.lookedLong()); i++) {
            controllers.forEach(Controller::pass);
            clock.advance(STEP);
        }
        news(ordered);
        for (Books.Entry entry : simulator.books().left("jenkins-")) {
            System.out.println("chaos: left " + entry + ", as "
                    + simulator
                            .instance(entry.id())
                            .map(SimulatedInstance::status)
                            .orElse("?"));
            controllers.forEach(controller -> controller.tell(entry.label()));
        }
        Map<Moment, Integer> crashes = new EnumMap<>(Moment.class);
        controllers.forEach(c -> c.crashes().forEach((moment, times) -> crashes.merge(moment, times, Integer::sum)));
        Result result = new Result(
                ordered,
                simulator.books().left("jenkins-").size(),
                sum(c -> c.builds().killed()) + foreignKilled(),
                doubled(),
                sum(c -> overCap(c) ? 1 : 0) + sum(c -> c.builds().tooDear()),
                sum(Controller::open),
                seed);
        return new Outcome(result, crashes, digest());
    }

    private void news(int ordered) {
        System.out.println("chaos: " + ordered + " ordered, "
                + simulator.books().entries().size() + " instances made, "
                + simulator.books().left().size() + " alive, "
                + sum(c -> c.builds().served()) + " served, "
                + sum(c -> c.crashes().values().stream()
                        .mapToInt(Integer::intValue)
                        .sum()) + " crashes, "
                + sum(c -> c.lost().size()) + " records lost, "
                + sum(Controller::decisions) + " decisions of an admin");
    }

    private long sum(ToLongFunction<Controller> number) {
        return controllers.stream().mapToLong(number).sum();
    }

    private long foreignKilled() {
        return foreign.stream()
                .filter(id ->
                        simulator.books().entry(id).orElseThrow().destroyed().isPresent())
                .count();
    }

    /** Each create has a label of its own: two instances under one label mean that a create was sent again. */
    private long doubled() {
        List<String> labels = simulator.books().entries().stream()
                .map(Books.Entry::label)
                .filter(label -> label.startsWith("jenkins-"))
                .toList();
        return labels.size() - labels.stream().distinct().count();
    }

    /**
     * Whether the controller ever held more machines than its cap. Left out are those that nobody could count: the market
     * hid them, or the disk lost their record.
     */
    private boolean overCap(Controller controller) {
        record Change(Instant at, int by) {}
        List<Change> changes = new ArrayList<>();
        for (Books.Entry entry : simulator.books().entries()) {
            boolean its = controller.prefixes().stream().anyMatch(entry.label()::startsWith);
            boolean countable = controller.lost().stream().noneMatch(entry.label()::contains)
                    && !simulator.instance(entry.id()).orElseThrow().hidden();
            if (its && countable) {
                changes.add(new Change(entry.created(), 1));
                entry.destroyed().ifPresent(end -> changes.add(new Change(end, -1)));
            }
        }
        changes.sort(Comparator.comparing(Change::at).thenComparing(Change::by));
        int held = 0;
        for (Change change : changes) {
            held += change.by();
            if (held > Controller.CAP) {
                return true;
            }
        }
        return false;
    }

    /** Of everything that the market did for us. */
    private String digest() {
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            for (Books.Entry entry : simulator.books().entries()) {
                digest.update(entry.toString().getBytes(StandardCharsets.UTF_8));
            }
            return HexFormat.of().formatHex(digest.digest(), 0, 4);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    /** A machine that somebody with the same account rented by hand. */
    private long rentForSomebodyElse() throws IOException {
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

    private void faults() {
        call(Fault.Kind.OFFER_GONE, Endpoint.CREATE, 0.05);
        call(Fault.Kind.LOST_ANSWER, Endpoint.CREATE, 0.02);
        call(Fault.Kind.SERVER_ERROR_AFTER, Endpoint.CREATE, 0.02);
        call(Fault.Kind.CONNECTION_CUT, Endpoint.CREATE, 0.02);
        call(Fault.Kind.BID_TOO_LOW, Endpoint.CREATE, 0.01);
        call(Fault.Kind.THROTTLED, Endpoint.CREATE, 0.02);
        call(Fault.Kind.DESTROY_IGNORED, Endpoint.DESTROY, 0.03);
        simulator
                .faults()
                .add(Fault.of(Fault.Kind.DESTROY_RESURRECTS).rate(0.02).delay(Duration.ofSeconds(90)));
        call(Fault.Kind.SERVER_ERROR, Endpoint.DESTROY, 0.03);
        call(Fault.Kind.LOST_ANSWER, Endpoint.DESTROY, 0.03);
        call(Fault.Kind.THROTTLED, Endpoint.DESTROY, 0.02);
        call(Fault.Kind.EMPTY_LIST, Endpoint.LIST, 0.02);
        call(Fault.Kind.NULL_LIST, Endpoint.LIST, 0.02);
        call(Fault.Kind.TRUNCATED_LIST, Endpoint.LIST, 0.02);
        call(Fault.Kind.FAILING_PAGE_2, Endpoint.LIST, 0.02);
        call(Fault.Kind.NOT_JSON, Endpoint.LIST, 0.01);
        call(Fault.Kind.SERVER_ERROR, Endpoint.SEARCH, 0.02);
        // No PHANTOM: one whose answer is lost as well is billed and shown to nobody, so that nobody can find it
        // (docs/reliability.md). UNLISTED is the same for ten minutes. FleetTest has PHANTOM with an answer.
        machine(Fault.Kind.UNLISTED, 0.01);
        machine(Fault.Kind.STUCK_LOADING, 0.03);
        machine(Fault.Kind.EXITED_IN_BOOT, 0.04);
        machine(Fault.Kind.DOOMED, 0.02);
        machine(Fault.Kind.HOST_OFFLINE, 0.02);
        simulator
                .faults()
                .add(Fault.of(Fault.Kind.FATAL_STATUS)
                        .rate(0.03)
                        .text("Error response from daemon: OCI runtime create failed"));
    }

    private void call(Fault.Kind kind, Endpoint endpoint, double rate) {
        simulator.faults().add(Fault.of(kind).endpoint(endpoint).rate(rate));
    }

    private void machine(Fault.Kind kind, double rate) {
        simulator.faults().add(Fault.of(kind).rate(rate));
    }

    /** What happens outside: somebody stops or destroys a machine, a host goes away, prices rise and fall. */
    private void weather() {
        if (random.nextInt(15) == 0) {
            List<Books.Entry> alive = simulator.books().left("jenkins-");
            if (!alive.isEmpty()) {
                long id = alive.get(random.nextInt(alive.size())).id();
                controllers.forEach(controller -> controller.builds().struck(id));
                switch (random.nextInt(4)) {
                    case 0 -> simulator.stopFromOutside(id);
                    case 1 -> simulator.destroyFromOutside(id);
                    case 2 -> simulator.outbid(id);
                    default -> simulator.hostOffline(id);
                }
            }
        }
        if (random.nextInt(5) == 0) {
            // Taken offers leave the market; hosts that come keep it from running dry.
            String gpu = GPUS.get(random.nextInt(GPUS.size()));
            simulator.market().list(gpu, 1, USUAL.get(gpu), "Texas, US", fields -> fields.put("vms_enabled", true));
        }
        if (random.nextInt(3) == 0) {
            for (SimulatedOffer offer : simulator.market().offers()) {
                if (random.nextInt(8) == 0) {
                    BigDecimal usual = prices.computeIfAbsent(offer.id(), id -> offer.pricePerHour());
                    simulator.market().setPrice(offer.id(), random.nextInt(3) == 0 ? usual.multiply(RISE) : usual);
                }
            }
        }
    }
}

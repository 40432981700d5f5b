package io.jenkins.plugins.vastai.chaos;

import io.jenkins.plugins.vastai.simulator.Books;
import io.jenkins.plugins.vastai.simulator.DrivenClock;
import io.jenkins.plugins.vastai.simulator.Endpoint;
import io.jenkins.plugins.vastai.simulator.Fault;
import io.jenkins.plugins.vastai.simulator.Simulator;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.logging.Level;
import java.util.logging.Logger;

/**
 * The real engine and client against the simulator's faults, with driven time: two controllers on one account rent
 * thousands of machines while calls fail, machines fail and controllers die between any two side effects. What is
 * counted at the end comes from the simulator's books, not from the plugin.
 *
 * <p>Arguments: number of rentals (10000), seed (by the time). The same seed makes the same run.
 */
public final class Chaos {

    private static final Duration STEP = Duration.ofSeconds(3);
    /** Longest time after the last order for everything to be gone. */
    private static final Duration SETTLE = Duration.ofHours(4);

    private final Random random;
    private final DrivenClock clock = new DrivenClock();
    private final Simulator simulator;
    private final List<Controller> controllers;
    private final Set<Long> foreign = new HashSet<>();

    private Chaos(long seed, Path directory) throws IOException {
        random = new Random(seed);
        simulator = Simulator.builder()
                .clock(clock)
                .seed(seed)
                .ssh(false)
                .limits(false)
                .scale(4)
                .credit("100000000")
                .boot(Duration.ofSeconds(40))
                .portsLag(Duration.ofSeconds(2))
                .sshdDelay(Duration.ofSeconds(5))
                .unload(Duration.ofSeconds(4))
                .readLag(Duration.ofSeconds(3))
                .start();
        controllers = List.of(
                new Controller("chaosaaa", directory.resolve("a"), simulator, clock, random),
                new Controller("chaosbbb", directory.resolve("b"), simulator, clock, random));
    }

    /** Exit code 1 when a promise was broken. */
    public static void main(String[] args) throws IOException {
        Logger.getLogger("").setLevel(Level.OFF);
        int rentals = args.length > 0 && !args[0].isBlank() ? Integer.parseInt(args[0]) : 10_000;
        long seed = args.length > 1 ? Long.parseLong(args[1]) : System.nanoTime() % 1_000_000;
        System.exit(run(rentals, seed).broken() ? 1 : 0);
    }

    /**
     * @param rentals that were ordered
     * @param leaked instances of ours that the market still bills when all has settled
     * @param killedByMistake machines destroyed while their agent was in use, and machines of others
     * @param doubled rentals that held two machines for the same draw
     * @param overCeiling controllers that held more machines than their cap at any moment
     * @param stuck rentals that never ended
     */
    record Result(
            int rentals, long leaked, long killedByMistake, long doubled, long overCeiling, long stuck, long seed) {
        boolean broken() {
            return leaked + killedByMistake + doubled + overCeiling + stuck > 0;
        }

        @Override
        public String toString() {
            return "chaos: rentals=" + rentals + " leaked=" + leaked + " killed_by_mistake=" + killedByMistake
                    + " doubled=" + doubled + " over_ceiling=" + overCeiling + " stuck=" + stuck + " seed=" + seed;
        }
    }

    static Result run(int rentals, long seed) throws IOException {
        Path directory = Files.createTempDirectory("vastai-chaos");
        Chaos chaos = new Chaos(seed, directory);
        try {
            Result result = chaos.go(rentals, seed);
            System.out.println(result);
            return result;
        } finally {
            chaos.simulator.close();
        }
    }

    private Result go(int rentals, long seed) throws IOException {
        for (int i = 0; i < 3; i++) {
            foreign.add(Controller.rentForSomebodyElse(simulator));
        }
        faults();
        int ordered = 0;
        int nextNews = rentals / 10;
        while (ordered < rentals) {
            for (Controller controller : controllers) {
                ordered += controller.work(rentals - ordered);
            }
            weather();
            clock.advance(STEP);
            if (ordered >= nextNews) {
                System.out.println("chaos: " + ordered + " ordered, "
                        + simulator.books().entries().size()
                        + " instances made, " + simulator.books().left().size() + " alive, "
                        + controllers.stream().mapToInt(Controller::crashes).sum() + " crashes");
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
        for (Books.Entry entry : simulator.books().left("jenkins-")) {
            System.out.println("chaos: left " + entry + ", as "
                    + simulator.instance(entry.id()).map(i -> i.status()).orElse("?"));
            controllers.forEach(controller -> controller.tell(entry.label()));
        }
        return new Result(
                ordered,
                simulator.books().left("jenkins-").size(),
                controllers.stream().mapToLong(Controller::killedByMistake).sum() + foreignKilled(),
                doubled(),
                controllers.stream()
                        .filter(c -> simulator.books().maximumAlive(c.prefix()) > Controller.CAP)
                        .count(),
                controllers.stream().mapToLong(Controller::open).sum(),
                seed);
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
        call(Fault.Kind.EMPTY_LIST, Endpoint.LIST, 0.02);
        call(Fault.Kind.NULL_LIST, Endpoint.LIST, 0.02);
        call(Fault.Kind.TRUNCATED_LIST, Endpoint.LIST, 0.02);
        call(Fault.Kind.FAILING_PAGE_2, Endpoint.LIST, 0.02);
        call(Fault.Kind.NOT_JSON, Endpoint.LIST, 0.01);
        call(Fault.Kind.SERVER_ERROR, Endpoint.SEARCH, 0.02);
        // No PHANTOM here: together with a lost answer it is an instance that the market bills and shows to nobody,
        // which
        // nobody can find. FleetTest has it alone.
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

    /** What happens to machines that run: somebody stops one, a host goes away for good or for a while. */
    private void weather() {
        if (random.nextInt(40) == 0) {
            List<Books.Entry> alive = simulator.books().left("jenkins-");
            if (!alive.isEmpty()) {
                long id = alive.get(random.nextInt(alive.size())).id();
                controllers.forEach(controller -> controller.struck(id));
                switch (random.nextInt(3)) {
                    case 0 -> simulator.stopFromOutside(id);
                    case 1 -> simulator.destroyFromOutside(id);
                    default -> simulator.hostOffline(id);
                }
            }
        }
    }
}

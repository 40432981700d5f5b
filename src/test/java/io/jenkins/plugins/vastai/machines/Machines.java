package io.jenkins.plugins.vastai.machines;

import io.jenkins.plugins.vastai.rental.Rental;
import io.jenkins.plugins.vastai.rental.RentalText;
import io.jenkins.plugins.vastai.rental.State;
import io.jenkins.plugins.vastai.simulator.Books;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.BooleanSupplier;
import java.util.logging.Level;
import java.util.logging.Logger;
import java.util.stream.Collectors;

/**
 * The engine against machines that are real: root file systems of their own, the start script run as the market does it,
 * OpenSSH's sshd. Each case rents one machine, has an agent's command on it for longer than its watchdog bears silence,
 * lets it end itself or retires it, and sees that nothing is left of it.
 */
public final class Machines {

    private static final Duration BETWEEN_ORDERS = Duration.ofMillis(1500);
    private static final Duration UP = Duration.ofSeconds(110);
    private static final Duration HELD = RealMachine.SILENCE.plusSeconds(7);
    /** Reachable within this time after sshd answers, the delivery of a Java included. */
    private static final Duration SOON = Duration.ofSeconds(35);

    private static final Duration GONE = Duration.ofSeconds(40);

    private final Roots roots;
    private final List<Case> cases;
    private final Map<Integer, RealMachine> machines = new ConcurrentHashMap<>();
    private Engine engine;

    private Machines(Roots roots, List<Case> cases) {
        this.roots = roots;
        this.cases = cases;
    }

    /**
     * Ends with exit code 1 when a case went wrong, and with 0 where no machine can be run, with the reason.
     *
     * @param args where root file systems are kept; then, optionally, a word that is in the names of the cases to try
     */
    public static void main(String[] args) throws Exception {
        Logger.getLogger("").setLevel(Level.SEVERE);
        Path cache = Path.of(args[0]).toAbsolutePath();
        String only = String.join(" ", List.of(args).subList(1, args.length));
        List<Case> cases =
                Cases.all().stream().filter(each -> each.name.contains(only)).toList();
        Optional<String> missing = Roots.missing(cache);
        if (missing.isPresent()) {
            System.out.println("machines: nothing was tried, " + missing.get());
            return;
        }
        int failed;
        try {
            failed = new Machines(Roots.make(cache), cases).run();
        } catch (Roots.Unavailable e) {
            System.out.println("machines: nothing was tried, " + e.getMessage());
            return;
        }
        System.out.println("machines: roots="
                + cases.stream().map(each -> each.base).distinct().count() + " cases=" + cases.size() + " failed="
                + failed);
        System.exit(failed == 0 ? 0 : 1);
    }

    private record Result(Case of, String happened, List<String> wrong, String details) {}

    private int run() throws Exception {
        Path home = Files.createTempDirectory("vastai-machines");
        List<Result> results = new ArrayList<>();
        ExecutorService pool = Executors.newCachedThreadPool();
        // A run that is interrupted leaves no machine behind.
        Thread lastWill = new Thread(() -> machines.values().forEach(RealMachine::halt));
        Runtime.getRuntime().addShutdownHook(lastWill);
        try (Engine started = new Engine(home, instance -> {
            int number =
                    Integer.parseInt(instance.image().substring(instance.image().indexOf(':') + 1));
            RealMachine machine = new RealMachine(roots, cases.get(number), instance);
            machines.put(number, machine);
            return machine;
        })) {
            engine = started;
            List<Future<Result>> running = new ArrayList<>();
            for (int i = 0; i < cases.size(); i++) {
                int number = i;
                running.add(pool.submit((Callable<Result>) () -> tried(number)));
                Thread.sleep(BETWEEN_ORDERS.toMillis());
            }
            for (Future<Result> each : running) {
                results.add(each.get());
                print(results.get(results.size() - 1));
            }
            int left = engine.simulator.books().left().size();
            if (left > 0) {
                System.out.println("machines: " + left + " instances are still on the bill");
                return results.size();
            }
        } finally {
            pool.shutdownNow();
        }
        return (int) results.stream().filter(each -> !each.wrong.isEmpty()).count();
    }

    private static void print(Result result) {
        System.out.printf(
                "%-6s %-8s %-30s %s%n",
                result.wrong.isEmpty() ? "ok" : "FAILED", result.of.base.directory, result.of.name, result.happened);
        if (!result.wrong.isEmpty()) {
            System.out.println("    right is: " + result.of.expected());
            result.wrong.forEach(each -> System.out.println("    wrong is: " + each));
            System.out.println(result.details);
        }
    }

    private Result tried(int number) {
        Case wanted = cases.get(number);
        Rental rental = engine.order(wanted, number);
        List<String> wrong = new ArrayList<>();
        String happened;
        try {
            happened = tried(wanted, number, rental.id(), wrong);
        } catch (IOException | RuntimeException e) {
            happened = "?";
            wrong.add(e.toString());
        }
        RealMachine machine = machines.get(number);
        String details = engine.story(rental.id()).stream()
                        .map(moment -> "    " + moment.at().toString().substring(11, 23) + " " + moment.text())
                        .collect(Collectors.joining("\n"))
                + (machine == null ? "" : machine.lastWords());
        return new Result(wanted, happened, wrong, details);
    }

    private String tried(Case wanted, int number, String id, List<String> wrong) throws IOException {
        boolean decided = within(
                UP,
                () -> engine.state(id) == State.REACHABLE
                        || engine.state(id) == State.RETIRING
                        || engine.state(id).ended());
        String happened;
        if (!decided) {
            happened = "undecided after " + UP.toSeconds() + " s";
            wrong.add(happened);
            engine.fleet.retire(id, RentalText.BUILD_DONE.of());
        } else if (engine.state(id) == State.REACHABLE) {
            happened = worked(wanted, number, id, wrong);
        } else {
            happened = refused(wanted, number, id, wrong);
        }
        gone(number, id, wrong);
        return happened;
    }

    private String refused(Case wanted, int number, String id, List<String> wrong) {
        List<Engine.Moment> story = engine.story(id);
        Instant end = story.stream()
                .filter(moment ->
                        moment.state() == State.RETIRING || moment.state().ended())
                .map(Engine.Moment::at)
                .findFirst()
                .orElseGet(Instant::now);
        Instant from = Optional.ofNullable(machines.get(number))
                .flatMap(RealMachine::opened)
                .orElse(story.get(0).at());
        Duration lasted = Duration.between(from, end);
        String words = story.stream()
                .dropWhile(moment -> moment.state() != State.BOOTING)
                .map(Engine.Moment::text)
                .filter(text -> wanted.refusal.stream()
                        .anyMatch(refusal -> refusal.words().matcher(text).find()))
                .reduce((first, second) -> second)
                .orElse("");
        String happened = "refused after " + seconds(lasted) + (words.isEmpty() ? "" : ": " + words);
        if (wanted.refusal.isEmpty()) {
            wrong.add("no agent could work");
        } else if (words.isEmpty()) {
            wrong.add("it was refused without these words");
        } else if (lasted.compareTo(wanted.refusal.get().within()) > 0) {
            wrong.add("it took " + seconds(lasted) + ", billed");
        }
        within(GONE, () -> destroyed(machines.get(number)));
        hand(machines.get(number), Books.Hand.API_KEY, wrong);
        return happened;
    }

    private String worked(Case wanted, int number, String id, List<String> wrong) throws IOException {
        RealMachine machine = machines.get(number);
        Rental rental = engine.fleet.rental(id).orElseThrow();
        Instant from = machine.opened().orElseThrow();
        String happened = "reachable after " + seconds(Duration.between(from, Instant.now()));
        if (Duration.between(from, Instant.now()).compareTo(SOON) > 0) {
            wrong.add("it took that long, billed");
        }
        if (wanted.works == Case.Works.NOT) {
            wrong.add("it was taken for fit");
        }
        boolean armed =
                engine.story(id).stream().anyMatch(moment -> moment.text().startsWith("The machine ends itself"));
        if (armed != (wanted.works == Case.Works.AND_ENDS_ITSELF)) {
            wrong.add(armed ? "its watchdog is said to be armed" : "its watchdog is not armed");
        }
        if (!armed
                && engine.story(id).stream().noneMatch(moment -> moment.text().contains("cannot end itself"))) {
            wrong.add("nobody is told that it cannot end itself");
        }
        try (AgentCommand agent = new AgentCommand(rental)) {
            engine.fleet.agentOnline(id, 1);
            wanted.environment.forEach((name, value) -> {
                if (agent.text().lines().noneMatch((name + "=" + value)::equals)) {
                    wrong.add("builds do not see " + name + "=" + value);
                }
            });
            if (agent.text().contains(machine.ownKey())) {
                wrong.add("builds see the machine's own key");
            }
            // As long as an agent is there, the machine is heard of.
            if (within(HELD, () -> destroyed(machine) || !agent.connected())) {
                wrong.add(
                        destroyed(machine)
                                ? "the machine ended itself under its agent"
                                : "the agent's connection was lost");
            }
        } catch (IOException e) {
            wrong.add("no agent: " + e.getMessage());
        }
        engine.fleet.agentOffline(id, 1);
        if (armed && !wanted.retired && !destroyed(machine)) {
            Instant alone = Instant.now();
            if (within(RealMachine.SILENCE.plus(GONE), () -> destroyed(machine))) {
                happened += ", ended itself " + seconds(Duration.between(alone, Instant.now())) + " after the agent";
                Optional<Books.Hand> hand = engine.simulator
                        .books()
                        .entry(machine.id())
                        .orElseThrow()
                        .destroyedBy();
                if (!hand.equals(Optional.of(Books.Hand.INSTANCE_KEY))) {
                    wrong.add("it was ended by " + hand);
                }
            } else {
                wrong.add("it did not end itself");
            }
        } else if (!destroyed(machine)) {
            happened += ", retired";
        }
        engine.fleet.retire(id, RentalText.BUILD_DONE.of());
        return happened;
    }

    private void hand(RealMachine machine, Books.Hand right, List<String> wrong) {
        Optional<Books.Hand> hand =
                engine.simulator.books().entry(machine.id()).orElseThrow().destroyedBy();
        if (!hand.equals(Optional.of(right))) {
            wrong.add("the instance was destroyed by "
                    + hand.map(Object::toString).orElse("nobody"));
        }
    }

    private boolean destroyed(RealMachine machine) {
        return engine.simulator
                .books()
                .entry(machine.id())
                .orElseThrow()
                .destroyed()
                .isPresent();
    }

    private void gone(int number, String id, List<String> wrong) throws IOException {
        if (!within(GONE, () -> engine.state(id).ended())) {
            wrong.add("the rental has not ended: " + engine.state(id));
        }
        RealMachine machine = machines.get(number);
        if (machine == null) {
            wrong.add("there was no machine");
            return;
        }
        if (!within(GONE, machine::razed)) {
            wrong.add("the machine is still there");
        }
        machine.leftovers().forEach(each -> wrong.add("left over: " + each));
    }

    private static boolean within(Duration time, BooleanSupplier what) {
        Instant end = Instant.now().plus(time);
        while (!what.getAsBoolean()) {
            if (Instant.now().isAfter(end)) {
                return false;
            }
            try {
                Thread.sleep(100);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return false;
            }
        }
        return true;
    }

    private static String seconds(Duration time) {
        return String.format(java.util.Locale.ROOT, "%.1f s", time.toMillis() / 1000.0);
    }
}

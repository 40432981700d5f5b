package io.jenkins.plugins.vastai.simulator;

import java.io.IOException;
import java.io.PrintStream;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** The simulator as a program: prints its address and key, runs until Ctrl-C, then prints its books. */
public final class SimulatorProgram {
    private static final String USAGE = """
            Arguments:
              --port N            listen on 127.0.0.1:N (default: any free port)
              --boot-seconds N    from create to running (default 5; virtual machines take three times as long)
              --seed N            another market (default 1)
              --scale N           the market N times over (default 1)
              --credit N          dollars on the account (default 100)
              --no-limits         no 429 for calls that come too fast
              --no-ssh            no machines behind the instances
              --tell              a line for each call, and for each instance that begins to run, with the time in ms;
                                  ends with the program that started it
            """;

    private static final long TELL_MILLIS = 20;

    private SimulatorProgram() {}

    public static void main(String[] arguments) throws IOException, InterruptedException {
        Simulator.Builder builder =
                Simulator.builder().boot(Duration.ofSeconds(5)).sshdDelay(Duration.ofSeconds(2));
        try {
            read(arguments, builder);
        } catch (IllegalArgumentException e) {
            System.err.println(e.getMessage());
            System.err.print(USAGE);
            System.exit(2);
        }
        Simulator simulator = builder.start();
        Runtime.getRuntime().addShutdownHook(new Thread(() -> end(simulator, System.out)));
        greet(simulator, System.out);
        if (List.of(arguments).contains("--tell")) {
            tell(simulator, System.out);
            System.exit(0);
        }
        new CountDownLatch(1).await();
    }

    /**
     * For programs that measure: {@code call <ms> <endpoint> <status>}, {@code running <ms> <instance>}; until whoever
     * started it is gone.
     */
    private static void tell(Simulator simulator, PrintStream out) throws InterruptedException {
        int calls = 0;
        Set<Long> running = new HashSet<>();
        ProcessHandle listens = ProcessHandle.current().parent().orElseThrow();
        while (ProcessHandle.current().parent().filter(listens::equals).isPresent()) {
            List<Request> requests = simulator.requests();
            for (Request call : requests.subList(calls, requests.size())) {
                out.println("call " + call.time().toEpochMilli() + " " + call.endpoint() + " " + call.status());
            }
            calls = requests.size();
            for (SimulatedInstance instance : simulator.instances()) {
                if (instance.running() && running.add(instance.id())) {
                    out.println("running " + System.currentTimeMillis() + " " + instance.id());
                }
            }
            out.flush();
            TimeUnit.MILLISECONDS.sleep(TELL_MILLIS);
        }
    }

    static void read(String[] arguments, Simulator.Builder builder) {
        for (int i = 0; i < arguments.length; i++) {
            String name = arguments[i];
            switch (name) {
                case "--no-limits" -> builder.limits(false);
                case "--no-ssh" -> builder.ssh(false);
                case "--tell" -> {
                    // main does
                }
                case "--port", "--boot-seconds", "--seed", "--scale", "--credit" -> {
                    i++;
                    if (i == arguments.length || !arguments[i].matches("\\d{1,9}")) {
                        throw new IllegalArgumentException(name + " needs a whole number");
                    }
                    set(builder, name, Integer.parseInt(arguments[i]));
                }
                default -> throw new IllegalArgumentException("unknown argument " + name);
            }
        }
    }

    private static void set(Simulator.Builder builder, String name, int value) {
        switch (name) {
            case "--port" -> builder.port(value);
            case "--boot-seconds" -> builder.boot(Duration.ofSeconds(value));
            case "--seed" -> builder.seed(value);
            case "--scale" -> builder.scale(value);
            default -> builder.credit(String.valueOf(value));
        }
    }

    private static void greet(Simulator simulator, PrintStream out) {
        out.println("Vast.ai simulator");
        out.println("  API address: " + simulator.uri());
        out.println("  API key:     " + simulator.apiKey());
        out.println("  offers:      " + simulator.market().offers().size());
        out.println("Give both to the plugin, or try:");
        out.println("  curl -H 'Authorization: Bearer " + simulator.apiKey() + "' " + simulator.uri()
                + "/api/v1/instances/");
        out.println("Rented machines run on this computer, each in a directory of its own. Ctrl-C ends all.");
        out.flush();
    }

    private static void end(Simulator simulator, PrintStream out) {
        Books books = simulator.books();
        out.printf(
                Locale.ROOT,
                "%nsimulator: rented=%d destroyed=%d left=%d cost=$%.4f%n",
                books.entries().size(),
                books.entries().size() - books.left().size(),
                books.left().size(),
                books.total());
        out.flush();
        simulator.close();
    }
}

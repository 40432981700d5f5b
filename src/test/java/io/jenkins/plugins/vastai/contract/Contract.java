package io.jenkins.plugins.vastai.contract;

import io.jenkins.plugins.vastai.simulator.Simulator;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import okhttp3.OkHttpClient;

/**
 * Holds the client against the simulator, and both against the API description that Vast.ai publishes. The description
 * belongs to the vendor and is not part of this project; where it lies is an argument.
 */
public final class Contract {

    private static final List<Path> PLACES =
            List.of(Path.of("../shared/vast/openapi.yaml"), Path.of("../../shared/vast/openapi.yaml"));

    private Contract() {}

    /** @param args path of {@code openapi.yaml}; without it, {@code ../shared/vast} beside the project is looked at */
    public static void main(String[] args) throws IOException {
        Optional<Path> description = args.length > 0 ? Optional.of(Path.of(args[0])) : find();
        if (description.isEmpty() || !Files.isReadable(description.get())) {
            System.out.println(
                    "contract: not run, there is no description of the API at " + description.orElse(PLACES.get(0)));
            return;
        }
        int violations = run(description.get(), System.out);
        if (violations > 0) {
            System.exit(1);
        }
    }

    /** The description beside the project, seen from its root or from {@code standalone}. */
    static Optional<Path> find() {
        return PLACES.stream().filter(Files::isReadable).findFirst();
    }

    /** @return number of violations */
    static int run(Path file, PrintStream out) throws IOException {
        Description description = new Description(Files.readString(file));
        Verdict verdict = new Verdict(description);
        out.println("described answers read by the client: " + new Reading(description, verdict).readAll());
        OkHttpClient http = new OkHttpClient.Builder()
                .addInterceptor(new Recorder(verdict::accept))
                .build();
        try (Simulator simulator = Simulator.builder()
                .limits(false)
                .boot(Duration.ofMillis(50))
                .credit("1000")
                .start()) {
            new Conversation(simulator, http, verdict).hold();
        } finally {
            http.dispatcher().executorService().shutdown();
            http.connectionPool().evictAll();
        }
        return verdict.print(out);
    }
}

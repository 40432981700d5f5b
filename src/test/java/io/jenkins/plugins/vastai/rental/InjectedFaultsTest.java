package io.jenkins.plugins.vastai.rental;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jenkins.plugins.vastai.api.ApiKey;
import io.jenkins.plugins.vastai.api.Instance;
import io.jenkins.plugins.vastai.api.Pacing;
import io.jenkins.plugins.vastai.api.Patience;
import io.jenkins.plugins.vastai.api.VastClient;
import io.jenkins.plugins.vastai.simulator.Books;
import io.jenkins.plugins.vastai.simulator.DrivenClock;
import io.jenkins.plugins.vastai.simulator.Simulator;
import io.jenkins.plugins.vastai.ssh.Access;
import io.jenkins.plugins.vastai.ssh.Bootstrap;
import io.jenkins.plugins.vastai.ssh.HostKey;
import io.jenkins.plugins.vastai.ssh.Probe;
import io.jenkins.plugins.vastai.ssh.SshKeyPair;
import io.jenkins.plugins.vastai.text.Texts;
import java.io.IOException;
import java.math.BigDecimal;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.function.Supplier;
import java.util.logging.Level;
import java.util.logging.Logger;
import java.util.stream.Stream;
import okhttp3.Interceptor;
import okhttp3.OkHttpClient;
import okhttp3.Request;
import okhttp3.Response;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Wherever the engine calls something outside, or is called back, that throws or never returns: the loop lives, the
 * others are served and destroyed, nothing is left on the market's books, and administrators are told.
 */
class InjectedFaultsTest {

    /** Where the engine leaves its own code. */
    enum Point {
        LIST("GET .*/instances/"),
        SEARCH("(POST|PUT) .*(/bundles/|/search/asks/)"),
        CREATE("PUT .*/asks/\\d+/"),
        /** The market acted already. */
        CREATED("PUT .*/asks/\\d+/"),
        DESTROY("DELETE .*/instances/\\d+/"),
        DESTROYED("DELETE .*/instances/\\d+/"),
        CONFIRM("GET .*/instances/\\d+/"),
        ATTACH("POST .*/instances/\\d+/ssh/"),
        ACCOUNT("GET .*/(users/current|ssh)/"),
        NAMES("GET .*/gpu_names.*"),
        LOGS("PUT .*/instances/request_logs/.*"),
        API_KEY(""),
        PROBE(""),
        PREPARE(""),
        /** Their futures fail, or are never done. */
        PROBE_RESULT(""),
        PREPARE_RESULT(""),
        LISTENER(""),
        THREADS(""),
        DISK(""),
        CLOCK("");

        private final String call;

        Point(String call) {
            this.call = call;
        }

        /** What is called in the engine's thread by its nature cannot be bounded: only what it throws counts. */
        boolean mayHang() {
            return this != THREADS && this != DISK && this != CLOCK && this != PROBE && this != PREPARE;
        }

        boolean after() {
            return this == CREATED || this == DESTROYED;
        }
    }

    enum Kind {
        EXCEPTION,
        NO_MEMORY,
        NO_CLASS,
        HANG;

        void raise() {
            switch (this) {
                case EXCEPTION -> throw new IllegalStateException("injected");
                case NO_MEMORY -> throw new OutOfMemoryError("injected");
                case NO_CLASS -> throw new NoClassDefFoundError("injected");
                default -> throw new AssertionError("a hang throws nothing");
            }
        }
    }

    private static final Duration STEP = Duration.ofSeconds(3);
    /** How long a fault that throws lasts; a call that hangs does so once. */
    private static final Duration LASTS = Duration.ofSeconds(30);

    private static final Duration LONGEST = Duration.ofHours(2);
    private static final HostKey HOST_KEY =
            HostKey.parse(SshKeyPair.generate("host").publicLine());
    private static final Logger ENGINE = Logger.getLogger("io.jenkins.plugins.vastai.rental");
    private static int survived;

    private Path home;
    private final DrivenClock time = new DrivenClock();
    private final CountDownLatch release = new CountDownLatch(1);
    private final BlockingQueue<Boolean> back = new LinkedBlockingQueue<>();
    private final List<CompletableFuture<?>> never = new ArrayList<>();
    private final Set<String> told = new HashSet<>();
    private OkHttpClient http;
    private Simulator simulator;
    private Fleet fleet;
    private Point point;
    private Kind kind;
    private Instant first;
    private volatile boolean inPass;
    private boolean armedClock;
    private boolean firstMachine = true;

    static Stream<Arguments> table() {
        return Stream.of(Point.values()).flatMap(point -> Stream.of(Kind.values())
                .filter(kind -> kind != Kind.HANG || point.mayHang())
                .map(kind -> Arguments.of(point, kind)));
    }

    @BeforeAll
    static void quiet() {
        ENGINE.setLevel(Level.OFF);
    }

    @AfterAll
    static void count() {
        ENGINE.setLevel(null);
        System.out.println("injected faults survived: " + survived + " of " + table().count());
    }

    @BeforeEach
    void start() throws IOException {
        // Each record is forced to the disk; where there is one in memory, that costs nothing.
        Path memory = Path.of("/dev/shm");
        home = Files.isWritable(memory)
                ? Files.createTempDirectory(memory, "vastai-faults")
                : Files.createTempDirectory("vastai-faults");
        simulator = Simulator.builder()
                .clock(time)
                .ssh(false)
                .limits(false)
                .boot(Duration.ofSeconds(20))
                .unload(Duration.ofSeconds(4))
                .start();
        http = new OkHttpClient.Builder().addInterceptor(this::call).build();
        Duration patient = Duration.ofSeconds(60);
        fleet = new Fleet(new Fleet.Parts(
                Homes.open(home, home, "here", time, new Random(3)),
                new VastClient(
                        simulator.uri(),
                        () -> at(Point.API_KEY, () -> ApiKey.of(simulator.apiKey())),
                        http,
                        Pacing.none(),
                        new Patience(1, Duration.ZERO, Duration.ZERO, patient, patient, patient)),
                new RentalStore(home, new Disk()),
                new Listener(),
                new Ssh(),
                this::execute,
                id -> false,
                () -> {
                    if (armedClock) {
                        armedClock = false;
                        at(Point.CLOCK, () -> null);
                    }
                    return time.instant();
                },
                Timing.published()));
    }

    @AfterEach
    void close() throws IOException {
        release.countDown();
        try (Stream<Path> all = Files.walk(home)) {
            for (Path path : all.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(path);
            }
        }
        simulator.close();
        http.connectionPool().evictAll();
        http.dispatcher().executorService().shutdown();
    }

    @ParameterizedTest
    @MethodSource("table")
    void theLoopLivesAndNothingIsLeft(Point where, Kind how) {
        point = where;
        kind = how;
        List<Rental> rentals = new ArrayList<>();
        rentals.add(order(EngineRig.container("1xRTX_4090"), null));
        rentals.add(order(EngineRig.container("1xRTX_4090"), null));
        rentals.add(order(EngineRig.vm("1xRTX_4090"), null));
        rentals.add(order(EngineRig.container("1xRTX_4090"), new BigDecimal("0.10")));
        CompletableFuture<Names> names = fleet.names();
        Set<String> served = new HashSet<>();

        until("all have ended", () -> {
            for (Rental rental : fleet.rentals()) {
                if (rental.state() == State.REACHABLE) {
                    fleet.agentOnline(rental.id(), rental.attempt());
                } else if (rental.state() == State.IN_SERVICE) {
                    served.add(rental.id());
                    fleet.retire(rental.id(), RentalText.BUILD_DONE.of()); // as often as Jenkins compares
                }
            }
            return ended() && names.isDone() && !told.isEmpty();
        });
        assertTrue(first != null, "never came by");
        // The virtual machine and the one with a floor for the balance depend on the account's answer.
        int concerned = point == Point.ACCOUNT || point == Point.API_KEY ? 2 : 1;
        assertTrue(served.size() >= rentals.size() - concerned, () -> served.size() + " served\n" + stories());
        // What fails while it is made into JSON is JSON's.
        String error = kind == Kind.EXCEPTION
                ? point == Point.DISK ? "JsonMappingException" : "IllegalStateException"
                : kind == Kind.NO_MEMORY
                        ? "OutOfMemoryError"
                        : kind == Kind.NO_CLASS ? "NoClassDefFoundError" : "TimeoutException";
        assertTrue(told.stream().anyMatch(text -> text.contains(error)), () -> "told: " + told + "\n" + stories());

        release.countDown();
        never.forEach(future -> future.complete(null));
        until(
                "what came late is destroyed too",
                () -> ended()
                        && simulator.books().left().isEmpty()
                        && fleet.trouble().isEmpty());
        Set<String> labels = new HashSet<>();
        for (Books.Entry entry : simulator.books().entries()) {
            assertTrue(labels.add(entry.label()), () -> "made twice: " + entry);
        }
        assertEquals(List.of(), simulator.books().left());
        survived++;
    }

    private boolean ended() {
        return fleet.rentals().stream().allMatch(rental -> rental.state().ended());
    }

    private void until(String what, Supplier<Boolean> done) {
        Instant end = time.instant().plus(LONGEST);
        boolean over = false;
        while (!over) {
            assertTrue(time.instant().isBefore(end), () -> "not reached: " + what + "\n" + stories());
            inPass = true;
            armedClock = point == Point.CLOCK;
            fleet.pass();
            inPass = false;
            armedClock = false;
            fleet.trouble()
                    .filter(reason -> reason.is(RentalText.INTERNAL_ERROR))
                    .map(Texts::render)
                    .ifPresent(told::add);
            over = done.get();
            time.advance(STEP);
        }
    }

    private String stories() {
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

    private Rental order(RunnerSpec spec, BigDecimal floor) {
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
                0,
                0,
                floor));
    }

    /** Whether the fault strikes now. */
    private synchronized boolean strikes(Point here) {
        if (here != point || !inPass) {
            return false;
        }
        if (first == null) {
            first = time.instant();
            return true;
        }
        return kind != Kind.HANG && time.instant().isBefore(first.plus(LASTS));
    }

    private <T> T at(Point here, Supplier<T> usual) {
        if (strikes(here)) {
            if (kind == Kind.HANG) {
                hang();
            } else {
                kind.raise();
            }
        }
        return usual.get();
    }

    /** Not even an interrupt ends it. */
    private void hang() {
        back.add(false);
        boolean free = false;
        while (!free) {
            try {
                release.await();
                free = true;
            } catch (InterruptedException e) {
                // as somebody else's code may
            }
        }
    }

    /** Runs the work to its end, or until it hangs: what follows does not depend on chance. */
    private void execute(Runnable work) {
        at(Point.THREADS, () -> null);
        Thread thread = new Thread(() -> {
            try {
                work.run();
            } finally {
                back.add(true);
            }
        });
        thread.setDaemon(true);
        thread.start();
        try {
            back.take();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    private Response call(Interceptor.Chain chain) throws IOException {
        Request request = chain.request();
        String text = request.method() + " " + request.url().encodedPath();
        boolean here = !point.call.isEmpty() && text.matches(point.call);
        if (here && !point.after()) {
            at(point, () -> null);
        }
        Response response = chain.proceed(request);
        if (here && point.after()) {
            at(point, () -> null);
        }
        return response;
    }

    private final class Listener implements Agents {
        @Override
        public void changed(Rental before, Rental after) {
            at(Point.LISTENER, () -> null);
        }

        @Override
        public void told(Rental rental, Line line) {
            at(Point.LISTENER, () -> null);
        }
    }

    /** Each write asks for the rental's private key to be encrypted. */
    private final class Disk implements Secrets {
        @Override
        public String encrypt(String plain) {
            return at(Point.DISK, () -> plain);
        }

        @Override
        public String decrypt(String encrypted) {
            return encrypted;
        }
    }

    /** Reaches whatever runs; the very first machine is not fit. */
    private final class Ssh implements Machines {
        @Override
        public CompletableFuture<Probe> probe(
                List<Instance.Endpoint> endpoints, String user, SshKeyPair key, Duration timeout) {
            at(Point.PROBE, () -> null);
            Instance.Endpoint endpoint = endpoints.get(0);
            return result(
                    Point.PROBE_RESULT,
                    new Probe(
                            Probe.Outcome.REACHED,
                            endpoint,
                            Optional.of(HOST_KEY),
                            RentalText.PROGRESS.of("reached", endpoint),
                            List.of()));
        }

        @Override
        public CompletableFuture<Bootstrap.Step> prepare(Access access, Bootstrap.Wanted wanted, boolean patient) {
            at(Point.PREPARE, () -> null);
            boolean fit = !firstMachine;
            firstMachine = false;
            return result(
                    Point.PREPARE_RESULT,
                    fit
                            ? new Bootstrap.Prepared(
                                    "/usr/bin/java",
                                    21,
                                    List.of(new Bootstrap.Gpu("GPU", 1)),
                                    Optional.empty(),
                                    Optional.empty(),
                                    20,
                                    List.of())
                            : new Bootstrap.Failed(
                                    RentalText.PROGRESS.of("wrong GPU", 0), Bootstrap.Fault.MACHINE, List.of()));
        }

        private <T> CompletableFuture<T> result(Point here, T usual) {
            if (!strikes(here)) {
                return CompletableFuture.completedFuture(usual);
            }
            CompletableFuture<T> future = new CompletableFuture<>();
            if (kind == Kind.HANG) {
                never.add(future);
            } else {
                try {
                    kind.raise();
                } catch (RuntimeException | Error e) {
                    future.completeExceptionally(e);
                }
            }
            return future;
        }
    }
}

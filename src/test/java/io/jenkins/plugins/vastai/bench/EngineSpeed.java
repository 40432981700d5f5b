package io.jenkins.plugins.vastai.bench;

import io.jenkins.plugins.vastai.api.ApiKey;
import io.jenkins.plugins.vastai.api.Pacing;
import io.jenkins.plugins.vastai.api.VastClient;
import io.jenkins.plugins.vastai.rental.Fleet;
import io.jenkins.plugins.vastai.rental.Rental;
import io.jenkins.plugins.vastai.rental.Timing;
import io.jenkins.plugins.vastai.simulator.DrivenClock;
import io.jenkins.plugins.vastai.simulator.Simulator;
import java.io.IOException;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import okhttp3.Interceptor;
import okhttp3.MediaType;
import okhttp3.OkHttpClient;
import okhttp3.Protocol;
import okhttp3.Response;
import okhttp3.ResponseBody;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/**
 * One look of the engine at five hundred rentals: what its one thread costs. The market's answers come from memory while
 * it is measured.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.SampleTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
public class EngineSpeed {

    static final int RENTALS = 500;
    private static final MediaType JSON = MediaType.get("application/json");
    /** Where all of them stand. */
    public enum Stage {
        /** Ordered, while the create call of another is under way. */
        WAITING,
        BOOTING,
        SERVING
    }

    @Param
    public Stage stage;

    private final DrivenClock clock = new DrivenClock();
    private final Map<String, byte[]> lists = new HashMap<>();
    private Simulator simulator;
    private Fleet fleet;
    private boolean frozen;
    private Duration ahead = Duration.ZERO;

    /** Brings a fleet there by way of the simulator, then takes the simulator away. */
    @Setup
    public void setUp() throws IOException {
        simulator = Simulator.builder()
                .clock(clock)
                .ssh(false)
                .limits(false)
                .scale(60)
                .credit("100000000")
                .boot(stage == Stage.BOOTING ? Duration.ofDays(1) : Duration.ofSeconds(5))
                .start();
        String key = simulator.apiKey();
        VastClient client = new VastClient(
                simulator.uri(),
                () -> ApiKey.of(key),
                new OkHttpClient.Builder().addInterceptor(this::remembering).build(),
                Pacing.none());
        fleet = SimulatedFleet.of(
                client,
                task -> {
                    if (!frozen) {
                        task.run();
                    }
                },
                () -> clock.instant().plus(ahead),
                Timing.published());
        for (int i = 0; i < RENTALS; i++) {
            fleet.order(SimulatedFleet::order);
        }
        for (int i = 0; i < 4 * RENTALS && !there(); i++) {
            fleet.pass();
            fleet.rentals().stream()
                    .filter(rental -> rental.state() == io.jenkins.plugins.vastai.rental.State.REACHABLE)
                    .forEach(rental -> fleet.agentOnline(rental.id(), rental.attempt()));
            clock.advance(Duration.ofSeconds(1));
        }
        if (!there()) {
            throw new IllegalStateException("not all are " + stage);
        }
        if (stage == Stage.WAITING) {
            frozen = true;
            fleet.pass();
        }
        fleet.flush();
    }

    private boolean there() {
        return switch (stage) {
            // One was rented, so the offers are known.
            case WAITING ->
                fleet.rentals().stream().anyMatch(rental -> !rental.draws().isEmpty());
            case BOOTING -> all(io.jenkins.plugins.vastai.rental.State.BOOTING);
            case SERVING -> all(io.jenkins.plugins.vastai.rental.State.IN_SERVICE);
        };
    }

    private boolean all(io.jenkins.plugins.vastai.rental.State state) {
        return fleet.rentals().stream().map(Rental::state).allMatch(state::equals);
    }

    @TearDown
    public void tearDown() {
        simulator.close();
    }

    /** Nothing has happened since the last look. */
    @Benchmark
    public void look() {
        fleet.pass();
    }

    /** The list of all instances is due: read it, then look at each rental anew. */
    @Benchmark
    public void listAndLook() {
        ahead = ahead.plusSeconds(30);
        fleet.pass();
        fleet.pass();
    }

    /** Once all are where they belong, the same question gets the same answer, from memory. */
    private Response remembering(Interceptor.Chain chain) throws IOException {
        String url = chain.request().url().toString();
        boolean list = url.contains("/api/v1/instances/");
        byte[] known = list && ahead.compareTo(Duration.ZERO) > 0 ? lists.get(url) : null;
        if (known != null) {
            return new Response.Builder()
                    .request(chain.request())
                    .protocol(Protocol.HTTP_1_1)
                    .code(200)
                    .message("OK")
                    .body(ResponseBody.create(known, JSON))
                    .build();
        }
        Response response = chain.proceed(chain.request());
        byte[] body = response.body().bytes();
        if (list) {
            lists.put(url, body);
        }
        return response.newBuilder().body(ResponseBody.create(body, JSON)).build();
    }
}

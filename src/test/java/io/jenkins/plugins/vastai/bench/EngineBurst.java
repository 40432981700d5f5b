package io.jenkins.plugins.vastai.bench;

import io.jenkins.plugins.vastai.api.ApiKey;
import io.jenkins.plugins.vastai.api.Pacing;
import io.jenkins.plugins.vastai.api.Patience;
import io.jenkins.plugins.vastai.api.VastClient;
import io.jenkins.plugins.vastai.rental.Fleet;
import io.jenkins.plugins.vastai.rental.Rental;
import io.jenkins.plugins.vastai.rental.RentalText;
import io.jenkins.plugins.vastai.rental.RunnerSpec;
import io.jenkins.plugins.vastai.rental.State;
import io.jenkins.plugins.vastai.rental.Timing;
import io.jenkins.plugins.vastai.simulator.Endpoint;
import io.jenkins.plugins.vastai.simulator.Fault;
import io.jenkins.plugins.vastai.simulator.Request;
import io.jenkins.plugins.vastai.simulator.Simulator;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.Collections;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import okhttp3.OkHttpClient;

/**
 * Many rentals at once, each from the order to the proof that its machine is gone, with the market's limits in force, in
 * {@link DrivenTime}: calls and the engine's own work take no time, {@link EngineSpeed} tells what they would take.
 */
final class EngineBurst {

    private static final Duration BOOT = Duration.ofSeconds(30);
    private static final Duration BUILD = Duration.ofSeconds(60);
    private static final Duration CREATE_INTERVAL = Duration.ofMillis(4500);

    /**
     * What a burst took, in the market's time.
     *
     * @param lastCreate from the order to the create call that brought the last machine
     * @param refused create calls for offers that were gone: each takes a turn of its own
     * @param throttled calls that came too early
     * @param calls answered by the market, by endpoint
     * @param ended the rentals as they are on record
     */
    record Result(Duration lastCreate, long refused, long throttled, Map<Endpoint, Long> calls, List<Rental> ended) {

        /** 1 is as fast as the market's limit allows; refused calls count as calls that had to be. */
        double overFloor() {
            long turns = ended.size() + refused - 1;
            return turns == 0 ? Double.NaN : lastCreate.toNanos() / ((double) turns * CREATE_INTERVAL.toNanos());
        }

        long lists() {
            return calls.getOrDefault(Endpoint.LIST, 0L);
        }

        double callsPerRental() {
            return calls.values().stream().mapToLong(Long::longValue).sum() / (double) ended.size();
        }

        /** Longest time from the moment that a machine ran until the engine knew. */
        Duration latestNews() {
            return ended.stream()
                    .map(rental -> rental.draws().get(rental.draws().size() - 1))
                    .map(draw -> Duration.between(draw.billedFrom().plus(BOOT), draw.runningFrom()))
                    .max(Duration::compareTo)
                    .orElseThrow();
        }
    }

    private EngineBurst() {}

    /** @param goneShare share of the offers that somebody else takes between search and create */
    static Result run(int rentals, double goneShare) throws IOException, InterruptedException {
        return run(Collections.nCopies(rentals, SimulatedFleet.SPEC), goneShare);
    }

    /** @param runners one rental for each, in this order */
    static Result run(List<RunnerSpec> runners, double goneShare) throws IOException, InterruptedException {
        OkHttpClient http = new OkHttpClient();
        try (DrivenTime time = new DrivenTime();
                Simulator simulator = Simulator.builder()
                        .clock(time.clock())
                        .ssh(false)
                        .scale(Math.max(1, runners.size() / 8))
                        .credit("100000000")
                        .boot(BOOT)
                        .portsLag(Duration.ZERO)
                        .start()) {
            if (goneShare > 0) {
                simulator
                        .faults()
                        .add(Fault.of(Fault.Kind.OFFER_GONE)
                                .endpoint(Endpoint.CREATE)
                                .rate(goneShare));
            }
            String key = simulator.apiKey();
            VastClient client = new VastClient(
                    simulator.uri(),
                    () -> ApiKey.of(key),
                    http,
                    Pacing.published(Duration.ofSeconds(90), time),
                    Patience.withoutDelay());
            Fleet fleet = SimulatedFleet.of(client, time, time.clock(), Timing.published());
            AtomicBoolean woken = new AtomicBoolean();
            fleet.onWork(() -> woken.set(true));
            Instant ordered = time.clock().instant();
            for (RunnerSpec runner : runners) {
                fleet.order(id -> SimulatedFleet.order(id, runner));
            }
            boolean open = true;
            while (open) {
                time.settle();
                woken.set(false);
                fleet.pass();
                open = builds(fleet, time.clock().instant());
                time.settle();
                if (!woken.get()) {
                    time.advance(time.clock().instant().plus(fleet.restful()));
                }
            }
            return result(fleet.rentals(), ordered, simulator.requests());
        } finally {
            http.dispatcher().executorService().shutdown();
            http.connectionPool().evictAll();
        }
    }

    /** Every machine serves for the time of a build. Returns whether any is left. */
    private static boolean builds(Fleet fleet, Instant now) {
        boolean open = false;
        for (Rental rental : fleet.rentals()) {
            if (rental.state() == State.REACHABLE) {
                fleet.agentOnline(rental.id(), rental.attempt());
            } else if (rental.state() == State.IN_SERVICE
                    && now.isAfter(rental.onlineAt().plus(BUILD))) {
                fleet.retire(rental.id(), RentalText.BUILD_DONE.of());
            }
            open |= !rental.state().ended();
        }
        return open;
    }

    private static Result result(List<Rental> ended, Instant ordered, List<Request> requests) {
        Map<Endpoint, Long> calls = new EnumMap<>(Endpoint.class);
        requests.forEach(request -> calls.merge(request.endpoint(), 1L, Long::sum));
        List<Request> creates = requests.stream()
                .filter(request -> request.endpoint() == Endpoint.CREATE)
                .toList();
        Instant last = creates.stream()
                .filter(request -> request.status() == 200)
                .map(Request::time)
                .max(Instant::compareTo)
                .orElseThrow();
        long throttled =
                requests.stream().filter(request -> request.status() == 429).count();
        long refused = creates.stream()
                .filter(request -> request.status() != 200 && request.status() != 429)
                .count();
        return new Result(Duration.between(ordered, last), refused, throttled, calls, ended);
    }
}

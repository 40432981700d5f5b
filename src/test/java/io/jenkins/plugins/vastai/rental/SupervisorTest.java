package io.jenkins.plugins.vastai.rental;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jenkins.plugins.vastai.api.ApiKey;
import io.jenkins.plugins.vastai.api.Pacing;
import io.jenkins.plugins.vastai.api.Patience;
import io.jenkins.plugins.vastai.api.VastClient;
import io.jenkins.plugins.vastai.simulator.DrivenClock;
import io.jenkins.plugins.vastai.ssh.Bootstrap;
import io.jenkins.plugins.vastai.ssh.Probe;
import io.jenkins.plugins.vastai.text.Texts;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import okhttp3.OkHttpClient;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Nothing that is thrown ends a loop; it is told once, and no longer than it lasts. */
class SupervisorTest {

    private static final Logger LOGGER = Logger.getLogger(Supervisor.class.getName());

    private final DrivenClock clock = new DrivenClock();
    private final Supervisor supervisor = new Supervisor(clock);
    private final List<LogRecord> logged = new ArrayList<>();
    private final Handler handler = new Handler() {
        @Override
        public void publish(LogRecord entry) {
            if (entry.getLevel().intValue() >= Level.WARNING.intValue()) {
                logged.add(entry);
            }
        }

        @Override
        public void flush() {
            // nothing is kept back
        }

        @Override
        public void close() {
            // nothing is open
        }
    };

    @BeforeEach
    void listen() {
        LOGGER.addHandler(handler);
        LOGGER.setUseParentHandlers(false);
    }

    @AfterEach
    void stop() {
        LOGGER.removeHandler(handler);
        LOGGER.setUseParentHandlers(true);
    }

    @Test
    void anErrorIsToldUntilTheWorkSucceedsAndLoggedOnce() {
        for (int i = 0; i < 100; i++) {
            assertFalse(supervisor.run("the work", () -> {
                throw new NoClassDefFoundError("gone");
            }));
            clock.advance(Duration.ofSeconds(1));
        }

        assertEquals(1, logged.size());
        String told = Texts.render(supervisor.trouble().orElseThrow());
        assertTrue(told.contains("the work") && told.contains("NoClassDefFoundError"), told);

        assertTrue(supervisor.run("the work", () -> {}));
        assertTrue(supervisor.trouble().isEmpty());
    }

    @Test
    void anotherErrorIsLoggedAgainAndOneThatComesAndGoesIsNot() {
        for (int i = 0; i < 20; i++) {
            supervisor.run("the work", () -> {
                throw new IllegalStateException();
            });
            supervisor.run("the work", () -> {});
            clock.advance(Duration.ofSeconds(1));
        }
        assertEquals(1, logged.size());
        supervisor.run("the work", () -> {
            throw new OutOfMemoryError();
        });
        assertEquals(2, logged.size());
        clock.advance(Duration.ofMinutes(9));
        supervisor.run("the work", () -> {
            throw new OutOfMemoryError();
        });
        assertEquals(2, logged.size());
        clock.advance(Duration.ofMinutes(9));
        supervisor.run("the work", () -> {
            throw new OutOfMemoryError();
        });
        assertEquals(3, logged.size(), "it lasts");
    }

    @Test
    void workThatDoesNotReturnIsToldByItsInnermostName() {
        AtomicLong nanos = new AtomicLong();
        Supervisor timed = new Supervisor(clock, nanos::get);
        timed.run("the pass", () -> {
            nanos.addAndGet(1);
            timed.run("rental 1", () -> {
                nanos.addAndGet(Duration.ofMinutes(4).toNanos());
                assertTrue(timed.trouble().isEmpty(), "it may take its time");
                nanos.addAndGet(Duration.ofMinutes(2).toNanos());
                String told = Texts.render(timed.trouble().orElseThrow());
                assertTrue(told.contains("rental 1") && told.contains("TimeoutException"), told);
            });
        });
        assertTrue(timed.trouble().isEmpty());
    }

    @Test
    void whatIsNotTriedAnyMoreIsForgotten() {
        supervisor.failed("the work", new IllegalStateException());
        clock.advance(Duration.ofMinutes(6));
        assertTrue(supervisor.trouble().isEmpty());
    }

    @Test
    void theFleetsThreadOutlivesAClockThatThrows(@TempDir Path home) throws Exception {
        AtomicInteger throwing = new AtomicInteger(50);
        CompletableFuture<String> told = new CompletableFuture<>();
        Agents listener = new Agents() {
            @Override
            public void changed(Rental before, Rental after) {
                // only lines are waited for
            }

            @Override
            public void told(Rental rental, Line line) {
                told.complete(rental.id());
            }
        };
        Fleet fleet = fleet(home, listener, throwing);
        FleetThread thread = FleetThread.start(fleet);
        try {
            Rental rental = null;
            while (rental == null) {
                try {
                    rental = fleet.order(id -> order("gpu-" + id));
                } catch (LinkageError e) {
                    assertTrue(throwing.get() > -1000, "whoever calls hears it");
                }
            }
            assertEquals(rental.id(), told.get(30, TimeUnit.SECONDS));
        } finally {
            thread.close();
        }
    }

    private static Order order(String agent) {
        return new Order(
                "vast",
                "gpu",
                agent,
                EngineRig.container("1xRTX_4090"),
                "/home/jenkins",
                17,
                1,
                Duration.ofMinutes(15),
                Duration.ofHours(8),
                0,
                0,
                null);
    }

    /** Nothing is called: only the listener has workers. */
    private static Fleet fleet(Path home, Agents listener, AtomicInteger throwing) throws IOException {
        ControllerIdentity identity = Homes.open(home, home, "here", new DrivenClock(), new Random(1));
        AtomicInteger before = new AtomicInteger(throwing.getAndSet(0));
        Fleet fleet = new Fleet(new Fleet.Parts(
                identity,
                new VastClient(
                        URI.create("http://127.0.0.1:9"),
                        () -> ApiKey.of("key"),
                        new OkHttpClient(),
                        Pacing.none(),
                        Patience.once(Duration.ofSeconds(1))),
                new RentalStore(home, EngineRig.SECRETS),
                listener,
                new NoMachines(),
                Runnable::run,
                id -> false,
                () -> {
                    if (throwing.getAndDecrement() > 0) {
                        throw new NoClassDefFoundError("injected");
                    }
                    return Instant.now();
                },
                Timing.published()));
        throwing.set(before.get());
        return fleet;
    }

    private static final class NoMachines implements Machines {
        @Override
        public CompletableFuture<Probe> probe(
                List<io.jenkins.plugins.vastai.api.Instance.Endpoint> endpoints,
                String user,
                io.jenkins.plugins.vastai.ssh.SshKeyPair key,
                Duration timeout) {
            throw new RejectedExecutionException();
        }

        @Override
        public CompletableFuture<Bootstrap.Step> prepare(
                io.jenkins.plugins.vastai.ssh.Access access, Bootstrap.Wanted wanted, boolean patient) {
            throw new RejectedExecutionException();
        }
    }
}

package io.jenkins.plugins.vastai.rental;

import io.jenkins.plugins.vastai.text.Reason;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Comparator;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeoutException;
import java.util.function.LongSupplier;
import java.util.logging.Level;
import java.util.logging.Logger;

/**
 * Runs work that must never end its loop, whatever it throws: an {@link Error} of another plugin's class or of a full
 * memory included. Remembers what fails until it succeeds again, and what does not return, so that it can be shown, and logs equal failures once.
 * The one implementation for every loop and schedule of the plugin. Thread-safe.
 */
public final class Supervisor {

    private static final Logger LOGGER = Logger.getLogger(Supervisor.class.getName());
    /** What is not tried again for that long says nothing about now. */
    private static final Duration SHOWN = Duration.ofMinutes(5);
    /** Equal failures are logged again after that. */
    private static final Duration QUIET = Duration.ofMinutes(10);

    private static final int MOST = 1000;

    /** @param failing false once the work succeeded: kept for a while so that a failure that comes and goes is not logged each time */
    private record Failure(String error, boolean failing, Instant since, Instant last, Instant logged) {}

    private final InstantSource clock;
    private final LongSupplier nanos;
    /** Since when work is under way. */
    private final Map<String, Long> running = new ConcurrentHashMap<>();

    private final Map<String, Failure> failures = new ConcurrentHashMap<>();

    /** @param clock decides how long a failure is shown and when it is logged again */
    public Supervisor(InstantSource clock) {
        this(clock, System::nanoTime);
    }

    /** @param nanos tells how long work is under way, whatever becomes of the clock */
    Supervisor(InstantSource clock, LongSupplier nanos) {
        this.clock = clock;
        this.nanos = nanos;
    }

    /**
     * Runs the work and lets nothing out that it throws.
     *
     * @param what names the work to administrators; equal names are the same work
     * @return whether it succeeded
     */
    public boolean run(String what, Runnable work) {
        try {
            running.put(what, nanos.getAsLong());
            work.run();
        } catch (Throwable e) { // the loop must live
            failed(what, e);
            return false;
        } finally {
            running.remove(what);
        }
        succeeded(what);
        return true;
    }

    /** The work failed this way. Never throws. */
    public void failed(String what, Throwable failure) {
        try {
            note(what, failure);
        } catch (Throwable e) { // no memory left even for this: the next try tells
            return;
        }
    }

    /** The work succeeded: whatever failure was remembered of it is over. */
    public void succeeded(String what) {
        if (!failures.isEmpty()) {
            failures.computeIfPresent(
                    what, (key, known) -> new Failure(known.error, false, known.since, known.last, known.logged));
        }
    }

    /** What does not come to an end, or else what keeps failing longest; empty when all is well. */
    public Optional<Reason> trouble() {
        return hanging().or(this::failing);
    }

    /** The innermost: what it is part of hangs with it. */
    private Optional<Reason> hanging() {
        long now = nanos.getAsLong();
        return running.entrySet().stream()
                .filter(entry -> now - entry.getValue() > SHOWN.toNanos())
                .min(Comparator.comparing(entry -> now - entry.getValue()))
                .map(entry -> RentalText.INTERNAL_ERROR.of(entry.getKey(), TimeoutException.class.getName()));
    }

    private Optional<Reason> failing() {
        Instant recent = clock.instant().minus(SHOWN);
        return failures.entrySet().stream()
                .filter(entry ->
                        entry.getValue().failing && !entry.getValue().last.isBefore(recent))
                .min(Comparator.comparing((Map.Entry<String, Failure> entry) -> entry.getValue().since)
                        .thenComparing(Map.Entry::getKey))
                .map(entry -> RentalText.INTERNAL_ERROR.of(entry.getKey(), entry.getValue().error));
    }

    private static Throwable cause(Throwable failure) {
        boolean wrapper = failure instanceof UncheckedIOException
                || failure instanceof CompletionException
                || failure instanceof ExecutionException;
        return wrapper && failure.getCause() != null ? failure.getCause() : failure;
    }

    private void note(String what, Throwable failure) {
        Instant now = clock.instant();
        failures.values()
                .removeIf(known -> now.isAfter(known.last.plus(QUIET)) || now.isBefore(known.last.minus(QUIET)));
        Failure known = failures.get(what);
        String error = cause(failure).getClass().getName();
        boolean same = known != null && known.error.equals(error);
        boolean quiet = same && now.isBefore(known.logged.plus(QUIET));
        if (known != null || failures.size() < MOST) {
            Instant since = same && known.failing ? known.since : now;
            failures.put(what, new Failure(error, true, since, now, quiet ? known.logged : now));
        }
        LOGGER.log(
                quiet ? Level.FINE : Level.WARNING, failure, () -> "Internal error in " + what + "; it is tried again");
    }
}

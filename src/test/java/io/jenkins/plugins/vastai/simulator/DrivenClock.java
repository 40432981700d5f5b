package io.jenkins.plugins.vastai.simulator;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CopyOnWriteArrayList;

/** A clock that stands still until a test moves it. Any thread may read; whoever advances also runs the listeners. */
public final class DrivenClock implements InstantSource {
    private final List<Runnable> listeners = new CopyOnWriteArrayList<>();
    private volatile Instant now;

    public DrivenClock() {
        this(Instant.parse("2026-09-01T08:00:00Z"));
    }

    public DrivenClock(Instant start) {
        now = Objects.requireNonNull(start);
    }

    @Override
    public Instant instant() {
        return now;
    }

    /** Moves the time forward and returns when everything that became due in the simulator has happened. */
    public void advance(Duration step) {
        if (step.isNegative()) {
            throw new IllegalArgumentException("time cannot run backwards: " + step);
        }
        synchronized (this) {
            now = now.plus(step);
        }
        listeners.forEach(Runnable::run);
    }

    /** Called after each step, on the thread that made it. */
    public void onAdvance(Runnable listener) {
        listeners.add(listener);
    }

    void forget(Runnable listener) {
        listeners.remove(listener);
    }
}

package io.jenkins.plugins.vastai.bench;

import io.jenkins.plugins.vastai.api.Pacing;
import io.jenkins.plugins.vastai.simulator.DrivenClock;
import java.time.Duration;
import java.time.Instant;
import java.util.PriorityQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/**
 * Time that moves only when everybody waits for it: work takes none, waiting takes exactly as long as it should. So what
 * is measured in it is the same on every machine, however busy. Runs the engine's calls on real threads and lets them
 * sleep for their pacing.
 */
final class DrivenTime implements Pacing.Time, Executor, AutoCloseable {

    private record Sleeper(Instant until, CountDownLatch alarm) {}

    private final DrivenClock clock = new DrivenClock();
    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final PriorityQueue<Sleeper> sleepers =
            new PriorityQueue<>((one, other) -> one.until().compareTo(other.until()));
    private int atWork;

    DrivenClock clock() {
        return clock;
    }

    @Override
    public long nanos() {
        Instant now = clock.instant();
        return now.getEpochSecond() * 1_000_000_000 + now.getNano();
    }

    @Override
    public void sleep(Duration time) throws InterruptedException {
        if (time.isZero() || time.isNegative()) {
            return;
        }
        Sleeper sleeper = new Sleeper(clock.instant().plus(time), new CountDownLatch(1));
        synchronized (this) {
            sleepers.add(sleeper);
            atWork--;
            notifyAll();
        }
        sleeper.alarm().await(); // whoever wakes it has counted it as at work
    }

    @Override
    public void execute(Runnable work) {
        synchronized (this) {
            atWork++;
        }
        threads.execute(() -> {
            try {
                work.run();
            } finally {
                synchronized (this) {
                    atWork--;
                    notifyAll();
                }
            }
        });
    }

    /** Returns when nobody is at work: all sleep, or have nothing to do. */
    synchronized void settle() throws InterruptedException {
        while (atWork > 0) {
            wait();
        }
    }

    /** Moves the time to {@code next}, or to the moment at which the first sleeper wakes if that is before. */
    void advance(Instant next) {
        Instant until = next;
        synchronized (this) {
            if (!sleepers.isEmpty() && sleepers.peek().until().isBefore(next)) {
                until = sleepers.peek().until();
            }
        }
        clock.advance(Duration.between(clock.instant(), until));
        synchronized (this) {
            while (!sleepers.isEmpty() && !sleepers.peek().until().isAfter(until)) {
                atWork++;
                sleepers.poll().alarm().countDown();
            }
        }
    }

    @Override
    public void close() {
        threads.shutdownNow();
    }
}

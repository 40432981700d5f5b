package io.jenkins.plugins.vastai.rental;

import java.util.concurrent.locks.LockSupport;

/**
 * The one thread that drives a fleet: passes when woken, and at intervals. A daemon. Each round runs under
 * the fleet's {@link Supervisor}, so nothing that it throws ends this thread.
 */
public final class FleetThread implements AutoCloseable {

    private static final long AFTER_ERROR = 1_000_000_000;

    private final Fleet fleet;
    private final Thread thread;
    private volatile boolean closed;
    private volatile boolean woken = true;

    private FleetThread(Fleet fleet) {
        this.fleet = fleet;
        this.thread = new Thread(this::run, "Vast.ai fleet");
        this.thread.setDaemon(true);
    }

    /** Starts to drive. */
    public static FleetThread start(Fleet fleet) {
        FleetThread driver = new FleetThread(fleet);
        fleet.onWork(driver::wake);
        driver.thread.start();
        return driver;
    }

    private void wake() {
        woken = true;
        LockSupport.unpark(thread);
    }

    private void run() {
        while (!closed) {
            woken = false;
            long[] rest = {AFTER_ERROR};
            fleet.supervisor().run("the fleet's thread", () -> {
                fleet.pass();
                rest[0] = fleet.restful().toNanos();
            });
            if (!woken && !closed) {
                LockSupport.parkNanos(this, rest[0]);
                Thread.interrupted(); // or it would never rest again
            }
        }
        fleet.flush();
    }

    /** Lets the pass under way end, and none begin; machines and records stay as they are. Waits ten seconds at most. */
    @Override
    public void close() {
        closed = true;
        LockSupport.unpark(thread);
        try {
            thread.join(10_000);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}

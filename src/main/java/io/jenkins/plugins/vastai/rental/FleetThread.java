package io.jenkins.plugins.vastai.rental;

import java.util.concurrent.locks.LockSupport;

/** The one thread that drives a fleet: passes when woken, and at intervals. A daemon. */
public final class FleetThread implements AutoCloseable {

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
            fleet.pass();
            if (!woken && !closed) {
                LockSupport.parkNanos(this, fleet.restful().toNanos());
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

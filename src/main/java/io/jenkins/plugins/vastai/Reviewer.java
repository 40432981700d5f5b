package io.jenkins.plugins.vastai;

import hudson.Extension;
import hudson.model.Queue;
import hudson.model.queue.QueueListener;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.logging.Level;
import java.util.logging.Logger;

/**
 * Sees to it that a buildable item gets its order within milliseconds. Hints to core get lost, since they come before the
 * queue's snapshot is published, and are throttled to one each second. So the listener only
 * arms one timer; the timer passes the queue lock once, by which the snapshot is published, and then counts. {@link
 * Upkeep} asks again every second while items wait.
 */
final class Reviewer {

    private static final Logger LOGGER = Logger.getLogger(Reviewer.class.getName());

    private final Fleets fleets;
    private final Provisioning provisioning;
    private final Tuning tuning;
    private final AtomicBoolean armed = new AtomicBoolean();
    private volatile Threads threads;

    Reviewer(Fleets fleets, Provisioning provisioning, Tuning tuning) {
        this.fleets = fleets;
        this.provisioning = provisioning;
        this.tuning = tuning;
    }

    void start(Threads own) {
        threads = own;
        dirty();
    }

    /** Something may be missing. Returns at once. */
    void dirty() {
        if (threads != null && armed.compareAndSet(false, true)) {
            try {
                threads.schedule().schedule(this::review, tuning.review().toMillis(), TimeUnit.MILLISECONDS);
            } catch (RejectedExecutionException e) {
                LOGGER.log(Level.FINE, "Jenkins stops", e);
            }
        }
    }

    private void review() {
        armed.set(false);
        if (!fleets.started()) {
            return;
        }
        fleets.supervisor().run("what the queue needs", () -> {
            Queue.runWithLock(() -> {
                // whoever held the lock has published what the queue holds
            });
            provisioning.review();
            provisioning.turns();
        });
    }

    /** Runs inside the queue's maintenance: arms the timer and nothing else. */
    @Extension
    public static final class Arrivals extends QueueListener {
        @Override
        public void onEnterBuildable(Queue.BuildableItem item) {
            Fleets.lookup().ifPresent(fleets -> fleets.reviewer().dirty());
        }
    }
}

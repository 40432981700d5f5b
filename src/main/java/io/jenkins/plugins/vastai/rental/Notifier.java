package io.jenkins.plugins.vastai.rental;

import java.util.Queue;
import java.util.concurrent.LinkedBlockingQueue;

/**
 * Tells the listener what happens, one thing after the other, outside the engine's thread: a listener that hangs or
 * throws holds up no rental. One that hangs is interrupted and loses the event that it hung at; the next one follows.
 */
final class Notifier implements Agents {

    static final String NAME = "the agents' listener";

    private static final int MOST_WAITING = 10_000;
    /** So many have the lane's limit together. */
    private static final int MOST_AT_ONCE = 100;

    private final Agents agents;
    private final Lanes lanes;
    private final Supervisor supervisor;
    private final Queue<Runnable> waiting = new LinkedBlockingQueue<>(MOST_WAITING);
    private volatile int round;

    Notifier(Agents agents, Lanes lanes, Supervisor supervisor) {
        this.agents = agents;
        this.lanes = lanes;
        this.supervisor = supervisor;
    }

    @Override
    public void changed(Rental before, Rental after) {
        add(() -> agents.changed(before, after));
    }

    @Override
    public void told(Rental rental, Line line) {
        add(() -> agents.told(rental, line));
    }

    private void add(Runnable event) {
        // The listener compares by itself now and then: while it hangs for so long, losing events costs time only.
        if (!waiting.offer(event)) {
            waiting.poll();
            waiting.offer(event);
        }
        start();
    }

    private void start() {
        if (!waiting.isEmpty() && lanes.free(Lanes.Lane.NOTIFY)) {
            int mine = ++round;
            lanes.submit(Lanes.Lane.NOTIFY, () -> tell(mine), (told, failure) -> start());
        }
    }

    /** Whoever comes back from a hang finds that a later round goes on, and leaves the rest to that. */
    private int tell(int mine) {
        int told = 0;
        while (told < MOST_AT_ONCE && mine == round) {
            Runnable event = waiting.poll();
            if (event == null) {
                break;
            }
            supervisor.run(NAME, event);
            told++;
        }
        return told;
    }
}

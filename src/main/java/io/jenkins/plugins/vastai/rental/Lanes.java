package io.jenkins.plugins.vastai.rental;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeoutException;
import java.util.function.BiConsumer;
import java.util.function.Consumer;

/**
 * Runs the engine's slow calls outside its thread and hands each outcome back to it. Each lane carries at most so many
 * calls at the same time, so that a waiting create call never holds up a destroy, and five hundred waiting rentals hold
 * no more threads than one. Every call has exactly one outcome: whatever it throws is a failure, and so is a call that
 * does not return within its lane's limit. Used by the engine's thread only.
 */
final class Lanes {

    /**
     * Kinds of work, each with the number of calls that may be under way and the minutes after which one is given up. The
     * client ends its own calls much earlier, tries again included: the limit is for what it does not control.
     */
    enum Lane {
        /** Hundreds of instances take many calls. */
        LIST(1, 10),
        SEARCH(1, 5),
        /** Sent one after the other by their pacing; the market may take longer to answer than until the next one. */
        CREATE(4, 10),
        DESTROY(2, 5),
        CONFIRM(1, 5),
        ATTACH(1, 5),
        ACCOUNT(1, 5),
        NAMES(1, 5),
        LOGS(1, 5),
        /** The listener, see {@link Notifier}. */
        NOTIFY(1, 1);

        private final int width;
        private final Duration limit;

        Lane(int width, int minutes) {
            this.width = width;
            this.limit = Duration.ofMinutes(minutes);
        }

        /** How long a call may take. */
        Duration limit() {
            return limit;
        }
    }

    /** With so many threads no lane ever waits for another one's call. */
    static final int THREADS =
            Arrays.stream(Lane.values()).mapToInt(lane -> lane.width).sum();

    /** What a call threw that is no {@link Exception}. */
    static final class CallFailed extends Exception {
        private static final long serialVersionUID = 1;

        CallFailed(Throwable cause) {
            super(cause);
        }
    }

    private static final class Call<T> {
        private final Lane lane;
        private final BiConsumer<T, Exception> done;
        private final Instant deadline;
        private Thread runner;
        private boolean over;

        Call(Lane lane, BiConsumer<T, Exception> done, Instant deadline) {
            this.lane = lane;
            this.done = done;
            this.deadline = deadline;
        }

        /** Whether it may run; false when it was given up before it had a thread. */
        synchronized boolean begin() {
            runner = Thread.currentThread();
            return !over;
        }

        synchronized void end() {
            runner = null;
        }

        synchronized void abandon() {
            over = true;
            if (runner != null) {
                runner.interrupt();
            }
        }
    }

    private final Executor workers;
    private final Consumer<Runnable> inbox;
    private final InstantSource clock;
    private final Supervisor supervisor;
    private final Set<Call<?>> open = new LinkedHashSet<>();

    /**
     * @param workers runs the calls
     * @param inbox takes what the engine's thread shall do next
     * @param clock decides when a call is given up
     * @param supervisor hears of calls that fail by a fault of the program, or do not return
     */
    Lanes(Executor workers, Consumer<Runnable> inbox, InstantSource clock, Supervisor supervisor) {
        this.workers = workers;
        this.inbox = inbox;
        this.clock = clock;
        this.supervisor = supervisor;
    }

    boolean free(Lane lane) {
        return open.stream().filter(call -> call.lane == lane).count() < lane.width;
    }

    /**
     * Starts {@code call} when the lane has room.
     *
     * @param done gets the result or the exception, once, on the engine's thread; exactly one of them is null
     * @return false when the lane is full or the engine is being closed: nothing was started
     */
    <T> boolean submit(Lane lane, Callable<T> call, BiConsumer<T, Exception> done) {
        if (!free(lane)) {
            return false;
        }
        Call<T> started = new Call<>(lane, done, clock.instant().plus(lane.limit));
        open.add(started);
        try {
            workers.execute(() -> run(started, call));
            return true;
        } catch (RejectedExecutionException e) {
            open.remove(started);
            return false;
        } catch (RuntimeException | Error e) { // no thread to be had
            started.abandon();
            open.remove(started);
            supervisor.failed(name(lane), e);
            return false;
        }
    }

    private <T> void run(Call<T> started, Callable<T> call) {
        if (!started.begin()) {
            return;
        }
        T result = null;
        Exception failure = null;
        try {
            result = call.call();
        } catch (Exception e) {
            failure = e;
        } catch (Throwable e) { // an Error ends neither the lane nor whoever waits for the answer
            failure = new CallFailed(e);
        } finally {
            started.end();
        }
        T value = result;
        Exception problem = failure;
        inbox.accept(() -> outcome(started, value, problem));
    }

    /** Gives up calls that take too long: their lane is free again, and what they bring later is ignored. */
    void expire(Instant now) {
        for (Call<?> call : List.copyOf(open)) {
            if (now.isAfter(call.deadline)) {
                call.abandon();
                Exception late = new TimeoutException("no answer within " + call.lane.limit.toMinutes() + " min");
                supervisor.run("answers", () -> outcome(call, null, late));
            }
        }
    }

    private <T> void outcome(Call<T> call, T result, Exception failure) {
        if (!open.remove(call)) {
            return;
        }
        if (failure instanceof CallFailed error) {
            supervisor.failed(name(call.lane), error.getCause());
        } else if (failure instanceof RuntimeException || failure instanceof TimeoutException) {
            supervisor.failed(name(call.lane), failure);
        } else {
            supervisor.succeeded(name(call.lane));
        }
        call.done.accept(result, failure);
    }

    private static String name(Lane lane) {
        return lane == Lane.NOTIFY ? "the call of the agents' listener" : "market calls " + lane;
    }
}

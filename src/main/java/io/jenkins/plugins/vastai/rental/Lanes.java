package io.jenkins.plugins.vastai.rental;

import java.util.EnumMap;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.BiConsumer;
import java.util.function.Consumer;

/**
 * Runs the engine's slow calls outside its thread and hands each outcome back to it. Each lane carries at most so many
 * calls at the same time, so that a waiting create call never holds up a destroy, and five hundred waiting rentals hold
 * no more threads than one. Used by the engine's thread only.
 */
final class Lanes {

    /** Kinds of work, each with the number of calls that may be under way. */
    enum Lane {
        LIST(1),
        SEARCH(1),
        /** Sent one after the other by their pacing; the market may take longer to answer than until the next one. */
        CREATE(4),
        DESTROY(2),
        CONFIRM(1),
        ATTACH(1),
        ACCOUNT(1),
        NAMES(1),
        LOGS(1),
        SSH(8);

        private final int width;

        Lane(int width) {
            this.width = width;
        }
    }

    private final Executor workers;
    private final Consumer<Runnable> inbox;
    private final Map<Lane, Integer> busy = new EnumMap<>(Lane.class);

    /**
     * @param workers runs the calls
     * @param inbox takes what the engine's thread shall do next
     */
    Lanes(Executor workers, Consumer<Runnable> inbox) {
        this.workers = workers;
        this.inbox = inbox;
    }

    boolean free(Lane lane) {
        return busy.getOrDefault(lane, 0) < lane.width;
    }

    /**
     * Starts {@code call} when the lane has room.
     *
     * @param done gets the result or the exception, on the engine's thread; exactly one of them is null
     * @return false when the lane is full or the engine is being closed: nothing was started
     */
    <T> boolean submit(Lane lane, Callable<T> call, BiConsumer<T, Exception> done) {
        if (!free(lane)) {
            return false;
        }
        busy.merge(lane, 1, Integer::sum);
        try {
            workers.execute(() -> {
                T result = null;
                Exception failure = null;
                try {
                    result = call.call();
                } catch (Exception e) {
                    failure = e;
                }
                T value = result;
                Exception problem = failure;
                inbox.accept(() -> {
                    busy.merge(lane, -1, Integer::sum);
                    done.accept(value, problem);
                });
            });
            return true;
        } catch (RejectedExecutionException e) {
            busy.merge(lane, -1, Integer::sum);
            return false;
        }
    }
}

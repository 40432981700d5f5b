package io.jenkins.plugins.vastai;

import hudson.security.ACL;
import io.jenkins.plugins.vastai.rental.Fleet;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import jenkins.security.ImpersonatingExecutorService;
import jenkins.security.ImpersonatingScheduledExecutorService;

/** The plugin's own threads: few, daemons, gone when idle, with Jenkins' own rights. */
final class Threads {

    private static final int AGENTS = 4;
    private static final int SCHEDULE = 2;
    private static final long IDLE_SECONDS = 30;
    private static final long END_SECONDS = 5;

    private final List<ExecutorService> workers = new CopyOnWriteArrayList<>();
    private final ExecutorService agents = pool(AGENTS, "Vast.ai agents");
    private final ScheduledExecutorService schedule;

    Threads() {
        ScheduledThreadPoolExecutor pool = new ScheduledThreadPoolExecutor(SCHEDULE, named("Vast.ai schedule"));
        pool.setRemoveOnCancelPolicy(true);
        pool.setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
        schedule = new ImpersonatingScheduledExecutorService(pool, ACL.SYSTEM2);
    }

    /** Calls of one more fleet, in threads of its own: an account that does not answer holds up no other. */
    ExecutorService workers() {
        ExecutorService pool = pool(Fleet.THREADS, "Vast.ai call");
        workers.add(pool);
        return pool;
    }

    /** Adding, removing and connecting agents. */
    void agents(Runnable work) {
        try {
            agents.execute(work);
        } catch (RejectedExecutionException e) {
            // Jenkins stops: the same comparison follows at the next start
        }
    }

    ScheduledExecutorService schedule() {
        return schedule;
    }

    void endSchedule() {
        schedule.shutdownNow();
    }

    /** What is under way on agents gets its moment: a node that is half written would not be loaded again. */
    void end() {
        workers.forEach(ExecutorService::shutdownNow);
        agents.shutdown();
        try {
            if (!agents.awaitTermination(END_SECONDS, TimeUnit.SECONDS)) {
                agents.shutdownNow();
            }
        } catch (InterruptedException e) {
            agents.shutdownNow();
            Thread.currentThread().interrupt();
        }
    }

    private static ExecutorService pool(int size, String name) {
        ThreadPoolExecutor pool = new ThreadPoolExecutor(
                size, size, IDLE_SECONDS, TimeUnit.SECONDS, new LinkedBlockingQueue<>(), named(name));
        pool.allowCoreThreadTimeOut(true);
        return new ImpersonatingExecutorService(pool, ACL.SYSTEM2);
    }

    private static ThreadFactory named(String name) {
        AtomicInteger number = new AtomicInteger();
        return work -> {
            Thread thread = new Thread(work, name + " " + number.incrementAndGet());
            thread.setDaemon(true);
            return thread;
        };
    }
}

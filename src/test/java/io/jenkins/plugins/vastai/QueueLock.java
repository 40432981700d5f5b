package io.jenkins.plugins.vastai;

import hudson.model.Queue;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadInfo;
import java.lang.management.ThreadMXBean;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import jenkins.model.Jenkins;
import okhttp3.OkHttpClient;

/** The lock that a whole Jenkins waits for: who calls the market under it, and who holds it for how long. */
final class QueueLock {

    private static final List<String> CALLS = new CopyOnWriteArrayList<>();
    private static final String OURS = VastAiCloud.class.getPackageName() + ".";

    private QueueLock() {}

    private static ReentrantLock lock() {
        try {
            var field = Queue.class.getDeclaredField("lock");
            field.setAccessible(true);
            return (ReentrantLock) field.get(Queue.getInstance());
        } catch (ReflectiveOperationException e) {
            throw new LinkageError("Jenkins keeps its queue lock elsewhere", e);
        }
    }

    /** Whether the calling thread holds it. */
    static boolean held() {
        return Jenkins.getInstanceOrNull() != null && lock().isHeldByCurrentThread();
    }

    /** Refuses every call under the lock, and remembers it. */
    static OkHttpClient.Builder guard(OkHttpClient.Builder http) {
        return http.addInterceptor(chain -> {
            if (held()) {
                String call = chain.request().method() + " " + chain.request().url() + " under the queue lock";
                CALLS.add(call + Arrays.toString(Thread.currentThread().getStackTrace()));
                throw new IllegalStateException(call);
            }
            return chain.proceed(chain.request());
        });
    }

    /** Calls that were made under the lock since the last question. */
    static List<String> calls() {
        List<String> calls = new ArrayList<>(CALLS);
        CALLS.removeAll(calls);
        return calls;
    }

    /**
     * Watches the lock for a while: takes it again and again, as any build that ends has to, while another thread looks
     * whom it waits for.
     */
    static Waits watch(Duration time, Duration pause) throws InterruptedException {
        Holders holders = new Holders(Thread.currentThread().getId());
        Thread looking = new Thread(holders, "who holds the queue lock");
        looking.setDaemon(true);
        looking.start();
        Duration longest = Duration.ZERO;
        long end = System.nanoTime() + time.toNanos();
        int times = 0;
        while (System.nanoTime() < end) {
            long asked = System.nanoTime();
            Queue.runWithLock(() -> {
                // whoever has it has given it back
            });
            Duration waited = Duration.ofNanos(System.nanoTime() - asked);
            longest = waited.compareTo(longest) > 0 ? waited : longest;
            times++;
            Thread.sleep(pause.toMillis());
        }
        holders.ended = true;
        looking.join();
        return new Waits(times, longest, holders.longest, holders.where);
    }

    /**
     * @param times how often the lock was taken
     * @param longest wait for it, whoever had it, or the computer had no time for us
     * @param ours longest time that the holder was seen in our own code without a break
     * @param where that was
     */
    record Waits(int times, Duration longest, Duration ours, String where) {}

    /** Samples whom one thread waits for. What it did not see, because the computer was busy, counts for nobody. */
    private static final class Holders implements Runnable {

        private static final Duration SAMPLE = Duration.ofMillis(1);
        private static final Duration MOST = Duration.ofMillis(5);
        private static final int FRAMES = 60;

        private final ThreadMXBean threads = ManagementFactory.getThreadMXBean();
        private final long waiting;
        private volatile boolean ended;
        private volatile Duration longest = Duration.ZERO;
        private volatile String where = "";

        Holders(long waiting) {
            this.waiting = waiting;
        }

        @Override
        public void run() {
            long last = -1;
            Duration held = Duration.ZERO;
            long before = System.nanoTime();
            while (!ended) {
                Optional<ThreadInfo> holder = holder();
                long at = System.nanoTime();
                Duration gap = Duration.ofNanos(at - before);
                before = at;
                long now = holder.map(ThreadInfo::getThreadId).orElse(-1L);
                held = now >= 0 && now == last ? held.plus(gap.compareTo(MOST) > 0 ? MOST : gap) : Duration.ZERO;
                if (held.compareTo(longest) > 0) {
                    longest = held;
                    where = Arrays.toString(holder.orElseThrow().getStackTrace());
                }
                last = now;
                LockSupport.parkNanos(SAMPLE.toNanos());
            }
        }

        /** Who holds what the thread waits for, if he is in our code. */
        private Optional<ThreadInfo> holder() {
            ThreadInfo waiter = threads.getThreadInfo(waiting);
            ThreadInfo holder = waiter == null || waiter.getLockOwnerId() < 0
                    ? null
                    : threads.getThreadInfo(waiter.getLockOwnerId(), FRAMES);
            return Optional.ofNullable(holder)
                    .filter(info -> Arrays.stream(info.getStackTrace()).anyMatch(Holders::isOurs));
        }

        /** Tests are in the same package. */
        private static boolean isOurs(StackTraceElement frame) {
            return frame.getClassName().startsWith(OURS)
                    && !frame.getClassName().contains("Test")
                    && !frame.getClassName().startsWith(QueueLock.class.getName());
        }
    }
}

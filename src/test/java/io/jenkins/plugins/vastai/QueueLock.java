package io.jenkins.plugins.vastai;

import edu.umd.cs.findbugs.annotations.CheckForNull;
import hudson.model.Queue;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadInfo;
import java.lang.management.ThreadMXBean;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;
import java.util.function.Predicate;
import jenkins.model.Jenkins;
import okhttp3.OkHttpClient;

/** The lock that a whole Jenkins waits for: who calls the market under it, and who holds it for how long. */
final class QueueLock {

    private static final List<String> CALLS = new CopyOnWriteArrayList<>();
    private static final Duration PAUSE = Duration.ofMillis(2);
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
     * Watches the lock: takes it again and again, as any build that ends has to, while another thread looks who has it.
     *
     * @param least for so long at least
     * @param done and until this is so
     */
    static Waits watch(Duration least, BooleanSupplier done) throws InterruptedException {
        return watch(least, done, QueueLock::isOurs);
    }

    /** @param ours what is looked for in the holder's stack */
    static Waits watch(Duration least, BooleanSupplier done, Predicate<StackTraceElement> ours)
            throws InterruptedException {
        Holders holders = new Holders(ours);
        Thread looking = new Thread(holders, "who holds the queue lock");
        looking.setDaemon(true);
        looking.start();
        Duration longest = Duration.ZERO;
        long begun = System.nanoTime();
        long limit = least.plus(RentedMachines.PATIENCE).toNanos();
        while (System.nanoTime() - begun < least.toNanos() || !done.getAsBoolean()) {
            if (System.nanoTime() - begun > limit) {
                throw new AssertionError("what was waited for did not happen in time");
            }
            long asked = System.nanoTime();
            Queue.runWithLock(() -> {
                // whoever has it has given it back
            });
            Duration waited = Duration.ofNanos(System.nanoTime() - asked);
            longest = waited.compareTo(longest) > 0 ? waited : longest;
            holders.taken++;
            Thread.sleep(PAUSE.toMillis());
        }
        holders.ended = true;
        looking.join();
        return new Waits(holders.taken, longest, holders.seen, holders.longest, holders.where);
    }

    /** Tests are in the same package. */
    private static boolean isOurs(StackTraceElement frame) {
        return frame.getClassName().startsWith(OURS)
                && !frame.getClassName().contains("Test")
                && !frame.getClassName().startsWith(QueueLock.class.getName());
    }

    /**
     * @param times how often the lock was taken
     * @param longest wait for it, whoever had it, or the computer had no time for us
     * @param seen how often somebody was seen to have it in our code
     * @param ours longest time in our code between two moments at which the watcher had it
     * @param where that was
     */
    record Waits(int times, Duration longest, int seen, Duration ours, String where) {}

    /**
     * Samples who has the lock. Between two samples a thread that computes is charged what the processor gave it, which
     * does not depend on how busy the machine is; one that sleeps, waits or is outside Java is charged all of it.
     */
    private static final class Holders implements Runnable {

        private static final Duration SAMPLE = Duration.ofMillis(1);
        private static final Duration MOST = Duration.ofMillis(5);
        private static final int FRAMES = 60;
        private static final String LOCKED_BY = "[Locked by thread ";

        private final ThreadMXBean threads = ManagementFactory.getThreadMXBean();
        private final Map<String, Long> ids = new HashMap<>();
        private final ReentrantLock lock = lock();
        private final Predicate<StackTraceElement> ours;
        private volatile int taken;
        private volatile boolean ended;
        private volatile int seen;
        private volatile Duration longest = Duration.ZERO;
        private volatile String where = "";

        Holders(Predicate<StackTraceElement> ours) {
            this.ours = ours;
        }

        /**
         * One look. Two belong to one holding if the watcher did not have the lock in between.
         *
         * @param ours whether the holder was in our code
         * @param computed its processor time
         */
        private record Look(long thread, int taken, boolean ours, boolean computing, long at, long computed) {

            boolean sameHolding(Look before) {
                return before != null && thread == before.thread && taken == before.taken;
            }

            /** All that passed since a look that saw the same; half of it, and not of much, if only one did. */
            Duration since(Look before) {
                Duration all =
                        Duration.ofNanos(computing && before.computing ? computed - before.computed : at - before.at);
                if (ours && before.ours) {
                    return all;
                }
                return !ours && !before.ours ? Duration.ZERO : (all.compareTo(MOST) > 0 ? MOST : all).dividedBy(2);
            }
        }

        @Override
        public void run() {
            Look last = null;
            Duration held = Duration.ZERO;
            while (!ended) {
                int before = taken;
                ThreadInfo holder = holder();
                Look look = holder == null || before != taken ? null : look(holder, before);
                held = look != null && look.sameHolding(last) ? held.plus(look.since(last)) : Duration.ZERO;
                if (look != null && look.ours) {
                    seen++;
                    if (held.compareTo(longest) > 0) {
                        longest = held;
                        where = Arrays.toString(holder.getStackTrace());
                    }
                }
                last = look;
                LockSupport.parkNanos(SAMPLE.toNanos());
            }
        }

        private Look look(ThreadInfo holder, int times) {
            StackTraceElement[] stack = holder.getStackTrace();
            return new Look(
                    holder.getThreadId(),
                    times,
                    Arrays.stream(stack).anyMatch(ours),
                    holder.getThreadState() == Thread.State.RUNNABLE && stack.length > 0 && !stack[0].isNativeMethod(),
                    System.nanoTime(),
                    threads.getThreadCpuTime(holder.getThreadId()));
        }

        /** Who has the lock. Only its text tells: its owner is nobody's business. */
        @CheckForNull
        private ThreadInfo holder() {
            String text = lock.toString();
            int at = text.indexOf(LOCKED_BY);
            if (at < 0) {
                return null;
            }
            ThreadInfo info = thread(text.substring(at + LOCKED_BY.length(), text.length() - 1));
            return info != null && lock.toString().equals(text) ? info : null;
        }

        @CheckForNull
        private ThreadInfo thread(String name) {
            Long known = ids.get(name);
            ThreadInfo info = known == null ? null : threads.getThreadInfo(known, FRAMES);
            if (info != null && info.getThreadName().equals(name)) {
                return info;
            }
            for (long id : threads.getAllThreadIds()) {
                ThreadInfo one = threads.getThreadInfo(id);
                if (one != null) {
                    ids.put(one.getThreadName(), id);
                }
            }
            return ids.containsKey(name) ? threads.getThreadInfo(ids.get(name), FRAMES) : null;
        }
    }
}

package io.jenkins.plugins.vastai.simulator;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Predicate;

/** The faults that are switched on. May be changed at any time from any thread. */
public final class Faults {
    private final List<Active> active = new CopyOnWriteArrayList<>();
    private final AtomicLong sequence = new AtomicLong();
    private final Random random;

    Faults(long seed) {
        random = new Random(seed);
    }

    /** Switches a fault on, after those already there. */
    public Active add(Fault fault) {
        Active added = new Active(fault, sequence.incrementAndGet());
        active.add(added);
        return added;
    }

    public Active add(Fault.Kind kind) {
        return add(Fault.of(kind));
    }

    /** Switches all faults off. What was decided for existing instances stays. */
    public void clear() {
        active.clear();
    }

    public List<Fault> all() {
        return active.stream().map(Active::fault).toList();
    }

    /** The occasion on which a fault may strike. Ids are 0 and the label empty where there is none. */
    record Occasion(Optional<Endpoint> endpoint, long offer, long machine, long instance, String label) {}

    /** Number that the next added fault will exceed. */
    long sequence() {
        return sequence.get();
    }

    Optional<Fault> hit(Fault.Kind kind, Occasion occasion) {
        return hit(kind, occasion, candidate -> true);
    }

    /** Only among faults that were added after that number and name the instance. */
    Optional<Fault> hitSince(long after, Fault.Kind kind, Occasion occasion) {
        return hit(
                kind,
                occasion,
                one -> one.number > after && one.fault.instance().isPresent());
    }

    private Optional<Fault> hit(Fault.Kind kind, Occasion occasion, Predicate<Active> which) {
        for (Active candidate : active) {
            if (candidate.fault.kind() == kind && which.test(candidate) && candidate.takes(occasion)) {
                return Optional.of(candidate.fault);
            }
        }
        return Optional.empty();
    }

    /** A fault that is switched on. */
    public final class Active {
        private final Fault fault;
        private final long number;
        private final AtomicLong hits = new AtomicLong();

        private Active(Fault fault, long number) {
            this.fault = fault;
            this.number = number;
        }

        public Fault fault() {
            return fault;
        }

        /** How often it has struck. */
        public long hits() {
            return hits.get();
        }

        public void remove() {
            active.remove(this);
        }

        private boolean takes(Occasion o) {
            boolean fits = matches(fault.endpoint(), o.endpoint())
                    && fault.offer().map(id -> id == o.offer()).orElse(true)
                    && fault.machine().map(id -> id == o.machine()).orElse(true)
                    && fault.instance().map(id -> id == o.instance()).orElse(true)
                    && fault.label().map(prefix -> o.label().startsWith(prefix)).orElse(true);
            if (!fits) {
                return false;
            }
            synchronized (this) {
                if (hits.get() >= fault.times() || (fault.rate() < 1 && roll() >= fault.rate())) {
                    return false;
                }
                hits.incrementAndGet();
                return true;
            }
        }
    }

    private double roll() {
        synchronized (random) {
            return random.nextDouble();
        }
    }

    private static boolean matches(Optional<Endpoint> wanted, Optional<Endpoint> found) {
        return wanted.isEmpty() || wanted.equals(found);
    }

    @Override
    public String toString() {
        return new ArrayList<>(all()).toString();
    }
}

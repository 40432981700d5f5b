package io.jenkins.plugins.vastai.market;

import io.jenkins.plugins.vastai.api.Offer;
import io.jenkins.plugins.vastai.text.Reason;
import java.time.Instant;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** What is left of the market's answer, best first, and why the rest is not. */
public final class Ranking {

    private Ranking() {}

    /**
     * Checks every offer against every requirement, keeps the best offer of each machine and sorts by {@link RunCost}.
     *
     * @param offers as the market returned them; not changed
     * @param machinesInUse machines that we rent already
     */
    public static Ranking rank(
            Collection<Offer> offers,
            Requirements requirements,
            GpuWish wish,
            Blocklist blocklist,
            Set<Long> machinesInUse,
            Instant now) {
        throw new UnsupportedOperationException();
    }

    /** Machines that would do, best first. */
    public List<Candidate> candidates() {
        throw new UnsupportedOperationException();
    }

    /** The first of {@link #candidates()}. */
    public Optional<Candidate> best() {
        throw new UnsupportedOperationException();
    }

    /** How many offers there were. */
    public int offers() {
        throw new UnsupportedOperationException();
    }

    /** How many offers each requirement turned away; an offer counts under every requirement that it does not meet. */
    public Map<Rejection, Integer> rejected() {
        throw new UnsupportedOperationException();
    }

    /** How many offers were turned away by this requirement and by no other. */
    public Map<Rejection, Integer> rejectedAlone() {
        throw new UnsupportedOperationException();
    }

    /** Why there is nothing, or so little: one line in sum, one per requirement, and what single change would help. */
    public List<Reason> explain() {
        throw new UnsupportedOperationException();
    }
}

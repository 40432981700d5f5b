package io.jenkins.plugins.vastai.market;

import io.jenkins.plugins.vastai.api.Offer;
import io.jenkins.plugins.vastai.text.Reason;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** What is left of the market's answer, best first, and why the rest is not. Immutable once made. */
public final class Ranking {

    private final GpuWish wish;
    private final int offers;
    private final List<Candidate> candidates;
    private final List<Offer> withheld;
    private final Rejections rejections;

    private Ranking(GpuWish wish, int offers, List<Candidate> candidates, List<Offer> withheld, Rejections rejections) {
        this.wish = wish;
        this.offers = offers;
        this.candidates = candidates;
        this.withheld = withheld;
        this.rejections = rejections;
    }

    /**
     * Checks every offer against every requirement, keeps the best offer of each machine (renting one takes the others
     * off the market) and sorts by the expected cost of the whole run; see {@link RunCost} for the formula.
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
        OfferCheck check = new OfferCheck(requirements, wish);
        Rejections rejections = new Rejections(requirements, wish, check);
        List<Priced> fitting = new ArrayList<>();
        List<Priced> withheld = new ArrayList<>();
        for (Offer offer : offers) {
            double allIn = check.allInPerHour(offer);
            int mask = check.mask(offer, allIn);
            boolean meetsAll = mask == 0;
            if (blocklist.blocks(offer.machineId(), offer.hostId(), now)) {
                mask |= Rejection.BLOCKED.bit();
            }
            if (!machinesInUse.isEmpty() && machinesInUse.contains(offer.machineId())) {
                mask |= Rejection.IN_USE.bit();
            }
            if (mask == 0) {
                fitting.add(new Priced(offer, check.cost(offer, allIn)));
            } else {
                rejections.add(offer, mask);
                if (meetsAll) {
                    withheld.add(new Priced(offer, check.cost(offer, allIn)));
                }
            }
        }
        Collections.sort(fitting);
        Collections.sort(withheld);
        List<Priced> best = new ArrayList<>(fitting.size());
        Set<Long> machines = new HashSet<>(2 * fitting.size());
        for (Priced priced : fitting) {
            if (machines.add(priced.offer().machineId())) {
                best.add(priced);
            } else {
                rejections.add(priced.offer(), Rejection.SAME_MACHINE.bit());
            }
        }
        List<Candidate> candidates = new ArrayList<>(best.size());
        for (Priced priced : best) {
            RunCost cost = priced.cost();
            candidates.add(new Candidate(
                    priced.offer(),
                    wish,
                    requirements,
                    candidates.size() + 1,
                    best.size(),
                    cost.run(),
                    cost.weighed(),
                    cost.readySeconds()));
        }
        Set<Long> withheldMachines = new HashSet<>();
        List<Offer> leftOut = withheld.stream()
                .map(Priced::offer)
                .filter(offer -> withheldMachines.add(offer.machineId()))
                .toList();
        return new Ranking(wish, offers.size(), List.copyOf(candidates), leftOut, rejections);
    }

    /** What was asked for. */
    public GpuWish wish() {
        return wish;
    }

    /** Machines that would do, best first. */
    public List<Candidate> candidates() {
        return candidates;
    }

    /** The first of {@link #candidates()}. */
    public Optional<Candidate> best() {
        return candidates.isEmpty() ? Optional.empty() : Optional.of(candidates.get(0));
    }

    /**
     * Machines that meet every requirement and are left out because they are blocked or because we rent them already,
     * best first; the best offer of each.
     */
    public List<Offer> withheld() {
        return withheld;
    }

    /** How many offers there were. */
    public int offers() {
        return offers;
    }

    /** How many offers each requirement turned away; an offer counts under every requirement that it does not meet. */
    public Map<Rejection, Integer> rejected() {
        return rejections.counts();
    }

    /** How many offers were turned away by this requirement and by no other. */
    public Map<Rejection, Integer> rejectedAlone() {
        return rejections.alone();
    }

    /** Changes of one setting that would let an offer through, the most fruitful first. */
    public List<Relaxation> relaxations() {
        return rejections.relaxations();
    }

    /**
     * Why there is nothing, or so little: a line in sum, a line per requirement that turned offers away, and a line per
     * single change that would help. Says most on the answer to {@link Requirements#toBroadQuery}.
     */
    public List<Reason> explain() {
        if (offers == 0) {
            return List.of(MarketText.NO_OFFERS.of(wish.describe()));
        }
        List<Reason> lines = new ArrayList<>();
        lines.add(
                candidates.isEmpty()
                        ? MarketText.NOTHING_FITS.of(offers, wish.describe())
                        : MarketText.FOUND.of(candidates.size(), offers, wish.describe()));
        lines.addAll(rejections.explain(offers));
        return List.copyOf(lines);
    }

    private record Priced(Offer offer, RunCost cost) implements Comparable<Priced> {

        /** The cheapest first; of equals the lower id, so that the market's order does not matter. */
        @Override
        public int compareTo(Priced other) {
            int cheaper = Double.compare(cost.weighed(), other.cost.weighed());
            return cheaper != 0 ? cheaper : Long.compare(offer.id(), other.offer.id());
        }
    }
}

package io.jenkins.plugins.vastai.rental;

import io.jenkins.plugins.vastai.api.Call;
import io.jenkins.plugins.vastai.api.Instance;
import io.jenkins.plugins.vastai.api.VastClient;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.logging.Level;
import java.util.logging.Logger;

/**
 * The one list call that tells the state of every instance, however many rentals there are. A list that fails in any
 * way is no observation: what was not seen is not gone.
 *
 * <p>A list of hundreds takes a call for every 25. So when it has several pages, machines that are on their way are
 * looked at by themselves, in one call, and the whole list is read the less often the longer it is.
 */
final class Poll {

    private static final Logger LOGGER = Logger.getLogger(Poll.class.getName());
    private static final int LONGEST_BACKOFF = 5;
    /** Looks at those on their way for each page of the whole list. */
    private static final int LOOKS_PER_PAGE = 4;
    /** A filter that was ignored is tried again after that. */
    private static final Duration FILTER_RETRY = Duration.ofMinutes(10);

    private final VastClient client;
    private final Lanes lanes;
    private final Timing timing;
    private final Standing standing;

    private Observation observed = Observation.NONE;
    private Instant next = Instant.EPOCH;
    private Instant nextWhole = Instant.EPOCH;
    private boolean filterKnown = true;
    private Instant filterRetry = Instant.MAX;
    private long lastLookedAt;
    private int failures;

    Poll(VastClient client, Lanes lanes, Timing timing, Standing standing) {
        this.client = client;
        this.lanes = lanes;
        this.timing = timing;
        this.standing = standing;
    }

    /** The newest complete list. */
    Observation observed() {
        return observed;
    }

    /** When the next list is due; long ago for at once. */
    Instant due() {
        return next;
    }

    /**
     * Starts a list call when one is due.
     *
     * @param busy whether something boots or is being proved gone
     * @param asked whether somebody waits for a whole list, however long it is
     * @param onTheirWay instances of which news is waited for
     * @param line whether further machines wait for their turn to be rented, so that news comes at the pace of creates
     */
    void pass(Instant now, boolean busy, boolean asked, List<Long> onTheirWay, boolean line) {
        if (!now.isBefore(filterRetry)) {
            filterKnown = true;
            filterRetry = Instant.MAX;
        }
        Duration fast = line ? timing.pollFast().multipliedBy(3).dividedBy(2) : timing.pollFast();
        if (standing.mended() && failures > 0) {
            next = now;
        }
        if (busy && failures == 0) {
            next = earlier(next, now.plus(fast));
            nextWhole = earlier(nextWhole, now.plus(fast.multipliedBy(looksPerList())));
        }
        if (asked && failures == 0) {
            nextWhole = earlier(nextWhole, next);
        }
        if (now.isBefore(next) || !lanes.free(Lanes.Lane.LIST)) {
            return;
        }
        next = now.plus(busy ? fast : timing.pollSlow());
        if (looksPerList() > 1 && now.isBefore(nextWhole)) {
            if (filterKnown && !onTheirWay.isEmpty()) {
                List<Long> some = nextPage(onTheirWay);
                lanes.submit(
                        Lanes.Lane.LIST,
                        () -> client.lookAt(some),
                        (instances, failure) -> lookedAt(some, now, instances, failure));
            }
            return;
        }
        nextWhole = now.plus(busy ? fast.multipliedBy(looksPerList()) : timing.pollSlow());
        lanes.submit(Lanes.Lane.LIST, client::listInstances, (instances, failure) -> seen(now, instances, failure));
    }

    private void seen(Instant begun, List<Instance> instances, Exception failure) {
        if (failure == null) {
            failures = 0;
            observed = observed.next(begun, instances);
            standing.answered(Call.LIST, begun);
            return;
        }
        failed(begun, failure);
    }

    private void lookedAt(List<Long> asked, Instant begun, List<Instance> instances, Exception failure) {
        if (failure != null) {
            failed(begun, failure);
            return;
        }
        // The market is known to ignore filters now and then; then only the whole list says all, for a while.
        filterKnown = instances.stream().map(Instance::id).allMatch(asked::contains);
        filterRetry = filterKnown ? Instant.MAX : begun.plus(FILTER_RETRY);
        observed = observed.with(instances);
        standing.answered(Call.LIST, begun);
    }

    private void failed(Instant begun, Exception failure) {
        failures = Math.min(failures + 1, LONGEST_BACKOFF);
        next = begun.plus(backOff());
        standing.failed(failure, begun);
        LOGGER.log(Level.FINE, "The list of instances failed; nothing is concluded from it", failure);
    }

    /** As many as one call tells of, others each time until all had their turn. */
    private List<Long> nextPage(List<Long> onTheirWay) {
        if (onTheirWay.size() <= VastClient.PAGE) {
            return onTheirWay;
        }
        List<Long> turned = new ArrayList<>(onTheirWay);
        turned.sort(null);
        long last = lastLookedAt;
        int seen = (int) turned.stream().filter(id -> id <= last).count();
        Collections.rotate(turned, -seen);
        List<Long> page = turned.subList(0, VastClient.PAGE);
        lastLookedAt = page.get(page.size() - 1);
        return page;
    }

    /** 1 while the whole list is a single page: then it is as cheap as a look at a part of it. */
    private int looksPerList() {
        int pages = (observed.byId().size() + VastClient.PAGE - 1) / VastClient.PAGE;
        return pages <= 1 || !filterKnown ? Math.max(1, pages) : pages * LOOKS_PER_PAGE;
    }

    private static Instant earlier(Instant one, Instant other) {
        return one.isBefore(other) ? one : other;
    }

    private Duration backOff() {
        Duration wait = timing.pollFast().multipliedBy(1L << failures);
        return wait.compareTo(timing.pollSlow()) > 0 ? timing.pollSlow() : wait;
    }
}

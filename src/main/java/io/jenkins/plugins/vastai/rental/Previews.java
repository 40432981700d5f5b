package io.jenkins.plugins.vastai.rental;

import io.jenkins.plugins.vastai.api.Offer;
import io.jenkins.plugins.vastai.market.Ban;
import io.jenkins.plugins.vastai.market.Block;
import io.jenkins.plugins.vastai.market.Ranking;
import io.jenkins.plugins.vastai.market.Requirements;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Collectors;

/**
 * People who want to see what would be rented now. They are served from the {@link Shop} like rentals are, after them:
 * the market takes ten searches a minute, of which previews start a few only. Used by the engine's thread.
 */
final class Previews {

    /** Nobody looks at more of them. */
    private static final int MOST_SHOWN = 10;

    private static final int MOST_WAITING = 16;

    /** Each starts two searches for one GPU when nothing fits: rentals keep four of ten. */
    private static final int MOST_A_MINUTE = 3;

    private static final Duration MINUTE = Duration.ofMinutes(1);

    private static final class Asked {
        private final Requirements wanted;
        private final Instant since;
        private final CompletableFuture<Preview> answer;
        private boolean searching;

        Asked(Requirements wanted, Instant since, CompletableFuture<Preview> answer) {
            this.wanted = wanted;
            this.since = since;
            this.answer = answer;
        }
    }

    private final Shop shop;
    private final Blocked blocked;
    private final Records records;
    private final List<Asked> waiting = new ArrayList<>();
    private final Deque<Instant> started = new ArrayDeque<>();

    Previews(Shop shop, Blocked blocked, Records records) {
        this.shop = shop;
        this.blocked = blocked;
        this.records = records;
    }

    /** @param answer gets the preview at some pass; whoever has waited long enough cancels it */
    void ask(Requirements wanted, CompletableFuture<Preview> answer, Instant now) {
        if (waiting.size() >= MOST_WAITING) {
            answer.complete(new Preview.Refused(RentalText.PREVIEW_BUSY.of(waiting.size())));
        } else {
            waiting.add(new Asked(wanted, now, answer));
        }
    }

    void pass(Instant now) {
        for (Iterator<Asked> all = waiting.iterator(); all.hasNext(); ) {
            Asked asked = all.next();
            try {
                if (asked.answer.isDone() || look(asked, now)) {
                    all.remove();
                }
            } catch (RuntimeException | Error e) {
                // Those that wait behind it have their turn all the same.
                asked.answer.completeExceptionally(e);
                all.remove();
                throw e;
            }
        }
    }

    /** Whether it is settled. */
    private boolean look(Asked asked, Instant now) {
        Optional<Shop.Failure> failure = shop.lastFailure()
                .filter(last -> asked.searching && !last.asked().isBefore(asked.since));
        if (failure.isPresent()) {
            return asked.answer.complete(new Preview.Refused(failure.get().why()));
        }
        Map<Long, String> inUse = machinesInUse();
        started.removeIf(moment -> !now.isBefore(moment.plus(MINUTE)));
        boolean mayAsk = asked.searching || started.size() < MOST_A_MINUTE;
        Shop.Found found = shop.show(asked.wanted, mayAsk, now);
        if (found.ranking().isPresent()) {
            return asked.answer.complete(
                    shown(asked.wanted, found, found.ranking().get(), inUse, now));
        }
        if (!mayAsk) {
            long seconds = Math.max(
                    1, Duration.between(now, started.getFirst().plus(MINUTE)).toSeconds());
            return asked.answer.complete(new Preview.Refused(RentalText.PREVIEW_TOO_MANY.of(MOST_A_MINUTE, seconds)));
        }
        if (!asked.searching) {
            asked.searching = true;
            started.add(now);
        }
        return false;
    }

    private Preview shown(
            Requirements wanted, Shop.Found found, Ranking ranking, Map<Long, String> inUse, Instant now) {
        return new Preview.Shown(
                ranking.wish(),
                found.offers(),
                found.fit(),
                ranking.candidates().stream().limit(MOST_SHOWN).toList(),
                ranking.withheld().stream()
                        .limit(MOST_SHOWN)
                        .map(offer -> withheld(offer, wanted, inUse, now))
                        .toList(),
                found.why(),
                found.asOf());
    }

    private Preview.Withheld withheld(Offer offer, Requirements wanted, Map<Long, String> inUse, Instant now) {
        Optional<Block> block = blocked.list().entries().stream()
                .filter(entry -> entry.machineId() == offer.machineId() && entry.activeAt(now))
                .findFirst();
        Optional<Ban> ban = blocked.list().bans().stream()
                .filter(entry -> entry.hits(offer.machineId(), offer.hostId(), now))
                .findFirst();
        return new Preview.Withheld(
                offer, wanted.price(offer), block, ban, Optional.ofNullable(inUse.get(offer.machineId())));
    }

    /** Machines that we rent, and the agents they are for. */
    private Map<Long, String> machinesInUse() {
        return records.live().stream()
                .flatMap(rental -> rental.draws().stream()
                        .filter(Draw::open)
                        .map(draw -> Map.entry(draw.machineId(), rental.order().agent())))
                .collect(Collectors.toMap(Map.Entry::getKey, Map.Entry::getValue, (a, b) -> a, HashMap::new));
    }
}

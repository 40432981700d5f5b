package io.jenkins.plugins.vastai.rental;

import io.jenkins.plugins.vastai.api.Offer;
import io.jenkins.plugins.vastai.api.OfferQuery;
import io.jenkins.plugins.vastai.api.VastClient;
import io.jenkins.plugins.vastai.api.VastException;
import io.jenkins.plugins.vastai.market.Blocklist;
import io.jenkins.plugins.vastai.market.Candidate;
import io.jenkins.plugins.vastai.market.GpuWish;
import io.jenkins.plugins.vastai.market.Ranking;
import io.jenkins.plugins.vastai.market.Requirements;
import io.jenkins.plugins.vastai.text.Reason;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Offers on the market, asked for seldom and used by all: rentals with the same requirements take different machines
 * from one answer while it is fresh, because searches are limited to ten a minute.
 */
final class Shop {

    private record Answer(List<Offer> offers, Instant at) {}

    /**
     * A search that brought no answer.
     *
     * @param asked when it was sent off
     */
    record Failure(Reason why, Instant asked) {}

    /**
     * What the market has for somebody.
     *
     * @param pending an answer is still on its way: ask again
     * @param best the machine to take; empty when there is none
     * @param offers how many offers were looked at
     * @param fit how many machines would do
     * @param why when there is none: what removed how many, and what would help
     * @param ranking all of it; empty while pending
     * @param asOf when the market was asked
     */
    record Found(
            boolean pending,
            Optional<Candidate> best,
            int offers,
            int fit,
            List<Reason> why,
            Optional<Ranking> ranking,
            Instant asOf) {
        static final Found PENDING =
                new Found(true, Optional.empty(), 0, 0, List.of(), Optional.empty(), Instant.EPOCH);
    }

    private final VastClient client;
    private final Lanes lanes;
    private final Timing timing;
    private final Standing standing;
    private final Map<OfferQuery, Answer> answers = new HashMap<>();

    /** Countries that offers stood in; read by pages. There are some 250 at most. */
    private final Set<String> countries = ConcurrentHashMap.newKeySet();

    private Failure lastFailure;

    Shop(VastClient client, Lanes lanes, Timing timing, Standing standing) {
        this.client = client;
        this.lanes = lanes;
        this.timing = timing;
        this.standing = standing;
    }

    /** The best machine for the first wish that the market can fulfil. */
    Found look(Requirements wanted, Blocklist blocked, Set<Long> machinesInUse, Instant now) {
        return look(wanted, blocked, machinesInUse, true, now);
    }

    /** @param mayAsk false: answers that are here already are all there is */
    Found look(Requirements wanted, Blocklist blocked, Set<Long> machinesInUse, boolean mayAsk, Instant now) {
        answers.values().removeIf(answer -> !fresh(answer, now));
        Ranking last = null;
        for (GpuWish wish : wanted.wishes()) {
            Answer answer = answer(wanted.toQuery(wish), mayAsk, now);
            if (answer == null) {
                return Found.PENDING;
            }
            Ranking ranking = Ranking.rank(answer.offers(), wanted, wish, blocked, machinesInUse, now);
            if (ranking.best().isPresent()) {
                return new Found(
                        false,
                        ranking.best(),
                        ranking.offers(),
                        ranking.candidates().size(),
                        List.of(),
                        Optional.of(ranking),
                        answer.at());
            }
            last = ranking;
        }
        // Nothing: ask without the requirements, so that the reason can say which of them removed how many.
        GpuWish wish = wanted.wishes().get(wanted.wishes().size() - 1);
        Answer broad = answer(wanted.toBroadQuery(wish), mayAsk, now);
        if (broad == null) {
            return Found.PENDING;
        }
        Ranking ranking = Ranking.rank(broad.offers(), wanted, wish, blocked, machinesInUse, now);
        Ranking telling = ranking.offers() > 0 ? ranking : last;
        return new Found(
                false,
                ranking.best(),
                telling.offers(),
                ranking.candidates().size(),
                telling.explain(),
                Optional.of(telling),
                broad.at());
    }

    /** The latest search that failed; empty when none has. */
    Optional<Failure> lastFailure() {
        return Optional.ofNullable(lastFailure);
    }

    /** ISO codes of countries that offers were seen in since the start; any thread. */
    Set<String> countries() {
        return Set.copyOf(countries);
    }

    /** An offer of this answer was refused: whatever else is old in it would be refused too. */
    void forgetOffer(long offerId) {
        answers.replaceAll((query, answer) -> new Answer(
                answer.offers().stream().filter(offer -> offer.id() != offerId).toList(), answer.at()));
    }

    private Answer answer(OfferQuery query, boolean mayAsk, Instant now) {
        Answer answer = answers.get(query);
        if (answer == null && mayAsk) {
            lanes.submit(Lanes.Lane.SEARCH, () -> client.searchOffers(query), (offers, failure) -> {
                if (failure == null) {
                    standing.answered();
                    answers.put(query, new Answer(offers, now));
                    offers.forEach(offer -> offer.country().ifPresent(countries::add));
                } else {
                    standing.failed(failure, now);
                    lastFailure = new Failure(why(failure), now);
                }
            });
        }
        return answer;
    }

    private static Reason why(Exception failure) {
        return failure instanceof VastException vast
                ? RentalText.MARKET_UNREACHABLE.of(vast.reason())
                : RentalText.MARKET_UNREACHABLE.of(String.valueOf(failure.getMessage()));
    }

    private boolean fresh(Answer answer, Instant now) {
        return now.isBefore(answer.at().plus(timing.searchFresh()));
    }
}

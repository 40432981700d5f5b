package io.jenkins.plugins.vastai.rental;

import io.jenkins.plugins.vastai.api.Offer;
import io.jenkins.plugins.vastai.api.OfferQuery;
import io.jenkins.plugins.vastai.api.VastClient;
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

/**
 * Offers on the market, asked for seldom and used by all: rentals with the same requirements take different machines
 * from one answer while it is fresh, because searches are limited to ten a minute.
 */
final class Shop {

    private record Answer(List<Offer> offers, Instant at) {}

    /**
     * What the market has for somebody.
     *
     * @param pending an answer is still on its way: ask again
     * @param best the machine to take; empty when there is none
     * @param offers how many offers were looked at
     * @param fit how many machines would do
     * @param why when there is none: what removed how many, and what would help
     */
    record Found(boolean pending, Optional<Candidate> best, int offers, int fit, List<Reason> why) {
        static final Found PENDING = new Found(true, Optional.empty(), 0, 0, List.of());
    }

    private final VastClient client;
    private final Lanes lanes;
    private final Timing timing;
    private final Standing standing;
    private final Map<OfferQuery, Answer> answers = new HashMap<>();

    Shop(VastClient client, Lanes lanes, Timing timing, Standing standing) {
        this.client = client;
        this.lanes = lanes;
        this.timing = timing;
        this.standing = standing;
    }

    /** The best machine for the first wish that the market can fulfil. */
    Found look(Requirements wanted, Blocklist blocked, Set<Long> machinesInUse, Instant now) {
        answers.values().removeIf(answer -> !fresh(answer, now));
        Ranking last = null;
        for (GpuWish wish : wanted.wishes()) {
            Answer answer = answer(wanted.toQuery(wish), now);
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
                        List.of());
            }
            last = ranking;
        }
        // Nothing: ask without the requirements, so that the reason can say which of them removed how many.
        GpuWish wish = wanted.wishes().get(wanted.wishes().size() - 1);
        Answer broad = answer(wanted.toBroadQuery(wish), now);
        if (broad == null) {
            return Found.PENDING;
        }
        Ranking ranking = Ranking.rank(broad.offers(), wanted, wish, blocked, machinesInUse, now);
        Ranking telling = ranking.offers() > 0 ? ranking : last;
        return new Found(
                false, ranking.best(), telling.offers(), ranking.candidates().size(), telling.explain());
    }

    /** An offer of this answer was refused: whatever else is old in it would be refused too. */
    void forgetOffer(long offerId) {
        answers.replaceAll((query, answer) -> new Answer(
                answer.offers().stream().filter(offer -> offer.id() != offerId).toList(), answer.at()));
    }

    private Answer answer(OfferQuery query, Instant now) {
        Answer answer = answers.get(query);
        if (answer == null) {
            lanes.submit(Lanes.Lane.SEARCH, () -> client.searchOffers(query), (offers, failure) -> {
                if (failure == null) {
                    standing.answered();
                    answers.put(query, new Answer(offers, now));
                } else {
                    standing.failed(failure, now);
                }
            });
        }
        return answer;
    }

    private boolean fresh(Answer answer, Instant now) {
        return now.isBefore(answer.at().plus(timing.searchFresh()));
    }
}

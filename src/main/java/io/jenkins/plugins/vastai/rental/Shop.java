package io.jenkins.plugins.vastai.rental;

import io.jenkins.plugins.vastai.api.Call;
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
import java.time.InstantSource;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Offers on the market, asked for seldom and used by all: rentals with the same requirements take different machines
 * from one answer while it is fresh, because searches are limited to ten a minute. Engine's thread only.
 */
final class Shop {

    /** Share of the time that an answer is fresh after which a refused offer condemns all of it. */
    private static final int OLD = 4;

    /** @param ofAll also about machines that we hold: rentals do not need those, people who look do */
    private record Question(OfferQuery query, boolean ofAll) {}

    /** @param more whether the market may have more than it told of */
    private record Answer(List<Offer> offers, boolean more, Instant at) {}

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
    private final InstantSource clock;
    private final Map<Question, Answer> answers = new HashMap<>();
    private final Map<Question, Instant> asked = new HashMap<>();
    /** Asked in this pass and not known, in the order of those who ask. */
    private final Set<Question> unknown = new LinkedHashSet<>();
    /** Holds while nothing that it follows from has changed. */
    private final Map<Requirements, Found> found = new HashMap<>();

    /** Countries that offers stood in; read by pages. There are some 250 at most. */
    private final Set<String> countries = ConcurrentHashMap.newKeySet();

    private Failure lastFailure;
    private Blocklist blocked = Blocklist.EMPTY;
    private Set<Long> machinesInUse = Set.of();

    Shop(VastClient client, Lanes lanes, Timing timing, Standing standing, InstantSource clock) {
        this.client = client;
        this.lanes = lanes;
        this.timing = timing;
        this.standing = standing;
        this.clock = clock;
    }

    /** A pass begins. */
    void open(Blocklist blockedNow, Set<Long> inUseNow, Instant now) {
        boolean expired = answers.values().removeIf(answer -> !fresh(answer, now));
        if (expired || blockedNow != blocked || !inUseNow.equals(machinesInUse)) {
            found.clear();
        } else {
            found.values().removeIf(Found::pending);
        }
        blocked = blockedNow;
        machinesInUse = new HashSet<>(inUseNow);
    }

    /**
     * A pass ends: sends one search if the last one is back. What was never asked comes first, then what was asked
     * longest ago, so that those for whom there is nothing cannot keep the others from being asked for.
     */
    void close(Instant now) {
        if (lanes.free(Lanes.Lane.SEARCH)) {
            unknown.stream()
                    .min(Comparator.comparing(question -> asked.getOrDefault(question, Instant.MIN)))
                    .ifPresent(question -> ask(question, now));
        }
        asked.keySet().removeIf(question -> !unknown.contains(question) && !answers.containsKey(question));
        unknown.clear();
    }

    /** The best machine for the first wish that the market can fulfil. */
    Found look(Requirements wanted, Instant now) {
        Found known = found.get(wanted);
        if (known == null) {
            known = search(wanted, false, true, now);
            found.put(wanted, known);
        }
        return known;
    }

    /**
     * What {@link #look} would choose from, and the machines that it leaves alone because we hold them. In a pass, after
     * those who rent.
     *
     * @param mayAsk false: answers that are here already are all there is
     */
    Found show(Requirements wanted, boolean mayAsk, Instant now) {
        return search(wanted, true, mayAsk, now);
    }

    private Found search(Requirements wanted, boolean ofAll, boolean mayAsk, Instant now) {
        Ranking last = null;
        for (GpuWish wish : wanted.wishes()) {
            Question question = new Question(wanted.toQuery(wish), ofAll);
            Answer answer = answer(question, mayAsk);
            if (answer == null) {
                return Found.PENDING;
            }
            Ranking ranking = Ranking.rank(answer.offers(), wanted, wish, blocked, machinesInUse, now);
            if (mayAsk && ranking.best().isEmpty() && usedUp(question, answer)) {
                answers.remove(question);
                unknown.add(question);
                return Found.PENDING;
            }
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
        Answer broad = answer(new Question(wanted.toBroadQuery(wish), true), mayAsk);
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

    /** Whether we rented what it told of, and the market may have more: fresh or not, it is of no use any more. */
    private boolean usedUp(Question question, Answer answer) {
        return !question.ofAll()
                && answer.more()
                && answer.offers().stream().anyMatch(offer -> machinesInUse.contains(offer.machineId()));
    }

    /** The latest search that failed; empty when none has. */
    Optional<Failure> lastFailure() {
        return Optional.ofNullable(lastFailure);
    }

    /** ISO codes of countries that offers were seen in since the start; any thread. */
    Set<String> countries() {
        return Set.copyOf(countries);
    }

    /** We are renting this machine: it is nobody else's any more. */
    void taken(long machineId) {
        machinesInUse.add(machineId);
        found.clear();
    }

    /** An offer of this answer was refused: whatever else is old in it would be refused too, and cost a turn each. */
    void refused(long offerId, Instant now) {
        answers.entrySet()
                .removeIf(entry -> entry.getValue().offers().stream().anyMatch(offer -> offer.id() == offerId)
                        && now.isAfter(
                                entry.getValue().at().plus(timing.searchFresh().dividedBy(OLD))));
        answers.replaceAll((question, answer) -> new Answer(
                answer.offers().stream().filter(offer -> offer.id() != offerId).toList(), answer.more(), answer.at()));
        found.clear();
    }

    private Answer answer(Question question, boolean mayAsk) {
        Answer answer = answers.get(question);
        if (answer == null && mayAsk) {
            unknown.add(question);
        }
        return answer;
    }

    private void ask(Question question, Instant now) {
        asked.put(question, now);
        OfferQuery query = question.query();
        OfferQuery sent = question.ofAll() ? query : query.without(machinesInUse);
        boolean nothingHeld = machinesInUse.isEmpty();
        lanes.submit(Lanes.Lane.SEARCH, () -> client.searchOffers(sent), (offers, failure) -> {
            if (failure == null) {
                standing.answered(Call.SEARCH, now);
                // From now on, or an API that is slower than answers are fresh would never be of use.
                Answer answer = new Answer(offers, offers.size() >= query.limit(), clock.instant());
                answers.put(question, answer);
                if (nothingHeld) {
                    answers.put(new Question(query, !question.ofAll()), answer);
                }
                offers.forEach(offer -> offer.country().ifPresent(countries::add));
                found.clear();
            } else {
                standing.failed(failure, now);
                lastFailure = new Failure(why(failure), now);
            }
        });
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

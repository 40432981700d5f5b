package io.jenkins.plugins.vastai.rental;

import io.jenkins.plugins.vastai.api.Call;
import io.jenkins.plugins.vastai.api.CreateRequest;
import io.jenkins.plugins.vastai.api.Created;
import io.jenkins.plugins.vastai.api.Offer;
import io.jenkins.plugins.vastai.api.VastClient;
import io.jenkins.plugins.vastai.api.VastException;
import io.jenkins.plugins.vastai.market.Candidate;
import io.jenkins.plugins.vastai.market.GpuCatalogue;
import io.jenkins.plugins.vastai.market.Requirements;
import io.jenkins.plugins.vastai.market.SettingException;
import io.jenkins.plugins.vastai.ssh.StartScript;
import io.jenkins.plugins.vastai.text.Reason;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * From the order to a contract: search, choose, write down, create once. A create is never sent again: when its answer
 * is lost, the label tells what became of it.
 */
final class Renting {

    /** Offers vanish within seconds: being too late costs nothing and is no draw, but it is not tried for ever. */
    private static final int MOST_TRIES = 25;

    /**
     * The offer is chosen so long before the call may be sent: late, because offers go within seconds and builds are
     * cancelled, but early enough to have written the record by then.
     */
    private static final Duration AHEAD = Duration.ofMillis(100);

    private static final int MOST_UNDERSTOOD = 1000;

    private final Records records;
    private final Lanes lanes;
    private final VastClient client;
    private final Timing timing;
    private final Shop shop;
    private final Blocked blocked;
    private final Standing standing;
    private final Disposal disposal;
    private final AccountKey accountKey;
    private final String controller;
    private final StartScripts scripts;
    private final Map<Words, Requirements> understood = new HashMap<>();
    private volatile GpuCatalogue catalogue = GpuCatalogue.builtIn();
    private GpuCatalogue understoodBy = catalogue;
    private Held held = Held.by(List.of());
    private int line;
    private Instant lastTurn = Instant.EPOCH;

    /** What requirements are read from. */
    private record Words(RunnerSpec spec, Duration maxLifetime) {}

    Renting(
            Records records,
            Lanes lanes,
            VastClient client,
            Timing timing,
            Shop shop,
            Blocked blocked,
            Standing standing,
            Disposal disposal,
            AccountKey accountKey,
            String controller,
            StartScripts scripts) {
        this.records = records;
        this.lanes = lanes;
        this.client = client;
        this.timing = timing;
        this.shop = shop;
        this.blocked = blocked;
        this.standing = standing;
        this.disposal = disposal;
        this.accountKey = accountKey;
        this.controller = controller;
        this.scripts = scripts;
    }

    /** A pass begins: those who are ordered are asked in the order of their age. */
    void open(Instant now) {
        held = Held.by(records.live());
        line = 0;
        shop.open(blocked.list(), held.machines(), now);
    }

    /** A pass ends. */
    void close(Instant now) {
        shop.close(now);
    }

    /** How long until somebody who waits in line may be served; empty while nobody does. */
    Optional<Duration> turn(Instant now) {
        return line == 0 ? Optional.empty() : Optional.of(untilTurn(now).minus(AHEAD));
    }

    /** A call that was handed over a moment ago may not have taken its turn yet, so we count as well. */
    private Duration untilTurn(Instant now) {
        Duration paced = client.pacing().untilTurn(Call.CREATE);
        Duration own = Duration.between(now, lastTurn.plus(client.pacing().interval(Call.CREATE)));
        return paced.compareTo(own) > 0 ? paced : own;
    }

    /** ORDERED: takes the next machine, or says why not. */
    void ordered(Rental rental, Progress progress, Instant now) {
        Order order = rental.order();
        Requirements wanted;
        try {
            wanted = requirements(order);
        } catch (SettingException e) {
            fail(rental, RentalText.TEMPLATE_WRONG.of(order.template(), e.reason()), now);
            return;
        }
        Optional<Reason> hold = standing.hold(order, now);
        if (hold.isPresent()) {
            waiting(rental, progress, hold.get(), hold.get(), now);
            return;
        }
        Optional<Reason> cap = atCap(order);
        if (cap.isPresent()) {
            records.say(rental, cap.get());
            return;
        }
        if (order.spec().vm() && !accountKey.registered(rental, now)) {
            return;
        }
        Shop.Found found = shop.look(wanted, now);
        if (found.pending()) {
            Optional<Reason> trouble = standing.hindrance();
            if (trouble.isPresent()) {
                waiting(rental, progress, trouble.get(), trouble.get(), now);
            }
            return;
        }
        if (found.best().isEmpty()) {
            List<Reason> why = found.why();
            waiting(
                    rental,
                    progress,
                    RentalText.NO_OFFER_YET.of(found.offers(), why),
                    RentalText.NO_OFFER.of(order.template(), timing.noOffer().toSeconds(), why),
                    now);
            return;
        }
        progress.noOfferSince = null;
        if (now.isBefore(progress.notBefore)) {
            return;
        }
        line++;
        Duration turn = untilTurn(now);
        if (line == 1 && lanes.free(Lanes.Lane.CREATE) && turn.compareTo(AHEAD) <= 0) {
            line = 0; // whoever comes next is the first of those who wait
            lastTurn = now.plus(turn.isNegative() ? Duration.ZERO : turn);
            take(rental, progress, found, now);
        } else if (!rental.last().reason().is(RentalText.WAITING_TURN)) {
            Duration wait = (turn.isNegative() ? Duration.ZERO : turn)
                    .plus(Call.CREATE.interval().multipliedBy(line - 1L));
            // Once: the place changes all the time.
            records.say(rental, RentalText.WAITING_TURN.of(line, Math.max(1, wait.toSeconds())));
        }
    }

    /** RENTING without a call under way: the answer was lost, or the controller came back. */
    void renting(Rental rental, Progress progress, Observation observed, Instant now) {
        Draw draw = rental.current().orElse(null);
        if (draw == null) {
            records.save(rental.state(State.ORDERED, now));
            return;
        }
        if (draw.phase() == Draw.Phase.HELD) {
            records.save(rental.state(State.BOOTING, now));
            return;
        }
        Draw settled = disposal.settle(rental, progress, draw, observed, now);
        Rental next = records.get(rental.id()).orElseThrow();
        if (settled.phase() == Draw.Phase.HELD) {
            records.save(next.state(State.BOOTING, now));
        } else if (settled.phase() == Draw.Phase.GONE) {
            again(next, progress, now);
        }
    }

    /** After a draw that did not serve: the next one, or the end of the rental. */
    void again(Rental rental, Progress progress, Instant now) {
        progress.nextDraw();
        long draws = rental.draws().stream()
                .filter(draw -> draw.instanceId() != null)
                .count();
        if (draws >= rental.order().draws() || rental.draws().size() >= MOST_TRIES) {
            Reason last = rental.draws().get(rental.draws().size() - 1).failure();
            fail(rental, RentalText.DRAWS_USED.of(rental.draws().size(), last == null ? "?" : last), now);
        } else {
            records.save(rental.reach(null).state(State.ORDERED, now));
        }
    }

    private void take(Rental rental, Progress progress, Shop.Found found, Instant now) {
        Candidate candidate = found.best().orElseThrow();
        Offer offer = candidate.offer();
        int number = rental.draws().size() + 1;
        Draw draw = Draw.planned(
                number,
                Labels.of(controller, rental.order().cloud(), rental.id(), number),
                offer.id(),
                offer.machineId(),
                offer.hostId(),
                offer.numGpus() + "x " + offer.gpuName(),
                offer.country().orElse("?"),
                candidate.price().total(),
                now);
        CreateRequest request;
        try {
            request = scripts.request(rental, draw, candidate.requirements());
        } catch (StartScript.TooLong e) {
            Reason why = RentalText.SCRIPT_TOO_LONG.of(e.length(), StartScript.MAX_LENGTH);
            fail(rental, RentalText.TEMPLATE_WRONG.of(rental.order().template(), why), now);
            return;
        }
        // On disk before the call: whatever happens from here on, the label leads back to this record.
        Rental written = records.save(rental.draw(draw)
                .state(State.RENTING, now)
                .say(RentalText.OFFERS_FOUND.of(found.offers(), found.fit()), now)
                .say(candidate.why(), now));
        boolean started = lanes.submit(
                Lanes.Lane.CREATE,
                () -> client.createInstance(offer.id(), request),
                (created, failure) -> answered(written.id(), progress, number, created, failure));
        if (started) {
            progress.busy = true;
            held.add(written.order(), draw);
            shop.taken(draw.machineId());
        } else {
            records.save(written.draw(draw.gone(null, now)).state(State.ORDERED, now));
        }
    }

    private void answered(String id, Progress progress, int number, Created created, Exception failure) {
        progress.busy = false;
        Rental rental = records.get(id).orElse(null);
        if (rental == null) {
            return;
        }
        Instant now = records.now();
        Draw draw = rental.draws().get(number - 1);
        if (failure == null) {
            standing.answered(Call.CREATE, draw.sent());
            Rental held = rental.draw(draw.held(created.instanceId(), now))
                    .say(RentalText.RENTED.of(created.instanceId(), draw.machineId()), now);
            records.save(held.needed() ? held.state(State.BOOTING, now) : held);
            return;
        }
        standing.failed(failure, now);
        if (!(failure instanceof VastException vast)) {
            records.save(rental.say(RentalText.ANSWER_LOST.of(draw.label()), now)); // settled by its label
            return;
        }
        if (vast.createdInstance().isPresent()) {
            // Refused, and made all the same (a bid below the floor): it costs storage until it is destroyed.
            records.save(rental.draw(
                    draw.held(vast.createdInstance().getAsLong(), now).disposing(vast.reason(), now)));
            retry(id, progress, now);
            return;
        }
        if (vast.mayHaveTakenEffect()) {
            records.save(rental.say(RentalText.ANSWER_LOST.of(draw.label()), now));
            return;
        }
        Rental none = rental.draw(draw.gone(vast.reason(), now));
        shop.refused(draw.offerId(), now);
        switch (vast.kind()) {
            case OFFER_GONE -> {
                records.save(none.say(RentalText.OFFER_TAKEN.of(draw.machineId()), now));
                retry(id, progress, now);
            }
            case BAD_REQUEST, NO_SSH_KEY_FOR_VM -> {
                if (vast.kind() == VastException.Kind.NO_SSH_KEY_FOR_VM) {
                    accountKey.forget();
                }
                fail(none, RentalText.CREATE_REFUSED.of(rental.order().template(), vast.reason()), now);
            }
            default -> {
                // A missing permission is said by whoever holds the order back for it.
                boolean toldElsewhere = vast.kind() == VastException.Kind.MISSING_PERMISSION;
                records.save(toldElsewhere ? none : none.say(vast.reason(), now));
                progress.notBefore = now.plus(vast.retryAfter().orElse(Duration.ofSeconds(5)));
                retry(id, progress, now);
            }
        }
    }

    private void retry(String id, Progress progress, Instant now) {
        Rental rental = records.get(id).orElseThrow();
        if (rental.needed()) {
            Instant notBefore = progress.notBefore;
            again(rental, progress, now);
            progress.notBefore = notBefore;
        }
    }

    /** Waits for something outside to change, and gives up so that other templates and clouds get their chance. */
    private void waiting(Rental rental, Progress progress, Reason now1, Reason atEnd, Instant now) {
        if (progress.noOfferSince == null) {
            progress.noOfferSince = now;
        }
        if (now.isBefore(progress.noOfferSince.plus(timing.noOffer()))) {
            records.say(rental, now1);
        } else {
            fail(rental, atEnd, now);
        }
    }

    private void fail(Rental rental, Reason reason, Instant now) {
        records.save(rental.unneeded(reason, true, now));
    }

    private Optional<Reason> atCap(Order order) {
        if (order.cloudCap() > 0 && held.ofCloud(order) >= order.cloudCap()) {
            return Optional.of(RentalText.WAITING_CAP.of(order.cloud(), order.cloudCap()));
        }
        if (order.templateCap() > 0 && held.ofTemplate(order) >= order.templateCap()) {
            return Optional.of(RentalText.WAITING_CAP.of(order.template(), order.templateCap()));
        }
        return Optional.empty();
    }

    /** What the order asks for; the same words are read once. */
    Requirements requirements(Order order) throws SettingException {
        GpuCatalogue present = catalogue;
        if (present != understoodBy || understood.size() >= MOST_UNDERSTOOD) {
            understood.clear();
            understoodBy = present;
        }
        Words words = new Words(order.spec(), order.maxLifetime());
        Requirements known = understood.get(words);
        if (known == null) {
            known = words.spec().requirements(present, words.maxLifetime());
            understood.put(words, known);
        }
        return known;
    }

    GpuCatalogue catalogue() {
        return catalogue;
    }

    void refreshed(GpuCatalogue fresh) {
        catalogue = fresh;
    }
}

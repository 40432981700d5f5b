package io.jenkins.plugins.vastai.rental;

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
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * From the order to a contract: search, choose, write down, create once. A create is never sent again: when its answer
 * is lost, the label tells what became of it.
 */
final class Renting {

    /** Offers vanish within seconds: being too late costs nothing and is no draw, but it is not tried for ever. */
    private static final int MOST_TRIES = 25;

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
    private volatile GpuCatalogue catalogue = GpuCatalogue.builtIn();

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

    /** ORDERED: takes the next machine, or says why not. */
    void ordered(Rental rental, Progress progress, int placeInLine, Instant now) {
        Order order = rental.order();
        Requirements wanted;
        try {
            wanted = order.spec().requirements(catalogue, order.maxLifetime());
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
        if (order.spec().vm() && !accountKey.registered(rental, progress, now)) {
            return;
        }
        Shop.Found found = shop.look(wanted, blocked.list(), machinesInUse(), now);
        if (found.pending()) {
            Optional<Reason> trouble = standing.trouble();
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
        if (!lanes.free(Lanes.Lane.CREATE) || now.isBefore(progress.notBefore)) {
            if (!rental.last().reason().is(RentalText.WAITING_TURN)) {
                records.say(rental, RentalText.WAITING_TURN.of(placeInLine)); // once: the place changes all the time
            }
            return;
        }
        take(rental, progress, found, now);
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
        shop.forgetOffer(draw.offerId());
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
                records.save(none.say(vast.reason(), now));
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
        if (order.cloudCap() > 0 && instances(order, false) >= order.cloudCap()) {
            return Optional.of(RentalText.WAITING_CAP.of(order.cloud(), order.cloudCap()));
        }
        if (order.templateCap() > 0 && instances(order, true) >= order.templateCap()) {
            return Optional.of(RentalText.WAITING_CAP.of(order.template(), order.templateCap()));
        }
        return Optional.empty();
    }

    private long instances(Order order, boolean sameTemplate) {
        return records.unordered().stream()
                .filter(other -> other.order().cloud().equals(order.cloud()))
                .filter(other -> !sameTemplate || other.order().template().equals(order.template()))
                .mapToLong(other -> other.draws().stream().filter(Draw::open).count())
                .sum();
    }

    private Set<Long> machinesInUse() {
        return records.unordered().stream()
                .flatMap(rental -> rental.draws().stream())
                .filter(Draw::open)
                .map(Draw::machineId)
                .collect(Collectors.toSet());
    }

    GpuCatalogue catalogue() {
        return catalogue;
    }

    void refreshed(GpuCatalogue fresh) {
        catalogue = fresh;
    }
}

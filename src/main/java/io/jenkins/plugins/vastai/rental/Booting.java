package io.jenkins.plugins.vastai.rental;

import io.jenkins.plugins.vastai.api.Instance;
import io.jenkins.plugins.vastai.api.VastClient;
import io.jenkins.plugins.vastai.market.AllInPrice;
import io.jenkins.plugins.vastai.market.ExpectedRun;
import io.jenkins.plugins.vastai.market.FailureClass;
import io.jenkins.plugins.vastai.market.Requirements;
import io.jenkins.plugins.vastai.market.SettingException;
import io.jenkins.plugins.vastai.text.Reason;
import java.math.BigDecimal;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/**
 * From a contract to a machine that runs, by what the market says of it: several kinds of failure can be read at once.
 * {@code running} is not yet reachable; what follows is {@link Reaching}.
 */
final class Booting {

    private final Records records;
    private final Lanes lanes;
    private final VastClient client;
    private final Timing timing;
    private final Renting renting;
    private final Reaching reaching;
    private final Duds duds;
    private final Standing standing;

    Booting(
            Records records,
            Lanes lanes,
            VastClient client,
            Timing timing,
            Renting renting,
            Reaching reaching,
            Duds duds,
            Standing standing) {
        this.records = records;
        this.lanes = lanes;
        this.client = client;
        this.timing = timing;
        this.renting = renting;
        this.reaching = reaching;
        this.duds = duds;
        this.standing = standing;
    }

    void step(Rental rental, Progress progress, Observation observed, Instant now) {
        Draw draw = rental.current().orElse(null);
        if (draw == null) {
            records.save(rental.state(State.ORDERED, now));
            return;
        }
        // Nobody could see it come up, nor that it fails; the machine is not to blame.
        Optional<Reason> blind = standing.blindSince(now.minus(timing.settle()));
        if (blind.isPresent()) {
            records.save(rental.unneeded(blind.get(), true, now));
            return;
        }
        Duration limit = rental.order().launchLimit();
        if (now.isAfter(draw.since().plus(limit))) {
            duds.failed(rental, progress, draw, FailureClass.SLOW, RentalText.BOOT_TIMEOUT.of(limit.toMinutes()), now);
            return;
        }
        Optional<Instance> seen = observed.of(draw);
        if (seen.isEmpty()) {
            // The list may lag behind the create for seconds; later it means that the contract came to nothing.
            if (observed.after(draw.since().plus(timing.settle()))) {
                duds.failed(
                        rental,
                        progress,
                        draw,
                        FailureClass.HOST_FAULT,
                        RentalText.PHANTOM.of(draw.instanceId(), timing.settle().toSeconds()),
                        now);
            }
            return;
        }
        if (progress.looked != observed.looks()) {
            progress.looked = observed.looks();
            if (unfit(rental, progress, draw, seen.get(), observed, now)) {
                return;
            }
        }
        if (seen.get().status() == Instance.Status.RUNNING) {
            running(records.get(rental.id()).orElseThrow(), progress, draw, seen.get(), now);
        }
    }

    /** What can be told from the list alone, once for each list. Returns whether the machine was given up. */
    private boolean unfit(
            Rental rental, Progress progress, Draw draw, Instance instance, Observation observed, Instant now) {
        if (instance.stopped()) {
            duds.failed(rental, progress, draw, FailureClass.HOST_FAULT, RentalText.ENDED_IN_BOOT.of("stopped"), now);
            return true;
        }
        switch (instance.status()) {
            case EXITED, STOPPED, FROZEN, OFFLINE, UNKNOWN -> {
                duds.failed(
                        rental,
                        progress,
                        draw,
                        FailureClass.HOST_FAULT,
                        RentalText.ENDED_IN_BOOT.of(instance.actualStatus()),
                        now);
                return true;
            }
            default -> {
                // on its way
            }
        }
        Optional<Reason> dear = tooDear(rental, instance);
        if (dear.isPresent()) {
            duds.failed(rental, progress, draw, FailureClass.HOST_FAULT, dear.get(), now);
            return true;
        }
        if (instance.status() == Instance.Status.RUNNING) {
            return false;
        }
        if (fatal(rental, progress, draw, instance, observed, now)) {
            return true;
        }
        String shown = StatusText.shown(instance.statusMessage());
        records.say(
                rental,
                RentalText.PROGRESS.of(
                        instance.actualStatus() == null ? "provisioning" : instance.actualStatus(), shown));
        return false;
    }

    private void running(Rental rental, Progress progress, Draw draw, Instance instance, Instant now) {
        Rental running = draw.runningFrom() == null ? records.save(rental.draw(draw.running(now))) : rental;
        Draw runningDraw = running.current().orElseThrow();
        if (!running.order().spec().vm() && !progress.keyAttached) {
            attach(running, progress, runningDraw, now);
        }
        reaching.step(running, progress, runningDraw, instance, now);
    }

    private boolean fatal(
            Rental rental, Progress progress, Draw draw, Instance instance, Observation observed, Instant now) {
        Optional<StatusText.Verdict> verdict = StatusText.fatal(instance.statusMessage());
        if (verdict.isEmpty()) {
            progress.fatalSeen = 0;
            return false;
        }
        if (!verdict.get().certain()) {
            if (progress.fatalSeen == 0) {
                progress.fatalSeen = observed.looks();
            }
            if (observed.looks() <= progress.fatalSeen) {
                return true; // the daemon may try again: believe it when it is seen twice
            }
        }
        String text = StatusText.shown(instance.statusMessage());
        if (verdict.get().fault() == StatusText.Fault.TEMPLATE) {
            duds.failed(
                    rental,
                    progress,
                    draw,
                    FailureClass.TEMPLATE,
                    RentalText.START_FAILED_IMAGE.of(rental.order().spec().machineImage(), text),
                    now);
        } else {
            duds.failed(rental, progress, draw, FailureClass.HOST_FAULT, RentalText.START_FAILED_MACHINE.of(text), now);
        }
        return true;
    }

    private Optional<Reason> tooDear(Rental rental, Instance instance) {
        try {
            Requirements wanted = renting.requirements(rental.order());
            BigDecimal ceiling = wanted.wishes().stream()
                    .filter(wish -> instance.numGpus() == 0 || wish.count() == instance.numGpus())
                    .map(wanted::priceCeiling)
                    .reduce(BigDecimal::max)
                    .orElseGet(() -> wanted.priceCeiling(wanted.wishes().get(0)));
            return AllInPrice.of(instance, ExpectedRun.DEFAULT)
                    .map(AllInPrice::total)
                    .filter(price -> price.compareTo(ceiling) > 0)
                    .map(price -> RentalText.PRICE_ROSE.of(AllInPrice.show(price), AllInPrice.show(ceiling)));
        } catch (SettingException e) {
            return Optional.empty(); // was understood when it was rented; the machine is not to blame
        }
    }

    private void attach(Rental rental, Progress progress, Draw draw, Instant now) {
        long instance = draw.instanceId();
        String line = rental.publicKey();
        if (lanes.submit(
                Lanes.Lane.ATTACH,
                () -> {
                    client.attachSshKey(instance, line);
                    return true;
                },
                (done, failure) -> {
                    if (failure != null) {
                        // The start script brings the key as well, so this alone is no reason to give up.
                        records.get(rental.id())
                                .ifPresent(r -> records.say(r, RentalText.KEY_NOT_ATTACHED.of(Disposal.said(failure))));
                    }
                })) {
            progress.keyAttached = true;
        }
    }
}

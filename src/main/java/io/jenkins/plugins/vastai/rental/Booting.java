package io.jenkins.plugins.vastai.rental;

import io.jenkins.plugins.vastai.api.Instance;
import io.jenkins.plugins.vastai.api.VastClient;
import io.jenkins.plugins.vastai.market.AllInPrice;
import io.jenkins.plugins.vastai.market.ExpectedRun;
import io.jenkins.plugins.vastai.market.FailureClass;
import io.jenkins.plugins.vastai.market.Requirements;
import io.jenkins.plugins.vastai.market.SettingException;
import io.jenkins.plugins.vastai.ssh.Access;
import io.jenkins.plugins.vastai.ssh.Bootstrap;
import io.jenkins.plugins.vastai.ssh.HostKey;
import io.jenkins.plugins.vastai.ssh.Probe;
import io.jenkins.plugins.vastai.ssh.SshKeyPair;
import io.jenkins.plugins.vastai.text.Reason;
import java.math.BigDecimal;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.stream.Collectors;

/**
 * From a contract to a machine that is fit for the agent. What the market says of it is looked at first: several kinds
 * of failure can be read at once, and {@code running} is not yet reachable. Then over SSH: first contact pins the host
 * key, then Java, work directory and GPU are looked after.
 */
final class Booting {

    private static final Duration PROBE_TIMEOUT = Duration.ofSeconds(12);
    private static final int MOST_SSH_AT_ONCE = 32;
    private static final int LOG_LINES = 5;
    private static final Duration LOG_PATIENCE = Duration.ofSeconds(12);

    private final Records records;
    private final Lanes lanes;
    private final VastClient client;
    private final Timing timing;
    private final Machines machines;
    private final Consumer<Runnable> inbox;
    private final Blocked blocked;
    private final Renting renting;
    private int sshUnderWay;

    Booting(
            Records records,
            Lanes lanes,
            VastClient client,
            Timing timing,
            Machines machines,
            Consumer<Runnable> inbox,
            Blocked blocked,
            Renting renting) {
        this.records = records;
        this.lanes = lanes;
        this.client = client;
        this.timing = timing;
        this.machines = machines;
        this.inbox = inbox;
        this.blocked = blocked;
        this.renting = renting;
    }

    void step(Rental rental, Progress progress, Observation observed, Instant now) {
        Draw draw = rental.current().orElse(null);
        if (draw == null) {
            records.save(rental.state(State.ORDERED, now));
            return;
        }
        Duration limit = rental.order().launchLimit();
        if (now.isAfter(draw.since().plus(limit))) {
            failed(rental, progress, draw, FailureClass.SLOW, RentalText.BOOT_TIMEOUT.of(limit.toMinutes()), now);
            return;
        }
        Optional<Instance> seen = observed.of(draw);
        if (seen.isEmpty()) {
            // The list may lag behind the create for seconds; later it means that the contract came to nothing.
            if (observed.after(draw.since().plus(timing.settle()))) {
                failed(
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

    /** REACHABLE: the agent has its time to come online. */
    void reachable(Rental rental, Progress progress, Instant now) {
        if (now.isAfter(rental.since().plus(timing.connect()))) {
            rental.current()
                    .ifPresent(draw -> failed(
                            rental,
                            progress,
                            draw,
                            FailureClass.UNREACHABLE,
                            RentalText.AGENT_NEVER_CAME.of(minutes(timing.connect())),
                            now));
        }
    }

    /** What can be told from the list alone, once for each list. Returns whether the machine was given up. */
    private boolean unfit(
            Rental rental, Progress progress, Draw draw, Instance instance, Observation observed, Instant now) {
        if (instance.stopped()) {
            failed(rental, progress, draw, FailureClass.HOST_FAULT, RentalText.ENDED_IN_BOOT.of("stopped"), now);
            return true;
        }
        switch (instance.status()) {
            case EXITED, STOPPED, FROZEN, OFFLINE, UNKNOWN -> {
                failed(
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
            failed(rental, progress, draw, FailureClass.HOST_FAULT, dear.get(), now);
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
        if (progress.busy || now.isBefore(progress.notBefore) || sshUnderWay >= MOST_SSH_AT_ONCE) {
            return;
        }
        if (running.reach() == null) {
            probe(running, progress, instance, now);
        } else {
            prepare(running, progress, runningDraw, now);
        }
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
            failed(
                    rental,
                    progress,
                    draw,
                    FailureClass.TEMPLATE,
                    RentalText.START_FAILED_IMAGE.of(rental.order().spec().machineImage(), text),
                    now);
        } else {
            failed(rental, progress, draw, FailureClass.HOST_FAULT, RentalText.START_FAILED_MACHINE.of(text), now);
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

    private void probe(Rental rental, Progress progress, Instance instance, Instant now) {
        List<Instance.Endpoint> endpoints = new ArrayList<>();
        instance.direct().ifPresent(endpoints::add);
        // A port that refuses is cheap to ask. The proxy is one for all machines: it is asked every second time.
        boolean knock = !endpoints.isEmpty() && !progress.knocked && progress.troubledBy(Probe.Outcome.REFUSED);
        progress.knocked = knock;
        if (!knock && !rental.order().spec().vm()) {
            instance.proxy().ifPresent(endpoints::add);
        }
        if (endpoints.isEmpty()) {
            return;
        }
        ssh(
                rental,
                progress,
                machines.probe(endpoints, StartScripts.USER, key(rental), PROBE_TIMEOUT),
                (current, probe) -> {
                    if (knock && !probe.reached()) {
                        progress.notBefore = records.now().plus(timing.probe());
                    } else {
                        probed(current, progress, probe);
                    }
                });
    }

    private void probed(Rental rental, Progress progress, Probe probe) {
        Instant now = records.now();
        Draw draw = rental.current().orElse(null);
        if (draw == null || rental.state() != State.BOOTING) {
            return;
        }
        progress.notBefore = now.plus(timing.probe());
        if (probe.reached()) {
            HostKey key = probe.hostKey().orElseThrow();
            progress.trouble = null;
            progress.workSince = now;
            progress.notBefore = now;
            records.save(rental.reach(new Reach(probe.endpoint(), StartScripts.USER, key.toString(), null, null))
                    .say(RentalText.HOST_KEY_PINNED.of(probe.endpoint(), key.fingerprint()), now));
            return;
        }
        trouble(rental, progress, draw, probe, now);
    }

    private void trouble(Rental rental, Progress progress, Draw draw, Probe probe, Instant now) {
        Instant since = progress.trouble(probe.outcome(), now);
        Duration lasted = Duration.between(since, now);
        switch (probe.outcome()) {
            case HOST_KEY_CHANGED -> failed(rental, progress, draw, FailureClass.UNREACHABLE, probe.reason(), now);
            case AUTH_REFUSED -> {
                progress.keyAttached = false;
                patience(rental, progress, draw, probe, lasted, timing.keyMissing(), now);
            }
            case TIMED_OUT -> patience(rental, progress, draw, probe, lasted, timing.timedOut(), now);
            default -> patience(rental, progress, draw, probe, lasted, timing.refused(), now);
        }
    }

    private void patience(
            Rental rental, Progress progress, Draw draw, Probe probe, Duration lasted, Duration limit, Instant now) {
        if (lasted.compareTo(limit) > 0) {
            FailureClass failure =
                    probe.outcome() == Probe.Outcome.NOISY ? FailureClass.TEMPLATE : FailureClass.UNREACHABLE;
            failed(rental, progress, draw, failure, probe.reason(), now);
        } else {
            records.say(rental, probe.reason());
        }
    }

    private void prepare(Rental rental, Progress progress, Draw draw, Instant now) {
        if (progress.workSince == null) {
            progress.workSince = now;
        }
        Order order = rental.order();
        Duration lasted = Duration.between(progress.workSince, now);
        if (lasted.compareTo(timing.prepare().multipliedBy(2)) > 0) {
            failed(
                    rental,
                    progress,
                    draw,
                    FailureClass.SLOW,
                    RentalText.PREPARE_TIMEOUT.of(minutes(timing.prepare().multipliedBy(2))),
                    now);
            return;
        }
        boolean patient = lasted.compareTo(timing.prepare()) <= 0;
        Bootstrap.Wanted wanted =
                new Bootstrap.Wanted(order.javaMajor(), order.remoteFs(), 1, gpuCount(draw), gpuName(draw));
        ssh(
                rental,
                progress,
                machines.prepare(access(rental), wanted, patient),
                (current, step) -> prepared(current, progress, step));
    }

    private void prepared(Rental rental, Progress progress, Bootstrap.Step step) {
        Instant now = records.now();
        Draw draw = rental.current().orElse(null);
        if (draw == null || rental.state() != State.BOOTING || rental.reach() == null) {
            return;
        }
        progress.notBefore = now.plus(timing.probe());
        if (step instanceof Bootstrap.Pending pending) {
            progress.notBefore = now.plus(timing.probe().multipliedBy(2)); // a look keeps the machine from its work
            progress.trouble = null;
            records.say(rental, pending.progress());
        } else if (step instanceof Bootstrap.Unreachable unreachable) {
            trouble(rental, progress, draw, unreachable.probe(), now);
        } else if (step instanceof Bootstrap.Failed failure) {
            FailureClass failureClass =
                    switch (failure.fault()) {
                        case MACHINE -> FailureClass.HARDWARE;
                        case TEMPLATE -> FailureClass.TEMPLATE;
                        case CONTROLLER -> FailureClass.MARKET;
                    };
            Rental told = rental;
            for (Reason note : failure.notes()) {
                told = records.say(told, note);
            }
            failed(told, progress, draw, failureClass, failure.reason(), now);
        } else if (step instanceof Bootstrap.Prepared fit) {
            String gpus = fit.gpus().stream().map(Bootstrap.Gpu::name).collect(Collectors.joining(", "));
            Rental next = rental;
            for (Reason note : fit.notes()) {
                next = next.say(note, now);
            }
            records.save(next.reach(next.reach().prepared(fit.javaPath(), gpus))
                    .say(RentalText.FIT.of(fit.javaMajor(), fit.javaPath(), gpus), now)
                    .state(State.REACHABLE, now));
        }
    }

    /** Ends the present draw: remembers whose fault it was, and tries another machine where that can help. */
    void failed(Rental rental, Progress progress, Draw draw, FailureClass failure, Reason reason, Instant now) {
        Reason why = RentalText.NOT_FIT.of(draw.number(), draw.machineId(), reason);
        blocked.after(draw, failure, reason, now);
        fetchLog(rental, progress, draw, now);
        Rental next = rental.draw(draw.disposing(reason, now)).say(why, now);
        if (failure == FailureClass.TEMPLATE) {
            records.save(
                    next.unneeded(RentalText.TEMPLATE_WRONG.of(rental.order().template(), reason), true, now));
            progress.nextDraw();
        } else {
            renting.again(next, progress, now);
        }
    }

    /**
     * The container's last words, for the story; they are gone once the instance is destroyed, so the destroy waits a
     * moment for them.
     */
    private void fetchLog(Rental rental, Progress progress, Draw draw, Instant now) {
        if (draw.instanceId() == null || draw.runningFrom() == null) {
            return; // a container that never ran has said nothing
        }
        long instance = draw.instanceId();
        Progress.Disposing disposing = progress.disposing(draw);
        if (lanes.submit(Lanes.Lane.LOGS, () -> client.fetchLogs(instance, 20, false), (log, failure) -> {
            disposing.notBefore = Instant.MIN;
            if (failure == null && log.isPresent() && !log.get().isBlank()) {
                String[] lines = log.get().strip().split("\\R");
                String last = Arrays.stream(lines)
                        .skip(Math.max(0, lines.length - LOG_LINES))
                        .map(StatusText::shown)
                        .collect(Collectors.joining(" | "));
                records.get(rental.id())
                        .ifPresent(current -> records.say(current, RentalText.CONTAINER_LOG.of(instance, last)));
            }
        })) {
            disposing.notBefore = now.plus(LOG_PATIENCE);
        }
    }

    private <T> void ssh(Rental rental, Progress progress, CompletableFuture<T> work, BiConsumer<Rental, T> then) {
        progress.busy = true;
        sshUnderWay++;
        int number = rental.draws().size();
        work.whenComplete((result, failure) -> inbox.accept(() -> {
            sshUnderWay--;
            Rental current = records.get(rental.id()).orElse(null);
            if (current == null || current.draws().size() != number) {
                return; // about a machine that is already given up
            }
            progress.busy = false;
            if (failure == null) {
                then.accept(current, result);
            } else {
                progress.notBefore = records.now().plus(timing.probe());
            }
        }));
    }

    private static Access access(Rental rental) {
        return new Access(
                rental.reach().endpoint(),
                rental.reach().user(),
                key(rental),
                HostKey.parse(rental.reach().hostKey()));
    }

    private static SshKeyPair key(Rental rental) {
        return SshKeyPair.parse(rental.privateKey().value(), "jenkins");
    }

    private static int gpuCount(Draw draw) {
        return Integer.parseInt(draw.gpus().substring(0, draw.gpus().indexOf('x')));
    }

    private static Optional<String> gpuName(Draw draw) {
        return Optional.of(draw.gpus().substring(draw.gpus().indexOf(' ') + 1));
    }

    static long minutes(Duration duration) {
        return Math.max(1, duration.toMinutes());
    }
}

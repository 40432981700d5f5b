package io.jenkins.plugins.vastai.rental;

import io.jenkins.plugins.vastai.api.Instance;
import io.jenkins.plugins.vastai.market.FailureClass;
import io.jenkins.plugins.vastai.ssh.Access;
import io.jenkins.plugins.vastai.ssh.Bootstrap;
import io.jenkins.plugins.vastai.ssh.HostKey;
import io.jenkins.plugins.vastai.ssh.Probe;
import io.jenkins.plugins.vastai.ssh.SshKeyPair;
import io.jenkins.plugins.vastai.text.Reason;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeoutException;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.stream.Collectors;

/**
 * From a machine that runs to one that is fit for the agent, over SSH: first contact pins the host key, then Java, work
 * directory and GPU are looked after.
 */
final class Reaching {

    private static final Duration PROBE_TIMEOUT = Duration.ofSeconds(12);
    private static final String NAME = "work over SSH";
    private static final int MOST_AT_ONCE = 32;
    /** Both end by themselves much earlier; what does not is given up, since it would keep others from their turn. */
    private static final Duration PROBE_LIMIT = Duration.ofMinutes(2);

    private static final Duration PREPARE_LIMIT = Duration.ofMinutes(20);

    private final Records records;
    private final Timing timing;
    private final Machines machines;
    private final Consumer<Runnable> inbox;
    private final Duds duds;
    private final Supervisor supervisor;
    private final Set<Work> underWay = new LinkedHashSet<>();

    /** SSH work on one machine. */
    private record Work(String rental, int number, Progress progress, CompletableFuture<?> future, Instant deadline) {
        @Override
        public boolean equals(Object other) {
            return this == other;
        }

        @Override
        public int hashCode() {
            return System.identityHashCode(this);
        }
    }

    Reaching(
            Records records,
            Timing timing,
            Machines machines,
            Consumer<Runnable> inbox,
            Duds duds,
            Supervisor supervisor) {
        this.records = records;
        this.timing = timing;
        this.machines = machines;
        this.inbox = inbox;
        this.duds = duds;
        this.supervisor = supervisor;
    }

    /** BOOTING, and the market says that it runs. */
    void step(Rental rental, Progress progress, Draw draw, Instance instance, Instant now) {
        if (progress.busy || now.isBefore(progress.notBefore) || underWay.size() >= MOST_AT_ONCE) {
            return;
        }
        if (rental.reach() == null) {
            probe(rental, progress, instance, now);
        } else {
            prepare(rental, progress, draw, now);
        }
    }

    /** REACHABLE: the agent has its time to come online. */
    void reachable(Rental rental, Progress progress, Instant now) {
        if (now.isAfter(rental.since().plus(timing.connect()))) {
            rental.current()
                    .ifPresent(draw -> duds.failed(
                            rental,
                            progress,
                            draw,
                            FailureClass.UNREACHABLE,
                            RentalText.AGENT_NEVER_CAME.of(Timing.minutes(timing.connect())),
                            now));
        }
    }

    /** REACHABLE: the agent's launch found another machine at the address. */
    void refused(Rental rental, Progress progress, Draw draw, Reason why, Instant now) {
        duds.failed(rental, progress, draw, FailureClass.UNREACHABLE, why, now);
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
                PROBE_LIMIT,
                () -> machines.probe(endpoints, StartScripts.USER, key(rental), PROBE_TIMEOUT),
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
            case UNFIT -> duds.failed(rental, progress, draw, FailureClass.TEMPLATE, probe.reason(), now);
            case NO_COMMANDS -> patience(rental, progress, draw, probe, lasted, timing.noCommands(), now);
            case HOST_KEY_CHANGED -> duds.failed(rental, progress, draw, FailureClass.UNREACHABLE, probe.reason(), now);
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
                    probe.outcome() == Probe.Outcome.NOISY || probe.outcome() == Probe.Outcome.NO_COMMANDS
                            ? FailureClass.TEMPLATE
                            : FailureClass.UNREACHABLE;
            duds.failed(rental, progress, draw, failure, probe.reason(), now);
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
            duds.failed(
                    rental,
                    progress,
                    draw,
                    FailureClass.SLOW,
                    RentalText.PREPARE_TIMEOUT.of(
                            Timing.minutes(timing.prepare().multipliedBy(2))),
                    now);
            return;
        }
        boolean patient = lasted.compareTo(timing.prepare()) <= 0;
        Bootstrap.Wanted wanted = new Bootstrap.Wanted(
                order.javaMajor(),
                order.remoteFs(),
                1,
                gpuCount(draw),
                gpuName(draw),
                order.spec().environment());
        ssh(
                rental,
                progress,
                PREPARE_LIMIT,
                () -> machines.prepare(access(rental), wanted, patient),
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
            duds.failed(told, progress, draw, failureClass, failure.reason(), now);
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

    private <T> void ssh(
            Rental rental,
            Progress progress,
            Duration limit,
            Supplier<CompletableFuture<T>> start,
            BiConsumer<Rental, T> then) {
        CompletableFuture<T> future;
        try {
            future = start.get();
        } catch (RuntimeException | Error e) {
            future = CompletableFuture.failedFuture(e);
        }
        Work work = new Work(
                rental.id(),
                rental.draws().size(),
                progress,
                future,
                records.now().plus(limit));
        progress.busy = true;
        underWay.add(work);
        future.whenComplete((result, failure) -> inbox.accept(() -> ended(work, result, failure, then)));
    }

    private <T> void ended(Work work, T result, Throwable failure, BiConsumer<Rental, T> then) {
        if (!underWay.remove(work)) {
            return; // given up before
        }
        if (failure == null) {
            supervisor.succeeded(NAME);
        } else {
            supervisor.failed(NAME, failure);
        }
        Rental current = records.get(work.rental).orElse(null);
        if (current == null || current.draws().size() != work.number) {
            return; // about a machine that is already given up
        }
        work.progress.busy = false;
        if (failure == null) {
            then.accept(current, result);
        } else {
            work.progress.notBefore = records.now().plus(timing.probe());
        }
    }

    /** Gives up what takes too long: what it brings later is ignored. */
    void expire(Instant now) {
        for (Work work : List.copyOf(underWay)) {
            if (now.isAfter(work.deadline)) {
                ended(work, null, new TimeoutException("no end of the work over SSH"), (current, none) -> {});
                work.future.cancel(true);
            }
        }
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
}

package io.jenkins.plugins.vastai.rental;

import io.jenkins.plugins.vastai.api.VastClient;
import io.jenkins.plugins.vastai.market.Ban;
import io.jenkins.plugins.vastai.market.Block;
import io.jenkins.plugins.vastai.market.Blocklist;
import io.jenkins.plugins.vastai.market.GpuCatalogue;
import io.jenkins.plugins.vastai.market.Requirements;
import io.jenkins.plugins.vastai.text.Reason;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.math.BigDecimal;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.LocalDate;
import java.time.ZoneId;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executor;
import java.util.function.Function;
import java.util.function.Predicate;

/**
 * All rentals of one account, driven by one reconciler. Each {@link #pass} compares what the market was last seen to
 * have with what each rental wants and takes the next step; it never depends on having seen an event, so a controller
 * that comes back goes on where the records stand.
 *
 * <p>{@link #pass} runs on one thread at a time, see {@link FleetThread}; everything else may be called from any thread
 * and returns at once. No call to the market happens on either: they run in the {@code workers}.
 */
public final class Fleet {

    /**
     * What a fleet is made of.
     *
     * @param identity who this controller is; one for all of its fleets
     * @param client for this account
     * @param store where the records are
     * @param agents is told what happens
     * @param machines how to get to machines
     * @param workers runs calls to the market; of this fleet alone, or one account that does not answer holds up others;
     *     {@link #THREADS} threads are enough
     * @param knownElsewhere whether another fleet of this controller has the rental with this id: two API keys of one
     *     account see each other's instances
     * @param clock the time
     * @param timing intervals and deadlines
     */
    public record Parts(
            ControllerIdentity identity,
            VastClient client,
            RentalStore store,
            Agents agents,
            Machines machines,
            Executor workers,
            Predicate<String> knownElsewhere,
            InstantSource clock,
            Timing timing) {}

    /** Calls of one fleet that may be under way at the same time. */
    public static final int THREADS = Lanes.THREADS;

    private static final Duration LEAST_REST = Duration.ofMillis(20);
    private static final int MOST_WRITES = 8;
    private static final Duration LATE_WRITES = Duration.ofMillis(200);
    private static final Duration SWEEP = Duration.ofMinutes(1);

    private final ControllerIdentity identity;
    private final InstantSource clock;
    private final Timing timing;
    private final Supervisor supervisor;
    private final Lanes lanes;
    private final Records records;
    private final Standing standing;
    private final Poll poll;
    private final Renting renting;
    private final Booting booting;
    private final Reaching reaching;
    private final Serving serving;
    private final Disposal disposal;
    private final Orphans orphans;
    private final Explanations explanations;
    private final Blocked blocked;
    private final Spend spend;
    private final AccountKey accountKey;
    private final Previews previews;
    private final LiveNames names;
    private final Newcomers newcomers;
    private final Map<String, Progress> progress = new HashMap<>();
    private final Queue<Runnable> inbox = new ConcurrentLinkedQueue<>();

    private Instant due = Instant.MIN;
    private Optional<Duration> turn = Optional.empty();
    private Instant nextSweep = Instant.MIN;
    private volatile Map<String, Integer> turns = Map.of();
    private volatile Runnable alarm = () -> {};

    /** Reads the records; nothing is done before the first {@link #pass}. */
    public Fleet(Parts parts) throws IOException {
        identity = parts.identity();
        String controller = identity.id();
        clock = parts.clock();
        timing = parts.timing();
        supervisor = new Supervisor(clock);
        lanes = new Lanes(parts.workers(), this::post, clock, supervisor);
        records = new Records(parts.store(), new Notifier(parts.agents(), lanes, supervisor), clock, identity);
        blocked = new Blocked(parts.store());
        spend = new Spend(parts.store(), ZoneId.systemDefault());
        standing = new Standing(parts.client(), lanes, identity);
        poll = new Poll(parts.client(), lanes, timing, standing);
        disposal = new Disposal(records, lanes, parts.client(), timing, standing);
        accountKey = new AccountKey(parts.store(), parts.client(), lanes, records, standing, controller);
        newcomers = new Newcomers(records, accountKey, clock, controller);
        Shop shop = new Shop(parts.client(), lanes, timing, standing, clock);
        previews = new Previews(shop, blocked, records);
        renting = new Renting(
                records,
                lanes,
                parts.client(),
                timing,
                shop,
                blocked,
                standing,
                disposal,
                accountKey,
                controller,
                new StartScripts(parts.client().address()));
        names = new LiveNames(parts.client(), lanes, renting, shop);
        Duds duds = new Duds(records, lanes, parts.client(), blocked, renting);
        reaching = new Reaching(records, timing, parts.machines(), this::post, duds, supervisor);
        booting = new Booting(records, lanes, parts.client(), timing, renting, reaching, duds, standing);
        serving = new Serving(records, timing, standing);
        explanations = new Explanations(records);
        orphans = new Orphans(records, parts.store(), identity, parts.knownElsewhere(), timing);
    }

    /**
     * Takes an order. It counts from this moment on; it is on disk before a machine is rented for it.
     *
     * @param order made from the new rental's id, which belongs into the agent's name
     */
    public Rental order(Function<String, Order> order) {
        Instant now = clock.instant();
        String id = identity.newRentalId();
        Order wanted = order.apply(id);
        RunnerSpec spec = wanted.spec();
        Rental rental = Rental.ordered(
                id,
                wanted,
                "",
                "",
                new Hidden(""),
                new Line(now, RentalText.ORDERED.of(wanted.template(), spec.instanceType(), spec.machineImage())),
                now);
        newcomers.add(rental);
        wake();
        return rental;
    }

    /**
     * Who of those that wait for a machine is served first; the others come after them, oldest first.
     *
     * @param ids of rentals
     */
    public void turns(List<String> ids) {
        Map<String, Integer> places = new HashMap<>();
        ids.forEach(id -> places.putIfAbsent(id, places.size()));
        turns = places;
    }

    /** Nobody needs the rental any more. Does nothing when it is known already, or unknown. */
    public void retire(String id, Reason why) {
        command(id, rental -> rental.unneeded(why, false, clock.instant()));
    }

    /** The agent is of no use, for this reason. */
    public void fail(String id, Reason why) {
        command(id, rental -> rental.unneeded(why, true, clock.instant()));
    }

    /**
     * What answers at the address of the rental's machine is not that machine. Another one is tried; a rental that served
     * already fails, since whatever ran on its machine is lost.
     */
    public void machineRefused(String id, Reason why) {
        post(() -> records.get(id)
                .filter(rental -> rental.needed() && rental.state().connectable())
                .ifPresent(rental -> {
                    Instant now = clock.instant();
                    Optional<Draw> draw = rental.current();
                    if (rental.state() == State.REACHABLE && draw.isPresent()) {
                        reaching.refused(rental, progress(id), draw.get(), why, now);
                    } else {
                        records.save(rental.unneeded(why, true, now));
                    }
                }));
    }

    /**
     * The agent is online.
     *
     * @param attempt number of the attempt whose machine it was launched on, see {@link Rental#attempt}; ignored when
     *     that machine was replaced meanwhile
     */
    public void agentOnline(String id, int attempt) {
        post(() -> records.get(id).filter(rental -> rental.serves(attempt)).ifPresent(rental -> {
            progress(id).agentOfflineSince = null;
            Instant now = clock.instant();
            records.save(rental.online(now)
                    .say(RentalText.AGENT_ONLINE.of(rental.order().agent()), now));
        }));
    }

    /**
     * The agent lost its connection. It has {@link Timing#agentOffline()} to come back.
     *
     * @param attempt as for {@link #agentOnline}
     */
    public void agentOffline(String id, int attempt) {
        Instant now = clock.instant();
        post(() -> {
            Progress known = progress(id);
            boolean present = records.get(id)
                    .filter(rental -> rental.attempt() == attempt)
                    .isPresent();
            if (present && known.agentOfflineSince == null) {
                known.agentOfflineSince = now;
            }
        });
    }

    /**
     * Why the connection to the rental's machine broke, from what the market shows after this call. Takes some lists to
     * answer, and does not answer while the market does not: whoever waits sets a limit, and cancels.
     */
    public CompletableFuture<Reason> explain(String id) {
        CompletableFuture<Reason> answer = new CompletableFuture<>();
        Instant now = clock.instant();
        ask(answer, () -> explanations.ask(id, now, answer));
        return answer;
    }

    /** A run began to use the agent. Kept on disk: a one-shot agent stays one-shot across a restart. */
    public void used(String id, String by) {
        command(id, rental -> rental.used(by));
    }

    /** A cloud has another name from now on; its rentals count for it under the new one. */
    public void renamed(String cloud, String now) {
        post(() -> {
            records.all().stream()
                    .filter(rental -> rental.order().cloud().equals(cloud))
                    .forEach(rental -> records.save(rental.cloud(now)));
            spend.renamed(cloud, now);
        });
    }

    /** Adds a line to the story. */
    public void say(String id, Reason reason) {
        command(id, rental -> rental.say(reason, clock.instant()));
    }

    public Optional<Rental> rental(String id) {
        return records.get(id);
    }

    /** Every rental, oldest first, also those that ended lately. */
    public List<Rental> rentals() {
        return records.all();
    }

    /** Machines that are left alone because they failed, and why. */
    public List<Block> blocks() {
        return blocked.list().entries();
    }

    /** Everything that is left alone: what was learned, hosts condemned by it, and what an admin said. */
    public Blocklist blocklist() {
        return blocked.list();
    }

    /**
     * Changes the list of what is left alone, and writes it: {@link Blocklist#with(Ban)}, {@link Blocklist#without},
     * {@link Blocklist#withAll} for the bans of a configuration as often as it is read. Done with the next pass.
     */
    public void blocks(Function<Blocklist, Blocklist> change) {
        post(() -> blocked.replace(change.apply(blocked.list())));
    }

    /** What keeps the fleet from renting, or from looking after all of its machines; empty when all is well. */
    public Optional<Reason> trouble() {
        return standing.trouble().or(records::newer).or(supervisor::trouble);
    }

    /** Instances that no rental wanted, and what was done about them; newest first, also before the last restart. */
    public List<Reaped> reaped() {
        return orphans.reaped();
    }

    /** $ that the account can spend, as it was told last; empty while nobody had to ask. */
    public Optional<BigDecimal> credit() {
        return standing.credit();
    }

    /**
     * What was spent from that day on, in no order.
     *
     * @param from in the controller's time zone
     */
    public List<Spend.Amount> spend(LocalDate from) {
        return spend.since(from, records.all(), clock.instant());
    }

    /** Checks again at once whether the account can rent. */
    public void retryAccount() {
        post(standing::retry);
    }

    /** GPU names as last seen; the built-in ones until {@link #names} has been asked. */
    public GpuCatalogue catalogue() {
        return renting.catalogue();
    }

    /**
     * GPUs and countries by the market's names, or by those known before when it does not answer. Fails by an
     * internal error only.
     */
    public CompletableFuture<Names> names() {
        CompletableFuture<Names> answer = new CompletableFuture<>();
        ask(answer, () -> names.ask(answer, clock.instant()));
        return answer;
    }

    /**
     * What would be rented now, by the same search and choice as for an order. Rents nothing. Whoever does not want to
     * wait any longer cancels the answer.
     */
    public CompletableFuture<Preview> preview(Requirements wanted) {
        CompletableFuture<Preview> answer = new CompletableFuture<>();
        ask(answer, () -> previews.ask(wanted, answer, clock.instant()));
        return answer;
    }

    /** What every label of this controller begins with. */
    public String labelPrefix() {
        return Labels.prefix(identity.id());
    }

    /** One look at everything. One thread at a time. Never throws. */
    public void pass() {
        supervisor.run("the pass", this::look);
    }

    private void look() {
        for (Runnable next = inbox.poll(); next != null; next = inbox.poll()) {
            guarded(next, "answers");
        }
        guarded(newcomers::begin, "new rentals");
        Instant now = clock.instant();
        guarded(() -> lanes.expire(now), "calls that do not return");
        guarded(() -> reaching.expire(now), "calls that do not return");
        // While it may be a copy of somebody's home, its records may be of somebody's machines.
        boolean dormant = identity.dormant();
        Observation observed = poll.observed();
        List<Long> onTheirWay = new ArrayList<>();
        boolean busy = false;
        boolean waiting = false;
        due = Instant.MAX;
        // Without it nobody knows which caps are full: nothing is rented then, but all else goes on.
        boolean mayRent = guarded(() -> renting.open(now), "the offers known");
        for (Rental rental : records.inOrder(turns)) {
            boolean waits = rental.state() == State.ORDERED && !mayRent;
            if (Newcomers.begun(rental) && !waits && !(dormant && !rental.open().isEmpty())) {
                guarded(() -> step(rental, observed, now), "rental " + rental.id());
            }
            Rental stepped = records.get(rental.id()).orElse(rental);
            busy |= busy(stepped);
            waiting |= stepped.state() == State.ORDERED;
            if (stepped.state() == State.BOOTING) {
                stepped.current().map(Draw::instanceId).ifPresent(onTheirWay::add);
            }
            due = earlier(due, progress(rental.id()).due(now));
        }
        guarded(() -> previews.pass(now), "previews");
        guarded(() -> renting.close(now), "the search for offers");
        guarded(() -> forget(now), "what has ended");
        if (dormant) {
            due = now.plus(timing.probe());
            return;
        }
        // After the rentals: what they ask of the account comes first.
        guarded(() -> accountKey.pass(now), "the account's SSH key");
        guarded(() -> standing.pass(now), "the account");
        guarded(() -> orphans.pass(observed, now), "orphans");
        guarded(() -> explanations.pass(observed), "questions");
        boolean stillBusy = busy || explanations.pending();
        turn = Optional.empty();
        guarded(() -> turn = renting.turn(now), "the turn to rent");
        guarded(
                () -> poll.pass(now, stillBusy, explanations.pending(), onTheirWay, turn.isPresent()),
                "the list of instances");
        due = earlier(due, poll.due());
        due = earlier(due, turn.map(now::plus).orElse(Instant.MAX));
        if (busy || waiting) {
            due = earlier(due, now.plus(timing.probe()));
        }
        if (records.writeLate(MOST_WRITES)) {
            due = earlier(due, now.plus(LATE_WRITES));
        }
        if (!newcomers.isEmpty()) {
            wake();
        }
    }

    /** Writes what only memory has. Not while a {@link #pass} is under way. Never throws. */
    public void flush() {
        while (!newcomers.isEmpty()) {
            guarded(newcomers::begin, "new rentals");
        }
        guarded(() -> records.writeLate(Integer.MAX_VALUE), "late writes");
    }

    /** How long until the next {@link #pass} is worth while, unless {@link #onWork woken} before. */
    public Duration restful() {
        // A pass that failed may not have come to say when the next one is due.
        Instant latest = clock.instant().plus(timing.pollSlow());
        Duration rest = Duration.between(clock.instant(), earlier(due, latest));
        return rest.compareTo(LEAST_REST) < 0 ? LEAST_REST : rest;
    }

    Supervisor supervisor() {
        return supervisor;
    }

    /** @param alarm runs whenever there is something to do; returns at once */
    public void onWork(Runnable alarm) {
        this.alarm = Objects.requireNonNull(alarm);
    }

    private static Instant earlier(Instant one, Instant other) {
        return one.isBefore(other) ? one : other;
    }

    private void step(Rental rental, Observation observed, Instant now) {
        Progress known = progress(rental.id());
        Rental current = rental;
        for (Draw draw : rental.open()) {
            if (draw.phase() == Draw.Phase.DISPOSING) {
                disposal.step(current, known, draw, observed, now);
                current = records.get(rental.id()).orElse(current);
            }
        }
        if (!current.needed()) {
            retiring(current, known, observed, now);
            return;
        }
        switch (current.state()) {
            case ORDERED -> renting.ordered(current, known, now);
            case RENTING -> {
                if (!known.busy) {
                    renting.renting(current, known, observed, now);
                }
            }
            case BOOTING -> booting.step(current, known, observed, now);
            case REACHABLE -> reaching.reachable(current, known, now);
            case IN_SERVICE -> serving.step(current, known, observed, now);
            default -> {
                // not needed any more: handled above
            }
        }
    }

    private void retiring(Rental rental, Progress known, Observation observed, Instant now) {
        Rental current = rental;
        Optional<Draw> draw = current.current();
        if (draw.isPresent()) {
            Draw settled = disposal.settle(current, known, draw.get(), observed, now);
            current = records.get(rental.id()).orElse(current);
            if (settled.phase() == Draw.Phase.HELD) {
                known.nextDraw();
                current = records.save(
                        current.draw(settled.disposing(current.why(), now)).state(State.RETIRING, now));
                disposal.step(current, known, current.draws().get(settled.number() - 1), observed, now);
                current = records.get(rental.id()).orElse(current);
            }
        }
        if (current.open().isEmpty()) {
            records.save(current.state(current.failed() ? State.FAILED : State.DESTROYED, now));
        } else if (current.state() != State.RETIRING) {
            records.save(current.state(State.RETIRING, now));
        }
    }

    private void forget(Instant now) {
        if (now.isBefore(nextSweep)) {
            return;
        }
        nextSweep = now.plus(SWEEP);
        for (Rental rental : records.ended()) {
            progress.remove(rental.id());
            if (now.isAfter(rental.since().plus(timing.keepEnded()))) {
                guarded(() -> forget(rental, now), "rental " + rental.id());
            }
        }
    }

    private void forget(Rental rental, Instant now) {
        try {
            spend.keep(rental, now);
            records.forget(rental);
            spend.forgotten(rental.id());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static boolean busy(Rental rental) {
        return switch (rental.state()) {
            case RENTING, BOOTING, REACHABLE, RETIRING -> true;
            default -> rental.draws().stream().anyMatch(draw -> draw.phase() == Draw.Phase.DISPOSING);
        };
    }

    private Progress progress(String id) {
        return progress.computeIfAbsent(id, key -> new Progress());
    }

    private void command(String id, Function<Rental, Rental> change) {
        post(() -> records.get(id).ifPresent(rental -> records.save(change.apply(rental))));
    }

    /** Whoever waits for the answer hears it when the question itself fails. */
    private void ask(CompletableFuture<?> answer, Runnable question) {
        post(() -> {
            try {
                question.run();
            } catch (RuntimeException | Error e) {
                answer.completeExceptionally(e);
                throw e;
            }
        });
    }

    private void post(Runnable work) {
        inbox.add(work);
        wake();
    }

    private void wake() {
        alarm.run();
    }

    /** One rental's trouble must not keep the others from being destroyed. */
    private boolean guarded(Runnable work, String what) {
        return supervisor.run(what, work);
    }
}

package io.jenkins.plugins.vastai;

import hudson.model.Node;
import hudson.model.Run;
import io.jenkins.plugins.vastai.rental.Draw;
import io.jenkins.plugins.vastai.rental.Fleet;
import io.jenkins.plugins.vastai.rental.Order;
import io.jenkins.plugins.vastai.rental.Rental;
import io.jenkins.plugins.vastai.rental.State;
import io.jenkins.plugins.vastai.text.Reason;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.ReentrantLock;
import java.util.logging.Level;
import java.util.logging.Logger;
import java.util.stream.Collectors;
import jenkins.model.Jenkins;
import jenkins.util.SystemProperties;

/**
 * Compares agents with rentals at short intervals and puts right what does not agree, whichever event got lost: an agent
 * without rental goes, a rental without agent is given back, an agent whose machine is there connects, one that has
 * served, idled, lived long enough or is wanted by nobody is given back.
 */
final class Upkeep {

    private static final Logger LOGGER = Logger.getLogger(Upkeep.class.getName());
    /** Each launch holds two threads. */
    private static final int MOST_LAUNCHES = 32;

    private final Fleets fleets;
    private final Tuning tuning;
    private final AtomicBoolean asked = new AtomicBoolean();
    private final ReentrantLock looking = new ReentrantLock();
    private final Map<String, Instant> since = new HashMap<>();
    private final WaitingBuilds waiting;
    private final ConfiguredBans bans;
    private final CredentialLog credentials = new CredentialLog();
    private volatile Threads threads;
    private volatile Instant started = Instant.now();

    Upkeep(Fleets fleets, Tuning tuning) {
        this.fleets = fleets;
        this.tuning = tuning;
        this.waiting = new WaitingBuilds(fleets);
        this.bans = new ConfiguredBans(fleets);
    }

    void start(Threads own) {
        threads = own;
        started = Instant.now();
        long interval = tuning.upkeep().toMillis();
        own.schedule()
                .scheduleWithFixedDelay(
                        () -> guarded("agents and rentals", this::lookAlone),
                        interval,
                        interval,
                        TimeUnit.MILLISECONDS);
    }

    /** Looks now, once, however many ask. Returns at once. */
    void soon() {
        if (threads != null && asked.compareAndSet(false, true)) {
            try {
                threads.schedule().execute(() -> guarded("agents and rentals", this::lookAlone));
            } catch (RejectedExecutionException e) {
                LOGGER.log(Level.FINE, "Jenkins stops", e);
            }
        }
    }

    /** Looks once more when that time is over: an idle agent leaves at its limit, not at the look that follows it. */
    void after(Duration wait) {
        if (threads != null) {
            try {
                threads.schedule().schedule(this::soon, wait.toMillis() + 1, TimeUnit.MILLISECONDS);
            } catch (RejectedExecutionException e) {
                LOGGER.log(Level.FINE, "Jenkins stops", e);
            }
        }
    }

    /** One at a time. A look that another plugin holds up keeps one thread only: whoever comes then leaves it the work. */
    private void lookAlone() {
        if (!looking.tryLock()) {
            return;
        }
        try {
            asked.set(false);
            look();
        } finally {
            looking.unlock();
            if (asked.getAndSet(false)) {
                soon();
            }
        }
    }

    private void look() {
        Jenkins jenkins = Jenkins.getInstanceOrNull();
        if (jenkins == null || jenkins.isTerminating() || !fleets.started()) {
            return;
        }
        if (fleets.trouble().isPresent()) {
            guarded("the logs of waiting builds", waiting::look);
            return; // what is here may be another controller's
        }
        guarded("the blocklists", bans::look);
        guarded("the API keys of clouds", credentials::look);
        Set<String> seen = new HashSet<>();
        guarded("rentals", () -> rentals(jenkins, seen));
        Set<String> spare = new HashSet<>();
        guarded("what the queue needs", () -> spare.addAll(demand()));
        guarded("whose turn it is to rent", fleets.provisioning()::turns);
        Map<String, Seconds> seconds = new HashMap<>();
        int launching = 0;
        for (Node node : jenkins.getNodes()) {
            if (node instanceof VastAiAgent agent && agent.toComputer() instanceof VastAiComputer computer) {
                launching += computer.isLaunching() ? 1 : 0;
                boolean mayLaunch = launching < MOST_LAUNCHES;
                guarded(agent.getNodeName(), () -> {
                    agent(agent, computer, spare, mayLaunch, seen);
                    second(agent, computer, seconds);
                });
            }
        }
        since.keySet().retainAll(seen);
        guarded("the logs of waiting builds", waiting::look);
    }

    /**
     * Has it counted again as long as anything is missing.
     *
     * @return agents that nobody wants
     */
    private Set<String> demand() {
        Demand demand = fleets.provisioning().demand();
        if (demand.missing().keySet().stream()
                .anyMatch(wanted -> fleets.provisioning().able(wanted.label().orElse(null)))) {
            fleets.reviewer().dirty();
        }
        return demand.spare();
    }

    /** Rentals that Jenkins has lost sight of. */
    private void rentals(Jenkins jenkins, Set<String> seen) {
        Set<String> clouds = Fleets.clouds().stream().map(VastAiCloud::getName).collect(Collectors.toSet());
        fleets.all().forEach(fleet -> fleet.rentals().stream()
                .filter(rental -> rental.needed() && !rental.order().agent().isEmpty())
                .forEach(rental -> {
                    String agent = rental.order().agent();
                    String cloud = rental.order().cloud();
                    if (rental.state() == State.ORDERED && fleets.pauses().paused(cloud)) {
                        fleet.retire(rental.id(), AgentText.PAUSED.of(cloud));
                    } else if (jenkins.getNode(agent) == null) {
                        if (!fleets.provisioning().arriving(agent) && lasted("node " + agent, tuning.grace(), seen)) {
                            fleet.retire(rental.id(), AgentText.NO_NODE.of(agent));
                        }
                    } else if (!clouds.contains(cloud) && lasted("cloud " + agent, tuning.grace(), seen)) {
                        cloudGone(fleet, rental);
                    }
                }));
    }

    /** No more draws for it; what works goes on working, what is free goes. */
    private static void cloudGone(Fleet fleet, Rental rental) {
        Reason why = AgentText.CLOUD_GONE.of(rental.order().cloud());
        Optional<VastAiComputer> computer = VastAiComputer.of(rental);
        if (rental.state() != State.IN_SERVICE || computer.isEmpty()) {
            fleet.retire(rental.id(), why);
        } else {
            computer.get().retireIfIdle(why);
        }
    }

    private void agent(
            VastAiAgent agent, VastAiComputer computer, Set<String> spare, boolean mayLaunch, Set<String> seen) {
        Rental rental = agent.rental().orElse(null);
        if (rental == null) {
            if (lasted("rental " + agent.getNodeName(), tuning.grace(), seen)) {
                fleets.later(() -> agent.removeFor(null));
            }
            return;
        }
        if (!rental.needed()) {
            fleets.later(() -> agent.removeFor(rental));
            return;
        }
        computer.tell(rental);
        if (computer.onReplacedMachine()) {
            fleets.later(computer::leaveReplacedMachine);
        } else if (computer.isOffline()) {
            if (mayLaunch) {
                fleets.later(() -> computer.connectAgain(tuning.reconnect()));
            }
        } else if (rental.state() == State.REACHABLE) {
            fleets.fleet(agent.fleetId()).ifPresent(fleet -> fleet.agentOnline(rental.id(), computer.attempt()));
        }
        whyRetire(agent, computer, rental, spare, seen).ifPresent(computer::retireIfIdle);
    }

    private void second(VastAiAgent agent, VastAiComputer computer, Map<String, Seconds> seconds) {
        Optional<Fleet> fleet = fleets.fleet(agent.fleetId());
        Optional<Rental> rental = agent.rental();
        if (fleet.isEmpty()
                || rental.isEmpty()
                || !rental.get().needed()
                || rental.get().onlineAt() != null) {
            return;
        }
        Order order = rental.get().order();
        if (order.secondAfter() == null && order.secondOf() == null) {
            return;
        }
        Seconds known = seconds.computeIfAbsent(
                agent.fleetId(), id -> new Seconds(fleet.get().rentals()));
        if (known.due(rental.get(), tuning.minute())) {
            fleets.provisioning().second(fleet.get(), rental.get(), agent);
        }
        known.slower(rental.get()).ifPresent(computer::retireIfIdle);
    }

    private Optional<Reason> whyRetire(
            VastAiAgent agent, VastAiComputer computer, Rental rental, Set<String> spare, Set<String> seen) {
        String name = agent.getNodeName();
        if (lifetimeOver(rental)) {
            computer.setAcceptingTasks(false);
            return Optional.of(
                    AgentText.LIFETIME.of(name, rental.order().maxLifetime().toMinutes()));
        }
        if (rental.usedBy() != null && agent.oneShot()) {
            return abandoned(computer, rental, seen)
                    ? Optional.of(AgentText.NOT_CLAIMED.of(name, rental.usedBy()))
                    : Optional.empty();
        }
        boolean oneShotOrComing = agent.oneShot() || rental.state().coming();
        if (oneShotOrComing && spare.contains(name) && lasted("spare " + name, tuning.unwanted(), seen)) {
            return Optional.of(AgentText.UNWANTED.of(name));
        }
        Duration limit = agent.idleLimit(tuning);
        return computer.idleSince()
                .filter(moment -> !agent.oneShot() && !Instant.now().isBefore(moment.plus(limit)))
                .map(moment -> AgentText.IDLE.of(name, agent.idleMinutes()));
    }

    private boolean lifetimeOver(Rental rental) {
        Duration lifetime =
                tuning.minute().multipliedBy(rental.order().maxLifetime().toMinutes());
        return !lifetime.isZero()
                && rental.current()
                        .map(Draw::sent)
                        .filter(sent -> Instant.now().isAfter(sent.plus(lifetime)))
                        .isPresent();
    }

    /** Used before Jenkins restarted, and its run does not come back for the rest. */
    private boolean abandoned(VastAiComputer computer, Rental rental, Set<String> seen) {
        if (!computer.isIdle()) {
            return false;
        }
        Run<?, ?> run = computer.wasTaken() ? null : Run.fromExternalizableId(rental.usedBy());
        if (run == null || !run.isBuilding()) {
            // A moment's grace: between two parts of a task nobody is on the executor.
            return lasted("over " + computer.getName(), tuning.upkeep(), seen);
        }
        Duration patience = Duration.ofMillis(SystemProperties.getLong(
                        "org.jenkinsci.plugins.workflow.support.pickles.ExecutorPickle.timeoutForNodeMillis",
                        TimeUnit.MINUTES.toMillis(5)))
                .plus(tuning.minute());
        return Instant.now().isAfter(started.plus(patience));
    }

    /** Whether this was so at every look for that long. */
    private boolean lasted(String what, Duration limit, Set<String> seen) {
        seen.add(what);
        Instant first = since.computeIfAbsent(what, key -> Instant.now());
        return Instant.now().isAfter(first.plus(limit));
    }

    /** Part of this runs in agents, jobs and listeners of other plugins: whatever one of them throws ends nothing else. */
    private void guarded(String what, Runnable work) {
        fleets.supervisor().run(what, work);
    }
}

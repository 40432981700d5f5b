package io.jenkins.plugins.vastai;

import edu.umd.cs.findbugs.annotations.CheckForNull;
import edu.umd.cs.findbugs.annotations.NonNull;
import hudson.EnvVars;
import hudson.model.Executor;
import hudson.model.Queue;
import hudson.model.Run;
import hudson.model.TaskListener;
import hudson.remoting.Channel;
import hudson.slaves.AbstractCloudComputer;
import hudson.slaves.OfflineCause;
import io.jenkins.plugins.vastai.rental.Draw;
import io.jenkins.plugins.vastai.rental.Fleet;
import io.jenkins.plugins.vastai.rental.Line;
import io.jenkins.plugins.vastai.rental.Rental;
import io.jenkins.plugins.vastai.text.Reason;
import io.jenkins.plugins.vastai.text.Texts;
import java.io.IOException;
import java.io.PrintStream;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.logging.Level;
import java.util.logging.Logger;
import jenkins.model.Jenkins;
import jenkins.security.stapler.StaplerNotDispatchable;
import org.jenkinsci.plugins.cloudstats.ProvisioningActivity;
import org.jenkinsci.plugins.cloudstats.TrackedItem;
import org.kohsuke.accmod.Restricted;
import org.kohsuke.accmod.restrictions.DoNotUse;

/**
 * The running half of a {@link VastAiAgent}: counts as connecting while its rental is on its way, connects only once the
 * machine is there, and tells the rental's story in its log.
 */
public class VastAiComputer extends AbstractCloudComputer<VastAiAgent> implements TrackedItem {

    private static final DateTimeFormatter TIME =
            DateTimeFormatter.ofPattern("yyyy-MM-dd HH:mm:ss").withZone(ZoneId.systemDefault());

    private static final Logger LOGGER = Logger.getLogger(VastAiComputer.class.getName());
    /** The machine is billed until the destroy call: an agent that is slow to hang up does not hold it up for long. */
    private static final Duration HANG_UP = Duration.ofMillis(500);

    private static final Duration LAST_WORDS = Duration.ofSeconds(30);

    private final String fleet;
    private final String rental;
    private final ProvisioningActivity.Id activity;

    private Line lastTold;
    private volatile RentalSshLauncher connection;
    private volatile int attempt;
    private volatile Instant lastTry = Instant.MIN;
    private volatile Instant idleSince;
    private volatile boolean taken;
    private volatile boolean leaving;
    private final Map<Run<?, ?>, Instant> failures = new ConcurrentHashMap<>();
    private volatile Instant cut;
    private final AtomicReference<Instant> gone = new AtomicReference<>();

    VastAiComputer(VastAiAgent agent) {
        super(agent);
        fleet = agent.fleetId();
        rental = agent.rentalId();
        activity = agent.getId();
    }

    @Override
    public ProvisioningActivity.Id getId() {
        return activity;
    }

    /** The computer of the rental's agent; empty while the agent is not in Jenkins. */
    static Optional<VastAiComputer> of(Rental rental) {
        Jenkins jenkins = Jenkins.getInstanceOrNull();
        if (jenkins == null
                || !(jenkins.getNode(rental.order().agent()) instanceof VastAiAgent agent)
                || !agent.rentalId().equals(rental.id())) {
            return Optional.empty();
        }
        return agent.toComputer() instanceof VastAiComputer computer ? Optional.of(computer) : Optional.empty();
    }

    Optional<Fleet> fleet() {
        return Fleets.lookup().flatMap(fleets -> fleets.fleet(fleet));
    }

    Optional<Rental> rental() {
        return fleet().flatMap(known -> known.rental(rental));
    }

    /** What its page shows of the rental; null when that, or its cloud, is gone, and for whoever may not see it. */
    @CheckForNull
    @StaplerNotDispatchable
    @Restricted(DoNotUse.class) // main.jelly
    public RentalPage getRentalPage() {
        return rental().flatMap(r -> Fleets.clouds().stream()
                        .filter(cloud -> cloud.getName().equals(r.order().cloud()))
                        .findFirst()
                        .filter(cloud -> CloudPermissions.maySeeMachine(cloud, this))
                        .map(cloud -> new RentalPage(cloud, r)))
                .orElse(null);
    }

    private Optional<Rental> connectable() {
        boolean ours = Fleets.lookup().flatMap(Fleets::trouble).isEmpty(); // else another controller's may be there
        return rental().filter(r -> ours && !leaving && r.needed() && r.state().connectable() && r.reach() != null);
    }

    /** Whether a launch would find a machine. */
    boolean isConnectable() {
        return connectable().isPresent();
    }

    /** A machine that is on its way is capacity that is on its way. */
    @Override
    public boolean isConnecting() {
        if (!isOffline() || isTemporarilyOffline()) {
            return false;
        }
        return rental().filter(Rental::needed)
                .map(r -> r.state().coming() || super.isConnecting())
                .orElse(false);
    }

    /** Whether the launcher is at work. */
    boolean isLaunching() {
        return super.isConnecting();
    }

    /** Whether commands reach the machine: the computer learns a little later than its builds that they do not. */
    boolean reachesMachine() {
        Channel channel = getChannel();
        return channel != null && !channel.isClosingOrClosed();
    }

    /**
     * Without those that could take work if only there were a connection. Core offers every waiting item to each of these,
     * one after the other and under the queue's lock: with five hundred items that wait for five hundred machines, a
     * quarter of a million offers in each round, none of which can be taken. The round after the connection finds them.
     */
    @Override
    public List<Executor> getAllExecutors() {
        List<Executor> executors = super.getAllExecutors();
        if (getChannel() == null) {
            executors.removeIf(Executor::isParking);
        }
        return executors;
    }

    /** What took the machine away, for as long as the node outlives it. */
    @Override
    public OfflineCause getOfflineCause() {
        Optional<Rental> over = isOffline() ? rental().filter(r -> !r.needed()) : Optional.empty();
        return over.isPresent() ? new MachineGone(over.get().why()) : super.getOfflineCause();
    }

    @Override
    public String getIconClassName() {
        return isConnecting() ? "symbol-computer" : super.getIconClassName();
    }

    /** Never launches before there is a machine, whoever asks; never answers null. */
    @Override
    protected Future<?> _connect(boolean forceReconnect) {
        if (!isConnectable()) {
            println(notYet());
            return CompletableFuture.completedFuture(null);
        }
        if (!forceReconnect && isLaunching()) {
            return super._connect(false);
        }
        lastTry = Instant.now();
        // Forced, since isConnecting() is true before anybody connects.
        return super._connect(true);
    }

    /** Why there is nothing to connect to. */
    Reason notYet() {
        return rental().filter(Rental::needed)
                .map(r -> AgentText.NOT_YET.of(getName(), Texts.render(r.last().reason())))
                .orElseGet(() -> AgentText.NO_RENTAL.of(getName()));
    }

    /** Connects unless it is, or is being, connected; not under the queue lock. */
    void connectIfPossible() {
        if (isOffline() && !isTemporarilyOffline() && !isLaunching() && isConnectable()) {
            connect(false);
        }
    }

    /** The same, but not more often than that. */
    void connectAgain(Duration interval) {
        if (Instant.now().isAfter(lastTry.plus(interval))) {
            connectIfPossible();
        }
    }

    RentalSshLauncher connection() {
        return connection;
    }

    /** @param launchedOn the rental as it is launched on: what it says of its machine may be over when the agent comes */
    void connection(RentalSshLauncher launcher, Rental launchedOn) {
        connection = launcher;
        attempt = launchedOn.attempt();
    }

    /** Number of the attempt whose machine the agent was launched on last; 0 before the first launch. */
    int attempt() {
        return attempt;
    }

    /** False when the machine of the last launch was replaced meanwhile, or is not needed any more. */
    boolean launchedOnPresentMachine() {
        return rental().filter(known -> known.serves(attempt)).isPresent();
    }

    /** Whether it is online on a machine that the engine replaced and destroys. */
    boolean onReplacedMachine() {
        return getChannel() != null
                && rental().filter(known -> known.needed() && !known.serves(attempt))
                        .isPresent();
    }

    /** Hangs up where {@link #onReplacedMachine()}; the next launch is on the present machine. */
    void leaveReplacedMachine() {
        if (onReplacedMachine()) {
            Reason why = AgentText.ATTEMPT_OVER.of(getName());
            println(why);
            hangUp(why);
        }
    }

    /** Prints what is new in the story. */
    synchronized void tell(Rental now) {
        List<Line> story = now.story();
        int from = lastTold == null ? 0 : story.lastIndexOf(lastTold) + 1;
        PrintStream log = getListener().getLogger();
        for (Line line : story.subList(from, story.size())) {
            log.println(text(line));
            lastTold = line;
        }
    }

    /** Prints the whole story: each launch begins a new log. */
    synchronized void tellAll(Rental now) {
        lastTold = null;
        tell(now);
    }

    void println(Reason reason) {
        getListener().getLogger().println(Texts.render(reason));
    }

    static String text(Line line) {
        return "[" + TIME.format(line.at()) + "] " + Texts.render(line.reason());
    }

    /** A task begins here. */
    void taken() {
        taken = true;
        idleSince = null;
    }

    /** The build failed just now, and the machine was there. */
    void failed(Run<?, ?> build) {
        failures.putIfAbsent(build, Instant.now());
    }

    /** When it did; empty if the machine was not there. Asked once, at the build's end. */
    Optional<Instant> failedAt(Run<?, ?> build) {
        return Optional.ofNullable(failures.remove(build));
    }

    /** What answers at the machine's address is not the rental's machine: the engine replaces it at once. */
    void machineRefused(Reason why) {
        fleet().ifPresent(known -> known.machineRefused(rental, why));
    }

    /** The connection broke just now. */
    void cut() {
        cut = Instant.now();
    }

    /** When it last broke; empty if it never did, or did so just now. */
    Optional<Instant> cutAt() {
        return Optional.ofNullable(cut);
    }

    boolean oneShot() {
        VastAiAgent agent = getNode();
        return agent != null && agent.oneShot();
    }

    /** Whether a task began here since Jenkins started. */
    boolean wasTaken() {
        return taken;
    }

    /** Came online, or the last task ended. */
    void free() {
        idleSince = Instant.now();
        VastAiAgent agent = getNode();
        if (agent != null && !agent.oneShot()) {
            Fleets.lookup().ifPresent(fleets -> fleets.upkeep().after(agent.idleLimit(fleets.tuning())));
        }
    }

    /** Since when it has been online without work; empty before it was online and while it works. */
    Optional<Instant> idleSince() {
        return isOnline() && isIdle() ? Optional.ofNullable(idleSince) : Optional.empty();
    }

    /**
     * Gives the machine back unless a task is here or on its way here; decided under the queue lock, which also sees to
     * it that none comes afterwards.
     */
    boolean retireIfIdle(Reason why) {
        AtomicBoolean idle = new AtomicBoolean();
        Queue.runWithLock(() -> {
            if (isIdle()) {
                setAcceptingTasks(false);
                idle.set(true);
            }
        });
        if (idle.get()) {
            retire(why);
        }
        return idle.get();
    }

    /** Gives the machine back: first hangs up, so that its end is no broken connection. Returns at once. */
    void retire(Reason why) {
        setAcceptingTasks(false);
        leaving = true; // nobody connects it again in between
        Fleets.lookup()
                .ifPresent(fleets -> fleets.later(() -> {
                    hangUp(why);
                    fleet().ifPresent(known -> known.retire(rental, why));
                }));
    }

    /**
     * Its machine is no more: says so in the logs of its builds and hangs up, so that they hear of nothing else first.
     *
     * @return whether nobody needs the node any more: builds that own an executor look at it in their last words
     */
    boolean letGo(Rental over) {
        leaving = true;
        setAcceptingTasks(false);
        tell(over);
        if (gone.compareAndSet(null, Instant.now()) && over.failed()) {
            LostBuilds.tell(this, over);
        }
        hangUp(over.why());
        boolean runs = getExecutors().stream()
                .anyMatch(executor -> executor.getCurrentExecutable() instanceof Run<?, ?> run && run.isLogUpdated());
        return !runs || Instant.now().isAfter(gone.get().plus(LAST_WORDS));
    }

    private void hangUp(Reason why) {
        if (isOffline()) {
            return;
        }
        try {
            disconnect(new MachineGone(why)).get(HANG_UP.toMillis(), TimeUnit.MILLISECONDS);
        } catch (TimeoutException | ExecutionException e) {
            LOGGER.log(Level.FINE, e, () -> getName() + " did not hang up in time");
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Facts about the machine for builds; nothing that opens it. */
    @NonNull
    @Override
    public EnvVars buildEnvironment(@NonNull TaskListener listener) throws IOException, InterruptedException {
        EnvVars env = super.buildEnvironment(listener);
        rental().ifPresent(r -> {
            env.put("VASTAI_RENTAL", r.id());
            r.current().ifPresent(draw -> facts(env, draw));
        });
        return env;
    }

    private static void facts(EnvVars env, Draw draw) {
        env.put("VASTAI_GPUS", draw.gpus());
        env.put("VASTAI_MACHINE_ID", Long.toString(draw.machineId()));
        env.put("VASTAI_PLACE", draw.place());
        env.put("VASTAI_PRICE_PER_HOUR", draw.pricePerHour().toPlainString());
    }
}

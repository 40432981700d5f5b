package io.jenkins.plugins.vastai;

import com.fasterxml.jackson.databind.ObjectMapper;
import hudson.Extension;
import hudson.ExtensionList;
import hudson.init.InitMilestone;
import hudson.init.Initializer;
import hudson.init.Terminator;
import hudson.model.Computer;
import hudson.util.AtomicFileWriter;
import hudson.util.Secret;
import io.jenkins.plugins.vastai.api.VastClient;
import io.jenkins.plugins.vastai.rental.ControllerIdentity;
import io.jenkins.plugins.vastai.rental.Fleet;
import io.jenkins.plugins.vastai.rental.FleetThread;
import io.jenkins.plugins.vastai.rental.Machines;
import io.jenkins.plugins.vastai.rental.NewerVersion;
import io.jenkins.plugins.vastai.rental.Rental;
import io.jenkins.plugins.vastai.rental.RentalStore;
import io.jenkins.plugins.vastai.rental.Secrets;
import io.jenkins.plugins.vastai.rental.Supervisor;
import io.jenkins.plugins.vastai.rental.Suspicion;
import io.jenkins.plugins.vastai.ssh.Bootstrap;
import io.jenkins.plugins.vastai.ssh.JavaSource;
import io.jenkins.plugins.vastai.ssh.SshReach;
import io.jenkins.plugins.vastai.text.Reason;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Predicate;
import java.util.logging.Level;
import java.util.logging.Logger;
import java.util.stream.Stream;
import jenkins.model.Jenkins;
import okhttp3.OkHttpClient;

/**
 * Every fleet of this controller: one for each market and credentials that a cloud uses, or ever used and left a
 * directory for. Starts once the configuration is there and before jobs are loaded, stops when Jenkins does; machines and
 * records outlive it.
 */
@Extension
public final class Fleets {

    private static final Logger LOGGER = Logger.getLogger(Fleets.class.getName());
    private static final String DESCRIPTION = "fleet.json";

    /** Jenkins' own secret: useless without this controller's master key. */
    private static final Secrets SECRETS = new Secrets() {
        @Override
        public String encrypt(String plain) {
            return Secret.fromString(plain).getEncryptedValue();
        }

        @Override
        public String decrypt(String encrypted) {
            Secret secret = Secret.decrypt(encrypted);
            if (secret == null) {
                throw new IllegalArgumentException("not encrypted by this controller");
            }
            return secret.getPlainText();
        }
    };

    private record Running(FleetKey key, Fleet fleet) {}

    /** All that lives from start to stop. */
    private record Parts(
            ControllerIdentity identity,
            Threads threads,
            OkHttpClient http,
            SshReach reach,
            List<FleetThread> drivers) {}

    private final Tuning tuning = Tuning.current;
    private final Circuits circuits = new Circuits(tuning);
    private final Pauses pauses = new Pauses();
    private final Provisioning provisioning = new Provisioning(this, circuits);
    private final Reviewer reviewer = new Reviewer(this, provisioning, tuning);
    private final Supervisor supervisor = new Supervisor(InstantSource.system());
    private final Upkeep upkeep = new Upkeep(this, tuning);
    private final Map<String, Running> running = new ConcurrentHashMap<>();
    private final ObjectMapper json = new ObjectMapper();
    private volatile Parts parts;
    private volatile Reason failure;

    /** The one instance of this Jenkins. */
    static Fleets get() {
        return ExtensionList.lookupSingleton(Fleets.class);
    }

    /** As {@link #get()}, empty while Jenkins is not there. */
    static Optional<Fleets> lookup() {
        return Jenkins.getInstanceOrNull() == null
                ? Optional.empty()
                : ExtensionList.lookup(Fleets.class).stream().findFirst();
    }

    /** Every cloud that is configured now. */
    static List<VastAiCloud> clouds() {
        return Jenkins.get().clouds.getAll(VastAiCloud.class);
    }

    /** Not before clouds and credentials are there, not after builds begin to look for their agents. */
    @Initializer(after = InitMilestone.JOB_CONFIG_ADAPTED)
    public static void startAll() {
        Fleets fleets = get();
        try {
            fleets.start();
        } catch (IOException e) {
            // Jenkins starts all the same; without fleets nothing is rented, and nothing destroyed.
            fleets.failure =
                    e instanceof NewerVersion newer ? newer.reason() : AgentText.NOT_STARTED.of(root(), e.getMessage());
            LOGGER.log(Level.SEVERE, e, () -> "Machines cannot be looked after: " + e.getMessage());
        }
    }

    /** Runs before computers are disconnected, so that a shutdown is not taken for agents that were lost. */
    @Terminator
    public static void stopAll() {
        lookup().ifPresent(Fleets::stop);
    }

    private synchronized void start() throws IOException {
        if (parts != null) {
            return;
        }
        Path root = root();
        Files.createDirectories(root);
        pauses.load(root);
        provisioning.forgetArriving();
        Threads threads = new Threads();
        parts = new Parts(ControllerIdentity.open(root), threads, tuning.client(), SshReach.start(), new ArrayList<>());
        try (Stream<Path> entries = Files.list(root)) {
            for (Path entry : entries.filter(e -> Files.exists(e.resolve(DESCRIPTION)))
                    .sorted()
                    .toList()) {
                try {
                    open(json.readValue(entry.resolve(DESCRIPTION).toFile(), FleetKey.class));
                } catch (IOException | RuntimeException e) {
                    LOGGER.log(Level.SEVERE, e, () -> "Cannot look after the rentals in " + entry);
                }
            }
        }
        upkeep.start(threads);
        reviewer.start(threads);
    }

    private synchronized void stop() {
        Parts ending = parts;
        parts = null;
        if (ending == null) {
            return;
        }
        ending.threads().endSchedule();
        ending.drivers().forEach(FleetThread::close);
        running.clear();
        ending.reach().close();
        ending.threads().end();
        ending.http().dispatcher().executorService().shutdown();
        ending.http().connectionPool().evictAll();
    }

    /** The fleet that the cloud orders from; made when there is none yet. Empty while Jenkins starts or stops. */
    Optional<Fleet> fleet(VastAiCloud cloud) throws IOException {
        FleetKey key = FleetKey.of(cloud);
        Running found = running.get(key.id());
        if (found != null) {
            return Optional.of(found.fleet());
        }
        synchronized (this) {
            return parts == null ? Optional.empty() : Optional.of(open(key).fleet());
        }
    }

    /** @param id as {@link FleetKey#id()} */
    Optional<Fleet> fleet(String id) {
        return Optional.ofNullable(running.get(id)).map(Running::fleet);
    }

    /** Of every fleet, as {@link FleetKey#id()}. */
    Set<String> ids() {
        return Set.copyOf(running.keySet());
    }

    Stream<Fleet> all() {
        return running.values().stream().map(Running::fleet);
    }

    Stream<Rental> rentals() {
        return all().flatMap(fleet -> fleet.rentals().stream());
    }

    /** Who this controller is; empty while Jenkins starts or stops. */
    Optional<ControllerIdentity> identity() {
        return Optional.ofNullable(parts).map(Parts::identity);
    }

    /**
     * What keeps all fleets from renting: they could not be started, or may be those of another controller. Empty when
     * all is well.
     */
    Optional<Reason> trouble() {
        return Optional.ofNullable(failure).or(() -> identity()
                .filter(ControllerIdentity::dormant)
                .flatMap(ControllerIdentity::suspicion)
                .map(Suspicion::reason));
    }

    /** An administrator says that no other controller has this identity. */
    synchronized void keepIdentity() throws IOException {
        ControllerIdentity identity = identity().orElseThrow(() -> new IOException("Jenkins stops"));
        boolean slept = identity.dormant();
        identity.keep();
        if (slept) {
            // Deadlines of what slept begin anew.
            stop();
            start();
        }
    }

    /** An administrator says that this is a copy: the other controller's machines are no longer known here. */
    synchronized void renewIdentity() throws IOException {
        ControllerIdentity identity = identity().orElseThrow(() -> new IOException("Jenkins stops"));
        stop();
        identity.renew();
        start();
    }

    /** Whether rentals are looked after now. */
    boolean started() {
        return parts != null;
    }

    Provisioning provisioning() {
        return provisioning;
    }

    Reviewer reviewer() {
        return reviewer;
    }

    Circuits circuits() {
        return circuits;
    }

    Pauses pauses() {
        return pauses;
    }

    Upkeep upkeep() {
        return upkeep;
    }

    /** Under which everything runs that is done at intervals, apart from the fleets' own. */
    Supervisor supervisor() {
        return supervisor;
    }

    Tuning tuning() {
        return tuning;
    }

    /** Slow work on agents: adding, removing, connecting. Does nothing once Jenkins stops. */
    void later(Runnable work) {
        Parts present = parts;
        if (present != null) {
            present.threads().agents(work);
        }
    }

    /** A cloud has another name from now on; its rentals go along. */
    void renamed(String from, String to) {
        all().forEach(fleet -> fleet.renamed(from, to));
        pauses.renamed(from, to);
    }

    private synchronized Running open(FleetKey key) throws IOException {
        Running known = running.get(key.id());
        if (known != null) {
            return known;
        }
        Path root = root();
        Path directory = root.resolve(key.id());
        Files.createDirectories(directory);
        if (!Files.exists(directory.resolve(DESCRIPTION))) {
            write(directory.resolve(DESCRIPTION), key);
        }
        VastClient client = new VastClient(
                URI.create(key.apiUrl()),
                // Looked up at each use: a rotated key takes effect at once. Null is told by the client as trouble.
                () -> Logins.apiKey(key.credentialsId()).orElse(null),
                parts.http(),
                tuning.pacing().get(),
                tuning.patience());
        Bootstrap bootstrap = new Bootstrap(
                parts.reach(),
                parts.http(),
                root.resolve("java"),
                () -> List.of(java(key)),
                Bootstrap.Timeouts.DEFAULT);
        Fleet fleet = new Fleet(new Fleet.Parts(
                parts.identity(),
                client,
                new RentalStore(directory, SECRETS),
                new RentalAgents(this, key.id()),
                Machines.overSsh(parts.reach(), bootstrap),
                parts.threads().workers(),
                elsewhere(key),
                tuning.clock(),
                tuning.engine()));
        Running opened = new Running(key, fleet);
        running.put(key.id(), opened);
        // Before the first call to the market: builds wait for their agents, whatever the market says.
        fleet.rentals().stream()
                .filter(rental -> rental.needed() && rental.state().connectable())
                .filter(rental ->
                        VastAiComputer.of(rental).filter(Computer::isOnline).isEmpty())
                .forEach(rental -> {
                    fleet.agentOffline(rental.id(), rental.attempt());
                    later(() -> VastAiComputer.of(rental).ifPresent(VastAiComputer::connectIfPossible));
                });
        parts.drivers().add(FleetThread.start(fleet));
        return opened;
    }

    private Predicate<String> elsewhere(FleetKey key) {
        return rental -> running.values().stream()
                .filter(other -> !other.key().equals(key))
                .anyMatch(other -> other.fleet().rental(rental).isPresent());
    }

    /** The first cloud of the fleet that names a mirror decides; clouds that share a fleet share it. */
    private static JavaSource java(FleetKey key) {
        return clouds().stream()
                .filter(cloud -> FleetKey.of(cloud).equals(key))
                .map(VastAiCloud::getJavaDownloadUrl)
                .filter(url -> !url.isBlank())
                .findFirst()
                .map(Fleets::mirror)
                .orElse(JavaSource.TEMURIN_21);
    }

    private static JavaSource mirror(String url) {
        try {
            return JavaSource.TEMURIN_21.withBase(url);
        } catch (IllegalArgumentException e) {
            LOGGER.warning(() -> "javaDownloadUrl " + url + " is no http(s) address; using the public one");
            return JavaSource.TEMURIN_21;
        }
    }

    private void write(Path file, Object value) throws IOException {
        try (AtomicFileWriter writer = new AtomicFileWriter(file, StandardCharsets.UTF_8)) {
            try {
                writer.write(json.writerWithDefaultPrettyPrinter().writeValueAsString(value));
                writer.commit();
            } finally {
                writer.abort();
            }
        }
    }

    private static Path root() {
        return Jenkins.get().getRootDir().toPath().resolve("vastai");
    }
}

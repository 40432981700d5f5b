package io.jenkins.plugins.vastai;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;

import com.cloudbees.plugins.credentials.CredentialsScope;
import com.cloudbees.plugins.credentials.SystemCredentialsProvider;
import hudson.model.Node;
import hudson.model.Queue;
import hudson.model.Run;
import hudson.util.Secret;
import io.jenkins.plugins.vastai.api.Pacing;
import io.jenkins.plugins.vastai.api.Patience;
import io.jenkins.plugins.vastai.rental.Line;
import io.jenkins.plugins.vastai.rental.Rental;
import io.jenkins.plugins.vastai.rental.State;
import io.jenkins.plugins.vastai.rental.Timing;
import io.jenkins.plugins.vastai.simulator.Simulator;
import io.jenkins.plugins.vastai.text.Texts;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import jenkins.model.Jenkins;
import okhttp3.Interceptor;
import okhttp3.OkHttpClient;
import org.jenkinsci.plugins.plaincredentials.impl.StringCredentialsImpl;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * A simulated market for each test, and short intervals for the Jenkins that uses it. After each test every machine must
 * be proved gone. Register it in a field, so that it ends before Jenkins does.
 */
final class RentedMachines implements BeforeEachCallback, AfterEachCallback {

    static final String CLOUD = "vast";
    static final String CREDENTIALS = "vastai-api-key";
    static final String IMAGE = "nvidia/cuda:12.0.0-base-ubuntu22.04";
    static final String VM_IMAGE = "vastai/kvm:ubuntu_cli_22.04-2025-11-21";
    static final Duration PATIENCE = Duration.ofSeconds(120);

    /** An agent here lives for seconds, and shares two processors with everybody else. */
    private static final String SHORT_LIVED = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Xshare:auto";

    private final UnaryOperator<Simulator.Builder> change;
    private final Duration minute;
    private final Timing timing;
    private UnaryOperator<OkHttpClient.Builder> calls = QueueLock::guard;
    private volatile Duration ahead;
    private Simulator simulator;
    private boolean checked;

    RentedMachines() {
        this(builder -> builder);
    }

    RentedMachines(UnaryOperator<Simulator.Builder> change) {
        this(change, Duration.ofMinutes(1));
    }

    /** @param minute what a minute of a template's settings lasts */
    RentedMachines(UnaryOperator<Simulator.Builder> change, Duration minute) {
        this(change, minute, timing());
    }

    /** @param timing intervals and deadlines of the engine */
    RentedMachines(UnaryOperator<Simulator.Builder> change, Duration minute, Timing timing) {
        this.change = change;
        this.minute = minute;
        this.timing = timing;
    }

    /** Every call to the market passes there, too. */
    RentedMachines through(Interceptor interceptor) {
        calls = http -> QueueLock.guard(http).addInterceptor(interceptor);
        return this;
    }

    @Override
    public void beforeEach(ExtensionContext context) throws IOException {
        simulator = change.apply(Simulator.builder().limits(false)).start();
        checked = false;
        ahead = Duration.ZERO;
        QueueLock.calls();
        Tuning.current = tuning();
    }

    /** Deadlines that a busy machine can keep, intervals that a fast simulator deserves. */
    private static Timing timing() {
        return new Timing(
                Duration.ofMillis(200),
                Duration.ofMillis(400),
                Duration.ofSeconds(1),
                Duration.ofSeconds(3),
                Duration.ofSeconds(3),
                Duration.ofMillis(200),
                Duration.ofSeconds(60),
                Duration.ofSeconds(60),
                Duration.ofSeconds(60),
                Duration.ofSeconds(10),
                Duration.ofSeconds(60),
                Duration.ofSeconds(120),
                Duration.ofSeconds(5),
                Duration.ofSeconds(60),
                Duration.ofMillis(500),
                Duration.ofSeconds(10),
                Duration.ofDays(1));
    }

    private Tuning tuning() {
        return new Tuning(
                timing,
                Pacing::none,
                Patience.withoutDelay(),
                Duration.ofMillis(20),
                Duration.ofMillis(500),
                minute,
                Duration.ofSeconds(5),
                Duration.ofSeconds(3),
                Duration.ofSeconds(3),
                Duration.ofSeconds(5),
                Duration.ofMinutes(1),
                Duration.ofSeconds(3),
                Duration.ofSeconds(20),
                calls,
                () -> Instant.now().plus(ahead));
    }

    /** For the engine, so much time passes at once. */
    void later(Duration time) {
        ahead = ahead.plus(time);
    }

    @Override
    public void afterEach(ExtensionContext context) {
        try {
            if (context.getExecutionException().isPresent()) {
                if (Jenkins.getInstanceOrNull() != null) {
                    System.err.println(stories());
                }
                return;
            }
            assertEquals(List.of(), QueueLock.calls(), "no call to the market under the queue lock");
            if (checked) {
                return;
            }
            if (Jenkins.getInstanceOrNull() == null) {
                assertEquals(List.of(), simulator.books().left());
            } else {
                nothingLeft();
            }
        } finally {
            simulator.close();
            Tuning.current = Tuning.PUBLISHED;
        }
    }

    Simulator simulator() {
        return simulator;
    }

    static VastAiTemplate template(String name, String labels) {
        return template(name, labels, IMAGE);
    }

    static VastAiTemplate template(String name, String labels, String image) {
        VastAiTemplate template = new VastAiTemplate(name, "1xRTX_4090", image);
        template.setLabels(labels);
        template.setJvmOptions(SHORT_LIVED);
        return template;
    }

    static VastAiTemplate vm(String name, String labels) {
        VastAiTemplate template = template(name, labels, VM_IMAGE);
        ExtraConfig extra = new ExtraConfig();
        extra.setVm(true);
        template.setExtraConfig(extra);
        return template;
    }

    /** Adds a cloud with these templates, and its credentials. */
    VastAiCloud cloud(VastAiTemplate... templates) throws IOException {
        SystemCredentialsProvider store = SystemCredentialsProvider.getInstance();
        store.getCredentials().removeIf(known -> known instanceof StringCredentialsImpl);
        store.getCredentials()
                .add(new StringCredentialsImpl(
                        CredentialsScope.SYSTEM, CREDENTIALS, "", Secret.fromString(simulator.apiKey())));
        store.save();
        VastAiCloud cloud = new VastAiCloud(CLOUD, CREDENTIALS);
        cloud.setApiUrl(simulator.uri().toString());
        cloud.setTemplates(List.of(templates));
        Jenkins.get().clouds.add(cloud);
        return cloud;
    }

    /** Every rental of this Jenkins, oldest first. */
    static List<Rental> rentals() {
        return Fleets.get().rentals().toList();
    }

    static List<VastAiAgent> agents() {
        return Jenkins.get().getNodes().stream()
                .filter(VastAiAgent.class::isInstance)
                .map(VastAiAgent.class::cast)
                .toList();
    }

    static Optional<Node> node(Rental rental) {
        return Optional.ofNullable(Jenkins.get().getNode(rental.order().agent()));
    }

    /** All stories, for a test that failed and for one that reads them. */
    static String stories() {
        return rentals().stream()
                .map(rental -> rental.id() + " " + rental.state() + "\n"
                        + rental.story().stream()
                                .map(VastAiComputer::text)
                                .map(line -> "  " + line + "\n")
                                .collect(Collectors.joining()))
                .collect(Collectors.joining());
    }

    static boolean tells(Rental rental, String words) {
        return rental.story().stream().map(Line::reason).map(Texts::render).anyMatch(text -> text.contains(words));
    }

    /** Asks for nothing any more: cancels what waits, removes the agents, and waits for the end of their machines. */
    void giveBack() throws IOException {
        Jenkins.get().clouds.clear();
        Queue.getInstance().clear();
        for (VastAiAgent agent : agents()) {
            Jenkins.get().removeNode(agent);
        }
        nothingLeft();
    }

    /** A file in the agent's directory on the rental's machine. */
    Path file(Rental rental, String name) {
        long instance = rental.current().orElseThrow().instanceId();
        return simulator
                .instance(instance)
                .orElseThrow()
                .directory()
                .orElseThrow()
                .resolve("home/jenkins")
                .resolve(name);
    }

    /** Waits until the build's machine is in service. */
    static Rental serving(Run<?, ?> build) {
        return await().atMost(PATIENCE)
                .until(
                        () -> rentals().stream()
                                .filter(rental -> rental.needed() && rental.state() == State.IN_SERVICE)
                                .filter(rental -> build.getExternalizableId().equals(rental.usedBy()))
                                .findFirst(),
                        Optional::isPresent)
                .orElseThrow();
    }

    /** Waits until the only rental that is in service is there. */
    static Rental inService() {
        return inServiceAfter("");
    }

    /** The same, but another one than that. */
    static Rental inServiceAfter(String before) {
        return await().atMost(PATIENCE)
                .until(
                        () -> rentals().stream()
                                .filter(rental -> rental.needed() && rental.state() == State.IN_SERVICE)
                                .filter(rental -> !rental.id().equals(before))
                                .findFirst(),
                        Optional::isPresent)
                .orElseThrow();
    }

    /** A build step that says so and then waits until {@link #letGo}. */
    static final String WAIT = "echo begun; touch begun; while [ ! -f go ]; do sleep 0.2; done; echo ended";

    /** Waits until the job's build is at {@link #WAIT}. */
    void untilBegun(Rental rental, String job) {
        await().alias("build begun")
                .atMost(PATIENCE)
                .until(() -> Files.exists(file(rental, "workspace/" + job + "/begun")));
    }

    void letGo(Rental rental, String job) throws IOException {
        Files.createFile(file(rental, "workspace/" + job + "/go"));
    }

    /** Every machine is destroyed, every rental has ended and no agent of ours is left. */
    void nothingLeft() {
        await().alias("everything destroyed")
                .atMost(PATIENCE)
                .conditionEvaluationListener(condition -> {
                    if (condition.getRemainingTimeInMS() < 1000 && !condition.isSatisfied()) {
                        System.err.println(stories());
                    }
                })
                .until(() -> simulator.books().left().isEmpty()
                        && rentals().stream().allMatch(rental -> rental.state().ended())
                        && agents().isEmpty());
        assertEquals(List.of(), simulator.books().left());
        checked = true;
    }
}

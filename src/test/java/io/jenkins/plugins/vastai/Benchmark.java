package io.jenkins.plugins.vastai;

import static org.awaitility.Awaitility.await;

import com.cloudbees.jenkins.plugins.sshcredentials.impl.BasicSSHUserPrivateKey;
import com.cloudbees.plugins.credentials.CredentialsScope;
import com.cloudbees.plugins.credentials.SystemCredentialsProvider;
import hudson.model.Computer;
import hudson.model.FreeStyleBuild;
import hudson.model.FreeStyleProject;
import hudson.model.Label;
import hudson.model.Queue;
import hudson.model.TaskListener;
import hudson.plugins.sshslaves.SSHLauncher;
import hudson.plugins.sshslaves.verifiers.NonVerifyingKeyVerificationStrategy;
import hudson.slaves.ComputerListener;
import hudson.slaves.DumbSlave;
import hudson.slaves.RetentionStrategy;
import hudson.tasks.Shell;
import hudson.util.Secret;
import io.jenkins.plugins.vastai.api.ApiKey;
import io.jenkins.plugins.vastai.api.CreateRequest;
import io.jenkins.plugins.vastai.api.Instance;
import io.jenkins.plugins.vastai.api.Pacing;
import io.jenkins.plugins.vastai.api.Patience;
import io.jenkins.plugins.vastai.api.VastClient;
import io.jenkins.plugins.vastai.market.GpuCatalogue;
import io.jenkins.plugins.vastai.market.Requirements;
import io.jenkins.plugins.vastai.rental.Rental;
import io.jenkins.plugins.vastai.rental.RunnerSpec;
import io.jenkins.plugins.vastai.rental.State;
import io.jenkins.plugins.vastai.rental.Timing;
import io.jenkins.plugins.vastai.ssh.SshKeyPair;
import io.jenkins.plugins.vastai.ssh.StartScript;
import io.jenkins.plugins.vastai.ssh.Watchdog;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.lang.ref.Reference;
import java.net.HttpURLConnection;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import jenkins.model.Jenkins;
import okhttp3.OkHttpClient;
import org.jenkinsci.plugins.plaincredentials.impl.StringCredentialsImpl;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.jvnet.hudson.test.JenkinsRule;
import org.jvnet.hudson.test.TestExtension;
import org.jvnet.hudson.test.junit.jupiter.WithJenkins;
import org.kohsuke.stapler.MetaClass;

/**
 * The plugin in a real Jenkins, with the intervals of production, beside Jenkins' own ways. Not one of the tests: {@code
 * make bench} runs it. Writes what it measures as {@code name=values in ms} for the report.
 */
@WithJenkins
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class Benchmark {

    private static final boolean QUICK = "quick".equals(System.getenv("BENCH"));
    private static final Path RESULTS = Path.of(System.getProperty("bench.results", "target/bench-jenkins.properties"));
    private static final Duration PATIENCE = Duration.ofMinutes(8);
    private static final int LABELS = 200;

    /** Has Java: a plain SSH agent does not bring its own. */
    private static final String JAVA_IMAGE = "eclipse-temurin:21-jdk";

    private static final String JAVA_PATH = "/opt/java/openjdk/bin/java";

    /** Before Jenkins starts: the market's limits would hide what is measured where they are off. */
    @RegisterExtension
    static final BeforeEachCallback TUNING = context -> Tuning.current =
            context.getRequiredTestMethod().getName().equals("provisioning") ? tuning(Pacing::none) : Tuning.PUBLISHED;

    private MarketProcess market;

    private static Tuning tuning(Supplier<Pacing> pacing) {
        Tuning real = Tuning.PUBLISHED;
        return new Tuning(
                Timing.published(),
                pacing,
                real.patience(),
                real.review(),
                real.upkeep(),
                real.minute(),
                real.unwanted(),
                real.grace(),
                real.reconnect(),
                real.backOff(),
                real.longestBackOff(),
                real.hindsight(),
                real.verdict(),
                real.http(),
                real.clock());
    }

    @AfterEach
    void end() throws IOException {
        Jenkins.get().clouds.clear();
        Queue.getInstance().clear();
        if (market != null) {
            market.close();
        }
        Tuning.current = Tuning.PUBLISHED;
    }

    /** From the queue to the create call, and what five hundred agents cost the controller. The market's limits are off. */
    @Test
    @Order(1)
    void provisioning(JenkinsRule j) throws Exception {
        market = new MarketProcess(
                "--no-ssh", "--no-limits", "--boot-seconds", "100000", "--scale", "150", "--credit", "100000000");
        List<VastAiTemplate> templates = new ArrayList<>();
        for (int i = 0; i < LABELS; i++) {
            templates.add(RentedMachines.template("t" + i, "label" + i));
        }
        templates.add(RentedMachines.template("one", "one"));
        templates.add(RentedMachines.template("warm", "warm"));
        VastAiCloud cloud = cloud(templates);
        int share = QUICK ? 100 : 250;
        List<FreeStyleProject> warm = projects(j, 20, i -> "warm");
        List<FreeStyleProject> single = projects(j, share, i -> "one");
        List<FreeStyleProject> singles = projects(j, share, i -> "label" + i % LABELS);
        List<FreeStyleProject> burst = projects(j, share, i -> "one");
        List<FreeStyleProject> bursts = projects(j, share, i -> "label" + i % LABELS);
        oneByOne(warm);
        double heapBefore = heap();
        int threadsBefore = threads();

        List<Long> times = new ArrayList<>(oneByOne(single));
        times.addAll(oneByOne(singles));
        write("queue_to_create_single", times);

        await("the agents").atMost(PATIENCE).until(() -> RentedMachines.agents().size() >= warm.size() + 2 * share);
        int agents = RentedMachines.agents().size();
        allRented();
        write("agents", List.of((long) agents));
        write("threads_before", List.of((long) threadsBefore));
        write("threads", List.of((long) threads()));
        write("heap_bytes_per_agent", List.of(Math.round((heap() - heapBefore) / (agents - warm.size()))));
        write("cpu_permille_of_a_core", List.of(cpu(Duration.ofSeconds(QUICK ? 15 : 60))));
        write("page_ms", page(j, "manage/cloud/vast/"));

        List<Long> orders = new ArrayList<>(allAtOnce(burst));
        orders.addAll(allAtOnce(bursts));
        write("queue_to_order_burst", orders);
        allRented();

        // Jenkins' own strategy, same cloud: another label, so that nothing is on its way for it.
        cloud.setNoDelayProvisioning(false);
        List<VastAiTemplate> more = new ArrayList<>(cloud.getTemplates());
        more.add(RentedMachines.template("standard", "standard"));
        cloud.setTemplates(more);
        write("queue_to_create_default", standard(projects(j, QUICK ? 30 : 60, i -> "standard")));
    }

    private static void allRented() {
        await("all are rented").atMost(PATIENCE).until(() -> RentedMachines.rentals().stream()
                .allMatch(rental -> rental.state() == State.BOOTING));
    }

    /** All at once. An item that is not ordered for within the limit counts as if it were then. */
    private List<Long> standard(List<FreeStyleProject> projects) {
        Duration limit = Duration.ofMinutes(QUICK ? 1 : 3);
        long begin = System.currentTimeMillis();
        for (FreeStyleProject project : projects) {
            project.scheduleBuild2(0);
        }
        long end = begin + limit.toMillis();
        await("ordered or over")
                .atMost(PATIENCE)
                .until(() ->
                        System.currentTimeMillis() > end || standardOrders().size() >= projects.size());
        List<Long> times = new ArrayList<>();
        standardOrders().stream().limit(projects.size()).forEach(at -> times.add(at - begin));
        while (times.size() < projects.size()) {
            times.add(limit.toMillis());
        }
        return times;
    }

    private static List<Long> standardOrders() {
        return RentedMachines.rentals().stream()
                .filter(rental -> rental.order().template().equals("standard"))
                .map(rental -> rental.orderedAt().toEpochMilli())
                .sorted()
                .toList();
    }

    /** Bursts with the market's limits in force. */
    @Test
    @Order(2)
    void bursts(JenkinsRule j) throws Exception {
        market = new MarketProcess("--no-ssh", "--boot-seconds", "100000", "--scale", "60", "--credit", "100000000");
        List<VastAiTemplate> templates = new ArrayList<>();
        int[] sizes = QUICK ? new int[] {1, 10} : new int[] {1, 10, 100};
        for (int size : sizes) {
            templates.add(RentedMachines.template("burst" + size, "burst" + size));
        }
        cloud(templates);
        for (int size : sizes) {
            List<FreeStyleProject> projects = projects(j, size, i -> "burst" + size);
            int before = created().size();
            Thread.sleep(5_000); // the create before this burst must not keep its first one waiting
            long begin = System.currentTimeMillis();
            for (FreeStyleProject project : projects) {
                project.scheduleBuild2(0);
            }
            await(size + " created")
                    .atMost(Duration.ofMinutes(20))
                    .until(() -> created().size() >= before + size);
            write("burst_" + size, List.of(created().get(before + size - 1).at() - begin));
        }
        write(
                "burst_throttled",
                List.of(market.calls("CREATE").stream()
                        .filter(call -> call.status() == 429)
                        .count()));
    }

    private List<MarketProcess.Arrival> created() {
        return market.calls("CREATE").stream()
                .filter(call -> call.status() == 200)
                .toList();
    }

    /** From the running instance to the agent, beside a plain SSH agent, and from the end of work to the destroy call. */
    @Test
    @Order(3)
    void agents(JenkinsRule j) throws Exception {
        market = new MarketProcess("--boot-seconds", "5", "--credit", "100000000");
        VastAiTemplate idle = RentedMachines.template("idle", "idle", JAVA_IMAGE);
        idle.setOneShot(false);
        idle.setIdleMinutes(1);
        VastAiTemplate gpu = RentedMachines.template("gpu", "gpu", JAVA_IMAGE);
        cloud(List.of(gpu, idle));
        int repeats = QUICK ? 5 : 12;
        PlainAgents plain = new PlainAgents(market, gpu.getJvmOptions());
        List<Long> online = new ArrayList<>();
        List<Long> onlinePlain = new ArrayList<>();
        List<Long> release = new ArrayList<>();
        for (int i = 0; i < repeats; i++) { // by turns: Jenkins is faster each time
            FreeStyleProject project = projects(j, 1, k -> "gpu").get(0);
            project.getBuildersList().add(new Shell("true"));
            int destroys = market.calls("DESTROY").size();
            FreeStyleBuild build = project.scheduleBuild2(0).get();
            long end = build.getStartTimeInMillis() + build.getDuration();
            Rental rental = newest("gpu");
            online.add(rental.onlineAt().toEpochMilli() - runningSince(rental));
            await("destroyed")
                    .atMost(PATIENCE)
                    .until(() -> market.calls("DESTROY").size() > destroys);
            release.add(market.calls("DESTROY").get(destroys).at() - end);
            onlinePlain.add(plain.launch());
        }
        write("running_to_online", online);
        write("build_end_to_destroy", release);
        write("running_to_online_plain", onlinePlain);
        List<Long> idled = new ArrayList<>();
        for (int i = 0; i < (QUICK ? 1 : 4); i++) {
            FreeStyleProject project = projects(j, 1, k -> "idle").get(0);
            int destroys = market.calls("DESTROY").size();
            FreeStyleBuild build = project.scheduleBuild2(0).get();
            long limit = build.getStartTimeInMillis() + build.getDuration() + 60_000;
            await("destroyed")
                    .atMost(PATIENCE)
                    .until(() -> market.calls("DESTROY").size() > destroys);
            idled.add(market.calls("DESTROY").get(destroys).at() - limit);
        }
        write("idle_limit_to_destroy", idled);
        await("all ended").atMost(PATIENCE).until(() -> RentedMachines.rentals().stream()
                .allMatch(rental -> rental.state().ended()));
    }

    private static Rental newest(String template) {
        return RentedMachines.rentals().stream()
                .filter(rental -> rental.order().template().equals(template))
                .max(Comparator.comparing(Rental::orderedAt))
                .orElseThrow();
    }

    private long runningSince(Rental rental) {
        long instance = rental.draws().get(rental.draws().size() - 1).instanceId();
        await("told").until(() -> market.running(instance).isPresent());
        return market.running(instance).getAsLong();
    }

    /** SSH agents as an admin would add them, launched the very moment that their machine runs, and trying every second. */
    private static final class PlainAgents {

        private final MarketProcess market;
        private final String jvmOptions;
        private final SshKeyPair key = SshKeyPair.generate("plain");
        private final VastClient client;
        private int launches;

        PlainAgents(MarketProcess market, String jvmOptions) {
            this.market = market;
            this.jvmOptions = jvmOptions;
            SystemCredentialsProvider.getInstance()
                    .getCredentials()
                    .add(new BasicSSHUserPrivateKey(
                            CredentialsScope.SYSTEM,
                            "plain",
                            "root",
                            new BasicSSHUserPrivateKey.DirectEntryPrivateKeySource(key.privateText()),
                            "",
                            ""));
            client = new VastClient(
                    market.uri(),
                    () -> ApiKey.of(market.apiKey()),
                    new OkHttpClient(),
                    Pacing.published(Duration.ofMinutes(2)),
                    Patience.standard());
        }

        /** From the moment that the instance runs to the moment that its agent is online, ms. */
        long launch() throws Exception {
            String name = "plain-" + launches++;
            long instance = rent(name);
            Instance.Endpoint endpoint = await("ports")
                    .pollInterval(Duration.ofMillis(50))
                    .atMost(PATIENCE)
                    .until(() -> client.showInstance(instance).flatMap(Instance::direct), Optional::isPresent)
                    .orElseThrow();
            DumbSlave agent = new DumbSlave(
                    name,
                    "/home/jenkins",
                    new SSHLauncher(
                            endpoint.host(),
                            endpoint.port(),
                            "plain",
                            jvmOptions,
                            JAVA_PATH,
                            "",
                            "",
                            30,
                            60,
                            1,
                            new NonVerifyingKeyVerificationStrategy()));
            agent.setRetentionStrategy(RetentionStrategy.Always.INSTANCE);
            Jenkins.get().addNode(agent);
            Computer computer = agent.toComputer();
            try {
                computer.connect(false).get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
            } catch (ExecutionException e) {
                throw new AssertionError(computer.getLog(), e);
            }
            long online = OnlineTimes.AT.get(name);
            Jenkins.get().removeNode(agent);
            int destroys = market.calls("DESTROY").size();
            client.destroyInstance(instance);
            await("destroyed")
                    .atMost(PATIENCE)
                    .until(() -> market.calls("DESTROY").size() > destroys);
            return online - market.running(instance).getAsLong();
        }

        private long rent(String label) throws Exception {
            Requirements wanted = RunnerSpec.of("1xRTX_4090", JAVA_IMAGE, false)
                    .requirements(GpuCatalogue.builtIn(), Duration.ofHours(1));
            Watchdog watchdog =
                    new Watchdog(market.uri(), Duration.ofHours(1), Duration.ofHours(2), Duration.ofMinutes(1));
            long offer = client.searchOffers(wanted.toQuery(wanted.wishes().get(0)))
                    .get(0)
                    .id();
            long instance = client.createInstance(
                            offer,
                            CreateRequest.builder()
                                    .image(JAVA_IMAGE)
                                    .label(label)
                                    .diskGb(30)
                                    .runtype("ssh_direct")
                                    .port(22)
                                    .onstart(StartScript.builder(key, 17, watchdog)
                                            .build())
                                    .build())
                    .instanceId();
            await("running")
                    .pollInterval(Duration.ofMillis(20))
                    .atMost(PATIENCE)
                    .until(() -> market.running(instance).isPresent());
            return instance;
        }
    }

    /** When agents came online. */
    @TestExtension
    public static final class OnlineTimes extends ComputerListener {
        static final Map<String, Long> AT = new ConcurrentHashMap<>();

        @Override
        public void onOnline(Computer computer, TaskListener listener) {
            AT.putIfAbsent(computer.getName(), System.currentTimeMillis());
        }
    }

    private VastAiCloud cloud(List<VastAiTemplate> templates) throws IOException {
        SystemCredentialsProvider.getInstance()
                .getCredentials()
                .add(new StringCredentialsImpl(
                        CredentialsScope.SYSTEM, RentedMachines.CREDENTIALS, "", Secret.fromString(market.apiKey())));
        VastAiCloud cloud = new VastAiCloud(RentedMachines.CLOUD, RentedMachines.CREDENTIALS);
        cloud.setApiUrl(market.uri().toString());
        cloud.setInstanceCap(0);
        cloud.setTemplates(templates);
        Jenkins.get().clouds.add(cloud);
        return cloud;
    }

    private interface Labels {
        String of(int number);
    }

    private static List<FreeStyleProject> projects(JenkinsRule j, int count, Labels labels) throws IOException {
        List<FreeStyleProject> projects = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            FreeStyleProject project = j.createFreeStyleProject();
            project.setAssignedLabel(Label.get(labels.of(i)));
            projects.add(project);
        }
        return projects;
    }

    /** Each item comes when the one before has its create call. Times from the queue to the call's arrival. */
    private List<Long> oneByOne(List<FreeStyleProject> projects) {
        List<Long> times = new ArrayList<>();
        for (FreeStyleProject project : projects) {
            int before = market.calls("CREATE").size();
            long begin = System.currentTimeMillis();
            project.scheduleBuild2(0);
            await("created")
                    .pollInterval(Duration.ofMillis(5))
                    .atMost(PATIENCE)
                    .until(() -> market.calls("CREATE").size() > before);
            times.add(market.calls("CREATE").get(before).at() - begin);
        }
        return times;
    }

    /**
     * All items come at once. Times from the queue to the order, by label, the first item beside the first order: from
     * then on only the market's limit, or Jenkins' strategy where that orders, stands between item and machine.
     */
    private List<Long> allAtOnce(List<FreeStyleProject> projects) {
        List<Rental> before = RentedMachines.rentals();
        Map<String, List<Long>> queued = new HashMap<>();
        for (FreeStyleProject project : projects) {
            queued.computeIfAbsent(project.getAssignedLabelString(), label -> new ArrayList<>())
                    .add(System.currentTimeMillis());
            project.scheduleBuild2(0);
        }
        await("ordered")
                .atMost(PATIENCE)
                .until(() -> RentedMachines.rentals().size() >= before.size() + projects.size());
        Map<String, List<Long>> ordered = new HashMap<>();
        await("agents").atMost(PATIENCE).until(() -> RentedMachines.rentals().stream()
                .allMatch(rental -> RentedMachines.node(rental).isPresent()));
        for (VastAiAgent agent : RentedMachines.agents()) {
            Rental rental = agent.rental().orElseThrow();
            if (before.stream().noneMatch(known -> known.id().equals(rental.id()))) {
                ordered.computeIfAbsent(agent.orderedFor(), label -> new ArrayList<>())
                        .add(rental.orderedAt().toEpochMilli());
            }
        }
        List<Long> times = new ArrayList<>();
        queued.forEach((label, items) -> {
            List<Long> orders = ordered.get(label).stream().sorted().toList();
            for (int i = 0; i < items.size(); i++) {
                times.add(orders.get(i) - items.get(i));
            }
        });
        return times;
    }

    /**
     * Used heap after collection, bytes. Without what is only kept while there is room, such as manifests of jars, and
     * without what is under way: an answer that is being read has its megabytes, so the least of some moments counts.
     */
    private static double heap() throws InterruptedException {
        long least = Long.MAX_VALUE;
        for (int i = 0; i < 10; i++) {
            try {
                Reference.reachabilityFence(new byte[Integer.MAX_VALUE - 8]);
                throw new IllegalStateException("this needs a heap of less than 2 GB");
            } catch (OutOfMemoryError e) {
                // collects everything and clears all soft references before it is thrown
            }
            least = Math.min(
                    least,
                    ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed());
            Thread.sleep(300);
        }
        return least;
    }

    /** Threads that would not be there without the plugin: its own, and its SSH and HTTP clients'. */
    private static int threads() {
        return (int) Thread.getAllStackTraces().keySet().stream()
                .map(Thread::getName)
                .filter(name -> name.startsWith("Vast.ai") || name.startsWith("sshd-") || name.startsWith("OkHttp"))
                .count();
    }

    private static long cpu(Duration time) throws InterruptedException {
        var system = (com.sun.management.OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
        long before = system.getProcessCpuTime();
        Thread.sleep(time.toMillis());
        return (system.getProcessCpuTime() - before) * 1000 / time.toNanos();
    }

    private static List<Long> page(JenkinsRule j, String path) throws IOException {
        MetaClass.NO_CACHE = false; // as in production: the test harness looks for each view in every jar, each time
        List<Long> times = new ArrayList<>();
        for (int i = 0; i < 60; i++) {
            long begin = System.nanoTime();
            HttpURLConnection connection = (HttpURLConnection) new URL(j.getURL(), path).openConnection();
            try (var stream = connection.getInputStream()) {
                stream.readAllBytes();
            }
            if (i >= 30) { // the first ones are compiled
                times.add((System.nanoTime() - begin) / 1_000_000);
            }
        }
        return times;
    }

    private static void write(String name, List<Long> values) throws IOException {
        Files.createDirectories(RESULTS.toAbsolutePath().getParent());
        String line = name + "="
                + String.join(",", values.stream().map(String::valueOf).toList());
        Files.writeString(RESULTS, line + "\n", StandardOpenOption.CREATE, StandardOpenOption.APPEND);
        long[] sorted = values.stream().mapToLong(Long::longValue).sorted().toArray();
        System.out.printf(
                Locale.ROOT,
                "bench: %s n=%d median=%d p99=%d max=%d%n",
                name,
                sorted.length,
                sorted[sorted.length / 2],
                sorted[Math.min(sorted.length - 1, (int) Math.ceil(sorted.length * 0.99) - 1)],
                sorted[sorted.length - 1]);
    }
}

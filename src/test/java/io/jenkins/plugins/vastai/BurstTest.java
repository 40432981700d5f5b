package io.jenkins.plugins.vastai;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import hudson.model.FreeStyleProject;
import hudson.model.Label;
import hudson.model.Node;
import hudson.model.ParametersAction;
import hudson.model.ParametersDefinitionProperty;
import hudson.model.Queue;
import hudson.model.StringParameterDefinition;
import hudson.model.StringParameterValue;
import hudson.slaves.Cloud;
import io.jenkins.plugins.vastai.rental.Rental;
import io.jenkins.plugins.vastai.rental.State;
import io.jenkins.plugins.vastai.rental.Timing;
import io.jenkins.plugins.vastai.simulator.Endpoint;
import io.jenkins.plugins.vastai.simulator.Fault;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.jvnet.hudson.test.JenkinsRule;
import org.jvnet.hudson.test.junit.jupiter.WithJenkins;

/**
 * Many at once: no machine too many, no place given twice, and nobody else in Jenkins waits for us. The machines here
 * boot for longer than a test lasts; what a fault says of one is seen after a tenth of that.
 */
@Timeout(300)
@WithJenkins
class BurstTest {

    private static final String GPU = "gpu";

    /** How long nobody may wait for the queue lock because of us. */
    private static final Duration LONGEST = Duration.ofMillis(50);

    @RegisterExtension
    final RentedMachines machines = new RentedMachines(
            builder -> builder.ssh(false).boot(Duration.ofMinutes(3)).scale(12), Duration.ofMinutes(1), patient());

    /** As for the real market: rentals wait for it here, and do not fail. But what is done is seen sooner. */
    private static Timing patient() {
        Timing real = Timing.published();
        return new Timing(
                Duration.ofMillis(300),
                Duration.ofSeconds(2),
                real.searchFresh(),
                real.noOffer(),
                real.settle(),
                real.probe(),
                real.refused(),
                real.timedOut(),
                real.keyMissing(),
                real.noCommands(),
                real.prepare(),
                real.connect(),
                real.hostOffline(),
                real.agentOffline(),
                Duration.ofSeconds(1),
                real.orphanGrace(),
                real.keepEnded());
    }

    @Test
    void twoHundredItemsAndThirtyTwoThreadsNeverCrossACapOfSeven(JenkinsRule j) throws Exception {
        VastAiTemplate template = RentedMachines.template("gpu", "gpu");
        template.setDraws(20);
        VastAiCloud cloud = machines.cloud(template);
        cloud.setInstanceCap(7);
        // Every other machine fails at once: a place is held until what failed is gone.
        machines.simulator()
                .faults()
                .add(Fault.of(Fault.Kind.FATAL_STATUS)
                        .rate(0.5)
                        .text("Error response from daemon: OCI runtime create failed"));
        queue(j, 200);

        List<Future<?>> asked = new ArrayList<>();
        ExecutorService threads = Executors.newFixedThreadPool(32);
        try {
            CountDownLatch start = new CountDownLatch(1);
            for (int i = 0; i < 32; i++) {
                asked.add(threads.submit(() -> {
                    start.await();
                    for (int times = 0; times < 5; times++) {
                        cloud.provision(new Cloud.CloudState(Label.get(GPU), 0), 200);
                    }
                    return null;
                }));
            }
            start.countDown();
            for (Future<?> one : asked) {
                one.get(RentedMachines.PATIENCE.toSeconds(), TimeUnit.SECONDS);
            }
        } finally {
            threads.shutdownNow();
        }
        await().atMost(RentedMachines.PATIENCE)
                .until(() -> machines.simulator().requests(Endpoint.CREATE).size() > 7 && booting() == 7);

        assertTrue(
                RentedMachines.rentals().stream()
                        .anyMatch(rental -> rental.draws().size() > 1),
                "machines were replaced");
        assertEquals(7, RentedMachines.rentals().stream().filter(Rental::needed).count(), RentedMachines::stories);
        machines.giveBack();
        assertEquals(7, machines.simulator().books().maximumAlive(), RentedMachines::stories);
    }

    @ParameterizedTest
    @CsvSource({"12, 1, 12", "11, 2, 6", "5, 4, 2"})
    void thereAreAsManyMachinesAsTheWorkNeedsHoweverOftenItIsCounted(
            int items, int executors, int expected, JenkinsRule j) throws Exception {
        VastAiTemplate template = RentedMachines.template("gpu", "gpu");
        template.setOneShot(false);
        template.setNumExecutors(executors);
        machines.cloud(template).setInstanceCap(0);
        machines.simulator().apiLatency(Duration.ofMillis(700));
        queue(j, items);

        for (int i = 0; i < 10; i++) {
            Label.get(GPU).nodeProvisioner.suggestReviewNow();
            Fleets.get().reviewer().dirty();
            Fleets.get().provisioning().review();
            Thread.sleep(200); // what was ordered goes on in between
        }

        await().atMost(RentedMachines.PATIENCE).until(() -> booting() >= expected);
        Thread.sleep(2_000); // two more looks, and a chance for one too many
        assertEquals(expected, RentedMachines.rentals().size(), RentedMachines::stories);
        machines.simulator().apiLatency(Duration.ZERO);
        machines.giveBack();
        assertEquals(expected, machines.simulator().requests(Endpoint.CREATE).size(), "one create for each");
    }

    @ParameterizedTest
    @EnumSource
    void onlyWorkThatATemplateServesIsOrderedFor(Node.Mode mode, JenkinsRule j) throws Exception {
        j.jenkins.setNumExecutors(0);
        VastAiTemplate template = RentedMachines.template("gpu", "gpu");
        template.setMode(mode);
        VastAiCloud cloud = machines.cloud(template);
        boolean all = mode == Node.Mode.NORMAL;
        for (String name : List.of(GPU, "", "other")) {
            Label label = name.isEmpty() ? null : Label.get(name);
            FreeStyleProject project = j.createFreeStyleProject();
            project.setAssignedLabel(label);
            project.scheduleBuild2(0);
            assertEquals(
                    name.equals(GPU) || name.isEmpty() && all,
                    cloud.canProvision(new Cloud.CloudState(label, 0)),
                    name);
        }

        await().atMost(RentedMachines.PATIENCE)
                .until(() -> RentedMachines.rentals().size() >= (all ? 2 : 1));
        Thread.sleep(1_500); // one more review
        assertEquals(all ? 2 : 1, RentedMachines.rentals().size(), RentedMachines::stories);
        machines.giveBack();
    }

    @Test
    void nobodyWaitsForTheQueueLockWhileTheMarketTakesHalfAMinute(JenkinsRule j) throws Exception {
        machines.cloud(RentedMachines.template("gpu", "gpu")).setInstanceCap(0);
        machines.simulator().apiLatency(Duration.ofSeconds(30));

        queue(j, 200);
        QueueLock.Waits adding = QueueLock.watch(
                Duration.ofSeconds(8), () -> RentedMachines.agents().size() == 200);
        Queue.getInstance().clear(); // all of them are given back
        QueueLock.Waits removing = QueueLock.watch(
                Duration.ofSeconds(2), () -> RentedMachines.agents().isEmpty());

        System.out.println("queue lock while agents are added: " + adding);
        System.out.println("queue lock while agents are removed: " + removing);
        machines.simulator().apiLatency(Duration.ZERO);
        for (QueueLock.Waits waits : List.of(adding, removing)) {
            assertTrue(waits.times() >= 20 && waits.seen() > 0, () -> "nothing was measured: " + waits);
            assertTrue(waits.ours().compareTo(LONGEST) <= 0, waits::toString);
        }
        machines.giveBack();
    }

    /** What measures must be able to fail. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void whoeverKeepsTheQueueLockTooLongIsSeen(boolean computing, JenkinsRule j) throws Exception {
        Thread holder = new Thread(() -> Queue.runWithLock(() -> keep(computing)), "keeps the queue lock");

        QueueLock.Waits waits = QueueLock.watch(
                Duration.ZERO,
                () -> {
                    if (holder.getState() == Thread.State.NEW) {
                        holder.start();
                    }
                    return !holder.isAlive();
                },
                frame -> frame.getMethodName().equals("keep"));

        assertTrue(waits.ours().compareTo(LONGEST) > 0, waits::toString);
    }

    /** For four times as long as anybody may, in processor time if it computes. */
    private static void keep(boolean computing) {
        ThreadMXBean threads = ManagementFactory.getThreadMXBean();
        long end = 4 * LONGEST.toNanos();
        long begun = threads.getCurrentThreadCpuTime();
        while (computing && threads.getCurrentThreadCpuTime() - begun < end) {
            Thread.onSpinWait();
        }
        if (!computing) {
            LockSupport.parkNanos(end);
        }
    }

    @Test
    void aCallUnderTheQueueLockIsRefusedByTheGuard(JenkinsRule j) throws Exception {
        machines.cloud(RentedMachines.template("gpu", "gpu"));

        VastAiCloud.DescriptorImpl form = new VastAiCloud.DescriptorImpl();
        String market = machines.simulator().uri().toString();
        assertThrows(
                IllegalStateException.class,
                () -> Queue.runWithLock(() -> {
                    form.doTestConnection(market, RentedMachines.CREDENTIALS);
                }));

        assertEquals(1, QueueLock.calls().size(), "remembered, in case somebody swallows the refusal");
    }

    private static long booting() {
        return RentedMachines.rentals().stream()
                .filter(rental -> rental.state() == State.BOOTING)
                .count();
    }

    /** So many items of one job: that many jobs take longer to make than anything here. */
    private static void queue(JenkinsRule j, int items) throws Exception {
        FreeStyleProject project = j.createFreeStyleProject();
        project.setAssignedLabel(Label.get(GPU));
        project.setConcurrentBuild(true);
        project.addProperty(new ParametersDefinitionProperty(new StringParameterDefinition("N", "")));
        for (int i = 0; i < items; i++) {
            project.scheduleBuild2(0, new ParametersAction(new StringParameterValue("N", String.valueOf(i))));
        }
    }
}

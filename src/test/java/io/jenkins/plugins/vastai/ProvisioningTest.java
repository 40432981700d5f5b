package io.jenkins.plugins.vastai;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import hudson.model.Computer;
import hudson.model.FreeStyleProject;
import hudson.model.Label;
import hudson.model.Node;
import hudson.model.Queue;
import hudson.model.queue.QueueSorter;
import hudson.slaves.Cloud;
import hudson.slaves.NodeProvisioner.PlannedNode;
import io.jenkins.plugins.vastai.rental.Rental;
import io.jenkins.plugins.vastai.rental.State;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import jenkins.model.Jenkins;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.jvnet.hudson.test.JenkinsRule;
import org.jvnet.hudson.test.junit.jupiter.WithJenkins;

/** Who orders what, and when. The machines here never finish booting. */
@Timeout(240)
@WithJenkins
class ProvisioningTest {

    @RegisterExtension
    final RentedMachines machines =
            new RentedMachines(builder -> builder.ssh(false).scale(3).boot(Duration.ofMinutes(10)));

    @Test
    void itemsForTwoHundredIdleLabelsAreOrderedForAtOnce(JenkinsRule j) throws Exception {
        int labels = 200;
        int warm = 60; // a controller that has just started is slower, and is not what is measured
        List<VastAiTemplate> templates = new ArrayList<>();
        List<FreeStyleProject> projects = new ArrayList<>();
        for (int i = 0; i < labels + warm; i++) {
            templates.add(RentedMachines.template("t" + i, "label" + i));
            FreeStyleProject project = j.createFreeStyleProject();
            project.setAssignedLabel(Label.get("label" + i));
            projects.add(project);
        }
        machines.cloud(templates.toArray(VastAiTemplate[]::new)).setInstanceCap(0);
        // The market shares this computer: it shall not be at work while the controller is measured.
        machines.simulator().apiLatency(Duration.ofSeconds(10));
        for (FreeStyleProject project : projects.subList(labels, labels + warm)) {
            project.scheduleBuild2(0);
        }
        await().atMost(RentedMachines.PATIENCE)
                .until(() -> ordered().size() >= warm && RentedMachines.agents().size() >= warm);

        // Somebody else on this computer may take a round's time, but a controller that is too slow is so in each.
        long worst = Long.MAX_VALUE;
        for (int round = 0; round < 3 && worst > 250; round++) {
            cancelAll();
            for (FreeStyleProject project : projects.subList(0, labels)) {
                project.scheduleBuild2(0);
            }
            await().atMost(RentedMachines.PATIENCE).until(() -> ordered().size() >= labels);
            worst = Math.min(worst, slowest(ordered()));
            assertEquals(
                    labels,
                    RentedMachines.rentals().stream().filter(Rental::needed).count(),
                    "one order for each");
        }
        machines.simulator().apiLatency(Duration.ZERO);
        assertTrue(worst <= 250, "slowest after " + worst + " ms");
        machines.giveBack();
    }

    private static void cancelAll() throws Exception {
        Queue.getInstance().clear();
        for (VastAiAgent agent : RentedMachines.agents()) {
            Jenkins.get().removeNode(agent);
        }
        await().atMost(RentedMachines.PATIENCE).until(() -> ordered().isEmpty());
    }

    /** From the moment that an item could be built to its order. */
    private static long slowest(Map<String, Long> ordered) {
        long worst = 0;
        for (Queue.BuildableItem item : Queue.getInstance().getBuildableItems()) {
            String template = item.getAssignedLabel().getName().replace("label", "t");
            worst = Math.max(worst, ordered.get(template) - item.buildableStartMilliseconds);
        }
        return worst;
    }

    @Test
    void whoeverThePriorityOfTheQueuePutsFirstIsRentedForFirst(JenkinsRule j) throws Exception {
        machines.cloud(RentedMachines.template("plain", "plain"), RentedMachines.template("urgent", "urgent"));
        Queue.getInstance().setSorter(new QueueSorter() {
            @Override
            public void sortBuildableItems(List<Queue.BuildableItem> items) {
                items.sort(Comparator.comparing(
                        item -> !item.getAssignedLabel().getName().equals("urgent")));
            }
        });
        machines.simulator().apiLatency(Duration.ofSeconds(1)); // one order at a time: the rest waits in line
        int plain = 9;
        for (int i = 0; i < plain; i++) {
            FreeStyleProject project = j.createFreeStyleProject();
            project.setAssignedLabel(Label.get("plain"));
            project.scheduleBuild2(0);
        }
        await().atMost(RentedMachines.PATIENCE)
                .until(() -> RentedMachines.rentals().size() == plain);
        FreeStyleProject urgent = j.createFreeStyleProject();
        urgent.setAssignedLabel(Label.get("urgent"));

        urgent.scheduleBuild2(0);

        await().atMost(RentedMachines.PATIENCE)
                .until(() -> RentedMachines.rentals().stream()
                                .filter(rental -> rental.state() == State.BOOTING)
                                .count()
                        == plain + 1);
        List<String> inTurn = RentedMachines.rentals().stream()
                .sorted(Comparator.comparing(rental -> rental.draws().get(0).sent()))
                .map(rental -> rental.order().template())
                .toList();
        assertTrue(inTurn.indexOf("urgent") < plain - 1, () -> "rented in this order: " + inTurn);
        machines.simulator().apiLatency(Duration.ZERO);
        machines.giveBack();
    }

    /** Else each round of the queue offers each item to each of them, under its lock. */
    @Test
    void machineOnItsWayIsOfferedToNoItemAndStillCounts(JenkinsRule j) throws Exception {
        machines.cloud(RentedMachines.template("one", "one"));
        FreeStyleProject project = j.createFreeStyleProject();
        project.setAssignedLabel(Label.get("one"));
        project.scheduleBuild2(0);
        await().atMost(RentedMachines.PATIENCE)
                .until(() -> RentedMachines.agents().stream().anyMatch(agent -> agent.toComputer() != null));
        Computer computer = RentedMachines.agents().get(0).toComputer();
        Queue.Item item = project.getQueueItem();

        Queue.getInstance().maintain();

        assertEquals(List.of(), computer.getAllExecutors());
        assertEquals(1, computer.getExecutors().size());
        assertTrue(computer.isConnecting());
        assertEquals(
                1,
                Label.get("one").loadStatistics.computeSnapshot().getConnectingExecutors(),
                "core counts it as on its way");
        assertTrue(item.getWhy().contains(computer.getDisplayName()), item::getWhy);
        machines.giveBack();
    }

    @Test
    void nothingIsOrderedTwiceAndCapsHold(JenkinsRule j) throws Exception {
        VastAiTemplate capped = RentedMachines.template("capped", "gpu");
        capped.setInstanceCap(2);
        VastAiTemplate second = RentedMachines.template("second", "gpu");
        machines.cloud(capped, second).setInstanceCap(5);
        for (int i = 0; i < 8; i++) {
            FreeStyleProject project = j.createFreeStyleProject();
            project.setAssignedLabel(Label.get("gpu"));
            project.scheduleBuild2(0);
        }
        await().atMost(RentedMachines.PATIENCE)
                .until(() -> RentedMachines.rentals().size() >= 5);
        for (int i = 0; i < 5; i++) {
            Label.get("gpu").nodeProvisioner.suggestReviewNow();
            Fleets.get().reviewer().dirty();
            Thread.sleep(400); // other reviews have their chance to order too many
        }

        Map<String, Long> byTemplate = RentedMachines.rentals().stream()
                .collect(Collectors.groupingBy(r -> r.order().template(), Collectors.counting()));
        assertEquals(Map.of("capped", 2L, "second", 3L), byTemplate);
        machines.giveBack();
        assertEquals(5, machines.simulator().books().maximumAlive());
    }

    @Test
    void anAgentThatIsOnItsWayServesItsOwnLabelFirst(JenkinsRule j) throws Exception {
        machines.cloud(RentedMachines.template("both", "a b"));
        for (String label : List.of("a", "b")) {
            FreeStyleProject project = j.createFreeStyleProject();
            project.setAssignedLabel(Label.get(label));
            project.scheduleBuild2(0);
            await().until(() -> RentedMachines.agents().stream().anyMatch(agent -> label.equals(agent.orderedFor())));
        }
        Thread.sleep(1_500); // one more review
        assertEquals(2, RentedMachines.rentals().size());
        machines.giveBack();
    }

    @Test
    void onlyNormalTemplatesServeWorkWithoutALabel(JenkinsRule j) throws Exception {
        j.jenkins.setNumExecutors(0);
        VastAiTemplate exclusive = RentedMachines.template("exclusive", "x");
        VastAiTemplate normal = RentedMachines.template("normal", "n");
        normal.setMode(Node.Mode.NORMAL);
        VastAiCloud cloud = machines.cloud(exclusive);
        FreeStyleProject project = j.createFreeStyleProject();
        project.setAssignedLabel(null);
        project.scheduleBuild2(0);
        Thread.sleep(1_500); // one more review
        assertEquals(List.of(), RentedMachines.rentals());
        assertFalse(cloud.canProvision(new Cloud.CloudState(null, 0)));

        cloud.setTemplates(List.of(exclusive, normal));

        await().until(() -> RentedMachines.agents().size() == 1);
        assertEquals("normal", RentedMachines.rentals().get(0).order().template());
        assertEquals(Node.Mode.NORMAL, RentedMachines.agents().get(0).getMode());
        machines.giveBack();
    }

    @Test
    void nothingIsOrderedWhileJenkinsQuietsDown(JenkinsRule j) throws Exception {
        machines.cloud(RentedMachines.template("gpu", "gpu"));
        j.jenkins.doQuietDown();
        FreeStyleProject project = j.createFreeStyleProject();
        project.setAssignedLabel(Label.get("gpu"));
        project.scheduleBuild2(0);
        Thread.sleep(1_500); // one more review
        assertEquals(List.of(), RentedMachines.rentals());

        j.jenkins.doCancelQuietDown();

        await().until(() -> RentedMachines.rentals().size() == 1);
        machines.giveBack();
    }

    @Test
    void coreDoesNotBringARemovedAgentBack(JenkinsRule j) throws Exception {
        VastAiCloud cloud = machines.cloud(RentedMachines.template("gpu", "gpu"));
        Collection<PlannedNode> planned = cloud.provision(new Cloud.CloudState(Label.get("gpu"), 0), 1);
        assertEquals(1, planned.size());
        PlannedNode node = planned.iterator().next();
        VastAiAgent agent = RentedMachines.agents().get(0);
        assertTrue(node.future.isDone());
        assertEquals(agent, node.future.get());

        Jenkins.get().removeNode(agent);

        assertNull(node.future.get());
        machines.nothingLeft();
    }

    @Test
    void aTemplateWithoutOffersRestsAndTheNextIsAsked(JenkinsRule j) throws Exception {
        VastAiTemplate impossible = RentedMachines.template("impossible", "gpu");
        impossible.setRegion("AQ");
        VastAiTemplate possible = RentedMachines.template("possible", "gpu");
        VastAiCloud cloud = machines.cloud(impossible, possible);
        FreeStyleProject project = j.createFreeStyleProject();
        project.setAssignedLabel(Label.get("gpu"));
        project.scheduleBuild2(0);

        await().atMost(Duration.ofSeconds(30)).until(() -> RentedMachines.rentals().stream()
                .anyMatch(r -> r.order().template().equals("possible") && r.state() == State.BOOTING));

        Rental failed = RentedMachines.rentals().get(0);
        assertEquals("impossible", failed.order().template());
        assertEquals(State.FAILED, failed.state());
        assertTrue(RentedMachines.tells(failed, "No machine for template impossible"), RentedMachines::stories);
        assertTrue(RentedMachines.node(failed).isEmpty(), "its agent is gone");
        cloud.setTemplates(List.of(impossible));
        assertFalse(cloud.canProvision(new Cloud.CloudState(Label.get("gpu"), 0)), "it rests");
        impossible.setRegion("");
        assertTrue(cloud.canProvision(new Cloud.CloudState(Label.get("gpu"), 0)), "mended: asked again at once");
        machines.giveBack();
    }

    /** When each template was first ordered from, of orders that stand. */
    private static Map<String, Long> ordered() {
        return RentedMachines.rentals().stream()
                .filter(Rental::needed)
                .collect(Collectors.toMap(
                        rental -> rental.order().template(),
                        rental -> rental.orderedAt().toEpochMilli(),
                        Math::min));
    }
}

package io.jenkins.plugins.vastai;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import hudson.model.FreeStyleProject;
import hudson.model.Label;
import io.jenkins.plugins.vastai.market.Ban;
import io.jenkins.plugins.vastai.rental.State;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import jenkins.model.Jenkins;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.jvnet.hudson.test.JenkinsRule;
import org.jvnet.hudson.test.junit.jupiter.WithJenkins;

/** What the configuration says is never rented is not, and may be again when it says so no more. */
@Timeout(240)
@WithJenkins
class BlockedMachinesTest {

    @RegisterExtension
    final RentedMachines machines =
            new RentedMachines(builder -> builder.ssh(false).boot(Duration.ofMinutes(10)));

    @Test
    void aMachineOrHostOnTheCloudsListIsNotRented(JenkinsRule j) throws Exception {
        VastAiCloud cloud = machines.cloud(RentedMachines.template("gpu", "gpu"));
        long best = rented(j);
        long host = RentedMachines.rentals().get(0).draws().get(0).hostId();
        cancel(j);
        assertEquals(best, rented(j), "the best offer is the same as before");
        cancel(j);

        cloud.setBlocklist(List.of(Clouds.blocked((int) best, 0, "slow disk", "")));
        await().until(() ->
                bans().equals(List.of(new Ban(Ban.Kind.MACHINE, best, "slow disk", null, "configuration"))));

        assertNotEquals(best, rented(j));
        cancel(j);
        cloud.setBlocklist(List.of(Clouds.blocked(0, (int) host, "", "2100-01-01")));
        await().until(() -> bans().stream().anyMatch(ban -> ban.kind() == Ban.Kind.HOST));
        assertNotEquals(best, rented(j));
        cancel(j);

        cloud.setBlocklist(List.of(Clouds.blocked((int) best, 0, "over", "2020-01-01")));
        await().until(() -> bans().isEmpty());

        assertEquals(best, rented(j));
        cancel(j);
        machines.giveBack();
    }

    @Test
    void whatIsBannedByOtherMeansStaysWhenTheConfigurationChanges(JenkinsRule j) throws Exception {
        VastAiCloud cloud = machines.cloud(RentedMachines.template("gpu", "gpu"));
        rented(j);
        Ban byHand = new Ban(Ban.Kind.MACHINE, 7, "by hand", null, "page");
        Fleets.get().all().forEach(fleet -> fleet.blocks(list -> list.with(byHand)));
        cloud.setBlocklist(List.of(Clouds.blocked(8, 0, "", "")));
        await().until(() -> bans().size() == 2);

        Jenkins.get().clouds.clear();

        await().until(() -> bans().equals(List.of(byHand)));
        cancel(j);
        assertTrue(machines.simulator().books().maximumAlive() >= 1);
        machines.giveBack();
    }

    private static List<Ban> bans() {
        return Fleets.get()
                .all()
                .flatMap(fleet -> fleet.blocklist().bans().stream())
                .toList();
    }

    /** Rents a machine and tells which. */
    private long rented(JenkinsRule j) throws Exception {
        FreeStyleProject project = j.createFreeStyleProject();
        project.setAssignedLabel(Label.get("gpu"));
        project.scheduleBuild2(0);
        return await().atMost(RentedMachines.PATIENCE)
                .until(
                        () -> RentedMachines.rentals().stream()
                                .filter(rental -> rental.needed() && rental.state() == State.BOOTING)
                                .findFirst(),
                        Optional::isPresent)
                .orElseThrow()
                .draws()
                .get(0)
                .machineId();
    }

    private void cancel(JenkinsRule j) throws Exception {
        j.jenkins.getQueue().clear();
        for (VastAiAgent agent : RentedMachines.agents()) {
            j.jenkins.removeNode(agent); // sooner than it is seen that nobody waits for it
        }
        await().atMost(RentedMachines.PATIENCE).until(() -> RentedMachines.rentals().stream()
                .allMatch(rental -> rental.state().ended()));
    }
}

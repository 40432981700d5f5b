package io.jenkins.plugins.vastai;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import hudson.model.FreeStyleBuild;
import hudson.model.FreeStyleProject;
import hudson.model.Label;
import hudson.model.Queue;
import hudson.tasks.Shell;
import io.jenkins.plugins.casc.ConfigurationAsCode;
import io.jenkins.plugins.vastai.rental.Rental;
import io.jenkins.plugins.vastai.rental.State;
import io.jenkins.plugins.vastai.simulator.SimulatedInstance;
import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import jenkins.model.Jenkins;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.jvnet.hudson.test.JenkinsRule;
import org.jvnet.hudson.test.junit.jupiter.WithJenkins;

@Timeout(240)
@WithJenkins
class AgentTest {

    @RegisterExtension
    final RentedMachines machines = new RentedMachines(builder -> builder.boot(Duration.ofSeconds(2)));

    @Test
    void theLogTellsTheStoryAndNoSecretIsAnywhere(JenkinsRule j) throws Exception {
        machines.cloud(RentedMachines.template("gpu", "gpu"));
        FreeStyleProject project = project(j, "env; cat /etc/environment || true; " + RentedMachines.WAIT);
        Future<FreeStyleBuild> building = project.scheduleBuild2(0);
        Rental rental = RentedMachines.inService();
        machines.untilBegun(rental, project.getName());
        VastAiComputer computer = VastAiComputer.of(rental).orElseThrow();
        String log = computer.getLog();
        SimulatedInstance instance = machines.simulator().instances().get(0);
        assertTrue(isAnnounced(instance), "the watchdog would not see the agent's connection");
        machines.letGo(rental, project.getName());
        FreeStyleBuild build = get(building);
        j.assertBuildStatusSuccess(build);

        for (String chapter : List.of(
                "Ordered by template gpu",
                "offers found",
                "Rented: contract",
                "Host key pinned",
                "The machine ends itself",
                "The machine is fit",
                "SSHLauncher")) {
            assertTrue(log.contains(chapter), () -> chapter + " is missing in\n" + log);
        }
        assertFalse(log.contains("LD_LIBRARY_PATH="), "the environment is not printed");
        machines.nothingLeft();
        String console = String.join("\n", build.getLog(10_000));
        j.assertLogContains("VASTAI_MACHINE_ID=" + instance.machineId(), build);
        StringBuilder records = new StringBuilder();
        try (var files = Files.walk(new File(Jenkins.get().getRootDir(), "vastai").toPath())) {
            for (var file : files.filter(f -> f.toString().endsWith(".json")).toList()) {
                records.append(Files.readString(file));
            }
        }
        String privateKey =
                rental.privateKey().value().lines().skip(1).findFirst().orElseThrow();
        for (String where : List.of(log, console, records.toString(), RentedMachines.stories())) {
            assertFalse(where.contains(machines.simulator().apiKey()), "the API key");
            assertFalse(where.contains(privateKey), "the private key");
        }
        for (String name : List.of("CONTAINER_API_KEY", "JUPYTER_TOKEN", "SSH_PUBLIC_KEY")) {
            assertFalse(log.contains(name + "="), name + " in the agent's log");
            assertFalse(console.contains(name + "="), name + " in the build's environment");
        }
    }

    /** Whether the agent's process and its parent, the connection, are those that the launcher wrote down. */
    private static boolean isAnnounced(SimulatedInstance instance) throws Exception {
        Path file = instance.directory().orElseThrow().resolve("var/lib/vastai-cloud/agent");
        String[] numbers = Files.readString(file).strip().split(" ");
        return ProcessHandle.of(Long.parseLong(numbers[0]))
                .flatMap(ProcessHandle::parent)
                .filter(parent -> parent.pid() == Long.parseLong(numbers[1]))
                .isPresent();
    }

    @Test
    void nobodyCanLaunchItBeforeThereIsAMachine(JenkinsRule j) throws Exception {
        machines.cloud(RentedMachines.template("gpu", "gpu"));
        FreeStyleProject project = project(j, RentedMachines.WAIT);
        Future<FreeStyleBuild> building = project.scheduleBuild2(0);
        await().until(() -> !RentedMachines.agents().isEmpty());
        VastAiComputer computer =
                (VastAiComputer) RentedMachines.agents().get(0).toComputer();

        assertTrue(computer.isConnecting());
        assertFalse(computer.isManualLaunchAllowed());
        for (boolean force : new boolean[] {true, false}) {
            Future<?> connecting = computer.connect(force);
            assertNotNull(connecting);
            assertNull(connecting.get(1, TimeUnit.SECONDS));
        }
        assertNull(computer.getOfflineCause(), "no launch has failed");
        assertTrue(computer.isConnecting());
        assertTrue(computer.getLog().contains("is not there yet"), computer::toString);

        try (JenkinsRule.WebClient browser = j.createWebClient()) {
            for (String page : List.of("", "configure", "log")) {
                assertEquals(
                        200,
                        browser.goTo(computer.getUrl() + page).getWebResponse().getStatusCode(),
                        page);
            }
        }

        Rental rental = RentedMachines.inService();
        machines.untilBegun(rental, project.getName());
        machines.letGo(rental, project.getName());
        j.assertBuildStatusSuccess(get(building));
        machines.nothingLeft();
        assertEquals(1, RentedMachines.rentals().size());
    }

    @Test
    void deletingTheAgentByHandDestroysItsMachine(JenkinsRule j) throws Exception {
        machines.cloud(RentedMachines.template("gpu", "gpu"));
        Future<FreeStyleBuild> building = project(j, "echo here").scheduleBuild2(0);
        await().atMost(RentedMachines.PATIENCE)
                .until(() -> !machines.simulator().books().left().isEmpty());
        Queue.getInstance().clear();
        VastAiAgent agent = RentedMachines.agents().get(0);

        ((VastAiComputer) agent.toComputer()).doDoDelete();

        machines.nothingLeft();
        building.cancel(true);
        assertTrue(RentedMachines.tells(RentedMachines.rentals().get(0), "was removed from Jenkins"));
    }

    @Test
    void aCancelledJobGivesTheBootingMachineBack(JenkinsRule j) throws Exception {
        machines.cloud(RentedMachines.template("gpu", "gpu"));
        project(j, "echo here").scheduleBuild2(0);
        await().atMost(RentedMachines.PATIENCE)
                .until(() -> !machines.simulator().books().left().isEmpty());

        Queue.getInstance().clear();

        machines.nothingLeft();
        assertTrue(
                RentedMachines.tells(RentedMachines.rentals().get(0), "Nobody waits for agent"),
                RentedMachines::stories);
    }

    @Test
    void editingTheTemplateOrDeletingTheCloudLeavesRunningAgentsAlone(JenkinsRule j) throws Exception {
        VastAiCloud cloud = machines.cloud(RentedMachines.template("gpu", "gpu"));
        FreeStyleProject project = project(j, RentedMachines.WAIT);
        Future<FreeStyleBuild> building = project.scheduleBuild2(0);
        Rental rental = RentedMachines.inService();
        machines.untilBegun(rental, project.getName());

        VastAiTemplate edited = new VastAiTemplate("other", "8xH100_SXM", "nvidia/cuda:13.0.0-base-ubuntu22.04");
        edited.setLabels("else");
        cloud.setTemplates(List.of(edited));
        Jenkins.get().save();
        Jenkins.get().clouds.clear();
        Thread.sleep(4_000); // longer than the grace for a cloud that is gone

        assertTrue(VastAiComputer.of(rental).orElseThrow().isOnline());
        machines.letGo(rental, project.getName());
        j.assertBuildStatusSuccess(get(building));
        machines.nothingLeft();
        assertEquals(1, RentedMachines.rentals().size());
    }

    @Test
    void savingReorderingAndRenamingWhileAgentsRunLosesNoneOfThem(JenkinsRule j) throws Exception {
        VastAiCloud cloud =
                machines.cloud(RentedMachines.template("gpu", "gpu"), RentedMachines.template("other", "other"));
        List<FreeStyleProject> projects = new ArrayList<>();
        List<FreeStyleBuild> builds = new ArrayList<>();
        List<Rental> rentals = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            projects.add(project(j, RentedMachines.WAIT));
            projects.get(i).scheduleBuild2(0);
        }
        for (FreeStyleProject project : projects) {
            FreeStyleBuild build =
                    await().atMost(RentedMachines.PATIENCE).until(project::getLastBuild, Objects::nonNull);
            builds.add(build);
            rentals.add(RentedMachines.serving(build));
            machines.untilBegun(RentedMachines.serving(build), project.getName());
        }
        String before = Clouds.xml(cloud);

        try (JenkinsRule.WebClient browser = j.createWebClient()) {
            j.submit(browser.goTo("cloud/vast/configure").getFormByName("config"));
        }

        VastAiCloud saved = (VastAiCloud) Jenkins.get().getCloud(RentedMachines.CLOUD);
        assertNotSame(cloud, saved);
        assertEquals(before, Clouds.xml(saved));
        VastAiTemplate renamed = new VastAiTemplate("renamed", "1xRTX_4090", RentedMachines.IMAGE);
        renamed.setLabels("gpu");
        saved.setTemplates(List.of(saved.getTemplates().get(1), renamed));
        Jenkins.get().save();
        for (int i = 0; i < 3; i++) {
            machines.letGo(rentals.get(i), projects.get(i).getName());
            j.assertBuildStatusSuccess(j.waitForCompletion(builds.get(i)));
        }
        machines.nothingLeft();
        assertEquals(3, machines.simulator().instances().size(), RentedMachines::stories);
    }

    @Test
    void aRenamedCloudKeepsItsRentals(JenkinsRule j) throws Exception {
        VastAiCloud cloud = machines.cloud(RentedMachines.template("gpu", "gpu"));
        FreeStyleProject project = project(j, RentedMachines.WAIT);
        Future<FreeStyleBuild> building = project.scheduleBuild2(0);
        Rental rental = RentedMachines.inService();
        machines.untilBegun(rental, project.getName());

        VastAiCloud renamed = new VastAiCloud("vast2", cloud.getCredentialsId());
        renamed.setApiUrl(cloud.getApiUrl());
        renamed.setTemplates(cloud.getTemplates());
        Fleets.get().renamed(cloud.getName(), "vast2");
        Jenkins.get().clouds.replace(cloud, renamed);

        await().until(() -> RentedMachines.rentals().get(0).order().cloud().equals("vast2"));
        assertEquals(State.IN_SERVICE, RentedMachines.rentals().get(0).state());
        machines.letGo(rental, project.getName());
        j.assertBuildStatusSuccess(get(building));
        machines.nothingLeft();
    }

    @Test
    void aReloadOfTheConfigurationDuringABuildKeepsTheConnection(JenkinsRule j) throws Exception {
        machines.cloud(RentedMachines.template("gpu", "gpu"));
        FreeStyleProject project = project(j, RentedMachines.WAIT);
        Future<FreeStyleBuild> building = project.scheduleBuild2(0);
        Rental rental = RentedMachines.inService();
        machines.untilBegun(rental, project.getName());

        Jenkins.get().getNodesObject().load();

        machines.letGo(rental, project.getName());
        j.assertBuildStatusSuccess(get(building));
        machines.nothingLeft();
        assertEquals(Map.of(rental.id(), State.DESTROYED), states());
    }

    @Test
    void applyingChangedConfigurationAsCodeDuringABuildKeepsItsAgent(JenkinsRule j, @TempDir Path directory)
            throws Exception {
        machines.cloud(RentedMachines.template("gpu", "gpu"));
        FreeStyleProject project = project(j, RentedMachines.WAIT);
        Future<FreeStyleBuild> building = project.scheduleBuild2(0);
        Rental rental = RentedMachines.inService();
        machines.untilBegun(rental, project.getName());

        for (String instanceType : List.of("1xRTX_3090", "2xRTX_3090")) {
            Path yaml = Files.writeString(directory.resolve("jenkins.yaml"), """
                    jenkins:
                      clouds:
                        - vastAi:
                            name: "%s"
                            credentialsId: "%s"
                            apiUrl: "%s"
                            templates:
                              - name: other
                                labels: other
                                instanceType: %s
                                machineImage: nvidia/cuda:12.0.0-base-ubuntu22.04
                    """.formatted(
                            RentedMachines.CLOUD,
                            RentedMachines.CREDENTIALS,
                            machines.simulator().uri(),
                            instanceType));
            ConfigurationAsCode.get().configure(yaml.toString());
        }

        assertEquals(1, Jenkins.get().clouds.size());
        assertEquals(
                "2xRTX_3090",
                ((VastAiCloud) Jenkins.get().clouds.get(0))
                        .getTemplates()
                        .get(0)
                        .getInstanceType());
        machines.letGo(rental, project.getName());
        j.assertBuildStatusSuccess(get(building));
        machines.nothingLeft();
        assertEquals(Map.of(rental.id(), State.DESTROYED), states());
    }

    private static Map<String, State> states() {
        return RentedMachines.rentals().stream().collect(java.util.stream.Collectors.toMap(Rental::id, Rental::state));
    }

    private static FreeStyleProject project(JenkinsRule j, String command) throws Exception {
        FreeStyleProject project = j.createFreeStyleProject();
        project.setAssignedLabel(Label.get("gpu"));
        project.getBuildersList().add(new Shell(command));
        return project;
    }

    private static FreeStyleBuild get(Future<FreeStyleBuild> build) throws Exception {
        return build.get(RentedMachines.PATIENCE.toSeconds(), TimeUnit.SECONDS);
    }
}

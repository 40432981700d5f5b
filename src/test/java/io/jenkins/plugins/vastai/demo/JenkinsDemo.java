package io.jenkins.plugins.vastai.demo;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.jenkins.plugins.vastai.simulator.Books;
import io.jenkins.plugins.vastai.simulator.Simulator;
import io.jenkins.plugins.vastai.text.Reason;
import io.jenkins.plugins.vastai.text.Texts;
import java.io.IOException;
import java.math.RoundingMode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BooleanSupplier;
import java.util.logging.Level;
import java.util.logging.Logger;
import java.util.stream.Stream;

/**
 * The main job in a real Jenkins: starts the simulator and a Jenkins configured as code, runs a pipeline with the labels
 * of the two example runners, and shows what an admin would see. Talks to Jenkins over HTTP as anybody else would.
 * Leaves Jenkins open until Ctrl-C; ends by itself when the environment variable {@code CI} is set.
 *
 * <p>Arguments: the project's directory, then the Maven command.
 */
public final class JenkinsDemo {

    private static final Duration BUILD = Duration.ofMinutes(4);
    private static final String JOB = "gpu-demo";
    private static final ObjectMapper JSON = new ObjectMapper();

    private final Simulator simulator;
    private final RealJenkins jenkins;

    private JenkinsDemo(Simulator simulator, RealJenkins jenkins) {
        this.simulator = simulator;
        this.jenkins = jenkins;
    }

    public static void main(String[] args) throws Exception {
        Logger.getLogger("").setLevel(Level.WARNING);
        Path project = Path.of(args[0]).toAbsolutePath().normalize();
        Path directory = Files.createTempDirectory("vastai-demo-jenkins");
        boolean unattended = System.getenv("CI") != null;
        int failures;
        Path machines = Files.createDirectories(directory.resolve("machines"));
        try (Simulator simulator = Simulator.builder()
                        .boot(Duration.ofSeconds(5))
                        .workDirectory(machines)
                        .start();
                RealJenkins jenkins =
                        RealJenkins.start(project, args[1], directory, uri -> yaml(simulator, machines, uri))) {
            System.out.println("demo: the simulated market answers at " + simulator.uri());
            System.out.println("demo: building the plugin and starting Jenkins; its log: " + jenkins.log());
            failures = new JenkinsDemo(simulator, jenkins).run();
            if (!unattended && jenkins.isAlive()) {
                System.out.println("demo: Jenkins stays open at " + jenkins.uri() + " until Ctrl-C");
                jenkins.awaitEnd();
            }
        }
        System.exit(failures == 0 ? 0 : 1);
    }

    private int run() throws IOException, InterruptedException {
        if (!jenkins.up()) {
            System.out.println("demo: Jenkins did not start");
            return 1;
        }
        System.out.println("demo: Jenkins answers at " + jenkins.uri());
        jenkins.post("createItem?name=" + JOB, job());
        jenkins.post("job/" + JOB + "/build?delay=0sec", "");
        await("the build ends", BUILD, () -> jenkins.get("job/" + JOB + "/1/api/json?tree=result,building")
                .contains("\"building\":false"));
        System.out.println("---- console of " + JOB + " #1");
        System.out.println(jenkins.get("job/" + JOB + "/1/consoleText").strip());
        boolean built = jenkins.get("job/" + JOB + "/1/api/json?tree=result").contains("SUCCESS");
        long builds = jenkins.get("job/" + JOB + "/1/consoleText")
                .lines()
                .filter(line -> line.startsWith("hello from "))
                .count();
        await(
                "everything is destroyed",
                Duration.ofMinutes(2),
                () -> simulator.books().left().isEmpty());
        await("the plugin has seen that it is gone", Duration.ofMinutes(1), () -> stories().stream()
                .allMatch(rental -> rental.path("state").asText().equals("DESTROYED")));
        for (JsonNode rental : stories()) {
            System.out.println(
                    "---- story of " + rental.path("order").path("agent").asText());
            rental.path("story")
                    .forEach(line -> System.out.println(line.path("at").asText().substring(11, 19) + " "
                            + Texts.render(JSON.convertValue(line.path("reason"), Reason.class))));
        }
        summary();
        List<Books.Entry> entries = simulator.books().entries();
        long destroyed =
                entries.stream().filter(entry -> entry.destroyed().isPresent()).count();
        int left = simulator.books().left().size();
        System.out.println(
                "demo: builds=" + builds + " rentals=" + entries.size() + " destroyed=" + destroyed + " left=" + left);
        return built && builds == 2 && left == 0 && destroyed == entries.size() ? 0 : 1;
    }

    /** The plugin's records of its rentals, as they are on Jenkins' disk. */
    private List<JsonNode> stories() {
        List<JsonNode> rentals = new ArrayList<>();
        try (Stream<Path> files = Files.walk(jenkins.home().resolve("vastai"))) {
            for (Path file : files.filter(f ->
                            f.getParent().endsWith("rentals") && f.toString().endsWith(".json"))
                    .sorted()
                    .toList()) {
                rentals.add(JSON.readTree(file.toFile()));
            }
        } catch (IOException e) {
            System.out.println("demo: cannot read the records: " + e.getMessage());
        }
        return rentals;
    }

    private void summary() {
        System.out.println("---- what the market's books say");
        System.out.printf("%-50s %10s %12s %10s%n", "label at the market", "machine", "life s", "cost $");
        for (Books.Entry entry : simulator.books().entries()) {
            System.out.printf(
                    "%-50s %10d %12d %10s%n",
                    entry.label(),
                    entry.machineId(),
                    Duration.between(entry.created(), entry.destroyed().orElse(Instant.now()))
                            .toSeconds(),
                    entry.total().setScale(4, RoundingMode.HALF_UP));
        }
    }

    /**
     * The seed's two runners. The agents' directories are inside the simulator's own: an agent's Java process sees the
     * real file system, the shells on simulated machines see the machine's.
     */
    private static String yaml(Simulator simulator, Path machines, String jenkins) {
        return """
                jenkins:
                  numExecutors: 0
                  systemMessage: "Vast.ai demonstration against a simulated market"
                  clouds:
                    - vastAi:
                        name: vast
                        credentialsId: vastai-api-key
                        apiUrl: "%s"
                        templates:
                          - name: vastai-gpu-runner
                            labels: cirun-vastai-gpu
                            instanceType: 1xRTX_4090
                            machineImage: nvidia/cuda:12.0.0-base-ubuntu22.04
                            region: US
                            remoteFs: "%s/container"
                            extraConfig:
                              diskSpace: 30
                          - name: vastai-gpu-vm-runner
                            labels: cirun-vastai-gpu-vm
                            instanceType: 1xRTX_4090
                            machineImage: vastai/kvm:ubuntu_cli_22.04-2025-11-21
                            remoteFs: "%s/vm"
                            extraConfig:
                              diskSpace: 30
                              vm: true
                credentials:
                  system:
                    domainCredentials:
                      - credentials:
                          - string:
                              id: vastai-api-key
                              scope: SYSTEM
                              secret: "%s"
                unclassified:
                  location:
                    url: "%s"
                """.formatted(simulator.uri(), machines, machines, simulator.apiKey(), jenkins);
    }

    private static String job() {
        return """
                <?xml version='1.1' encoding='UTF-8'?>
                <flow-definition>
                  <definition class="org.jenkinsci.plugins.workflow.cps.CpsFlowDefinition">
                    <script>
                      parallel container: {
                        node('cirun-vastai-gpu') {
                          sh 'echo hello from a container with $(nvidia-smi --query-gpu=name --format=csv,noheader)'
                        }
                      }, vm: {
                        node('cirun-vastai-gpu-vm') {
                          sh 'echo hello from a virtual machine with $(nvidia-smi --query-gpu=name --format=csv,noheader)'
                        }
                      }
                    </script>
                    <sandbox>true</sandbox>
                  </definition>
                </flow-definition>
                """.strip();
    }

    private static void await(String what, Duration limit, BooleanSupplier done) {
        if (!RealJenkins.await(limit, done)) {
            System.out.println("demo: gave up waiting until " + what + ", after " + limit.toSeconds() + " s");
        }
    }
}

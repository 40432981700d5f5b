package io.jenkins.plugins.vastai.demo;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.jenkins.plugins.vastai.simulator.Books;
import io.jenkins.plugins.vastai.simulator.Simulator;
import io.jenkins.plugins.vastai.text.Reason;
import io.jenkins.plugins.vastai.text.Texts;
import java.io.IOException;
import java.math.RoundingMode;
import java.net.CookieManager;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
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

    private static final Duration START = Duration.ofMinutes(6);
    private static final Duration BUILD = Duration.ofMinutes(4);
    private static final String JOB = "gpu-demo";
    private static final ObjectMapper JSON = new ObjectMapper();

    /** Jenkins' protection against forged requests goes with the session, so cookies are kept. */
    private final HttpClient http = HttpClient.newBuilder()
            .connectTimeout(Duration.ofSeconds(5))
            .cookieHandler(new CookieManager())
            .build();

    private final Simulator simulator;
    private final URI jenkins;
    private final Path home;

    private JenkinsDemo(Simulator simulator, URI jenkins, Path home) {
        this.simulator = simulator;
        this.jenkins = jenkins;
        this.home = home;
    }

    public static void main(String[] args) throws Exception {
        Logger.getLogger("").setLevel(Level.WARNING);
        Path project = Path.of(args[0]).toAbsolutePath().normalize();
        int port = freePort();
        Path home = Files.createTempDirectory("vastai-demo-jenkins");
        boolean unattended = System.getenv("CI") != null;
        int failures = 1;
        Process process = null;
        Path machines = Files.createDirectories(home.resolve("machines"));
        try (Simulator simulator = Simulator.builder()
                .boot(Duration.ofSeconds(5))
                .workDirectory(machines)
                .start()) {
            System.out.println("demo: the simulated market answers at " + simulator.uri());
            Path configuration = home.resolve("jenkins.yaml");
            Files.writeString(configuration, yaml(simulator, machines, port));
            process = start(project, args[1], port, home, configuration);
            Process jenkins = process;
            Runtime.getRuntime().addShutdownHook(new Thread(() -> end(jenkins)));
            JenkinsDemo demo = new JenkinsDemo(
                    simulator, URI.create("http://localhost:" + port + "/jenkins/"), home.resolve("home"));
            failures = demo.run(process);
            if (!unattended && process.isAlive()) {
                System.out.println("demo: Jenkins stays open at " + demo.jenkins + " until Ctrl-C");
                process.waitFor();
            }
        } finally {
            if (process != null) {
                end(process);
            }
        }
        System.exit(failures == 0 ? 0 : 1);
    }

    private int run(Process process) throws IOException, InterruptedException {
        await("Jenkins answers", START, () -> process.isAlive() && status("login") == 200);
        if (status("login") != 200) {
            System.out.println("demo: Jenkins did not start");
            return 1;
        }
        System.out.println("demo: Jenkins answers at " + jenkins);
        post("createItem?name=" + JOB, job());
        post("job/" + JOB + "/build?delay=0sec", "");
        await("the build ends", BUILD, () -> get("job/" + JOB + "/1/api/json?tree=result,building")
                .contains("\"building\":false"));
        System.out.println("---- console of " + JOB + " #1");
        System.out.println(get("job/" + JOB + "/1/consoleText").strip());
        boolean built = get("job/" + JOB + "/1/api/json?tree=result").contains("SUCCESS");
        long builds = get("job/" + JOB + "/1/consoleText")
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
        try (Stream<Path> files = Files.walk(home.resolve("vastai"))) {
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
    private static String yaml(Simulator simulator, Path machines, int port) {
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
                    url: "http://localhost:%d/jenkins/"
                """.formatted(simulator.uri(), machines, machines, simulator.apiKey(), port);
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

    private static Process start(Path project, String maven, int port, Path home, Path configuration)
            throws IOException {
        Path log = home.resolve("jenkins.log");
        System.out.println("demo: building the plugin and starting Jenkins; its log: " + log);
        ProcessBuilder builder = new ProcessBuilder(
                        maven,
                        "-B",
                        "-ntp",
                        "hpi:run",
                        "-DskipTests",
                        "-Dspotless.check.skip",
                        "-Dspotbugs.skip",
                        "-Dport=" + port,
                        "-DjenkinsHome=" + home.resolve("home"))
                .directory(project.toFile())
                .redirectErrorStream(true)
                .redirectOutput(log.toFile());
        builder.environment().put("CASC_JENKINS_CONFIG", configuration.toString());
        return builder.start();
    }

    private static void end(Process process) {
        process.descendants().forEach(ProcessHandle::destroy);
        process.destroy();
        try {
            if (!process.waitFor(20, TimeUnit.SECONDS)) {
                process.descendants().forEach(ProcessHandle::destroyForcibly);
                process.destroyForcibly();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private int status(String path) {
        try {
            return http.send(
                            HttpRequest.newBuilder(jenkins.resolve(path))
                                    .timeout(Duration.ofSeconds(10))
                                    .build(),
                            HttpResponse.BodyHandlers.discarding())
                    .statusCode();
        } catch (IOException e) {
            return 0;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return 0;
        }
    }

    private String get(String path) {
        try {
            return http.send(
                            HttpRequest.newBuilder(jenkins.resolve(path))
                                    .timeout(Duration.ofSeconds(20))
                                    .build(),
                            HttpResponse.BodyHandlers.ofString())
                    .body();
        } catch (IOException e) {
            return "";
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return "";
        }
    }

    private void post(String path, String body) throws IOException, InterruptedException {
        JsonNode crumb = JSON.readTree(get("crumbIssuer/api/json"));
        HttpResponse<String> answer = http.send(
                HttpRequest.newBuilder(jenkins.resolve(path))
                        .timeout(Duration.ofSeconds(20))
                        .header("Content-Type", "application/xml")
                        .header(
                                crumb.path("crumbRequestField").asText("Jenkins-Crumb"),
                                crumb.path("crumb").asText())
                        .POST(HttpRequest.BodyPublishers.ofString(body))
                        .build(),
                HttpResponse.BodyHandlers.ofString());
        if (answer.statusCode() >= 400) {
            throw new IOException(path + " answered " + answer.statusCode());
        }
    }

    private static void await(String what, Duration limit, BooleanSupplier done) {
        Instant end = Instant.now().plus(limit);
        while (!done.getAsBoolean()) {
            if (Instant.now().isAfter(end)) {
                System.out.println("demo: gave up waiting until " + what + ", after " + limit.toSeconds() + " s");
                return;
            }
            LockSupport.parkNanos(Duration.ofMillis(500).toNanos());
        }
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0)) {
            return socket.getLocalPort();
        }
    }
}

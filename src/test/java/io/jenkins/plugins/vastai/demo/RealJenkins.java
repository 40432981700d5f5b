package io.jenkins.plugins.vastai.demo;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.CookieManager;
import java.net.ServerSocket;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.UnaryOperator;

/**
 * A Jenkins with this plugin in a process of its own, configured as code. Built and started by Maven, spoken to over HTTP
 * as anybody else would.
 */
public final class RealJenkins implements AutoCloseable {

    private static final Duration START = Duration.ofMinutes(6);
    private static final ObjectMapper JSON = new ObjectMapper();

    /** Jenkins' protection against forged requests goes with the session, so cookies are kept. */
    private final HttpClient http = HttpClient.newBuilder()
            .connectTimeout(Duration.ofSeconds(5))
            .cookieHandler(new CookieManager())
            .build();

    private final Process process;
    private final URI uri;
    private final Path home;
    private final Path log;
    private String authorization = "";

    private RealJenkins(Process process, URI uri, Path home, Path log) {
        this.process = process;
        this.uri = uri;
        this.home = home;
        this.log = log;
    }

    /**
     * Starts the process; {@link #up} waits for Jenkins. It ends with this program at the latest.
     *
     * @param project the project's directory
     * @param maven the Maven command
     * @param directory for its home, configuration and log
     * @param configuration makes the YAML from Jenkins' own address
     * @param options more arguments for Maven
     */
    public static RealJenkins start(
            Path project, String maven, Path directory, UnaryOperator<String> configuration, String... options)
            throws IOException {
        int port = freePort();
        URI uri = URI.create("http://localhost:" + port + "/jenkins/");
        Path yaml = directory.resolve("jenkins.yaml");
        Files.writeString(yaml, configuration.apply(uri.toString()));
        Path home = directory.resolve("home");
        Path log = directory.resolve("jenkins.log");
        List<String> command = new ArrayList<>(List.of(
                maven,
                "-B",
                "-ntp",
                "hpi:run",
                "-DskipTests",
                "-Dspotless.check.skip",
                "-Dspotbugs.skip",
                "-Dport=" + port,
                "-DjenkinsHome=" + home));
        command.addAll(List.of(options));
        ProcessBuilder builder = new ProcessBuilder(command)
                .directory(project.toFile())
                .redirectErrorStream(true)
                .redirectOutput(log.toFile());
        builder.environment().put("CASC_JENKINS_CONFIG", yaml.toString());
        Process process = builder.start();
        RealJenkins jenkins = new RealJenkins(process, uri, home, log);
        Runtime.getRuntime().addShutdownHook(new Thread(jenkins::close));
        return jenkins;
    }

    public URI uri() {
        return uri;
    }

    public Path home() {
        return home;
    }

    public Path log() {
        return log;
    }

    public boolean isAlive() {
        return process.isAlive();
    }

    /** Waits until it ends by itself. */
    public void awaitEnd() throws InterruptedException {
        process.waitFor();
    }

    /** From now on as this user. */
    public void signIn(String user, String password) {
        authorization =
                "Basic " + Base64.getEncoder().encodeToString((user + ":" + password).getBytes(StandardCharsets.UTF_8));
    }

    /** Whether it came up. */
    public boolean up() {
        await(START, () -> !process.isAlive() || status("login") == 200);
        return status("login") == 200;
    }

    /** 0 when there is no answer. */
    public int status(String path) {
        return answer(path).map(HttpResponse::statusCode).orElse(0);
    }

    /** Empty when there is no answer. */
    public String get(String path) {
        return answer(path).map(HttpResponse::body).orElse("");
    }

    /** Runs Groovy in Jenkins, for what no button does. */
    public void script(String groovy) throws IOException, InterruptedException {
        post(
                "scriptText",
                "application/x-www-form-urlencoded",
                "script=" + URLEncoder.encode(groovy, StandardCharsets.UTF_8));
    }

    /** @throws IOException when it is refused */
    public void post(String path, String body) throws IOException, InterruptedException {
        post(path, "application/xml", body);
    }

    private void post(String path, String type, String body) throws IOException, InterruptedException {
        JsonNode crumb = JSON.readTree(get("crumbIssuer/api/json"));
        HttpResponse<String> answer = http.send(
                request(path)
                        .header("Content-Type", type)
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

    private Optional<HttpResponse<String>> answer(String path) {
        try {
            return Optional.of(http.send(request(path).build(), HttpResponse.BodyHandlers.ofString()));
        } catch (IOException e) {
            return Optional.empty();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return Optional.empty();
        }
    }

    private HttpRequest.Builder request(String path) {
        HttpRequest.Builder request = HttpRequest.newBuilder(uri.resolve(path)).timeout(Duration.ofSeconds(60));
        return authorization.isEmpty() ? request : request.header("Authorization", authorization);
    }

    @Override
    public void close() {
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

    /** Whether it came true within the limit. */
    public static boolean await(Duration limit, BooleanSupplier done) {
        Instant end = Instant.now().plus(limit);
        while (!done.getAsBoolean()) {
            if (Instant.now().isAfter(end)) {
                return false;
            }
            LockSupport.parkNanos(Duration.ofMillis(500).toNanos());
        }
        return true;
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0)) {
            return socket.getLocalPort();
        }
    }
}

package io.jenkins.plugins.vastai;

import static org.awaitility.Awaitility.await;

import io.jenkins.plugins.vastai.simulator.SimulatorProgram;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;

/** The simulated market in a process of its own, so that its threads, memory and work are not taken for Jenkins'. */
final class MarketProcess implements AutoCloseable {

    /** A call that reached it; the time is that of this computer's clock, ms. */
    record Arrival(long at, String endpoint, int status) {}

    private final Process process;
    private final List<Arrival> calls = new CopyOnWriteArrayList<>();
    private final Map<Long, Long> running = new ConcurrentHashMap<>();
    private volatile URI uri;
    private volatile String apiKey;
    private volatile boolean closing;

    MarketProcess(String... arguments) throws IOException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")),
                SimulatorProgram.class.getName(),
                "--tell"));
        command.addAll(List.of(arguments));
        process = new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        Thread reader = new Thread(this::read, "simulator output");
        reader.setDaemon(true);
        reader.start();
        await("the simulator").atMost(Duration.ofMinutes(1)).until(() -> uri != null && apiKey != null);
    }

    private void read() {
        try (BufferedReader lines =
                new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                String[] words = line.strip().split("\\s+");
                switch (words[0]) {
                    case "call" ->
                        calls.add(new Arrival(Long.parseLong(words[1]), words[2], Integer.parseInt(words[3])));
                    case "running" -> running.put(Long.parseLong(words[2]), Long.parseLong(words[1]));
                    case "API" -> {
                        if (words[1].equals("address:")) {
                            uri = URI.create(words[2]);
                        } else {
                            apiKey = words[2];
                        }
                    }
                    default -> {
                        // for people
                    }
                }
            }
        } catch (IOException e) {
            if (!closing) { // the end of the process cuts a line short
                throw new UncheckedIOException(e);
            }
        }
    }

    URI uri() {
        return uri;
    }

    String apiKey() {
        return apiKey;
    }

    List<Arrival> calls(String endpoint) {
        return calls.stream().filter(call -> call.endpoint().equals(endpoint)).toList();
    }

    int calls() {
        return calls.size();
    }

    /** When the instance began to run, ms; empty before. */
    OptionalLong running(long instance) {
        Long at = running.get(instance);
        return at == null ? OptionalLong.empty() : OptionalLong.of(at);
    }

    @Override
    public void close() throws IOException {
        closing = true;
        process.destroy();
        try {
            if (!process.waitFor(20, TimeUnit.SECONDS)) {
                process.destroyForcibly();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}

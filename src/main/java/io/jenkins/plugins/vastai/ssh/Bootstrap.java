package io.jenkins.plugins.vastai.ssh;

import io.jenkins.plugins.vastai.text.Reason;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import okhttp3.OkHttpClient;

/**
 * Makes a reached machine fit to run an agent: Java, work directory, fitness. Driven by its caller: each
 * {@link #step} is one short look (or, at most once per machine, one delivery of Java) and nothing waits in between.
 * Keeps no state about machines, so a restart continues with the next step. Thread-safe.
 */
public final class Bootstrap {

    /**
     * @param http shared client of the plugin; used to load Java builds
     * @param cache directory for loaded Java builds; made when missing
     * @param sources tried in this order; after them the controller's own runtime, when it fits the machine
     */
    public Bootstrap(SshReach reach, OkHttpClient http, Path cache, List<JavaSource> sources, Timeouts timeouts) {}

    /**
     * One step. Never fails exceptionally, except after the client was closed.
     *
     * @param patient true while the start script may take its time; false = time is up: bring Java now and do without
     *     the script's end
     */
    public CompletableFuture<Step> step(Access access, Wanted wanted, boolean patient) {
        throw new UnsupportedOperationException();
    }

    /**
     * @param command for one short look, with connecting
     * @param fetch for loading a Java build to the controller
     * @param upload for sending Java to the machine
     */
    public record Timeouts(Duration command, Duration fetch, Duration upload) {
        public static final Timeouts DEFAULT =
                new Timeouts(Duration.ofSeconds(40), Duration.ofMinutes(3), Duration.ofMinutes(5));
    }

    /**
     * What the machine must be.
     *
     * @param javaMajor least feature version
     * @param remoteFs work directory, absolute
     * @param minFreeGb least free space there, GB; 0 = any
     * @param gpuCount as ordered; 0 = do not look at GPUs
     * @param gpuName as the market calls it; empty = any
     */
    public record Wanted(int javaMajor, String remoteFs, double minFreeGb, int gpuCount, Optional<String> gpuName) {}

    public sealed interface Step {}

    /** Not yet; look again in a few seconds. */
    public record Pending(Reason progress) implements Step {}

    /**
     * Ready to be an agent.
     *
     * @param javaPath absolute path of the {@code java} program
     * @param notes worth a line in the agent's log, none of them fatal
     */
    public record Prepared(
            String javaPath,
            int javaMajor,
            List<Gpu> gpus,
            Optional<String> driver,
            Optional<String> gitVersion,
            double freeDiskGb,
            List<Reason> notes)
            implements Step {
        public Prepared {
            gpus = List.copyOf(gpus);
            notes = List.copyOf(notes);
        }
    }

    /** This machine will not do. */
    public record Failed(Reason reason, Fault fault) implements Step {}

    /** SSH did not work this time; treat it as the result of a probe. */
    public record Unreachable(Probe probe) implements Step {}

    /** @param memoryMb total, MiB */
    public record Gpu(String name, int memoryMb) {}

    /** Who is to blame. */
    public enum Fault {
        /** Remember the machine and draw another. */
        MACHINE,
        /** Image or settings: another machine would fail alike, so no machine is blocked. */
        TEMPLATE,
        /** The controller could not do its part (no Java to bring): nobody is blocked. */
        CONTROLLER
    }
}

package io.jenkins.plugins.vastai.ssh;

import io.jenkins.plugins.vastai.text.Reason;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.logging.Level;
import java.util.logging.Logger;
import java.util.stream.Collectors;
import okhttp3.OkHttpClient;

/**
 * Makes a reached machine fit to run an agent: Java, work directory, fitness. Driven by its caller: each
 * {@link #step} is one short look (or, at most once per machine, one delivery of Java) and nothing waits in between.
 * Keeps no state about machines, so a restart continues with the next step. Thread-safe.
 */
public final class Bootstrap {

    private static final Logger LOGGER = Logger.getLogger(Bootstrap.class.getName());

    private final SshReach reach;
    private final JavaCache cache;
    private final Supplier<List<JavaSource>> sources;
    private final Optional<OwnRuntime> own;
    private final Timeouts timeouts;

    /**
     * @param http shared client of the plugin; used to load Java builds
     * @param cache directory for loaded Java builds; made when missing
     * @param sources asked anew for each machine; tried in their order, each by the machine itself and then by the
     *     controller; after them the controller's own runtime, when it fits the machine
     */
    public Bootstrap(
            SshReach reach, OkHttpClient http, Path cache, Supplier<List<JavaSource>> sources, Timeouts timeouts) {
        this(reach, http, cache, sources, timeouts, OwnRuntime.ofThisProcess());
    }

    Bootstrap(
            SshReach reach,
            OkHttpClient http,
            Path cache,
            Supplier<List<JavaSource>> sources,
            Timeouts timeouts,
            Optional<OwnRuntime> own) {
        this.reach = reach;
        this.cache = new JavaCache(http, cache, timeouts.fetch());
        this.sources = sources;
        this.timeouts = timeouts;
        this.own = own;
    }

    /**
     * One step. Never fails exceptionally. Lasts at most as long as the {@link Timeouts} of what it does; the next one
     * may be asked for at any time after it ended.
     *
     * @param patient true while the start script may take its time; false = time is up: bring Java now and do without
     *     the script's end
     */
    public CompletableFuture<Step> step(Access access, Wanted wanted, boolean patient) {
        return look(access, wanted, patient)
                .thenCompose(look -> judge(access, wanted, look, patient))
                .exceptionally(thrown -> stopped(access, thrown));
    }

    /** @param gpus answer of {@link Scripts#GPUS}; empty while it would be of no use */
    private record Look(Output answer, Optional<Survey> read, Optional<Output> gpus) {

        /** @throws Stop where the answer is none */
        Survey survey() {
            return read.orElseThrow(() ->
                    new Stop(new Failed(SshText.SHELL_UNUSABLE.of(answer.exit(), answer.complaint()), Fault.TEMPLATE)));
        }
    }

    /** Everything by one login, which takes as long as all the rest. */
    private CompletableFuture<Look> look(Access access, Wanted wanted, boolean patient) {
        return reach.converse(access, timeouts.command(), shell -> shell.run(
                        Survey.script(wanted.remoteFs(), wanted.javaMajor(), wanted.environment()))
                .thenCompose(answer -> {
                    Optional<Survey> read = Survey.read(answer.out());
                    boolean ready = wanted.gpuCount() > 0
                            && read.filter(survey -> survey.settled() || !patient)
                                    .flatMap(survey -> survey.java(wanted.javaMajor()))
                                    .isPresent();
                    return ready
                            ? shell.run(Scripts.GPUS).thenApply(gpus -> new Look(answer, read, Optional.of(gpus)))
                            : done(new Look(answer, read, Optional.empty()));
                }));
    }

    private CompletableFuture<Step> judge(Access access, Wanted wanted, Look look, boolean patient) {
        Survey survey = look.survey();
        if (survey.stateless().isPresent()) {
            return done(
                    new Failed(SshText.NOTHING_WRITABLE.of(survey.stateless().get()), Fault.MACHINE));
        }
        if (survey.unwritable().isPresent()) {
            return done(new Failed(
                    SshText.WORK_DIRECTORY_UNUSABLE.of(
                            wanted.remoteFs(), survey.unwritable().get()),
                    Fault.TEMPLATE));
        }
        if (!survey.bash() && survey.state().isEmpty()) {
            return done(new Failed(SshText.BASH_MISSING.of(), Fault.TEMPLATE));
        }
        int init = survey.initStatus().orElse(0);
        if (init != 0) {
            return done(new Failed(SshText.INIT_FAILED.of(init), Fault.TEMPLATE));
        }
        Optional<Survey.Java> java = survey.java(wanted.javaMajor());
        boolean scriptHopes = !survey.state().startsWith("failed")
                && (survey.initStatus().isEmpty() || !survey.state().isEmpty());
        if (patient && java.isEmpty() && scriptHopes) {
            return done(new Pending(
                    survey.state().isEmpty()
                            ? SshText.SCRIPT_NOT_BEGUN.of()
                            : SshText.JAVA_BEING_INSTALLED.of(survey.state())));
        }
        if (patient && !survey.settled()) {
            return done(new Pending(SshText.SCRIPT_RUNNING.of()));
        }
        if (survey.freeGb() < wanted.minFreeGb()) {
            return done(new Failed(
                    SshText.DISK_TOO_SMALL.of(wanted.remoteFs(), gb(survey.freeGb()), gb(wanted.minFreeGb())),
                    Fault.TEMPLATE));
        }
        List<Reason> notes = new ArrayList<>();
        if (survey.initStatus().isEmpty()) {
            notes.add(SshText.SCRIPT_UNFINISHED.of());
        }
        if (java.isPresent()) {
            notes.add(SshText.JAVA_FOUND.of(java.get().path(), java.get().major()));
            return done(fitness(wanted, look, java.get(), notes));
        }
        survey.javas().forEach(old -> notes.add(SshText.JAVA_TOO_OLD.of(old.path(), old.major(), wanted.javaMajor())));
        return bring(access, wanted, survey, notes)
                .thenCompose(brought -> look(access, wanted, false))
                .thenApply(after -> after.survey()
                        .java(wanted.javaMajor())
                        .map(found -> fitness(wanted, after, found, notes))
                        .orElseGet(() -> new Failed(SshText.JAVA_VANISHED.of(), Fault.MACHINE)));
    }

    /** Tries every source that fits; ends with a Java that ran on the machine, or with a {@link Stop}. */
    private CompletableFuture<Void> bring(Access access, Wanted wanted, Survey survey, List<Reason> notes) {
        if (survey.platform().isEmpty()) {
            return CompletableFuture.failedFuture(
                    new Stop(new Failed(SshText.PLATFORM_UNKNOWN.of(survey.machine()), Fault.MACHINE)));
        }
        Platform platform = survey.platform().get();
        CompletableFuture<Boolean> brought = CompletableFuture.completedFuture(false);
        for (JavaSource source : sources.get()) {
            Optional<JavaSource.Build> build = source.build(platform);
            if (source.major() >= wanted.javaMajor() && build.isPresent()) {
                brought = brought.thenCompose(
                        already -> already ? done(true) : load(access, wanted, source, build.get(), notes));
            }
        }
        Optional<OwnRuntime> same =
                own.filter(runtime -> runtime.platform() == platform && runtime.major() >= wanted.javaMajor());
        if (same.isPresent()) {
            brought = brought.thenCompose(already -> already
                    ? done(true)
                    : send(
                            access,
                            wanted,
                            0,
                            same.get(),
                            timeouts.ownRuntime(),
                            same.get().home().toString(),
                            notes));
        }
        return brought.thenAccept(success -> {
            if (!success) {
                throw new Stop(new Failed(
                        SshText.JAVA_NOT_BROUGHT.of(wanted.javaMajor(), platform.scriptName()),
                        Fault.CONTROLLER,
                        notes));
            }
        });
    }

    /** The machine's own line is the faster one; the controller's serves where the machine has no way out. */
    private CompletableFuture<Boolean> load(
            Access access, Wanted wanted, JavaSource source, JavaSource.Build build, List<Reason> notes) {
        String url = source.url(build);
        String script = "B=" + Scripts.quote(url) + " C=" + build.sha256() + " L=1\n" + Scripts.FETCH
                + StartScript.FIND_STATE + Scripts.UNPACK;
        return reach.exec(access, script, timeouts.fetch())
                .thenApply(output -> {
                    boolean runs = major(output) >= wanted.javaMajor();
                    notes.add(
                            runs
                                    ? SshText.JAVA_LOADED.of(url, major(output))
                                    : SshText.JAVA_NOT_LOADED_THERE.of(url, output.complaint()));
                    return runs;
                })
                .thenCompose(already -> already ? done(true) : upload(access, wanted, source, build, notes));
    }

    private CompletableFuture<Boolean> upload(
            Access access, Wanted wanted, JavaSource source, JavaSource.Build build, List<Reason> notes) {
        return cache.get(source, build)
                .handle((file, thrown) -> {
                    if (thrown != null) {
                        notes.add(
                                cause(thrown) instanceof JavaCache.WrongChecksum wrong
                                        ? wrong.reason()
                                        : SshText.JAVA_NOT_LOADED.of(
                                                RemoteText.clean(cause(thrown).getMessage())));
                        return done(false);
                    }
                    SshReach.Payload payload = out -> Files.copy(file, out);
                    return send(access, wanted, 1, payload, timeouts.upload(), source.url(build), notes);
                })
                .thenCompose(Function.identity());
    }

    /**
     * @param strip leading directories in the archive
     * @param origin address of the build, or the controller's Java home
     */
    private CompletableFuture<Boolean> send(
            Access access,
            Wanted wanted,
            int strip,
            SshReach.Payload payload,
            Duration timeout,
            String origin,
            List<Reason> notes) {
        return reach.send(access, "L=" + strip + "\n" + StartScript.FIND_STATE + Scripts.UNPACK, payload, timeout)
                .thenApply(output -> {
                    boolean runs = major(output) >= wanted.javaMajor();
                    notes.add(
                            runs
                                    ? SshText.JAVA_BROUGHT.of(origin, major(output))
                                    : SshText.JAVA_DOES_NOT_RUN.of(origin, output.complaint()));
                    return runs;
                });
    }

    /** Of the Java that was just unpacked; 0 when it does not run. */
    private static int major(Output output) {
        return output.exit() != 0
                ? 0
                : output.out()
                        .lines()
                        .map(Bootstrap::version)
                        .flatMap(Optional::stream)
                        .findFirst()
                        .flatMap(Survey::major)
                        .orElse(0);
    }

    private static Optional<String> version(String line) {
        int start = line.indexOf(" version \"");
        int end = start < 0 ? -1 : line.indexOf('"', start + 10);
        return end < 0 ? Optional.empty() : Optional.of(line.substring(start + 10, end));
    }

    private static Step fitness(Wanted wanted, Look look, Survey.Java java, List<Reason> notes) {
        Survey survey = look.survey();
        notes.add(survey.watchdog().orElseGet(SshText.WATCHDOG_NO_WAY::of)); // it had all the time there is
        notes.add(survey.git().map(git -> SshText.GIT_FOUND.of(git)).orElseGet(() -> SshText.GIT_MISSING.of()));
        if (wanted.gpuCount() == 0) {
            return prepared(survey, java, new GpuCheck(true, List.of(), Optional.empty()), notes);
        }
        Output output = look.gpus().orElseThrow();
        if (output.exit() != 0) {
            return new Failed(SshText.GPU_BROKEN.of(output.exit(), output.complaint()), Fault.MACHINE);
        }
        GpuCheck check = GpuCheck.read(output.out());
        if (!check.tool()) {
            notes.add(SshText.NVIDIA_SMI_MISSING.of());
            return prepared(survey, java, check, notes);
        }
        Optional<String> stranger = check.gpus().stream()
                .map(Gpu::name)
                .filter(name -> !GpuCheck.fits(wanted.gpuName().orElse(""), name))
                .findFirst();
        if (check.gpus().size() != wanted.gpuCount() || stranger.isPresent()) {
            return new Failed(
                    SshText.WRONG_GPU.of(
                            wanted.gpuCount() + "x " + wanted.gpuName().orElse("GPU"), summary(check.gpus())),
                    Fault.MACHINE);
        }
        notes.add(SshText.GPUS.of(summary(check.gpus()), check.driver().orElse("?")));
        return prepared(survey, java, check, notes);
    }

    private static Prepared prepared(Survey survey, Survey.Java java, GpuCheck check, List<Reason> notes) {
        return new Prepared(
                java.path(), java.major(), check.gpus(), check.driver(), survey.git(), survey.freeGb(), notes);
    }

    private static String summary(List<Gpu> gpus) {
        Map<Gpu, Long> counts =
                gpus.stream().collect(Collectors.groupingBy(gpu -> gpu, LinkedHashMap::new, Collectors.counting()));
        return counts.isEmpty()
                ? "0"
                : counts.entrySet().stream()
                        .map(e -> e.getValue() + "x " + e.getKey().name() + " "
                                + e.getKey().memoryMb() + " MiB")
                        .collect(Collectors.joining(", "));
    }

    private static String gb(double value) {
        return String.format(Locale.ROOT, "%.1f", value);
    }

    private static <T> CompletableFuture<T> done(T value) {
        return CompletableFuture.completedFuture(value);
    }

    private static Throwable cause(Throwable thrown) {
        return thrown instanceof CompletionException && thrown.getCause() != null ? thrown.getCause() : thrown;
    }

    private static Step stopped(Access access, Throwable thrown) {
        Throwable cause = cause(thrown);
        if (cause instanceof Stop stop) {
            return stop.step;
        }
        Contact.Failure failure = cause instanceof Contact.Failure known
                ? known
                : new Contact.Failure(
                        Probe.Outcome.BROKEN,
                        SshText.BROKEN.of(
                                access.endpoint(),
                                RemoteText.clean(cause.getClass().getSimpleName())));
        if (cause != failure) {
            LOGGER.log(Level.WARNING, "Preparing a machine failed unexpectedly", cause);
        }
        return new Unreachable(new Probe(
                failure.outcome,
                access.endpoint(),
                Optional.empty(),
                failure.reason,
                List.of(new Probe.Attempt(access.endpoint(), failure.outcome, failure.reason))));
    }

    /** An early end of a step, as its result. */
    private static final class Stop extends RuntimeException {
        private static final long serialVersionUID = 1;
        private final transient Step step;

        Stop(Step step) {
            super(null, null, false, false);
            this.step = step;
        }
    }

    /**
     * @param command for one short look, with connecting
     * @param fetch for loading a Java build to the controller
     * @param upload for sending a loaded build to the machine, some 50 MB
     * @param ownRuntime for sending the controller's own runtime, some 200 MB
     */
    public record Timeouts(Duration command, Duration fetch, Duration upload, Duration ownRuntime) {
        public static final Timeouts DEFAULT = new Timeouts(
                Duration.ofSeconds(40), Duration.ofMinutes(3), Duration.ofMinutes(4), Duration.ofMinutes(8));
    }

    /**
     * What the machine must be.
     *
     * @param javaMajor least feature version
     * @param remoteFs work directory, absolute
     * @param minFreeGb least free space there, GB; 0 = any
     * @param gpuCount as ordered; 0 = do not look at GPUs
     * @param gpuName as the market calls it; empty = any
     * @param environment of the agent and of builds, passed on byte for byte
     */
    public record Wanted(
            int javaMajor,
            String remoteFs,
            double minFreeGb,
            int gpuCount,
            Optional<String> gpuName,
            Map<String, String> environment) {
        public Wanted {
            environment = Map.copyOf(environment);
        }
    }

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

    /**
     * This machine will not do.
     *
     * @param notes what was tried on the way
     */
    public record Failed(Reason reason, Fault fault, List<Reason> notes) implements Step {
        public Failed {
            notes = List.copyOf(notes);
        }

        Failed(Reason reason, Fault fault) {
            this(reason, fault, List.of());
        }
    }

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

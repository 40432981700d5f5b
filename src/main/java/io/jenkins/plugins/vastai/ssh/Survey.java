package io.jenkins.plugins.vastai.ssh;

import io.jenkins.plugins.vastai.text.Reason;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * What one short look at a machine told. Everything in it comes from the machine.
 *
 * @param platform empty when nothing that we know runs there
 * @param machine as {@code uname -m} said
 * @param state how far the start script is with Java; empty when it has not begun
 * @param initStatus exit status of the user's script, 0 without one; empty while the start script runs
 * @param javas runtimes that answered, in the order of preference, up to the first that will do
 * @param git version
 * @param watchdog whether the machine could end itself; empty while that is being tried there
 * @param freeGb on the file system of the work directory
 * @param unwritable why the work directory cannot be used
 * @param stateless why no state directory can be written to
 * @param bash whether there is one; the market runs the start script by it
 */
record Survey(
        Optional<Platform> platform,
        String machine,
        String state,
        Optional<Integer> initStatus,
        List<Java> javas,
        Optional<String> git,
        Optional<Reason> watchdog,
        double freeGb,
        Optional<String> unwritable,
        Optional<String> stateless,
        boolean bash) {

    /** A path that needs no quoting wherever it is used later. */
    private static final Pattern JAVA = Pattern.compile("(/[A-Za-z0-9._/+@-]+) .*version \"([^\"]{1,40})\".*");

    private static final Pattern GIT = Pattern.compile("git version (\\d[\\w.]{0,30}).*");
    /** POSIX df: device, 1024-blocks, used, available, capacity, mount point. */
    private static final Pattern FREE = Pattern.compile(".*\\s\\d+\\s+\\d+\\s+(\\d{1,15})\\s+\\d+%\\s.*");

    /** A name that a shell takes. */
    private static final Pattern NAME = Pattern.compile("[A-Za-z_][A-Za-z0-9_]*");

    private static final Pattern READY = Pattern.compile("ready (\\d{1,3})");

    private static final Pattern ARMED = Pattern.compile("armed (curl|python3)");

    record Java(String path, int major) {}

    /** @param environment what the administrator set, left on the machine for the agent */
    static String script(String remoteFs, int javaMajor, Map<String, String> environment) {
        String exports = environment.entrySet().stream()
                .filter(variable -> NAME.matcher(variable.getKey()).matches())
                .map(variable -> "export " + variable.getKey() + "=" + Scripts.quote(variable.getValue()) + "\n")
                .collect(Collectors.joining());
        return StartScript.FIND_STATE + "X=" + StartScript.STATE_DIRECTORIES.get(0) + " W=" + Scripts.quote(remoteFs)
                + " M=" + javaMajor + " N=" + Scripts.quote(exports) + "\n" + Scripts.SURVEY;
    }

    /** Empty when the answer is no complete survey. */
    static Optional<Survey> read(String text) {
        String machine = "";
        boolean musl = false;
        String state = "";
        Optional<Integer> init = Optional.empty();
        List<Java> javas = new ArrayList<>();
        Optional<String> git = Optional.empty();
        Optional<Reason> watchdog = Optional.of(SshText.WATCHDOG_MISSING.of());
        double free = 0;
        Optional<String> unwritable = Optional.empty();
        Optional<String> stateless = Optional.empty();
        boolean bash = true;
        boolean complete = false;
        for (String line : text.split("\r?\n")) {
            int split = line.indexOf('=');
            String value = split < 0 ? "" : line.substring(split + 1);
            switch (split < 0 ? line : line.substring(0, split)) {
                case "machine" -> machine = RemoteText.clean(value);
                case "musl" -> musl = true;
                case "state" -> state = RemoteText.clean(value);
                case "ready" -> init = group(READY, value).map(Integer::valueOf);
                case "java" -> java(value).ifPresent(javas::add);
                case "git" -> git = group(GIT, value);
                case "watchdog" -> watchdog = watchdog(value);
                case "free" -> free = group(FREE, value).map(Double::valueOf).orElse(0.0) / (1024 * 1024);
                case "unwritable" -> unwritable = Optional.of(RemoteText.clean(value));
                case "stateless" -> stateless = Optional.of(RemoteText.clean(value));
                case "bash" -> bash = false;
                case "end" -> complete = true;
                default -> {
                    // A line of a program that talks too much.
                }
            }
        }
        return complete
                ? Optional.of(new Survey(
                        Platform.of(machine, musl),
                        machine,
                        state,
                        init,
                        javas,
                        git,
                        watchdog,
                        free,
                        unwritable,
                        stateless,
                        bash))
                : Optional.empty();
    }

    /** Whether the start script and what it started have come to their end, or to work that never ends. */
    boolean settled() {
        return initStatus.isPresent() && watchdog.isPresent();
    }

    /** The first runtime that is new enough. */
    Optional<Java> java(int atLeast) {
        return javas.stream().filter(java -> java.major() >= atLeast).findFirst();
    }

    /** Feature version in the text of {@code java -version}; empty when it is none. */
    static Optional<Integer> major(String version) {
        Matcher matcher = Pattern.compile("(?:1\\.)?(\\d{1,3})(?:\\D.*)?").matcher(version);
        return matcher.matches() ? Optional.of(Integer.valueOf(matcher.group(1))) : Optional.empty();
    }

    private static Optional<Reason> watchdog(String state) {
        return switch (state) {
            case "" -> Optional.empty();
            case "nokey" -> Optional.of(SshText.WATCHDOG_NO_KEY.of());
            case "noway" -> Optional.of(SshText.WATCHDOG_NO_WAY.of());
            default ->
                Optional.of(
                        group(ARMED, state).map(SshText.WATCHDOG_ARMED::of).orElseGet(SshText.WATCHDOG_MISSING::of));
        };
    }

    private static Optional<Java> java(String value) {
        Matcher matcher = JAVA.matcher(value);
        return matcher.matches()
                ? major(matcher.group(2)).map(major -> new Java(matcher.group(1), major))
                : Optional.empty();
    }

    private static Optional<String> group(Pattern pattern, String text) {
        Matcher matcher = pattern.matcher(text);
        return matcher.matches() ? Optional.of(matcher.group(1)) : Optional.empty();
    }
}

package io.jenkins.plugins.vastai.machines;

import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;

/** One kind of machine, and what is right to happen on it. Set up once, then only read. */
final class Case {

    /** What happens to a machine that works. */
    enum Works {
        /** Its watchdog is armed: it ends itself when nobody is heard of. */
        AND_ENDS_ITSELF,
        /** It lives as long as the controller wants, and is told to have no working watchdog. */
        UNTIL_RETIRED,
        /** No agent can work there. */
        NOT
    }

    /** @param within counted from the moment that sshd answers */
    record Refusal(Pattern words, Duration within) {}

    final String name;
    final Roots.Base base;
    final Works works;
    final Map<String, String> environment = new HashMap<>();
    String before = "";
    String sshd = "";
    String init = "";
    boolean java = true;
    boolean changesHostKey;
    boolean retired;
    Duration late = Duration.ZERO;
    Optional<Refusal> refusal = Optional.empty();

    Case(String name, Roots.Base base, Works works) {
        this.name = name;
        this.base = base;
        this.works = works;
    }

    /** Shell commands inside the machine before the start script; a failure of one is a failure of the case. */
    Case before(String commands) {
        before = before + commands + "\n";
        return this;
    }

    /** Lines for sshd's configuration, which win over the market's. */
    Case sshd(String lines) {
        sshd = sshd + lines + "\n";
        return this;
    }

    /** The template's own script. */
    Case init(String script) {
        init = script;
        return this;
    }

    /** A variable that the administrator set, which builds must see as it is. */
    Case environment(String name, String value) {
        environment.put(name, value);
        return this;
    }

    Case withoutJava() {
        java = false;
        return this;
    }

    /** sshd shows another key once somebody has logged in. */
    Case changesHostKey() {
        changesHostKey = true;
        return this;
    }

    Case late(Duration late) {
        this.late = late;
        return this;
    }

    /** The controller retires it although it would end itself. */
    Case retired() {
        retired = true;
        return this;
    }

    /** The attempt may end, with these words, so many seconds after sshd answers. */
    Case refused(String words, int seconds) {
        refusal =
                Optional.of(new Refusal(Pattern.compile(words, Pattern.CASE_INSENSITIVE), Duration.ofSeconds(seconds)));
        return this;
    }

    String expected() {
        String working =
                switch (works) {
                    case AND_ENDS_ITSELF -> retired ? "works" : "works, ends itself";
                    case UNTIL_RETIRED -> "works, cannot end itself";
                    case NOT -> "";
                };
        String refused = refusal.map(r -> "refused within " + r.within().toSeconds() + " s: "
                        + r.words().pattern())
                .orElse("");
        return working.isEmpty() || refused.isEmpty() ? working + refused : working + ", or " + refused;
    }
}

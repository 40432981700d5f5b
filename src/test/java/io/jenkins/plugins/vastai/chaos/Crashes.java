package io.jenkins.plugins.vastai.chaos;

import java.util.EnumMap;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.stream.Collectors;

/** When a controller dies, by chance, and how often each kind of death really came. */
final class Crashes {

    /** Between which two side effects. */
    enum Moment {
        /** A create was announced on disk and never sent. */
        CREATE_BEFORE_SEND,
        /** The market made the machine, and nobody read its answer. */
        CREATE_BEFORE_ANSWER,
        /** The answer was read and not yet on disk. */
        CREATE_BEFORE_RECORD,
        DESTROY_BEFORE_SEND,
        DESTROY_BEFORE_ANSWER,
        DESTROY_BEFORE_RECORD,
        /** Before any other call, or after it and before its answer. */
        OTHER_CALL,
        BETWEEN_PASSES
    }

    /** Ends the call; see {@link #dead}: the engine catches whatever is thrown, a process that is gone does not. */
    static final class Crash extends Error {
        private static final long serialVersionUID = 1;
    }

    private final Random random;
    private final Map<Moment, Integer> came = new EnumMap<>(Moment.class);
    private boolean off;
    private boolean dead;

    Crashes(Random random) {
        this.random = random;
    }

    /** From now on nobody dies. */
    void stop() {
        off = true;
    }

    /** Whether this is a moment to die; {@link #die} makes it true. */
    boolean decide(Moment moment) {
        double rate =
                switch (moment) {
                    case OTHER_CALL -> 0.0005;
                    case BETWEEN_PASSES -> 0.001;
                    default -> 0.015;
                };
        return !off && random.nextDouble() < rate;
    }

    Crash die(Moment moment) {
        came.merge(moment, 1, Integer::sum);
        dead = true;
        return new Crash();
    }

    /** Whether the process is gone: no call and no write may follow until {@link #alive}. */
    boolean dead() {
        return dead;
    }

    /** Another process begins. */
    void alive() {
        dead = false;
    }

    /** How often, by moment; those that never came are missing. */
    Map<Moment, Integer> came() {
        return came;
    }

    @Override
    public String toString() {
        return came.entrySet().stream()
                .map(entry -> entry.getKey().name().toLowerCase(Locale.ROOT) + "=" + entry.getValue())
                .collect(Collectors.joining(" "));
    }
}

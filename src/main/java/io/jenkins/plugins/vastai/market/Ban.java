package io.jenkins.plugins.vastai.market;

import java.time.Instant;
import java.util.Objects;

/**
 * A machine or a host that an admin does not want. Unlike a {@link Block}, which is learned from failures, it changes
 * only when an admin says so, or when its time is over.
 *
 * @param kind of what
 * @param id the market's number of the machine or host
 * @param note why, in the admin's words; may be empty
 * @param until first moment at which it may be rented again; null for never
 * @param source who said so: each source (the page, a cloud's configuration) replaces its own bans only
 */
public record Ban(Kind kind, long id, String note, Instant until, String source) {

    /** What is banned. */
    public enum Kind {
        MACHINE,
        /** All machines of one owner. */
        HOST
    }

    public Ban {
        Objects.requireNonNull(kind, "kind");
        Objects.requireNonNull(source, "source");
        note = note == null ? "" : note;
    }

    /** Whether it still counts. */
    public boolean activeAt(Instant now) {
        return until == null || now.isBefore(until);
    }

    /** Whether it counts for this machine now. */
    public boolean hits(long machineId, long hostId, Instant now) {
        return id == (kind == Kind.MACHINE ? machineId : hostId) && activeAt(now);
    }
}

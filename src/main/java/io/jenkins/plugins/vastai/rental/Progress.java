package io.jenkins.plugins.vastai.rental;

import io.jenkins.plugins.vastai.ssh.Probe;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;

/**
 * What the engine remembers of a rental between two passes and may forget at a restart: everything here is found out
 * again, and a deadline that starts anew is one that the record's own deadlines still bound. Engine's thread only.
 */
final class Progress {

    /** A call for the current draw is under way. */
    boolean busy;

    /** Nothing is tried for the current draw before. */
    Instant notBefore = Instant.MIN;

    /** No fit offer since then; null while offers are there. */
    Instant noOfferSince;

    /** The same trouble in reaching the machine, since when. */
    Probe.Outcome trouble;

    Instant troubleSince;

    /** The last {@link Observation#looks look} that was judged. */
    long looked;

    /** First look with a status text that may be fatal, 0 for none. */
    long fatalSeen;

    boolean keyAttached;

    /** The last try was at the direct port alone. */
    boolean knocked;

    Instant workSince;

    /** Absent from lists, host silent, agent away: since when; null while all is well. */
    Instant absentSince;

    int absences;
    long absenceCounted;
    Instant hostOfflineSince;
    Instant agentOfflineSince;

    /** Seen stopped while it served, and as what; null while it is not. */
    Instant stoppedSince;

    String stoppedAs;

    /** Destroys under way and last observation counted, by draw. */
    final Map<Integer, Disposing> disposing = new HashMap<>();

    static final class Disposing {
        boolean busy;
        Instant notBefore = Instant.MIN;
        long counted;
    }

    Disposing disposing(Draw draw) {
        return disposing.computeIfAbsent(draw.number(), number -> new Disposing());
    }

    /** The next moment at which something that was put off may be tried; {@link Instant#MAX} when there is none. */
    Instant due(Instant now) {
        Instant due = notBefore.isAfter(now) ? notBefore : Instant.MAX;
        for (Disposing each : disposing.values()) {
            if (each.notBefore.isAfter(now) && each.notBefore.isBefore(due)) {
                due = each.notBefore;
            }
        }
        return due;
    }

    /** The moment since when this very trouble lasts. */
    Instant trouble(Probe.Outcome what, Instant now) {
        if (what != trouble) {
            trouble = what;
            troubleSince = now;
        }
        return troubleSince;
    }

    boolean troubledBy(Probe.Outcome what) {
        return what == trouble;
    }

    /** Forgets all about the draw that just ended. */
    void nextDraw() {
        busy = false;
        notBefore = Instant.MIN;
        trouble = null;
        troubleSince = null;
        looked = 0;
        fatalSeen = 0;
        keyAttached = false;
        knocked = false;
        workSince = null;
        absentSince = null;
        absences = 0;
        hostOfflineSince = null;
        agentOfflineSince = null;
        stoppedSince = null;
        stoppedAs = null;
    }
}

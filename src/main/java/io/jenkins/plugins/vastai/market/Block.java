package io.jenkins.plugins.vastai.market;

import io.jenkins.plugins.vastai.text.Reason;
import java.time.Instant;

/**
 * A machine that is not to be rented for a while.
 *
 * @param machineId the physical machine: an offer's id changes, this one does not
 * @param hostId its owner; 0 when unknown
 * @param failure kind of fault
 * @param reason what happened, for people
 * @param since when it happened, the last time
 * @param until first moment at which the machine may be rented again
 * @param times how often it failed in a row, 1 at first
 */
public record Block(
        long machineId, long hostId, FailureClass failure, Reason reason, Instant since, Instant until, int times) {

    /** Whether it still counts. */
    public boolean activeAt(Instant now) {
        return now.isBefore(until);
    }
}

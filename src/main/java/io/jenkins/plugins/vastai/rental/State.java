package io.jenkins.plugins.vastai.rental;

/** Where a rental stands. Every state has a deadline or an end; {@link Steps} holds the transitions. */
public enum State {
    /** Wants a machine and has none: searching, or waiting for its turn. */
    ORDERED,
    /** The create call is under way, or its answer was lost and is being settled by the label. */
    RENTING,
    /** The market has a contract for us; the image loads, sshd starts, the machine is made fit. */
    BOOTING,
    /** Everything the agent needs is there: the agent may connect. */
    REACHABLE,
    /** The agent has been online. */
    IN_SERVICE,
    /** No longer needed; its instances are being destroyed until the market shows that they are gone. */
    RETIRING,
    /** Every instance it ever had is seen to be gone. */
    DESTROYED,
    /** As {@link #DESTROYED}, but it never served, or was lost while serving, for the reason in the record. */
    FAILED;

    /** Nothing remains to be done. */
    public boolean ended() {
        return this == DESTROYED || this == FAILED;
    }

    /** On its way to an agent: counts as capacity that is coming. */
    public boolean coming() {
        return this == ORDERED || this == RENTING || this == BOOTING || this == REACHABLE;
    }

    /** The agent may connect or stay connected. */
    public boolean connectable() {
        return this == REACHABLE || this == IN_SERVICE;
    }
}

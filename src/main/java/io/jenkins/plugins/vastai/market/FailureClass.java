package io.jenkins.plugins.vastai.market;

import java.time.Duration;
import java.util.Optional;

/** Whose fault a failed draw was, and how long the machine is left alone for it. */
public enum FailureClass {
    /** Did not get ready in time: a slow pull, a busy host. May be better later. */
    SLOW(Duration.ofHours(6)),
    /** Runs but cannot be reached: ports not forwarded, sshd never came. */
    UNREACHABLE(Duration.ofHours(24)),
    /** The host's container runtime, disk or network failed, or it went offline. */
    HOST_FAULT(Duration.ofDays(3)),
    /** The GPU is not what was ordered, or does not work. */
    HARDWARE(Duration.ofDays(7)),
    /** Our own settings are wrong (image, credentials, start script): no machine is to blame. Never blocks. */
    TEMPLATE(null),
    /** The market's doing: offer gone, throttled, no money. Never blocks. */
    MARKET(null);

    private final Duration blockedFor;

    FailureClass(Duration blockedFor) {
        this.blockedFor = blockedFor;
    }

    /** How long a machine is blocked the first time; empty for a failure that blames no machine. */
    public Optional<Duration> blockedFor() {
        return Optional.ofNullable(blockedFor);
    }
}

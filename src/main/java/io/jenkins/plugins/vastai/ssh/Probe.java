package io.jenkins.plugins.vastai.ssh;

import io.jenkins.plugins.vastai.api.Instance.Endpoint;
import io.jenkins.plugins.vastai.text.Reason;
import java.util.List;
import java.util.Optional;

/**
 * What one look at a machine's SSH found.
 *
 * @param endpoint where; when nothing answered, the endpoint whose result counts
 * @param hostKey shown by the machine: with {@link Outcome#REACHED} the key to pin; empty when it got no further
 * @param attempts every endpoint tried, in order, with its own result
 */
public record Probe(
        Outcome outcome, Endpoint endpoint, Optional<HostKey> hostKey, Reason reason, List<Attempt> attempts) {

    public Probe {
        attempts = List.copyOf(attempts);
    }

    public boolean reached() {
        return outcome == Outcome.REACHED;
    }

    /** In the order in which the results of several endpoints outrank each other. */
    public enum Outcome {
        /** Logged in and {@code exit 0} said nothing. */
        REACHED,
        /** Another key than the pinned one: somebody else answers there. Never go on with this machine. */
        HOST_KEY_CHANGED,
        /**
         * Nothing that waiting mends: the login greets although the start script has silenced what it can, or the two sides
         * have no algorithm in common.
         */
        UNFIT,
        /** Logged in, but {@code exit 0} wrote something: SSH Build Agents' launcher would give up. */
        NOISY,
        /**
         * Logged in, but commands are not run: a forced command, or a login shell that runs none. For a moment after boot a
         * start file that opens tmux looks the same.
         */
        NO_COMMANDS,
        /** Our key is not (yet) there: attach it again; for about three minutes after boot this is normal. */
        AUTH_REFUSED,
        /** Nobody listens, or hung up before SSH began: sshd is not up yet; normal for some 90 s after boot. */
        REFUSED,
        /** No answer at all: a firewall, or a machine that is broken. */
        TIMED_OUT,
        /** Something else; the reason says what. */
        BROKEN
    }

    public record Attempt(Endpoint endpoint, Outcome outcome, Reason reason) {}
}

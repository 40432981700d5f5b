package io.jenkins.plugins.vastai.ssh;

import io.jenkins.plugins.vastai.text.Reason;

/** What this package has to say. The sentences are in {@code Texts.properties}. */
public enum SshText implements Reason.Kind {
    /** endpoint, fingerprint */
    REACHED,
    /** endpoint */
    REFUSED,
    /** endpoint, seconds */
    TIMED_OUT,
    /** endpoint, user */
    AUTH_REFUSED,
    /** endpoint, pinned fingerprint, shown fingerprint or key types */
    HOST_KEY_CHANGED,
    /** endpoint, which stream, the bytes */
    NOISY,
    /** endpoint, what */
    BROKEN,
    /** endpoint, what the system says */
    UNREACHABLE,
    /** host */
    UNKNOWN_HOST,
    /** endpoint, exit status */
    SHELL_FAILED
}

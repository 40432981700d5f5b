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
    /** endpoint, the bytes */
    NO_COMMANDS,
    /** endpoint, of what, the machine's, ours */
    NO_COMMON_ALGORITHM,
    /** complaint */
    NOTHING_WRITABLE,
    BASH_MISSING,
    /** endpoint, what */
    BROKEN,
    /** endpoint, what the system says */
    UNREACHABLE,
    /** host */
    UNKNOWN_HOST,
    /** endpoint, exit status */
    SHELL_FAILED,
    /** directory, free GB, wanted GB */
    DISK_TOO_SMALL,
    /** version */
    GIT_FOUND,
    GIT_MISSING,
    /** list, driver version */
    GPUS,
    /** exit status, what nvidia-smi said */
    GPU_BROKEN,
    /** exit status */
    INIT_FAILED,
    /** how far */
    JAVA_BEING_INSTALLED,
    /** from where, major */
    JAVA_BROUGHT,
    /** from where, complaint */
    JAVA_DOES_NOT_RUN,
    /** path, major */
    JAVA_FOUND,
    /** address, major */
    JAVA_LOADED,
    /** address, complaint */
    JAVA_NOT_LOADED_THERE,
    /** major, platform */
    JAVA_NOT_BROUGHT,
    /** address and failure */
    JAVA_NOT_LOADED,
    /** address, checksum, expected checksum */
    JAVA_CHECKSUM,
    /** path, major, wanted */
    JAVA_TOO_OLD,
    JAVA_VANISHED,
    NVIDIA_SMI_MISSING,
    /** machine */
    PLATFORM_UNKNOWN,
    SCRIPT_NOT_BEGUN,
    SCRIPT_RUNNING,
    SCRIPT_UNFINISHED,
    /** exit status, complaint */
    SHELL_UNUSABLE,
    /** program */
    WATCHDOG_ARMED,
    WATCHDOG_MISSING,
    WATCHDOG_NO_KEY,
    WATCHDOG_NO_WAY,
    /** directory, complaint */
    WORK_DIRECTORY_UNUSABLE,
    /** ordered, found */
    WRONG_GPU
}

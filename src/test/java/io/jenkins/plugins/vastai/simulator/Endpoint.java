package io.jenkins.plugins.vastai.simulator;

import java.time.Duration;

/**
 * The calls that the simulator answers. Spacing is the published minimum between two calls of one identity; the scope is
 * what an API key needs. Source: the published description, {@code x-rate-limit} and the permission table.
 */
public enum Endpoint {
    SEARCH(0, ""),
    CREATE(4.5, "instance_write"),
    LIST(1, "instance_read"),
    OLD_LIST(1, "instance_read"),
    SHOW(2, "instance_read"),
    MANAGE(1, "instance_write"),
    DESTROY(3, "instance_write"),
    REBOOT(1, "instance_write"),
    RECYCLE(1, "instance_write"),
    CHANGE_BID(5.5, "instance_write"),
    REQUEST_LOGS(0, "instance_read"),
    LOG_FILE(0, ""),
    INSTANCE_KEYS(0, "instance_read"),
    ATTACH_KEY(0, "instance_write"),
    DETACH_KEY(2, "instance_write"),
    ACCOUNT_KEYS(0, "user_read"),
    ADD_ACCOUNT_KEY(1, "user_write"),
    CHANGE_ACCOUNT_KEY(1, "user_write"),
    DELETE_ACCOUNT_KEY(0, "user_write"),
    USER(0, "user_read"),
    API_KEYS(1, "user_read"),
    CHARGES(1, "billing_read"),
    GPU_NAMES(0, ""),
    GPU_TYPES(0, ""),
    /** Anything else: answered with 404. */
    UNKNOWN(0, "");

    /** A search needs no key; one that comes with it must have this permission. */
    static final String SEARCH_SCOPE = "misc";

    private final Duration spacing;
    private final String scope;

    Endpoint(double seconds, String scope) {
        this.spacing = Duration.ofMillis(Math.round(seconds * 1000));
        this.scope = scope;
    }

    /** Least time between two calls; zero where none is published. Search has ten calls a minute instead. */
    public Duration spacing() {
        return spacing;
    }

    /** Permission that the key needs; empty where no key is needed. */
    public String scope() {
        return scope;
    }
}

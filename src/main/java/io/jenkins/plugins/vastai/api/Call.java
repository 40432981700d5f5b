package io.jenkins.plugins.vastai.api;

import java.time.Duration;

/**
 * The calls that the client makes, each of which the market paces on its own. Intervals: the published thresholds,
 * docs/market.md, Calls and pacing; the market may change them, so they are a minimum, not a promise.
 */
public enum Call {
    CURRENT_USER("GET", "api/v0/users/current/", 1000, "user_read"),
    /** Published as ten in a minute. */
    SEARCH("POST", "api/v0/bundles/", 6000, "misc"),
    CREATE("PUT", "api/v0/asks/{id}/", 4500, "instance_write"),
    LIST("GET", "api/v1/instances/", 1000, "instance_read"),
    SHOW("GET", "api/v0/instances/{id}/", 2000, "instance_read"),
    DESTROY("DELETE", "api/v0/instances/{id}/", 3000, "instance_write"),
    LABEL("PUT", "api/v0/instances/{id}/", 1000, "instance_write"),
    REBOOT("PUT", "api/v0/instances/reboot/{id}/", 1000, "instance_write"),
    ATTACH_KEY("POST", "api/v0/instances/{id}/ssh/", 2000, "instance_write"),
    INSTANCE_KEYS("GET", "api/v0/instances/{id}/ssh/", 2000, "instance_read"),
    REQUEST_LOGS("PUT", "api/v0/instances/request_logs/{id}/", 2000, "instance_read"),
    ACCOUNT_KEYS("GET", "api/v0/ssh/", 1000, "user_read"),
    ADD_ACCOUNT_KEY("POST", "api/v0/ssh/", 1000, "user_write"),
    CHARGES("GET", "api/v0/charges/", 1000, "billing_read"),
    /** Needs no key. */
    GPU_NAMES("GET", "api/v0/gpu_names/unique/", 1000, "");

    private static final Duration CREATE_PENALTY = Duration.ofSeconds(12);
    private static final int SEARCHES = 10;

    private final String method;
    private final String path;
    private final Duration interval;
    private final String scope;

    Call(String method, String path, long intervalMillis, String scope) {
        this.method = method;
        this.path = path;
        this.interval = Duration.ofMillis(intervalMillis);
        this.scope = scope;
    }

    /** The HTTP method. */
    public String method() {
        return method;
    }

    /** Path below the market's address, with {@code {id}} where a number belongs; the slash at its end is needed. */
    public String path() {
        return path;
    }

    /** How many may follow each other at once, within as many {@link #interval intervals}. */
    public int burst() {
        return this == SEARCH ? SEARCHES : 1;
    }

    /** Shortest time between two of these calls with one key, on average over a {@link #burst}. */
    public Duration interval() {
        return interval;
    }

    /** Shortest pause after the market has said "too frequent": create is punished with twelve seconds. */
    public Duration penalty() {
        return this == CREATE ? CREATE_PENALTY : interval;
    }

    /** The permission that the key needs; empty where none. */
    public String scope() {
        return scope;
    }

    /** Whether sending it twice does the same as sending it once. */
    boolean repeatable() {
        return this != CREATE && this != ADD_ACCOUNT_KEY;
    }

    /** Method and path, as the published description names the operation. */
    @Override
    public String toString() {
        return method + " /" + path;
    }
}

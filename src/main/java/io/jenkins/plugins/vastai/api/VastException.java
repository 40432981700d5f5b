package io.jenkins.plugins.vastai.api;

import edu.umd.cs.findbugs.annotations.CheckForNull;
import io.jenkins.plugins.vastai.text.Reason;
import io.jenkins.plugins.vastai.text.Texts;
import java.io.IOException;
import java.time.Duration;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * A call to the market that did not do what was asked. {@link #kind()} is what a program switches on, {@link #reason()}
 * what a person reads. Holds no secret: what the market said is shortened and redacted.
 */
public final class VastException extends IOException {

    private static final long serialVersionUID = 1;

    /** What a caller can do about it; source: docs/market.md, Answers. */
    public enum Kind {
        /** The offer is taken, withdrawn or not for us: try another. */
        OFFER_GONE,
        /** No credit, no payment method, or the account's spending limit: nothing can be rented for now. */
        NO_MONEY,
        /** No key, or one that the market does not know. */
        BAD_KEY,
        /** The key is known but lacks a permission. */
        MISSING_PERMISSION,
        /** The account wants a second factor, which a program cannot give. */
        TWO_FACTOR,
        /** The key belongs to a team, which cannot have SSH keys. */
        TEAM_KEY,
        /** The market refuses the content of the request; sending it again is no use. */
        BAD_REQUEST,
        /** A virtual machine needs an SSH key on the account before it is created. */
        NO_SSH_KEY_FOR_VM,
        /** Too many requests, by the market's count or by our own pacing. */
        THROTTLED,
        /** The instance does not exist any more. */
        GONE,
        /** The market answers that it cannot serve the request now (5xx and the like). */
        UNAVAILABLE,
        /** No answer: no connection, connection lost, time-out. */
        UNREACHABLE,
        /** An answer that is not what the market is known to send; proves nothing. */
        UNREADABLE
    }

    private final Kind kind;
    private final transient Reason reason;
    private final int status;
    private final boolean mayHaveTakenEffect;
    private final long createdInstance;
    private final String permission;

    @CheckForNull
    private final Duration retryAfter;

    private VastException(Builder builder) {
        super(Texts.render(builder.reason), builder.cause);
        this.kind = builder.kind;
        this.reason = builder.reason;
        this.status = builder.status;
        this.mayHaveTakenEffect = builder.mayHaveTakenEffect || builder.createdInstance > 0;
        this.createdInstance = builder.createdInstance;
        this.permission = builder.permission;
        this.retryAfter = builder.retryAfter;
    }

    /** For implementations of {@link Pacing} and for simulated markets. */
    public static Builder of(Kind kind, Reason reason) {
        return new Builder(kind, reason);
    }

    public Kind kind() {
        return kind;
    }

    public Reason reason() {
        return reason;
    }

    /** HTTP status of the answer; 0 if there was none. */
    public int status() {
        return status;
    }

    /**
     * Whether the market may have done what was asked in spite of the failure: the request went out, and the answer was
     * lost, was a 5xx or could not be understood. After a create this has to be settled by looking for the label.
     */
    public boolean mayHaveTakenEffect() {
        return mayHaveTakenEffect;
    }

    /** The instance that a failed create nevertheless reports to have made; it costs money and must be destroyed. */
    public OptionalLong createdInstance() {
        return createdInstance > 0 ? OptionalLong.of(createdInstance) : OptionalLong.empty();
    }

    /** The permission that the refused call needs; empty if the market itself did not refuse it, or it needs none. */
    public String permission() {
        return permission;
    }

    /** The pause that the market asks for; empty if it does not say. */
    public Optional<Duration> retryAfter() {
        return Optional.ofNullable(retryAfter);
    }

    /** Builds the exception; everything but kind and reason is optional. */
    public static final class Builder {
        private final Kind kind;
        private final Reason reason;
        private int status;
        private boolean mayHaveTakenEffect;
        private long createdInstance;
        private String permission = "";
        private Duration retryAfter;
        private Throwable cause;

        private Builder(Kind kind, Reason reason) {
            this.kind = kind;
            this.reason = reason;
        }

        public Builder status(int httpStatus) {
            this.status = httpStatus;
            return this;
        }

        public Builder mayHaveTakenEffect(boolean may) {
            this.mayHaveTakenEffect = may;
            return this;
        }

        /** @param instanceId 0 for none */
        public Builder createdInstance(long instanceId) {
            this.createdInstance = instanceId;
            return this;
        }

        /** @param scope as {@link Call#scope()} */
        public Builder permission(String scope) {
            this.permission = scope;
            return this;
        }

        /** @param pause null if not stated */
        public Builder retryAfter(@CheckForNull Duration pause) {
            this.retryAfter = pause;
            return this;
        }

        public Builder cause(Throwable why) {
            this.cause = why;
            return this;
        }

        public VastException build() {
            return new VastException(this);
        }
    }
}

package io.jenkins.plugins.vastai.simulator;

import java.time.Duration;
import java.util.Objects;
import java.util.Optional;

/**
 * Something that goes wrong, where, and how often. Immutable: each method returns a narrower or changed fault. Without
 * any limit a fault hits everything, always. Add it with {@link Faults#add}.
 *
 * @param kind what goes wrong
 * @param endpoint only this call; for kinds of {@link Scope#CALL}
 * @param offer only this offer
 * @param machine only instances and offers of this machine
 * @param instance only this instance
 * @param label only instances whose label begins so
 * @param rate share of the matching occasions, 0 to 1
 * @param times how many hits until it is used up
 * @param status HTTP status where the kind has a choice (410, 502 ...); 0 = the kind's usual one
 * @param delay where the kind has one (late, slow, held back)
 * @param text where the kind has one (status message, error body)
 */
public record Fault(
        Kind kind,
        Optional<Endpoint> endpoint,
        Optional<Long> offer,
        Optional<Long> machine,
        Optional<Long> instance,
        Optional<String> label,
        double rate,
        long times,
        int status,
        Optional<Duration> delay,
        Optional<String> text) {

    /** When a fault is decided. */
    public enum Scope {
        /** At each HTTP call. */
        CALL,
        /** Once per instance, at its creation; rules added later for the instance count from then on. */
        INSTANCE
    }

    /** What can go wrong. */
    public enum Kind {
        /** Create answers no_such_ask; status 404 (usual), 410, 400 or 409. The offer leaves the market. */
        OFFER_GONE(Scope.CALL),
        /** Create answers insufficient_credit. */
        NO_CREDIT(Scope.CALL),
        /** Create answers spend_rate_limit. */
        SPEND_LIMIT(Scope.CALL),
        /** Create answers an error that carries new_contract; the contract exists, stopped. */
        BID_TOO_LOW(Scope.CALL),
        /** 429 without Retry-After, its three bodies in turn. */
        THROTTLED(Scope.CALL),
        /** 5xx: status 500 (usual, JSON) or 502, 503, 504 (HTML); no effect. */
        SERVER_ERROR(Scope.CALL),
        /** 5xx although the call took effect. */
        SERVER_ERROR_AFTER(Scope.CALL),
        /** No effect, no answer for the delay (60 s), then the connection is cut. */
        TIMEOUT_BEFORE(Scope.CALL),
        /** The call takes effect, no answer for the delay (60 s), then the connection is cut. */
        TIMEOUT_AFTER(Scope.CALL),
        /** The call takes effect, the connection is cut instead of an answer. */
        LOST_ANSWER(Scope.CALL),
        /** The connection is cut without effect. */
        CONNECTION_CUT(Scope.CALL),
        /** The answer comes after the delay (1 s). */
        SLOW_ANSWER(Scope.CALL),
        /** 200 with a body that is no JSON (text). */
        NOT_JSON(Scope.CALL),
        /** The key is refused: 401 auth_error, or status 404. */
        KEY_REFUSED(Scope.CALL),
        /** Search applies none of the filters, only its own defaults. */
        FILTERS_IGNORED(Scope.CALL),
        /** The list says success, no instances. */
        EMPTY_LIST(Scope.CALL),
        /** The list says success:true, total 0, instances null. */
        NULL_LIST(Scope.CALL),
        /** The list has lost its last rows and its next_token; total_instances still tells the truth. */
        TRUNCATED_LIST(Scope.CALL),
        /** The first page of the list is fine, every later one fails with the status (500). */
        FAILING_PAGE_2(Scope.CALL),
        /** Destroy says success and does nothing. */
        DESTROY_IGNORED(Scope.CALL),
        /** Destroy says success, the instance leaves the list and is back after the delay (1 s), billed on. */
        DESTROY_RESURRECTS(Scope.CALL),

        /** The contract never shows up in list or show; billed all the same. */
        PHANTOM(Scope.INSTANCE),
        /** The contract shows up in list and show only after the delay (10 min); billed and running all the same. */
        UNLISTED(Scope.INSTANCE),
        /** Loading for ever. */
        STUCK_LOADING(Scope.INSTANCE),
        /** Loading (or created, for OCI errors) with the text as status_msg, for ever. */
        FATAL_STATUS(Scope.INSTANCE),
        /** exited while booting; text is the status_msg. */
        EXITED_IN_BOOT(Scope.INSTANCE),
        /** intended_status stopped while loading: will never run. */
        DOOMED(Scope.INSTANCE),
        /** The host is offline from the boot on, or after the delay from running. */
        HOST_OFFLINE(Scope.INSTANCE),
        /** Ports stay null; the proxy works. */
        NO_PORTS(Scope.INSTANCE),
        /** sshd opens its ports only after the delay (30 s) from running. */
        SSHD_LATE(Scope.INSTANCE),
        /** Nothing listens on the SSH ports. */
        SSH_REFUSES(Scope.INSTANCE),
        /** The SSH ports accept connections and stay silent. */
        SSH_HANGS(Scope.INSTANCE),
        /** Direct port refuses, proxy works. */
        PROXY_ONLY(Scope.INSTANCE),
        /** Proxy refuses, direct port works. */
        DIRECT_ONLY(Scope.INSTANCE),
        /** No key is accepted until one is attached (again) after running. */
        KEYS_REFUSED_UNTIL_ATTACHED(Scope.INSTANCE),
        /** No key is ever accepted. */
        KEYS_REFUSED(Scope.INSTANCE),
        /** Another host key from the second connection on. */
        HOST_KEY_CHANGES(Scope.INSTANCE),
        /** No Java in the image, and apt-get cannot bring it. */
        NO_JAVA(Scope.INSTANCE),
        /** No git in the image, and apt-get cannot bring it. */
        NO_GIT(Scope.INSTANCE),
        /** nvidia-smi reports another GPU; text is its name. */
        WRONG_GPU(Scope.INSTANCE),
        /** nvidia-smi fails. */
        BROKEN_GPU(Scope.INSTANCE),
        /** The machine's .bashrc prints text on stdout. */
        NOISY_SHELL(Scope.INSTANCE),
        /** A greeting on stderr at every command. */
        GREETING_STDERR(Scope.INSTANCE),
        /** A greeting as banner before authentication. */
        GREETING_BANNER(Scope.INSTANCE);

        private final Scope scope;

        Kind(Scope scope) {
            this.scope = scope;
        }

        public Scope scope() {
            return scope;
        }
    }

    public Fault {
        Objects.requireNonNull(kind);
        if (rate < 0 || rate > 1 || times < 1) {
            throw new IllegalArgumentException("rate must be 0 to 1 and times at least 1: " + rate + ", " + times);
        }
    }

    /** Everywhere and always. */
    public static Fault of(Kind kind) {
        return new Fault(
                kind,
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                1,
                Long.MAX_VALUE,
                0,
                Optional.empty(),
                Optional.empty());
    }

    public Fault endpoint(Endpoint only) {
        return new Fault(kind, Optional.of(only), offer, machine, instance, label, rate, times, status, delay, text);
    }

    public Fault offer(long id) {
        return new Fault(kind, endpoint, Optional.of(id), machine, instance, label, rate, times, status, delay, text);
    }

    public Fault machine(long id) {
        return new Fault(kind, endpoint, offer, Optional.of(id), instance, label, rate, times, status, delay, text);
    }

    public Fault instance(long id) {
        return new Fault(kind, endpoint, offer, machine, Optional.of(id), label, rate, times, status, delay, text);
    }

    public Fault label(String prefix) {
        return new Fault(
                kind, endpoint, offer, machine, instance, Optional.of(prefix), rate, times, status, delay, text);
    }

    public Fault rate(double share) {
        return new Fault(kind, endpoint, offer, machine, instance, label, share, times, status, delay, text);
    }

    public Fault times(long hits) {
        return new Fault(kind, endpoint, offer, machine, instance, label, rate, hits, status, delay, text);
    }

    public Fault once() {
        return times(1);
    }

    public Fault status(int code) {
        return new Fault(kind, endpoint, offer, machine, instance, label, rate, times, code, delay, text);
    }

    public Fault delay(Duration time) {
        return new Fault(kind, endpoint, offer, machine, instance, label, rate, times, status, Optional.of(time), text);
    }

    public Fault text(String words) {
        return new Fault(
                kind, endpoint, offer, machine, instance, label, rate, times, status, delay, Optional.of(words));
    }
}

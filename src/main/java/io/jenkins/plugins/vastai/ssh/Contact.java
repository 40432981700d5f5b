package io.jenkins.plugins.vastai.ssh;

import io.jenkins.plugins.vastai.api.Instance.Endpoint;
import io.jenkins.plugins.vastai.text.Reason;
import java.net.ConnectException;
import java.net.InetSocketAddress;
import java.net.NoRouteToHostException;
import java.net.SocketAddress;
import java.net.UnknownHostException;
import java.security.PublicKey;
import java.time.Duration;
import java.util.Arrays;
import java.util.Collections;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeoutException;
import java.util.stream.Stream;
import org.apache.sshd.client.keyverifier.ServerKeyVerifier;
import org.apache.sshd.client.session.ClientSession;
import org.apache.sshd.common.AttributeRepository;
import org.apache.sshd.common.NamedFactory;
import org.apache.sshd.common.SshConstants;
import org.apache.sshd.common.SshException;
import org.apache.sshd.common.kex.KexProposalOption;
import org.apache.sshd.common.session.Session;
import org.apache.sshd.common.session.SessionListener;
import org.apache.sshd.common.signature.BuiltinSignatures;
import org.apache.sshd.common.signature.Signature;

/** One try to talk to one endpoint: what it may accept, what it has seen, and what a failure of it means. */
final class Contact {

    static final AttributeRepository.AttributeKey<Contact> KEY = new AttributeRepository.AttributeKey<>();

    /** Best first: the order in which a key to pin is preferred at first contact. */
    private static final List<BuiltinSignatures> FIRST_CONTACT = List.of(
            BuiltinSignatures.ed25519,
            BuiltinSignatures.nistp256,
            BuiltinSignatures.nistp384,
            BuiltinSignatures.nistp521,
            BuiltinSignatures.rsaSHA512,
            BuiltinSignatures.rsaSHA256);

    final Endpoint endpoint;
    final String user;
    final SshKeyPair key;
    private final Optional<HostKey> pin;
    private final Duration timeout;
    private volatile HostKey shown;
    private volatile String changedTo;
    private volatile Reason incompatible;
    private volatile boolean greeted;

    Contact(Endpoint endpoint, String user, SshKeyPair key, Optional<HostKey> pin, Duration timeout) {
        this.endpoint = endpoint;
        this.user = user;
        this.key = key;
        this.pin = pin;
        this.timeout = timeout;
    }

    /** The key that the machine proved to hold; empty before the key exchange. */
    Optional<HostKey> shown() {
        return Optional.ofNullable(shown);
    }

    Duration timeout() {
        return timeout;
    }

    /** Goes on with the login of an earlier contact, if that was to the machine and as the user that this one wants. */
    boolean takesOver(ClientSession session) {
        Contact before = Gate.of(session);
        boolean same = before != null
                && pin.isPresent()
                && pin.equals(before.shown())
                && user.equals(before.user)
                && key.publicLine().equals(before.key.publicLine());
        if (same) {
            shown = before.shown;
            greeted = true;
        }
        return same;
    }

    static List<NamedFactory<Signature>> signatures() {
        return supported(FIRST_CONTACT.stream());
    }

    private List<NamedFactory<Signature>> acceptedSignatures() {
        return supported(FIRST_CONTACT.stream()
                .filter(known -> pin.isEmpty() || pin.get().algorithms().contains(known.getName())));
    }

    private static List<NamedFactory<Signature>> supported(Stream<BuiltinSignatures> wanted) {
        return wanted.filter(BuiltinSignatures::isSupported)
                .<NamedFactory<Signature>>map(known -> known)
                .toList();
    }

    private boolean accept(PublicKey serverKey) {
        HostKey offered = HostKey.of(serverKey);
        if (pin.isPresent() && !pin.get().equals(offered)) {
            changedTo = offered.fingerprint();
            return false;
        }
        shown = offered;
        return true;
    }

    /** What a failure of this contact means. Never quotes what could hold a secret of ours. */
    Failure failure(Throwable thrown) {
        Throwable cause = thrown;
        while (cause instanceof CompletionException && cause.getCause() != null) {
            cause = cause.getCause();
        }
        if (cause instanceof Failure known) {
            return known;
        }
        if (changedTo != null) {
            return new Failure(
                    Probe.Outcome.HOST_KEY_CHANGED,
                    SshText.HOST_KEY_CHANGED.of(
                            endpoint, pin.map(HostKey::fingerprint).orElse("?"), changedTo));
        }
        if (incompatible != null) {
            return new Failure(Probe.Outcome.UNFIT, incompatible);
        }
        if (cause instanceof TimeoutException) {
            return new Failure(Probe.Outcome.TIMED_OUT, SshText.TIMED_OUT.of(endpoint, timeout.toSeconds()));
        }
        Throwable network = find(cause, NoRouteToHostException.class)
                .or(() -> find(thrown, ConnectException.class))
                .orElse(null);
        if (network instanceof NoRouteToHostException || (network != null && says(network, "timed out"))) {
            return new Failure(
                    Probe.Outcome.TIMED_OUT, SshText.UNREACHABLE.of(endpoint, RemoteText.clean(network.getMessage())));
        }
        if (network != null && says(network, "refused")) {
            return new Failure(Probe.Outcome.REFUSED, SshText.REFUSED.of(endpoint));
        }
        if (find(cause, UnknownHostException.class).isPresent()) {
            return new Failure(Probe.Outcome.BROKEN, SshText.UNKNOWN_HOST.of(endpoint.host()));
        }
        Optional<Throwable> ssh = find(cause, SshException.class);
        int code = ssh.map(e -> ((SshException) e).getDisconnectCode()).orElse(0);
        if (network == null && !greeted && code != SshConstants.SSH2_DISCONNECT_PROTOCOL_VERSION_NOT_SUPPORTED) {
            // A port forwarding without sshd behind it accepts and hangs up; so does an sshd that is just starting.
            return new Failure(Probe.Outcome.REFUSED, SshText.REFUSED.of(endpoint));
        }
        if (shown != null && code == SshConstants.SSH2_DISCONNECT_NO_MORE_AUTH_METHODS_AVAILABLE) {
            return new Failure(Probe.Outcome.AUTH_REFUSED, SshText.AUTH_REFUSED.of(endpoint, user));
        }
        String what = cause.getMessage() == null ? cause.getClass().getSimpleName() : cause.getMessage();
        return new Failure(Probe.Outcome.BROKEN, SshText.BROKEN.of(endpoint, RemoteText.clean(what)));
    }

    private static boolean says(Throwable thrown, String word) {
        return thrown.getMessage() != null && thrown.getMessage().contains(word);
    }

    private static Optional<Throwable> find(Throwable thrown, Class<? extends Throwable> type) {
        return Stream.iterate(thrown, t -> t != null, Throwable::getCause)
                .limit(10)
                .filter(type::isInstance)
                .findFirst();
    }

    /** A result other than success; carries no stack, it is an answer. */
    static final class Failure extends Exception {
        private static final long serialVersionUID = 1;
        final transient Probe.Outcome outcome;
        final transient Reason reason;

        Failure(Probe.Outcome outcome, Reason reason) {
            super(reason.key(), null, false, false);
            this.outcome = outcome;
            this.reason = reason;
        }
    }

    /** Lets the one client serve many contacts: finds the contact of a session and asks it. */
    static final class Gate implements SessionListener, ServerKeyVerifier {

        /** What the sides must agree on; a cipher may bring its own check of messages. */
        private static final Set<KexProposalOption> NEEDED = EnumSet.of(
                KexProposalOption.ALGORITHMS,
                KexProposalOption.SERVERKEYS,
                KexProposalOption.C2SENC,
                KexProposalOption.S2CENC);

        @Override
        public boolean verifyServerKey(ClientSession session, SocketAddress remote, PublicKey serverKey) {
            Contact contact = of(session);
            return contact != null && contact.accept(serverKey);
        }

        /** Runs before our key exchange proposal is sent: a pin allows only its own kind of key. */
        @Override
        public void sessionCreated(Session session) {
            Contact contact = of(session);
            if (contact != null) {
                session.setSignatureFactories(contact.acceptedSignatures());
            }
        }

        @Override
        public void sessionPeerIdentificationLine(Session session, String line, List<String> extraLines) {
            sessionPeerIdentificationReceived(session, line, extraLines);
        }

        @Override
        public void sessionPeerIdentificationReceived(Session session, String version, List<String> extraLines) {
            Contact contact = of(session);
            if (contact != null) {
                contact.greeted = true;
            }
        }

        @Override
        public void sessionNegotiationStart(
                Session session, Map<KexProposalOption, String> ours, Map<KexProposalOption, String> theirs) {
            Contact contact = of(session);
            String types = theirs.get(KexProposalOption.SERVERKEYS);
            if (contact == null) {
                return;
            }
            // A server that no longer has a key of the pinned type is another server, not a failed negotiation.
            if (contact.pin.isPresent()
                    && types != null
                    && disjoint(types, String.join(",", contact.pin.get().algorithms()))) {
                contact.changedTo = RemoteText.clean(types);
                return;
            }
            for (KexProposalOption option : NEEDED) {
                String wanted = ours.get(option);
                String offered = theirs.get(option);
                if (wanted != null && offered != null && disjoint(offered, wanted)) {
                    contact.incompatible = SshText.NO_COMMON_ALGORITHM.of(
                            contact.endpoint,
                            option.getDescription(),
                            RemoteText.clean(offered),
                            RemoteText.clean(wanted));
                }
            }
        }

        private static boolean disjoint(String one, String other) {
            return Collections.disjoint(Arrays.asList(one.split(",")), Arrays.asList(other.split(",")));
        }

        private static Contact of(Session session) {
            AttributeRepository context =
                    session instanceof ClientSession client ? client.getConnectionContext() : null;
            return context == null ? null : context.getAttribute(KEY);
        }
    }

    static boolean literal(String host) {
        return host.indexOf(':') >= 0 || host.matches("[0-9.]+");
    }

    static InetSocketAddress resolve(Endpoint endpoint) {
        InetSocketAddress address = new InetSocketAddress(endpoint.host(), endpoint.port());
        if (address.isUnresolved()) {
            throw new CompletionException(new UnknownHostException(endpoint.host()));
        }
        return address;
    }
}

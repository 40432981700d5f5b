package io.jenkins.plugins.vastai.ssh;

import io.jenkins.plugins.vastai.api.Instance.Endpoint;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.apache.sshd.client.SshClient;
import org.apache.sshd.client.auth.pubkey.UserAuthPublicKeyFactory;
import org.apache.sshd.client.channel.ChannelExec;
import org.apache.sshd.client.config.hosts.HostConfigEntryResolver;
import org.apache.sshd.client.future.ConnectFuture;
import org.apache.sshd.client.session.ClientSession;
import org.apache.sshd.common.AttributeRepository;
import org.apache.sshd.common.io.nio2.Nio2ServiceFactoryFactory;
import org.apache.sshd.common.keyprovider.KeyIdentityProvider;
import org.apache.sshd.common.util.threads.NoCloseExecutor;
import org.apache.sshd.core.CoreModuleProperties;
import org.apache.sshd.server.forward.RejectAllForwardingFilter;

/**
 * The plugin's one SSH client. A machine that is being waited for holds a socket at most, never a thread; the few
 * threads are daemons. Thread-safe. Make one per process and close it.
 */
public final class SshReach implements AutoCloseable {

    private static final Logger LOGGER = Logger.getLogger(SshReach.class.getName());

    /** Deliveries of Java at the same time; further ones queue. Each holds a thread while it sends. */
    private static final int UPLOADS = 3;

    /** How long a login that succeeded waits for more work, before it hangs up. A new one takes five trips there and back. */
    private static final Duration KEPT_OPEN = Duration.ofSeconds(3);

    private final SshClient client;
    private final ExecutorService io;
    private final ScheduledExecutorService timer;
    /** Name look-ups block, and the JDK has no other. Most endpoints are plain addresses and need none. */
    private final ExecutorService names;

    private final ExecutorService uploads;

    /** Logins that a probe left open for what comes next, which is a matter of milliseconds. */
    private final Map<Endpoint, ClientSession> open = new ConcurrentHashMap<>();

    private SshReach() {
        io = Executors.newFixedThreadPool(2, threads("io"));
        timer = Executors.newSingleThreadScheduledExecutor(threads("timer"));
        names = pool(2, "names");
        uploads = pool(UPLOADS, "upload");
        Contact.Gate gate = new Contact.Gate();
        client = SshClient.setUpDefaultClient();
        client.setIoServiceFactoryFactory(new Nio2ServiceFactoryFactory(() -> new NoCloseExecutor(io)));
        client.setScheduledExecutorService(timer, false);
        // Nothing of the account that the controller runs under may play a part: no ~/.ssh, no agent.
        client.setHostConfigEntryResolver(HostConfigEntryResolver.EMPTY);
        client.setKeyIdentityProvider(KeyIdentityProvider.EMPTY_KEYS_PROVIDER);
        client.setAgentFactory(null);
        client.setUserAuthFactories(List.of(new UserAuthPublicKeyFactory(Contact.signatures())));
        client.setForwardingFilter(RejectAllForwardingFilter.INSTANCE);
        client.setServerKeyVerifier(gate);
        client.addSessionListener(gate);
        CoreModuleProperties.IDLE_TIMEOUT.set(client, Duration.ofMinutes(10));
        client.start();
    }

    public static SshReach start() {
        return new SshReach();
    }

    /**
     * Tries the endpoints one after the other until one is reached. Never fails exceptionally.
     *
     * @param endpoints direct first, proxy second; leave the proxy out while it should not be used yet; not empty
     * @param pin from an earlier contact; without one, the first key shown (ed25519, else ecdsa, else rsa) is trusted and
     *     returned
     * @param timeout for each endpoint, from connecting to the end of {@code exit 0}
     */
    public CompletableFuture<Probe> probeAsync(
            List<Endpoint> endpoints, String user, SshKeyPair key, Optional<HostKey> pin, Duration timeout) {
        if (endpoints.isEmpty()) {
            throw new IllegalArgumentException("no endpoint to probe");
        }
        List<Contact> contacts = endpoints.stream()
                .map(endpoint -> new Contact(endpoint, user, key, pin, timeout))
                .toList();
        return probeFrom(0, contacts, new ArrayList<>());
    }

    /** {@link #probeAsync}, waiting; returns at the latest after the time-outs of all endpoints. */
    public Probe probe(List<Endpoint> endpoints, String user, SshKeyPair key, Optional<HostKey> pin, Duration timeout) {
        return probeAsync(endpoints, user, key, pin, timeout).join();
    }

    private CompletableFuture<Probe> probeFrom(int index, List<Contact> contacts, List<Probe> before) {
        return probeOne(contacts.get(index)).thenCompose(probe -> {
            before.add(probe);
            if (probe.reached() || index + 1 == contacts.size()) {
                return CompletableFuture.completedFuture(summary(before));
            }
            return probeFrom(index + 1, contacts, before);
        });
    }

    private CompletableFuture<Probe> probeOne(Contact contact) {
        // A new connection, however lately there was one: a probe is there to knock at the door.
        return converse(
                        contact,
                        Optional.empty(),
                        session -> run(session, "exit 0")
                                .thenCompose(output -> quiet(output)
                                        ? CompletableFuture.completedFuture(judge(contact, output))
                                        : run(session, shell(StartScript.FIND_STATE + Scripts.KNOCK))
                                                .thenApply(answer -> judge(contact, output, answer))),
                        session -> keep(contact.endpoint, session))
                .exceptionally(thrown -> probe(contact, contact.failure(thrown)));
    }

    private static boolean quiet(Output output) {
        return output.out().isEmpty() && output.err().isEmpty();
    }

    /** @param answer of {@link Scripts#KNOCK}, which was run after that output */
    private static Probe judge(Contact contact, Output output, Output answer) {
        Optional<String> knock = answer.out()
                .lines()
                .filter(line -> line.startsWith("vastai-cloud "))
                .findFirst();
        String stream = output.out().isEmpty() ? "stderr" : "stdout";
        String bytes = RemoteText.clean(output.out().isEmpty() ? output.err() : output.out());
        if (knock.isEmpty()) {
            return probe(
                    contact,
                    new Contact.Failure(Probe.Outcome.NO_COMMANDS, SshText.NO_COMMANDS.of(contact.endpoint, bytes)));
        }
        return probe(
                contact,
                new Contact.Failure(
                        knock.get().endsWith("begun") ? Probe.Outcome.UNFIT : Probe.Outcome.NOISY,
                        SshText.NOISY.of(contact.endpoint, stream, bytes)));
    }

    private static Probe judge(Contact contact, Output output) {
        if (output.exit() != 0) {
            return probe(
                    contact,
                    new Contact.Failure(
                            Probe.Outcome.NO_COMMANDS, SshText.SHELL_FAILED.of(contact.endpoint, output.exit())));
        }
        HostKey key = contact.shown().orElseThrow();
        return probe(
                contact,
                new Contact.Failure(Probe.Outcome.REACHED, SshText.REACHED.of(contact.endpoint, key.fingerprint())));
    }

    private static Probe probe(Contact contact, Contact.Failure result) {
        return new Probe(
                result.outcome,
                contact.endpoint,
                contact.shown(),
                result.reason,
                List.of(new Probe.Attempt(contact.endpoint, result.outcome, result.reason)));
    }

    private static Probe summary(List<Probe> probes) {
        Probe best = probes.stream().min(Comparator.comparing(Probe::outcome)).orElseThrow();
        List<Probe.Attempt> attempts =
                probes.stream().flatMap(probe -> probe.attempts().stream()).toList();
        return new Probe(best.outcome(), best.endpoint(), best.hostKey(), best.reason(), attempts);
    }

    /** Runs a command under a POSIX shell, without input. Fails with {@link Contact.Failure}. */
    CompletableFuture<Output> exec(Access access, String script, Duration timeout) {
        return converse(access, timeout, shell -> shell.run(script));
    }

    /** A login that runs scripts under a POSIX shell, without input. */
    interface Shell {
        CompletableFuture<Output> run(String script);
    }

    /**
     * Logs in once for several commands. Fails with {@link Contact.Failure}, or with what {@code talk} itself fails with.
     *
     * @param timeout for all of it
     */
    <T> CompletableFuture<T> converse(Access access, Duration timeout, Function<Shell, CompletableFuture<T>> talk) {
        Contact contact = contact(access, timeout);
        return failing(
                contact,
                converse(contact, session -> talk.apply(script -> run(session, shell(script) + " </dev/null"))));
    }

    /**
     * Runs a command under a POSIX shell and feeds its input. Fails with {@link Contact.Failure}, or with the payload's own
     * exception.
     *
     * @param timeout begins when this delivery's turn has come
     */
    CompletableFuture<Output> send(Access access, String script, Payload payload, Duration timeout) {
        Contact contact = contact(access, timeout);
        return failing(
                contact,
                CompletableFuture.supplyAsync(() -> deliver(contact, shell(script), payload), uploads)
                        .thenCompose(Function.identity()));
    }

    private CompletableFuture<Output> deliver(Contact contact, String command, Payload payload) {
        CompletableFuture<Output> verdict = new CompletableFuture<>();
        CompletableFuture<ChannelExec> opened = new CompletableFuture<>();
        CompletableFuture<Output> result = converse(contact, session -> {
            open(session, command, opened).whenComplete((output, thrown) -> {
                if (thrown == null) {
                    verdict.complete(output);
                } else {
                    verdict.completeExceptionally(thrown);
                }
            });
            return verdict;
        });
        result.exceptionally(thrown -> {
            opened.completeExceptionally(thrown);
            return null;
        });
        ChannelExec channel = opened.join();
        try (OutputStream input = channel.getInvertedIn()) {
            payload.writeTo(input);
        } catch (IOException e) {
            // A command that gave up closes its input; its own words say more than our failure.
            if (channel.isOpen() && channel.getExitStatus() == null) {
                verdict.completeExceptionally(e);
            }
        } catch (RuntimeException e) {
            verdict.completeExceptionally(e);
        }
        return result;
    }

    /** What is sent to a machine; called in a thread that may block. */
    interface Payload {
        void writeTo(OutputStream out) throws IOException;
    }

    private static Contact contact(Access access, Duration timeout) {
        return new Contact(access.endpoint(), access.user(), access.key(), Optional.of(access.pin()), timeout);
    }

    private static <T> CompletableFuture<T> failing(Contact contact, CompletableFuture<T> result) {
        return result.exceptionallyCompose(thrown -> CompletableFuture.failedFuture(contact.failure(thrown)));
    }

    /** The login shell may be any; the scripts are for a POSIX one. */
    private static String shell(String script) {
        return "sh -c " + Scripts.quote(script);
    }

    private <T> CompletableFuture<T> converse(Contact contact, Function<ClientSession, CompletableFuture<T>> talk) {
        return converse(contact, kept(contact), talk, session -> session.close(false));
    }

    /**
     * Connects, logs in and talks, all within the contact's time. Hangs up when that fails.
     *
     * @param before a login that is there already
     * @param afterwards what becomes of the login when all went well
     */
    private <T> CompletableFuture<T> converse(
            Contact contact,
            Optional<ClientSession> before,
            Function<ClientSession, CompletableFuture<T>> talk,
            Consumer<ClientSession> afterwards) {
        CompletableFuture<Void> over = new CompletableFuture<>();
        CompletableFuture<ClientSession> connected = before.map(CompletableFuture::completedFuture)
                .orElseGet(() -> CompletableFuture.supplyAsync(
                                () -> Contact.resolve(contact.endpoint),
                                Contact.literal(contact.endpoint.host()) ? Runnable::run : names)
                        .thenCompose(address -> connect(contact, address, over)));
        CompletableFuture<T> result = connected
                .thenCompose(session -> session.isAuthenticated()
                        ? CompletableFuture.completedFuture(session)
                        : authenticate(contact, session))
                .thenCompose(talk)
                .copy()
                .orTimeout(contact.timeout().toMillis(), TimeUnit.MILLISECONDS);
        result.whenComplete((value, thrown) -> {
            over.complete(null);
            connected.thenAccept(session -> {
                if (thrown == null) {
                    afterwards.accept(session);
                } else {
                    session.close(true);
                }
            });
        });
        return result;
    }

    private void keep(Endpoint endpoint, ClientSession session) {
        ClientSession older = open.put(endpoint, session);
        if (older != null) {
            older.close(false);
        }
        timer.schedule(
                () -> {
                    if (open.remove(endpoint, session)) {
                        session.close(false);
                    }
                },
                KEPT_OPEN.toMillis(),
                TimeUnit.MILLISECONDS);
    }

    private Optional<ClientSession> kept(Contact contact) {
        ClientSession session = open.remove(contact.endpoint);
        if (session == null) {
            return Optional.empty();
        }
        if (session.isOpen() && session.isAuthenticated() && contact.takesOver(session)) {
            return Optional.of(session);
        }
        session.close(false);
        return Optional.empty();
    }

    /** @param over its completion before the connection is up gives the try up */
    private CompletableFuture<ClientSession> connect(
            Contact contact, InetSocketAddress address, CompletableFuture<Void> over) {
        CompletableFuture<ClientSession> connected = new CompletableFuture<>();
        try {
            ConnectFuture trying = client.connect(
                    contact.user, address, AttributeRepository.ofKeyValuePair(Contact.KEY, contact), null);
            over.whenComplete((none, thrown) -> trying.cancel());
            trying.addListener(done -> {
                if (done.isConnected()) {
                    connected.complete(done.getSession());
                } else {
                    connected.completeExceptionally(cause(done.getException()));
                }
            });
        } catch (IOException | RuntimeException e) {
            connected.completeExceptionally(e);
        }
        return connected;
    }

    private static CompletableFuture<ClientSession> authenticate(Contact contact, ClientSession session) {
        CompletableFuture<ClientSession> authenticated = new CompletableFuture<>();
        try {
            session.addPublicKeyIdentity(contact.key.pair());
            session.auth().addListener(done -> {
                if (done.isSuccess()) {
                    authenticated.complete(session);
                } else {
                    authenticated.completeExceptionally(cause(done.getException()));
                }
            });
        } catch (IOException | RuntimeException e) {
            authenticated.completeExceptionally(e);
        }
        return authenticated;
    }

    private static CompletableFuture<Output> run(ClientSession session, String command) {
        return open(session, command, new CompletableFuture<>());
    }

    private static CompletableFuture<Output> open(
            ClientSession session, String command, CompletableFuture<ChannelExec> opened) {
        CompletableFuture<Output> result = new CompletableFuture<>();
        try {
            ChannelExec channel = session.createExecChannel(command);
            Output.Bounded out = new Output.Bounded();
            Output.Bounded err = new Output.Bounded();
            channel.setOut(out);
            channel.setErr(err);
            channel.addCloseFutureListener(closed -> {
                Integer exit = channel.getExitStatus();
                if (exit == null && channel.getExitSignal() == null) {
                    result.completeExceptionally(new IOException("connection lost"));
                } else {
                    result.complete(new Output(exit == null ? -1 : exit, out.toString(), err.toString()));
                }
            });
            channel.open().addListener(done -> {
                if (done.isOpened()) {
                    opened.complete(channel);
                } else {
                    Throwable cause = cause(done.getException());
                    opened.completeExceptionally(cause);
                    result.completeExceptionally(cause);
                }
            });
        } catch (IOException | RuntimeException e) {
            opened.completeExceptionally(e);
            result.completeExceptionally(e);
        }
        return result;
    }

    private static Throwable cause(Throwable thrown) {
        return thrown == null ? new IOException("connection given up") : thrown;
    }

    private static ThreadFactory threads(String what) {
        AtomicInteger count = new AtomicInteger();
        return task -> {
            Thread thread = new Thread(task, "vastai-ssh-" + what + "-" + count.incrementAndGet());
            thread.setDaemon(true);
            return thread;
        };
    }

    private static ExecutorService pool(int size, String what) {
        ThreadPoolExecutor pool =
                new ThreadPoolExecutor(size, size, 30, TimeUnit.SECONDS, new LinkedBlockingQueue<>(), threads(what));
        pool.allowCoreThreadTimeOut(true);
        return pool;
    }

    /** Hangs up everywhere; what is under way ends as broken. Returns within seconds. */
    @Override
    public void close() {
        try {
            client.close(true).await(Duration.ofSeconds(5));
        } catch (IOException e) {
            LOGGER.log(Level.FINE, "SSH client did not close in time", e);
        }
        io.shutdownNow();
        timer.shutdownNow();
        names.shutdownNow();
        uploads.shutdownNow();
    }
}

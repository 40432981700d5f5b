package io.jenkins.plugins.vastai.simulator;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.BiConsumer;
import java.util.logging.Level;
import java.util.logging.Logger;

/**
 * A running Vast.ai of one's own on 127.0.0.1. {@link #close()} ends everything it started: servers, processes,
 * directories. Safe for any thread.
 */
public final class Simulator implements AutoCloseable {
    /** How often due things are looked for while the clock runs by itself. */
    private static final Duration TICK = Duration.ofMillis(10);

    private final World world;
    private final HttpFace http;
    private final String apiKey;
    private final ScheduledExecutorService ticker;
    private final Runnable onAdvance = this::catchUp;

    Simulator(Builder settings) throws IOException {
        world = new World(settings);
        http = new HttpFace(world);
        world.site.api(http.uri().toString());
        apiKey = addKey("owner", Optional.empty(), false, false);
        if (world.clock instanceof DrivenClock driven) {
            ticker = null;
            driven.onAdvance(onAdvance);
        } else {
            ticker = Executors.newSingleThreadScheduledExecutor(task -> {
                Thread thread = new Thread(task, "simulator-clock");
                thread.setDaemon(true);
                return thread;
            });
            ticker.scheduleWithFixedDelay(this::tick, 0, TICK.toMillis(), TimeUnit.MILLISECONDS);
        }
    }

    private void tick() {
        try {
            world.settle();
        } catch (RuntimeException e) {
            Logger.getLogger(Simulator.class.getName()).log(Level.SEVERE, "the simulator's clock", e);
        }
    }

    /** The present has come, and what followed from it is done. */
    private void catchUp() {
        world.settle();
        world.site.drain();
    }

    /** Default: the system's clock, any port, boots within half a second, SSH and limits on, $ 100 of credit. */
    public static Builder builder() {
        return new Builder();
    }

    /** Base address without a trailing slash: {@code http://127.0.0.1:port}. */
    public URI uri() {
        return http.uri();
    }

    /** The account's own key, with all permissions. */
    public String apiKey() {
        return apiKey;
    }

    /** A key with these permissions alone ({@code misc}, {@code instance_read} ...). */
    public String addKey(String name, String... scopes) {
        return addKey(name, Optional.of(Set.of(scopes)), false, false);
    }

    /** A key of a team: SSH keys of the account are refused, so there are no virtual machines. */
    public String addTeamKey() {
        return addKey("team", Optional.empty(), true, false);
    }

    /** A key of an account that asks for a second factor. */
    public String addTwoFactorKey() {
        return addKey("two-factor", Optional.empty(), false, true);
    }

    /** The key has these permissions alone from now on. */
    public void permit(String key, Set<String> scopes) {
        synchronized (world.lock) {
            world.keys.permit(key, Set.copyOf(scopes));
        }
    }

    /** The key is unknown from now on. */
    public void revokeKey(String key) {
        synchronized (world.lock) {
            world.keys.remove(key);
        }
    }

    private String addKey(String name, Optional<Set<String>> scopes, boolean team, boolean twoFactor) {
        synchronized (world.lock) {
            String secret = world.contracts.secret(64);
            world.keys.add(secret, name, scopes, team, twoFactor, 0);
            return secret;
        }
    }

    public Account account() {
        return world;
    }

    public Market market() {
        return world.market;
    }

    public Faults faults() {
        return world.faults;
    }

    public Books books() {
        return world.ledger;
    }

    public InstantSource clock() {
        return world.clock;
    }

    /** Every contract there ever was, oldest first. */
    public List<SimulatedInstance> instances() {
        synchronized (world.lock) {
            world.settle();
            return world.contracts.all().stream().map(Contract::view).toList();
        }
    }

    public Optional<SimulatedInstance> instance(long id) {
        synchronized (world.lock) {
            world.settle();
            return world.contracts.find(id).map(Contract::view);
        }
    }

    /** Every call so far, oldest first. */
    public List<Request> requests() {
        return http.requests();
    }

    public List<Request> requests(Endpoint endpoint) {
        return requests().stream().filter(r -> r.endpoint() == endpoint).toList();
    }

    /** Every answer is held back so long. */
    public void apiLatency(Duration latency) {
        http.latency(latency);
    }

    /** Somebody stops the instance in the console. */
    public void stopFromOutside(long id) {
        change(id, (c, at) -> world.contracts.stop(c, "stopped", "stopped", at));
    }

    /** Somebody destroys the instance in the console. */
    public void destroyFromOutside(long id) {
        change(id, (c, at) -> world.contracts.destroy(c, Books.Hand.OUTSIDE, at));
    }

    /** Somebody pays more for the machine: processes end, the disk stays and is billed. */
    public void outbid(long id) {
        change(id, (c, at) -> {
            c.bid = true; // only those can be
            world.contracts.stop(c, "running", "exited", at);
        });
    }

    /** The time that the host offered is over: the market stops what runs there. */
    public void endOffer(long id) {
        change(id, (c, at) -> {
            c.host.contractEnd = at;
            world.contracts.stop(c, "stopped", "stopped", at);
        });
    }

    /** The container ends by itself: {@code exited}. */
    public void exit(long id) {
        change(id, world.contracts::exit);
    }

    /** The host loses its connection: SSH is cut, nothing is billed. */
    public void hostOffline(long id) {
        change(id, world.contracts::offline);
    }

    public void hostOnline(long id) {
        change(id, world.contracts::online);
    }

    /** Cuts every open SSH connection of the instance; the machine goes on. */
    public void cutSsh(long id) {
        change(id, (c, at) -> world.site.cut(c));
    }

    private void change(long id, BiConsumer<Contract, Instant> how) {
        synchronized (world.lock) {
            Instant now = world.settle();
            Contract contract = world.contracts.find(id).orElseThrow();
            if (!contract.alive()) {
                throw new IllegalStateException("instance " + id + " is destroyed");
            }
            how.accept(contract, now);
        }
        world.site.drain();
    }

    /** What the container has written so far (start script). Empty with SSH off. */
    public String containerLog(long id) {
        Machine machine;
        synchronized (world.lock) {
            machine = world.contracts.find(id).orElseThrow().machine;
        }
        return machine == null ? "" : machine.containerLog();
    }

    @Override
    public void close() {
        if (ticker == null) {
            ((DrivenClock) world.clock).forget(onAdvance);
        } else {
            ticker.shutdownNow();
        }
        http.close();
        try {
            world.site.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** What can be chosen before the start. */
    public static final class Builder {
        InstantSource clock = InstantSource.system();
        long seed = 1;
        int port;
        Duration boot = Duration.ofMillis(400);
        Duration portsLag = Duration.ofMillis(50);
        Duration sshdDelay = Duration.ofMillis(100);
        Duration readLag = Duration.ZERO;
        Duration unload = Duration.ofMillis(100);
        Duration installTime = Duration.ofMillis(300);
        int virtualMachineFactor = 3;
        boolean ssh = true;
        boolean ownView = true;
        boolean limits = true;
        int scale = 1;
        String credit = "100";
        String hostKeyType = "ssh-ed25519";
        Optional<Path> workDirectory = Optional.empty();
        Optional<Hosting> hosting = Optional.empty();

        private Builder() {}

        /** A {@link DrivenClock} for driven time. */
        public Builder clock(InstantSource source) {
            clock = source;
            return this;
        }

        /** Decides market, ids and rates of faults. */
        public Builder seed(long value) {
            seed = value;
            return this;
        }

        /** 0 = any free one. */
        public Builder port(int value) {
            port = value;
            return this;
        }

        /** From create until {@code running}, for containers. */
        public Builder boot(Duration value) {
            boot = value;
            return this;
        }

        /** From {@code running} until {@code ports} is filled. */
        public Builder portsLag(Duration value) {
            portsLag = value;
            return this;
        }

        /** From {@code running} until sshd answers. */
        public Builder sshdDelay(Duration value) {
            sshdDelay = value;
            return this;
        }

        /** From create until the contract shows up in list and show. */
        public Builder readLag(Duration value) {
            readLag = value;
            return this;
        }

        /** From destroy, as {@code unloaded}, until the instance leaves the list. */
        public Builder unload(Duration value) {
            unload = value;
            return this;
        }

        /** How long apt-get takes inside a machine to bring Java or git, in real time. */
        public Builder installTime(Duration value) {
            installTime = value;
            return this;
        }

        /** How many times slower virtual machines boot. */
        public Builder virtualMachineFactor(int value) {
            virtualMachineFactor = value;
            return this;
        }

        /** Off for large driven runs: no directories, no processes, endpoints are numbers that nobody listens on. */
        public Builder ssh(boolean value) {
            ssh = value;
            return this;
        }

        /**
         * Machines see their own /home, /root and the like, where this computer allows mount namespaces. False: paths in
         * scripts and commands are rewritten, and that is all, as on computers that do not.
         */
        public Builder ownView(boolean value) {
            ownView = value;
            return this;
        }

        /** The published spacing of calls, enforced with 429. */
        public Builder limits(boolean value) {
            limits = value;
            return this;
        }

        /** How many times the whole catalogue of machines is put on the market; 1 gives some hundreds of offers. */
        public Builder scale(int value) {
            scale = value;
            return this;
        }

        /** $ on the account. */
        public Builder credit(String dollars) {
            credit = dollars;
            return this;
        }

        /** {@code ssh-ed25519}, {@code ecdsa-sha2-nistp256} or {@code ssh-rsa}. */
        public Builder hostKeyType(String value) {
            hostKeyType = value;
            return this;
        }

        /** Where machines get their directories; default a temporary one, deleted on close. */
        public Builder workDirectory(Path value) {
            workDirectory = Optional.of(value);
            return this;
        }

        /** Machines that somebody else runs, instead of directories with an SSH server of this process. */
        public Builder hosting(Hosting value) {
            hosting = Optional.of(value);
            return this;
        }

        public Simulator start() throws IOException {
            return new Simulator(this);
        }
    }
}

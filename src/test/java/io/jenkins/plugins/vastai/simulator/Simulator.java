package io.jenkins.plugins.vastai.simulator;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;

/**
 * A running Vast.ai of one's own on 127.0.0.1. {@link #close()} ends everything it started: servers, processes,
 * directories. Safe for any thread.
 */
public final class Simulator implements AutoCloseable {
    Simulator(Builder settings) throws IOException {
        throw new UnsupportedOperationException();
    }

    /** Default: the system's clock, any port, boots within half a second, SSH and limits on, $ 100 of credit. */
    public static Builder builder() {
        return new Builder();
    }

    /** Base address without a trailing slash: {@code http://127.0.0.1:port}. */
    public URI uri() {
        throw new UnsupportedOperationException();
    }

    /** The account's own key, with all permissions. */
    public String apiKey() {
        throw new UnsupportedOperationException();
    }

    /** A key with these permissions alone ({@code misc}, {@code instance_read} ...). */
    public String addKey(String name, String... scopes) {
        throw new UnsupportedOperationException();
    }

    /** A key of a team: SSH keys of the account are refused, so there are no virtual machines. */
    public String addTeamKey() {
        throw new UnsupportedOperationException();
    }

    /** A key of an account that asks for a second factor. */
    public String addTwoFactorKey() {
        throw new UnsupportedOperationException();
    }

    /** The key is unknown from now on. */
    public void revokeKey(String key) {
        throw new UnsupportedOperationException();
    }

    public Account account() {
        throw new UnsupportedOperationException();
    }

    public Market market() {
        throw new UnsupportedOperationException();
    }

    public Faults faults() {
        throw new UnsupportedOperationException();
    }

    public Books books() {
        throw new UnsupportedOperationException();
    }

    public InstantSource clock() {
        throw new UnsupportedOperationException();
    }

    /** Every contract there ever was, oldest first. */
    public List<SimulatedInstance> instances() {
        throw new UnsupportedOperationException();
    }

    public Optional<SimulatedInstance> instance(long id) {
        return instances().stream().filter(i -> i.id() == id).findFirst();
    }

    /** Every call so far, oldest first. */
    public List<Request> requests() {
        throw new UnsupportedOperationException();
    }

    public List<Request> requests(Endpoint endpoint) {
        return requests().stream().filter(r -> r.endpoint() == endpoint).toList();
    }

    /** Every answer is held back so long. */
    public void apiLatency(Duration latency) {
        throw new UnsupportedOperationException();
    }

    /** Somebody stops the instance in the console. */
    public void stopFromOutside(long id) {
        throw new UnsupportedOperationException();
    }

    /** Somebody destroys the instance in the console. */
    public void destroyFromOutside(long id) {
        throw new UnsupportedOperationException();
    }

    /** Somebody pays more for the machine: processes end, the disk stays and is billed. */
    public void outbid(long id) {
        throw new UnsupportedOperationException();
    }

    /** The container ends by itself: {@code exited}. */
    public void exit(long id) {
        throw new UnsupportedOperationException();
    }

    /** The host loses its connection: SSH is cut, nothing is billed. */
    public void hostOffline(long id) {
        throw new UnsupportedOperationException();
    }

    public void hostOnline(long id) {
        throw new UnsupportedOperationException();
    }

    /** Cuts every open SSH connection of the instance; the machine goes on. */
    public void cutSsh(long id) {
        throw new UnsupportedOperationException();
    }

    /** What the container has written so far (start script). Empty with SSH off. */
    public String containerLog(long id) {
        throw new UnsupportedOperationException();
    }

    @Override
    public void close() {
        throw new UnsupportedOperationException();
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
        boolean limits = true;
        int scale = 1;
        String credit = "100";
        String hostKeyType = "ssh-ed25519";
        Optional<Path> workDirectory = Optional.empty();

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

        public Simulator start() throws IOException {
            return new Simulator(this);
        }
    }
}

package io.jenkins.plugins.vastai.simulator;

import java.io.IOException;

/** Where machines really are: ports, directories and processes. Called with the world's lock held; never waits. */
interface Site extends AutoCloseable {
    /** Address of the simulator, which stands for the market's own inside machines. */
    default void api(String address) {}

    /** Chooses the port numbers that the contract will have. */
    void assignPorts(Contract contract);

    /** The container starts: directory, start script. */
    void boot(Contract contract);

    /** sshd starts to answer. */
    void open(Contract contract);

    /** SSH goes away, processes stay: the host is not reachable. */
    void shut(Contract contract);

    /** The container ends: SSH and processes go, the directory stays. */
    void halt(Contract contract);

    /** The directory is emptied before the next boot. */
    void wipe(Contract contract);

    /** Everything goes. */
    void raze(Contract contract);

    /** Open SSH connections are cut. */
    void cut(Contract contract);

    /** A key was attached to a running container. */
    default void authorize(Contract contract, SshKey key) {}

    /** A key was detached from a running container. */
    default void revoke(Contract contract, SshKey key) {}

    /** Waits until everything decided so far is done; never with the lock held. */
    default void drain() {}

    @Override
    default void close() throws IOException {}
}

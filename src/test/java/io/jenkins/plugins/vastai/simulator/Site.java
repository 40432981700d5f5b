package io.jenkins.plugins.vastai.simulator;

/** Where machines really are: ports, directories and processes. Called with the world's lock held; never waits. */
interface Site {
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
}

package io.jenkins.plugins.vastai.simulator;

import java.io.IOException;
import java.util.List;
import java.util.Map;

/** Runs the machines of a simulator's instances. What is called on one machine is called in order, one at a time. */
public interface Hosting {

    /**
     * What the market tells the host.
     *
     * @param environment of the container, the instance's own key included; SSH sessions do not see it
     * @param directPort 127.0.0.1 port that plays the published port 22; 0 when there is none
     * @param proxyPort 127.0.0.1 port that plays the SSH proxy
     */
    record Instance(
            long id,
            String image,
            String startScript,
            Map<String, String> environment,
            int directPort,
            int proxyPort) {}

    /** Nothing runs yet. Must not wait: the simulator stands still meanwhile. */
    Guest place(Instance instance);

    /** One instance's machine. Everything may fail; a failure is logged and the market goes on. */
    interface Guest {
        /** The container starts, and in it the start script. */
        void boot(List<String> authorizedKeys) throws IOException;

        /** sshd starts to answer. */
        void open() throws IOException;

        /** SSH goes away, processes stay. */
        void shut() throws IOException;

        /** Processes and SSH go; files stay where the host can keep them. */
        void halt() throws IOException;

        /** Everything goes. May be called more than once. */
        void raze() throws IOException;

        /** The market writes a key (OpenSSH line) into the machine's authorized_keys. */
        void authorize(String line) throws IOException;
    }
}

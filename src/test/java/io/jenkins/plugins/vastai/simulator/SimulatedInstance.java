package io.jenkins.plugins.vastai.simulator;

import java.nio.file.Path;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;

/**
 * What the simulator knows of one contract: the truth, which the API may hide. Holds secrets of the made-up machine.
 *
 * @param status {@code actual_status}; null while provisioning
 * @param vm a virtual machine, not a container
 * @param bid interruptible
 * @param directPort 127.0.0.1 port that plays the published port 22; 0 when there is none
 * @param proxyPort 127.0.0.1 port that plays the SSH proxy
 * @param hidden the market kept it out of its lists for a while although it existed
 * @param directory the machine's root directory once it has run; empty with SSH off
 * @param environment as given at create, and by the market
 */
public record SimulatedInstance(
        long id,
        String label,
        long offerId,
        long machineId,
        String gpuName,
        int gpus,
        String image,
        boolean vm,
        boolean bid,
        String status,
        String intendedStatus,
        Instant created,
        Optional<Instant> destroyed,
        int directPort,
        int proxyPort,
        boolean hidden,
        Optional<Path> directory,
        Map<String, String> environment) {
    public boolean alive() {
        return destroyed.isEmpty();
    }

    public boolean running() {
        return "running".equals(status) && alive();
    }
}

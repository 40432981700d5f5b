package io.jenkins.plugins.vastai.rental;

import io.jenkins.plugins.vastai.api.CreateRequest;
import io.jenkins.plugins.vastai.market.Requirements;
import io.jenkins.plugins.vastai.ssh.SshKeyPair;
import io.jenkins.plugins.vastai.ssh.StartScript;
import io.jenkins.plugins.vastai.ssh.Watchdog;
import io.jenkins.plugins.vastai.text.Reason;
import java.net.URI;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/** Builds the create call's body: image, disk, label, environment and the script that makes the machine ready. */
public final class StartScripts {

    /** What every machine is: root, in containers and in Vast.ai's VM images alike. */
    static final String USER = "root";

    private static final int NEWEST_JAVA = 21;

    private final URI market;

    /** @param market address of the API, for the machine's own hand */
    StartScripts(URI market) {
        this.market = market;
    }

    /**
     * Why a template's own script cannot be sent to machines; empty when it can. Asks nobody.
     *
     * @param initScript may be empty
     * @param remoteFs work directory of the agent
     * @param market address of the API, which is a part of what is sent
     */
    public static Optional<Reason> tooLong(String initScript, String remoteFs, boolean vm, URI market) {
        // Every controller's key has this length.
        SshKeyPair key = SshKeyPair.generate(Labels.owner("x".repeat(Labels.CONTROLLER_LENGTH)));
        Watchdog watchdog = Watchdog.of(market, Watchdog.SILENCE, Watchdog.SILENCE);
        try {
            StartScript.builder(key, NEWEST_JAVA, watchdog)
                    .remoteFs(remoteFs)
                    .vm(vm)
                    .init(initScript)
                    .build();
            return Optional.empty();
        } catch (StartScript.TooLong e) {
            return Optional.of(RentalText.SCRIPT_TOO_LONG.of(e.length(), StartScript.MAX_LENGTH));
        }
    }

    CreateRequest request(Rental rental, Draw draw, Requirements wanted) throws StartScript.TooLong {
        Order order = rental.order();
        RunnerSpec spec = order.spec();
        SshKeyPair key = SshKeyPair.parse(rental.privateKey().value(), "jenkins");
        StartScript.Builder script = StartScript.builder(key, order.javaMajor(), watchdog(order))
                .remoteFs(order.remoteFs())
                .vm(spec.vm());
        if (!spec.initScript().isBlank()) {
            script.init(spec.initScript());
        }
        Map<String, String> environment = new LinkedHashMap<>(spec.environment());
        // Without it nvidia-smi is missing on some images although the GPU is there.
        environment.putIfAbsent("NVIDIA_DRIVER_CAPABILITIES", "all");
        CreateRequest.Builder request = CreateRequest.builder()
                .image(spec.vm() ? wanted.image().reference() : spec.machineImage())
                .diskGb(spec.diskSpaceGb())
                .label(draw.label())
                .runtype(spec.vm() ? "ssh" : spec.runtype())
                .vm(spec.vm())
                .env(environment)
                // Maps sshd's port in every reading of the run type (docs/market.md, Create).
                .port(22)
                .onstart(script.build());
        if (spec.imageLogin() != null) {
            request.imageLogin(spec.imageLogin().value());
        }
        return request.build();
    }

    /** Later than the controller's own end of the machine, and no earlier than it may give up waiting for it. */
    private Watchdog watchdog(Order order) {
        Duration silence = order.launchLimit().compareTo(Watchdog.SILENCE) > 0 ? order.launchLimit() : Watchdog.SILENCE;
        return Watchdog.of(
                market, silence, order.maxLifetime().plus(Serving.DRAIN).plus(Watchdog.MARGIN));
    }
}

package io.jenkins.plugins.vastai.simulator;

import java.math.BigDecimal;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What a create call asked for, checked.
 *
 * @param env as sent, {@code -p 22:22} entries included
 * @param price bid, $ per hour; empty for on-demand
 */
record Order(
        String image,
        BigDecimal diskGb,
        String label,
        String runtype,
        Map<String, String> env,
        String onstart,
        List<String> args,
        Optional<BigDecimal> price,
        boolean running,
        boolean vm) {

    boolean sshMode() {
        return !runtype.equals("args");
    }

    /** Container port 22 is published on the host. The older spelling without t still counts. */
    boolean direct() {
        return vm || runtype.contains("direc") || portMappings().contains("22/tcp");
    }

    /** Container ports to publish, as {@code 22/tcp}. */
    List<String> portMappings() {
        return env.keySet().stream()
                .filter(key -> key.startsWith("-p "))
                .map(key -> key.substring(3).trim())
                .map(spec -> spec.substring(spec.indexOf(':') + 1))
                .map(port -> port.contains("/") ? port : port + "/tcp")
                .toList();
    }

    /** The image as the market resolves it. */
    String resolvedImage() {
        return image.replace("@vastai-automatic-tag", "cuda-12.8.1-cudnn-devel-ubuntu22.04");
    }
}

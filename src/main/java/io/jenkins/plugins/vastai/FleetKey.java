package io.jenkins.plugins.vastai;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/**
 * What tells one fleet from another: which market, whose key. Holds all that is needed to destroy, so that a fleet
 * outlives the cloud that ordered from it.
 *
 * @param apiUrl base address of the market
 * @param credentialsId secret text that holds the API key
 */
record FleetKey(String apiUrl, String credentialsId) {

    static FleetKey of(VastAiCloud cloud) {
        return new FleetKey(cloud.getApiUrl(), cloud.getCredentialsId());
    }

    /** Name of the fleet's directory, and what agents remember. */
    String id() {
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256")
                    .digest((apiUrl + "\n" + credentialsId).getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(digest, 0, 6);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e); // every Java has SHA-256
        }
    }
}

package io.jenkins.plugins.vastai;

import java.net.URI;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Locale;

/**
 * What tells one fleet from another: which market, whose key. Holds all that is needed to destroy, so that a fleet
 * outlives the cloud that ordered from it.
 *
 * @param apiUrl base address of the market
 * @param credentialsId secret text that holds the API key
 */
record FleetKey(String apiUrl, String credentialsId) {

    static FleetKey of(VastAiCloud cloud) {
        return new FleetKey(normal(cloud.getApiUrl()), cloud.getCredentialsId());
    }

    /** One spelling for one market: case of scheme and host, the default port and a slash at the end make no difference. */
    static String normal(String apiUrl) {
        try {
            URI given = new URI(apiUrl.trim());
            if (given.getScheme() == null || given.getHost() == null) {
                return apiUrl; // the check of settings says what is wrong with it
            }
            String scheme = given.getScheme().toLowerCase(Locale.ROOT);
            int port = given.getPort() == (scheme.equals("http") ? 80 : 443) ? -1 : given.getPort();
            String path = given.getPath() == null ? "" : given.getPath().replaceFirst("/+$", "");
            return new URI(scheme, null, given.getHost().toLowerCase(Locale.ROOT), port, path, null, null).toString();
        } catch (URISyntaxException e) {
            return apiUrl; // as above
        }
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

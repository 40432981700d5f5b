package io.jenkins.plugins.vastai;

import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.logging.Logger;

/**
 * Says in Jenkins' log, once for each change, which clouds have no usable API key: a configuration file may name a
 * credential that comes later, so reading the file is too early to tell. One thread at a time.
 */
final class CredentialLog {

    private static final Logger LOGGER = Logger.getLogger(CredentialLog.class.getName());

    private Map<String, String> told = Map.of();

    void look() {
        Map<String, String> problems = new HashMap<>();
        for (VastAiCloud cloud : Fleets.clouds()) {
            Optional<String> problem = Logins.apiKeyProblem(cloud.getCredentialsId());
            problem.ifPresent(text -> problems.put(cloud.getName(), text));
        }
        problems.forEach((cloud, problem) -> {
            if (!problem.equals(told.get(cloud))) {
                LOGGER.warning(() -> "Cloud " + cloud + " cannot rent machines: " + problem);
            }
        });
        told = problems;
    }
}

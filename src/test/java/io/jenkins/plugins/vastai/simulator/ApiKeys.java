package io.jenkins.plugins.vastai.simulator;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** Who may call what. Guarded by the world's lock. */
final class ApiKeys {
    /**
     * @param scopes empty = all
     * @param instance the only instance it is good for; 0 = a key of the account
     */
    record ApiKey(long id, String name, Optional<Set<String>> scopes, boolean team, boolean twoFactor, long instance) {
        boolean may(String scope) {
            return scope.isEmpty() || scopes.map(all -> all.contains(scope)).orElse(true);
        }

        Books.Hand hand() {
            return instance == 0 ? Books.Hand.API_KEY : Books.Hand.INSTANCE_KEY;
        }
    }

    private final Map<String, ApiKey> keys = new LinkedHashMap<>();
    private long next = 9_900;

    void add(String secret, String name, Optional<Set<String>> scopes, boolean team, boolean twoFactor, long instance) {
        keys.put(secret, new ApiKey(next++, name, scopes, team, twoFactor, instance));
    }

    /** The same key with other permissions. */
    void permit(String secret, Set<String> scopes) {
        keys.computeIfPresent(
                secret,
                (text, key) -> new ApiKey(
                        key.id(), key.name(), Optional.of(scopes), key.team(), key.twoFactor(), key.instance()));
    }

    void remove(String secret) {
        keys.remove(secret);
    }

    Optional<ApiKey> find(String secret) {
        return Optional.ofNullable(keys.get(secret));
    }

    /** Keys of the account, without secrets. */
    List<ApiKey> account() {
        return keys.values().stream().filter(key -> key.instance() == 0).toList();
    }
}

package io.jenkins.plugins.vastai.rental;

/**
 * Encrypts what must survive a restart but not be readable on disk. Jenkins' own secret in the plugin, a fixed key in
 * the standalone run. Implementations are thread-safe.
 */
public interface Secrets {

    String encrypt(String plain);

    /** @throws IllegalArgumentException when {@code encrypted} was not made by this controller */
    String decrypt(String encrypted);
}

package io.jenkins.plugins.vastai.rental;

import java.util.Objects;

/**
 * A text that must not be seen: private keys, registry logins. {@link RentalStore} encrypts it on disk through
 * {@link Secrets}; {@link #toString()} never shows it.
 */
public record Hidden(String value) {

    public Hidden {
        Objects.requireNonNull(value, "value");
    }

    @Override
    public String toString() {
        return "****";
    }
}

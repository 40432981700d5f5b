package io.jenkins.plugins.vastai.ssh;

import java.util.Locale;
import java.util.Optional;

/** What a Java build must fit: processor and C library of a Linux. Anything else is no agent of ours. */
public enum Platform {
    X64_GLIBC,
    X64_MUSL,
    AARCH64_GLIBC,
    AARCH64_MUSL;

    /** @param machine as {@code uname -m} or {@code os.arch} says it */
    static Optional<Platform> of(String machine, boolean musl) {
        return switch (machine.trim().toLowerCase(Locale.ROOT)) {
            case "x86_64", "amd64" -> Optional.of(musl ? X64_MUSL : X64_GLIBC);
            case "aarch64", "arm64" -> Optional.of(musl ? AARCH64_MUSL : AARCH64_GLIBC);
            default -> Optional.empty();
        };
    }

    /** The name that the start script computes: machine, dash, C library. */
    String scriptName() {
        return switch (this) {
            case X64_GLIBC -> "x86_64-glibc";
            case X64_MUSL -> "x86_64-musl";
            case AARCH64_GLIBC -> "aarch64-glibc";
            case AARCH64_MUSL -> "aarch64-musl";
        };
    }
}

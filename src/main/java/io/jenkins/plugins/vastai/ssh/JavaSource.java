package io.jenkins.plugins.vastai.ssh;

import java.util.List;
import java.util.Objects;
import java.util.Optional;

/**
 * Where a Java runtime of a known version comes from: one tar.gz per platform below one address, each with its checksum.
 *
 * @param major feature version, for example 21
 * @param base address without trailing slash that {@link Build#file} is appended to; a mirror keeps the file names
 */
public record JavaSource(int major, String base, List<Build> builds) {

    /**
     * Temurin 21.0.12+8, JRE. Addresses and checksums: github.com/adoptium/containers, commit
     * d8d18d67a32e2cbc765de68c30ea0998009df325, 21/jre/ubuntu/noble/Dockerfile and 21/jre/alpine/3.24/Dockerfile
     * (BINARY_URL and ESUM there).
     */
    public static final JavaSource TEMURIN_21 = new JavaSource(
            21,
            "https://github.com/adoptium/temurin21-binaries/releases/download/jdk-21.0.12%2B8",
            List.of(
                    new Build(
                            Platform.X64_GLIBC,
                            "OpenJDK21U-jre_x64_linux_hotspot_21.0.12_8.tar.gz",
                            "8a379a67c91a3ae61ffb33d46e0a40c7ba35e70713c4db31cfca30492f792eff"),
                    new Build(
                            Platform.AARCH64_GLIBC,
                            "OpenJDK21U-jre_aarch64_linux_hotspot_21.0.12_8.tar.gz",
                            "5f9c96b656827b9d14ebeda7739e25be554fa6d25669b03847c1df6e869c0679"),
                    new Build(
                            Platform.X64_MUSL,
                            "OpenJDK21U-jre_x64_alpine-linux_hotspot_21.0.12_8.tar.gz",
                            "9a7f8712a2741bb14e2452eed2de99f62d02e05617e27d59f1861a0cdad58486"),
                    new Build(
                            Platform.AARCH64_MUSL,
                            "OpenJDK21U-jre_aarch64_alpine-linux_hotspot_21.0.12_8.tar.gz",
                            "a4f70d2be5c55940dd60b6636643a05125e60e6c3dbc2a8402032b0346744dfa")));

    public JavaSource {
        // Goes into a shell script and an HTTP request: nothing that either could read as more than an address.
        if (!base.matches("https?://[A-Za-z0-9._~:/%+\\[\\]-]+")) {
            throw new IllegalArgumentException("not an http(s) address: " + base);
        }
        base = base.endsWith("/") ? base.substring(0, base.length() - 1) : base;
        builds = List.copyOf(builds);
    }

    /** The same files from a mirror. */
    public JavaSource withBase(String mirror) {
        return new JavaSource(major, mirror, builds);
    }

    public Optional<Build> build(Platform platform) {
        return builds.stream().filter(build -> build.platform() == platform).findFirst();
    }

    String url(Build build) {
        return base + "/" + build.file();
    }

    /**
     * @param file name below {@link JavaSource#base}
     * @param sha256 of the file, lower-case hex
     */
    public record Build(Platform platform, String file, String sha256) {
        public Build {
            Objects.requireNonNull(platform, "platform");
            if (!file.matches("[A-Za-z0-9._+%-]+")) {
                throw new IllegalArgumentException("not a file name: " + file);
            }
            if (!sha256.matches("[0-9a-f]{64}")) {
                throw new IllegalArgumentException("not a SHA-256: " + sha256);
            }
        }
    }
}

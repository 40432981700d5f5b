package io.jenkins.plugins.vastai.ssh;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.HexFormat;

/** A small archive laid out like a Java build: one directory, in it bin/java, which knows its version only. */
final class JavaArchive {

    private JavaArchive() {}

    static byte[] withVersion(String version) throws Exception {
        Path dir = Files.createTempDirectory("jre");
        try {
            Path bin = Files.createDirectories(dir.resolve("jdk-test-jre/bin"));
            Path java = Files.writeString(
                    bin.resolve("java"), "#!/bin/sh\necho 'openjdk version \"" + version + "\" 2026-01-01' >&2\n");
            java.toFile().setExecutable(true);
            Process tar = new ProcessBuilder("tar", "czf", "-", "-C", dir.toString(), "jdk-test-jre").start();
            byte[] bytes = tar.getInputStream().readAllBytes();
            if (tar.waitFor() != 0) {
                throw new IOException("tar failed");
            }
            return bytes;
        } finally {
            Files.delete(dir.resolve("jdk-test-jre/bin/java"));
            Files.delete(dir.resolve("jdk-test-jre/bin"));
            Files.delete(dir.resolve("jdk-test-jre"));
            Files.delete(dir);
        }
    }

    static String sha256(byte[] bytes) throws Exception {
        return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
    }
}

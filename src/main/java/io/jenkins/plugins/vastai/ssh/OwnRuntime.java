package io.jenkins.plugins.vastai.ssh;

import edu.umd.cs.findbugs.annotations.SuppressFBWarnings;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileVisitOption;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.EnumSet;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import java.util.zip.Deflater;
import java.util.zip.GZIPOutputStream;

/**
 * The Java runtime that this process runs on, as the last source of Java for machines of the same kind: it needs no
 * download, but 100 to 300 MB travel over SSH.
 *
 * @param home of the runtime
 */
record OwnRuntime(Path home, Platform platform, int major) implements SshReach.Payload {

    /** What compiling and reading need but running does not: half of a JDK. */
    private static final Set<String> LEFT_OUT =
            Set.of("jmods", "demo", "sample", "man", "include", "src.zip", "lib/src.zip", "lib/ct.sym");

    private static final int BLOCK = 512;

    /** Empty when this process does not run on a Linux that machines could share. */
    static Optional<OwnRuntime> ofThisProcess() {
        if (!System.getProperty("os.name").toLowerCase(Locale.ROOT).startsWith("linux")) {
            return Optional.empty();
        }
        return Platform.of(System.getProperty("os.arch"), musl())
                .map(platform -> new OwnRuntime(
                        Path.of(System.getProperty("java.home")),
                        platform,
                        Runtime.version().feature()));
    }

    @SuppressFBWarnings(
            value = "DMI_HARDCODED_ABSOLUTE_FILENAME",
            justification = "where musl keeps its loader, on every system that has it")
    private static boolean musl() {
        try (Stream<Path> files = Files.list(Path.of("/lib"))) {
            return files.anyMatch(file -> file.getFileName().toString().startsWith("ld-musl-"));
        } catch (IOException e) {
            return false;
        }
    }

    /** Writes a tar.gz without a leading directory, packed on the way. Links are followed: they may lead out of the home. */
    @Override
    public void writeTo(OutputStream out) throws IOException {
        GZIPOutputStream gzip = new GZIPOutputStream(out, 64 * 1024) {
            {
                def.setLevel(Deflater.BEST_SPEED);
            }
        };
        Files.walkFileTree(home, EnumSet.of(FileVisitOption.FOLLOW_LINKS), 30, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult preVisitDirectory(Path dir, BasicFileAttributes attributes) {
                return LEFT_OUT.contains(name(dir)) ? FileVisitResult.SKIP_SUBTREE : FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
                String name = name(file);
                if (attributes.isRegularFile() && Files.isReadable(file) && !LEFT_OUT.contains(name)) {
                    gzip.write(header(name, attributes.size(), Files.isExecutable(file)));
                    long written = Files.copy(file, gzip);
                    if (written != attributes.size()) {
                        throw new IOException(file + " changed while it was read");
                    }
                    gzip.write(new byte[(int) ((BLOCK - written % BLOCK) % BLOCK)]);
                }
                return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult visitFileFailed(Path file, IOException e) {
                // A link to nowhere (distributions leave src.zip so) or a circle.
                return FileVisitResult.CONTINUE;
            }
        });
        gzip.write(new byte[2 * BLOCK]);
        gzip.finish();
    }

    private String name(Path file) {
        return home.relativize(file).toString();
    }

    /** POSIX ustar header of a regular file; directories come into being with their files. */
    private static byte[] header(String path, long size, boolean executable) throws IOException {
        byte[] block = new byte[BLOCK];
        int cut = path.length() <= 100 ? -1 : path.indexOf('/', path.length() - 101);
        if (path.length() > 100 && (cut < 0 || cut > 155)) {
            throw new IOException("path too long for tar: " + path);
        }
        put(block, 0, path.substring(cut + 1));
        put(block, 100, executable ? "0000755" : "0000644");
        put(block, 108, "0000000");
        put(block, 116, "0000000");
        put(block, 124, String.format(Locale.ROOT, "%011o", size));
        put(block, 136, "00000000000");
        put(block, 148, "        ");
        block[156] = '0';
        put(block, 257, "ustar");
        put(block, 263, "00");
        put(block, 345, cut < 0 ? "" : path.substring(0, cut));
        int sum = 0;
        for (byte b : block) {
            sum += b & 0xff;
        }
        put(block, 148, String.format(Locale.ROOT, "%06o", sum) + "\0 ");
        return block;
    }

    private static void put(byte[] block, int at, String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        System.arraycopy(bytes, 0, block, at, bytes.length);
    }
}

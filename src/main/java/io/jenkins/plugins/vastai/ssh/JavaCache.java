package io.jenkins.plugins.vastai.ssh;

import io.jenkins.plugins.vastai.text.Reason;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.HexFormat;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import okhttp3.Call;
import okhttp3.Callback;
import okhttp3.OkHttpClient;
import okhttp3.Request;
import okhttp3.Response;

/**
 * Java builds that the controller has loaded, each under its checksum. A file is there only whole and checked; several
 * machines that want the same one at the same time share one load.
 */
final class JavaCache {

    /** Ten times a JRE. A mirror that sends more is none. Bytes. */
    private static final long MAX_SIZE = 500L * 1024 * 1024;

    private final OkHttpClient http;
    private final Path directory;
    private final Duration timeout;
    private final Map<String, CompletableFuture<Path>> loads = new ConcurrentHashMap<>();

    JavaCache(OkHttpClient http, Path directory, Duration timeout) {
        this.http = http;
        this.directory = directory;
        this.timeout = timeout;
    }

    /** Fails with an IOException that names the address and what is wrong. */
    CompletableFuture<Path> get(JavaSource source, JavaSource.Build build) {
        CompletableFuture<Path> mine = new CompletableFuture<>();
        CompletableFuture<Path> shared = loads.putIfAbsent(build.sha256(), mine);
        if (shared != null) {
            return shared.copy();
        }
        mine.whenComplete((path, thrown) -> loads.remove(build.sha256(), mine));
        CompletableFuture.supplyAsync(() -> cached(build), http.dispatcher().executorService())
                .thenCompose(found -> found != null
                        ? CompletableFuture.completedFuture(found)
                        : load(source.url(build), build.sha256()))
                .whenComplete((path, thrown) -> {
                    if (thrown == null) {
                        mine.complete(path);
                    } else {
                        mine.completeExceptionally(thrown);
                    }
                });
        return mine.copy();
    }

    private Path file(String sha256) {
        return directory.resolve(sha256 + ".tar.gz");
    }

    /** The file when it is there and still what it was; else null. */
    private Path cached(JavaSource.Build build) {
        Path file = file(build.sha256());
        if (!Files.isRegularFile(file)) {
            return null;
        }
        try (InputStream in = Files.newInputStream(file)) {
            return copy(in, OutputStream.nullOutputStream()).equals(build.sha256()) ? file : null;
        } catch (IOException e) {
            throw new CompletionException(e);
        }
    }

    private CompletableFuture<Path> load(String url, String sha256) {
        CompletableFuture<Path> loaded = new CompletableFuture<>();
        Call call = http.newCall(new Request.Builder().url(url).build());
        call.timeout().timeout(timeout.toMillis(), TimeUnit.MILLISECONDS);
        call.enqueue(new Callback() {
            @Override
            public void onFailure(Call failed, IOException e) {
                loaded.completeExceptionally(new IOException(url + ": " + e.getMessage(), e));
            }

            @Override
            public void onResponse(Call answered, Response response) {
                try (response) {
                    if (!response.isSuccessful()) {
                        throw new IOException("status " + response.code());
                    }
                    loaded.complete(store(response.body().byteStream(), sha256));
                } catch (WrongChecksum e) {
                    loaded.completeExceptionally(e.of(url));
                } catch (IOException e) {
                    loaded.completeExceptionally(new IOException(url + ": " + e.getMessage(), e));
                }
            }
        });
        return loaded;
    }

    private Path store(InputStream in, String sha256) throws IOException {
        Files.createDirectories(directory);
        Path part = Files.createTempFile(directory, "load", ".part");
        try {
            String found;
            try (OutputStream out = Files.newOutputStream(part)) {
                found = copy(in, out);
            }
            if (!found.equals(sha256)) {
                throw new WrongChecksum("", found, sha256);
            }
            return Files.move(part, file(sha256), StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } finally {
            Files.deleteIfExists(part);
        }
    }

    /** A file that is not what the plugin trusts. */
    static final class WrongChecksum extends IOException {
        private static final long serialVersionUID = 1;
        private final String url;
        private final String found;
        private final String expected;

        WrongChecksum(String url, String found, String expected) {
            super(url + ": SHA-256 is " + found + ", must be " + expected);
            this.url = url;
            this.found = found;
            this.expected = expected;
        }

        private WrongChecksum of(String address) {
            return new WrongChecksum(address, found, expected);
        }

        Reason reason() {
            return SshText.JAVA_CHECKSUM.of(url, found, expected);
        }
    }

    /** Copies and gives the checksum. */
    private static String copy(InputStream in, OutputStream out) throws IOException {
        try (DigestInputStream digest = new DigestInputStream(in, MessageDigest.getInstance("SHA-256"))) {
            byte[] buffer = new byte[64 * 1024];
            long size = 0;
            for (int n = digest.read(buffer); n >= 0; n = digest.read(buffer)) {
                size += n;
                if (size > MAX_SIZE) {
                    throw new IOException("more than " + MAX_SIZE + " bytes");
                }
                out.write(buffer, 0, n);
            }
            return HexFormat.of().formatHex(digest.getMessageDigest().digest());
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }
}

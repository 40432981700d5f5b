package io.jenkins.plugins.vastai.ssh;

import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;

/** A real HTTP server with a few files, in the place of a mirror of Java builds. */
final class FileServer implements AutoCloseable {

    final AtomicInteger requests = new AtomicInteger();
    private final HttpServer server;

    private FileServer(HttpServer server) {
        this.server = server;
    }

    static FileServer start(Map<String, byte[]> files) throws IOException {
        HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        FileServer files2 = new FileServer(server);
        server.createContext("/", exchange -> {
            files2.requests.incrementAndGet();
            byte[] file = files.get(exchange.getRequestURI().getPath());
            exchange.sendResponseHeaders(file == null ? 404 : 200, file == null ? -1 : file.length);
            try (OutputStream out = exchange.getResponseBody()) {
                if (file != null) {
                    out.write(file);
                }
            }
        });
        server.start();
        return files2;
    }

    String base() {
        return "http://127.0.0.1:" + server.getAddress().getPort();
    }

    /** The same file for every platform. */
    JavaSource source(String file, String sha256) {
        return new JavaSource(
                21,
                base(),
                List.of(Platform.values()).stream()
                        .map(platform -> new JavaSource.Build(platform, file, sha256))
                        .toList());
    }

    @Override
    public void close() {
        server.stop(0);
    }
}

package io.jenkins.plugins.vastai.ssh;

import io.jenkins.plugins.vastai.api.Instance.Endpoint;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyPair;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import org.apache.sshd.common.config.keys.KeyUtils;
import org.apache.sshd.common.kex.BuiltinDHFactories;
import org.apache.sshd.common.keyprovider.KeyPairProvider;
import org.apache.sshd.core.CoreModuleProperties;
import org.apache.sshd.server.Environment;
import org.apache.sshd.server.ExitCallback;
import org.apache.sshd.server.ServerBuilder;
import org.apache.sshd.server.SshServer;
import org.apache.sshd.server.channel.ChannelSession;
import org.apache.sshd.server.command.Command;

/**
 * A machine of our own: a real sshd on the loopback address that runs real commands by bash in a directory. Absolute
 * paths that the plugin uses on a machine are replaced by ones below that directory.
 */
final class TestMachine implements AutoCloseable {

    /** Absolute paths that scripts of the plugin touch on a machine. */
    private static final List<String> PATHS = List.of(
            "/etc/environment",
            "/etc/ssh",
            "/root",
            "/opt",
            "/var/lib",
            "/tmp",
            "/home",
            "/workspace",
            "/run",
            "/usr/lib/jvm");

    final Path root;
    final Path home;
    final Path bin;
    final Map<String, String> environment = new ConcurrentHashMap<>();
    private final Set<String> authorized = ConcurrentHashMap.newKeySet();
    private final SshServer server = SshServer.setUpDefaultServer();
    /** Run before each command, as a shell start file would. */
    volatile String rc = "";

    private static final String TOOLS;

    static {
        try {
            TOOLS = tools();
        } catch (IOException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private TestMachine(Path root) throws IOException {
        this.root = Files.createDirectories(root).toRealPath();
        home = Files.createDirectories(this.root.resolve("root"));
        bin = Files.createDirectories(this.root.resolve("bin"));
        for (String dir : List.of("etc/ssh", "opt", "var/lib", "tmp", "home", "run")) {
            Files.createDirectories(this.root.resolve(dir));
        }
        environment.put("HOME", home.toString());
        environment.put("PATH", bin + ":" + TOOLS);
    }

    static TestMachine start(Path root, String hostKeyType) throws Exception {
        int bits = hostKeyType.equals("ssh-rsa") ? 2048 : 256;
        return start(root, KeyUtils.generateKeyPair(hostKeyType, bits));
    }

    static TestMachine start(Path root, KeyPair... hostKeys) throws IOException {
        TestMachine machine = new TestMachine(root);
        machine.server.setHost("127.0.0.1");
        machine.server.setKeyPairProvider(KeyPairProvider.wrap(hostKeys));
        machine.server.setPasswordAuthenticator(null);
        machine.server.setPublickeyAuthenticator((user, key, session) -> user.equals("root")
                && machine.authorized.contains(HostKey.of(key).base64()));
        machine.server.setCommandFactory((channel, line) -> machine.new Process(line));
        CoreModuleProperties.NIO_WORKERS.set(machine.server, 2);
        machine.server.start();
        return machine;
    }

    Endpoint endpoint() {
        return new Endpoint("127.0.0.1", server.getPort());
    }

    TestMachine authorize(SshKeyPair key) {
        authorized.add(key.publicLine().split(" ")[1]);
        return this;
    }

    /** From now on the server takes this key exchange only. */
    void keyExchange(BuiltinDHFactories only) {
        server.setKeyExchangeFactories(List.of(ServerBuilder.DH2KEX.apply(only)));
    }

    /** Puts a program into the machine's PATH. */
    void program(String name, String script) throws IOException {
        Path file = bin.resolve(name);
        Files.writeString(file, script);
        file.toFile().setExecutable(true);
    }

    Path path(String absolute) {
        return root.resolve(absolute.substring(1));
    }

    /** The text with the machine's paths in place of the absolute ones. */
    String here(String script) {
        return script.replaceAll(
                "(?<![A-Za-z0-9_}/.-])(" + String.join("|", PATHS) + ")(?![A-Za-z0-9_-])", root.toString() + "$1");
    }

    /** Runs a script in the machine, as the market does at its start. */
    Ran run(String script, Map<String, String> more) throws IOException, InterruptedException {
        ProcessBuilder builder = new ProcessBuilder("/bin/bash", "-s").directory(home.toFile());
        builder.environment().clear();
        builder.environment().putAll(environment);
        builder.environment().putAll(more);
        Path out = Files.createTempFile(root, "out", ".txt");
        Path err = Files.createTempFile(root, "err", ".txt");
        Path in = Files.writeString(Files.createTempFile(root, "in", ".sh"), here(script));
        java.lang.Process process = builder.redirectInput(in.toFile())
                .redirectOutput(out.toFile())
                .redirectError(err.toFile())
                .start();
        if (!process.waitFor(30, TimeUnit.SECONDS)) {
            process.destroyForcibly();
            throw new IOException("script hangs");
        }
        return new Ran(process.exitValue(), Files.readString(out), Files.readString(err));
    }

    record Ran(int exit, String out, String err) {}

    @Override
    public void close() throws IOException {
        server.stop(true);
        // What a start script left running would write into a directory that is being removed.
        ProcessHandle.allProcesses().filter(this::isOurs).forEach(ProcessHandle::destroyForcibly);
    }

    private boolean isOurs(ProcessHandle process) {
        try {
            byte[] environment = Files.readAllBytes(Path.of("/proc", String.valueOf(process.pid()), "environ"));
            return new String(environment, StandardCharsets.UTF_8).contains("HOME=" + home + "\0");
        } catch (IOException e) {
            return false;
        }
    }

    /** A PATH of the usual small tools, without package managers, Java or git: nothing may be installed for real. */
    private static String tools() throws IOException {
        Path tools = Files.createDirectories(Path.of("target", "ssh-test-tools").toAbsolutePath());
        for (String tool : List.of(
                "bash",
                "sh",
                "cat",
                "chmod",
                "chown",
                "cut",
                "date",
                "df",
                "dirname",
                "env",
                "find",
                "getent",
                "grep",
                "gzip",
                "head",
                "id",
                "install",
                "ls",
                "mkdir",
                "mktemp",
                "mv",
                "nohup",
                "readlink",
                "rm",
                "sed",
                "sha256sum",
                "sleep",
                "sort",
                "ssh-keygen",
                "tail",
                "tar",
                "timeout",
                "touch",
                "tr",
                "uname",
                "base64",
                "awk",
                "cp",
                "curl",
                "wc",
                "ldd",
                "stat",
                "test",
                "true",
                "setsid",
                "hostname")) {
            for (String dir : List.of("/bin", "/usr/bin", "/usr/sbin", "/sbin")) {
                Path program = Path.of(dir, tool);
                Path link = tools.resolve(tool);
                if (Files.isExecutable(program) && !Files.exists(link)) {
                    Files.createSymbolicLink(link, program.toRealPath());
                }
            }
        }
        return tools.toString();
    }

    private final class Process implements Command {
        private final String line;
        private InputStream in;
        private OutputStream out;
        private OutputStream err;
        private ExitCallback exit;
        private volatile java.lang.Process process;

        Process(String line) {
            this.line = line;
        }

        @Override
        public void start(ChannelSession channel, Environment ignored) throws IOException {
            ProcessBuilder builder = new ProcessBuilder("/bin/bash", "-c", rc + here(line)).directory(home.toFile());
            builder.environment().clear();
            builder.environment().putAll(environment);
            process = builder.start();
            Thread pumpIn = pump(in, process.getOutputStream(), true);
            Thread pumpOut = pump(process.getInputStream(), out, false);
            Thread pumpErr = pump(process.getErrorStream(), err, false);
            Thread end = new Thread(() -> {
                try {
                    int status = process.waitFor();
                    pumpOut.join();
                    pumpErr.join();
                    pumpIn.interrupt();
                    exit.onExit(status);
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                }
            });
            end.setDaemon(true);
            end.start();
        }

        private Thread pump(InputStream from, OutputStream to, boolean close) {
            Thread thread = new Thread(() -> {
                byte[] buffer = new byte[8192];
                try {
                    for (int n = from.read(buffer); n >= 0; n = from.read(buffer)) {
                        to.write(buffer, 0, n);
                        to.flush();
                    }
                    if (close) {
                        to.close();
                    }
                } catch (IOException e) {
                    // The other side hung up.
                }
            });
            thread.setDaemon(true);
            thread.start();
            return thread;
        }

        @Override
        public void destroy(ChannelSession channel) {
            process.destroy();
        }

        @Override
        public void setInputStream(InputStream stream) {
            in = stream;
        }

        @Override
        public void setOutputStream(OutputStream stream) {
            out = stream;
        }

        @Override
        public void setErrorStream(OutputStream stream) {
            err = stream;
        }

        @Override
        public void setExitCallback(ExitCallback callback) {
            exit = callback;
        }
    }
}

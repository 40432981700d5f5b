package io.jenkins.plugins.vastai.simulator;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.SocketAddress;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Path;
import java.security.KeyPair;
import java.security.PublicKey;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.apache.sshd.common.AttributeRepository.AttributeKey;
import org.apache.sshd.common.file.FileSystemFactory;
import org.apache.sshd.common.keyprovider.KeyPairProvider;
import org.apache.sshd.common.session.Session;
import org.apache.sshd.common.session.SessionContext;
import org.apache.sshd.common.session.SessionListener;
import org.apache.sshd.core.CoreModuleProperties;
import org.apache.sshd.server.ServerBuilder;
import org.apache.sshd.server.SshServer;
import org.apache.sshd.server.auth.pubkey.UserAuthPublicKeyFactory;
import org.apache.sshd.server.session.ServerSession;
import org.apache.sshd.sftp.server.SftpFileSystemAccessor;
import org.apache.sshd.sftp.server.SftpSubsystemFactory;
import org.apache.sshd.sftp.server.SftpSubsystemProxy;

/**
 * The SSH endpoints of all machines: one MINA server that listens on many ports, each leading to one machine. Threads
 * are those of MINA's pool however many machines there are, and three for each command while it runs.
 */
final class SshFace implements AutoCloseable {
    private static final AttributeKey<Door> DOOR = new AttributeKey<>();
    private static final AttributeKey<List<KeyPair>> KEYS = new AttributeKey<>();

    private final Server server =
            (Server) ServerBuilder.builder().factory(Server::new).build();
    private final Map<Integer, Door> doors = new ConcurrentHashMap<>();
    private final Map<Integer, ServerSocket> silent = new ConcurrentHashMap<>();
    private final ExecutorService pumps = Executors.newCachedThreadPool(task -> {
        Thread thread = new Thread(task, "simulator-ssh-stream");
        thread.setDaemon(true);
        return thread;
    });

    /** What stands behind a port. Called on MINA's threads. */
    interface Door {
        Machine machine();

        /** Keys for a new connection. */
        List<KeyPair> hostKeys();

        boolean accepts(PublicKey key);

        /** Before authentication; empty for none. */
        String banner();

        /** On stderr of every command; empty for none. */
        String greeting();
    }

    private static final class Server extends SshServer {
        /** MINA logs its own start under this name; nobody needs to know. */
        private static final Logger QUIET = Logger.getLogger(Server.class.getName());

        static {
            QUIET.setLevel(Level.WARNING);
        }

        void listen(int port) throws IOException {
            acceptor.bind(List.of(address(port)));
        }

        void silence(int port) {
            acceptor.unbind(address(port));
        }
    }

    static SocketAddress address(int port) {
        return new InetSocketAddress("127.0.0.1", port);
    }

    SshFace() throws IOException {
        server.setHost("127.0.0.1");
        server.setPort(0);
        server.setKeyPairProvider(new HostKeys());
        server.setPublickeyAuthenticator((user, key, session) -> {
            Door door = door(session);
            return door != null && "root".equals(user) && door.accepts(key);
        });
        server.setUserAuthFactories(List.of(UserAuthPublicKeyFactory.INSTANCE));
        server.setCommandFactory((channel, command) -> command(channel.getServerSession(), command));
        server.setShellFactory(channel -> command(channel.getServerSession(), "exec bash"));
        server.setFileSystemFactory(new HomeDirectories());
        SftpSubsystemFactory sftp = new SftpSubsystemFactory();
        sftp.setFileSystemAccessor(new SftpFileSystemAccessor() {
            @Override
            public Path resolveLocalFilePath(SftpSubsystemProxy subsystem, Path rootDir, String remotePath) {
                Machine machine = door(subsystem.getServerSession()).machine();
                Path path = Path.of(remotePath.isEmpty() ? "." : remotePath);
                return path.isAbsolute()
                        ? machine.paths().inside(path)
                        : machine.home().resolve(path).normalize();
            }
        });
        server.setSubsystemFactories(List.of(sftp));
        server.addSessionListener(new SessionListener() {
            @Override
            public void sessionCreated(Session session) {
                Door door =
                        doors.get(((InetSocketAddress) session.getIoSession().getLocalAddress()).getPort());
                if (door != null) {
                    session.setAttribute(DOOR, door);
                    CoreModuleProperties.WELCOME_BANNER.set(session, door.banner());
                }
            }
        });
        CoreModuleProperties.MAX_AUTH_REQUESTS.set(server, 20);
        server.start();
    }

    private static Door door(Session session) {
        return session.getAttribute(DOOR);
    }

    private MachineCommand command(ServerSession session, String command) {
        Door door = door(session);
        return new MachineCommand(door.machine(), command, door.greeting(), pumps);
    }

    /** From now on the port leads to that machine. */
    void open(int port, Door door) throws IOException {
        doors.put(port, door);
        server.listen(port);
    }

    /** The port accepts connections and says nothing. */
    void openSilently(int port) throws IOException {
        ServerSocket socket = new ServerSocket();
        socket.setReuseAddress(true);
        socket.bind(address(port), 50);
        silent.put(port, socket);
    }

    void close(int port) {
        ServerSocket mute = silent.remove(port);
        if (mute != null) {
            try {
                mute.close();
            } catch (IOException e) {
                // It was only ever to be closed.
            }
        }
        if (doors.remove(port) != null) {
            server.silence(port);
        }
        cut(port);
    }

    /** Ends the connections that came by this port. */
    void cut(int port) {
        for (var session : server.getActiveSessions()) {
            SocketAddress local = session.getIoSession().getLocalAddress();
            if (local instanceof InetSocketAddress at && at.getPort() == port) {
                session.close(true);
            }
        }
    }

    @Override
    public void close() throws IOException {
        List.copyOf(silent.keySet()).forEach(this::close);
        server.stop(true);
        pumps.shutdownNow();
    }

    private static final class HostKeys implements KeyPairProvider {
        @Override
        public Iterable<KeyPair> loadKeys(SessionContext session) {
            if (!(session instanceof Session one) || door(one) == null) {
                return List.of();
            }
            // A connection keeps the key it began with, also when it is asked for anew.
            List<KeyPair> known = one.getAttribute(KEYS);
            if (known == null) {
                known = door(one).hostKeys();
                one.setAttribute(KEYS, known);
            }
            return known;
        }
    }

    private static final class HomeDirectories implements FileSystemFactory {
        @Override
        public Path getUserHomeDir(SessionContext session) {
            return door((Session) session).machine().home();
        }

        @Override
        public FileSystem createFileSystem(SessionContext session) {
            return FileSystems.getDefault();
        }
    }
}

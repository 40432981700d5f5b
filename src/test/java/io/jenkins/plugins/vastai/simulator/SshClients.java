package io.jenkins.plugins.vastai.simulator;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.PublicKey;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import org.apache.sshd.client.SshClient;
import org.apache.sshd.client.channel.ChannelExec;
import org.apache.sshd.client.channel.ClientChannelEvent;
import org.apache.sshd.client.session.ClientSession;
import org.apache.sshd.common.config.keys.KeyUtils;
import org.apache.sshd.common.config.keys.PublicKeyEntry;

/** A MINA client with a key of its own, for the simulator's tests. */
final class SshClients implements AutoCloseable {
    static final Duration LONG = Duration.ofSeconds(20);

    final SshClient client = SshClient.setUpDefaultClient();
    final KeyPair key;
    /** Host keys in the order in which they were met. */
    final List<PublicKey> hostKeys = new ArrayList<>();

    SshClients() throws GeneralSecurityException {
        key = KeyUtils.generateKeyPair("ssh-ed25519", 256);
        client.setServerKeyVerifier((session, address, found) -> {
            synchronized (hostKeys) {
                hostKeys.add(found);
            }
            return true;
        });
        client.start();
    }

    String publicKey() {
        return PublicKeyEntry.toString(key.getPublic()) + " test";
    }

    /** A start script that lets this client in. */
    String startScript() {
        return "mkdir -p ~/.ssh; echo '" + publicKey()
                + "' >> ~/.ssh/authorized_keys; chmod 700 ~/.ssh; chmod 600 ~/.ssh/authorized_keys";
    }

    ClientSession connect(int port) throws IOException {
        ClientSession session =
                client.connect("root", "127.0.0.1", port).verify(LONG).getSession();
        try {
            session.addPublicKeyIdentity(key);
            session.auth().verify(LONG);
            return session;
        } catch (IOException e) {
            session.close(true);
            throw e;
        }
    }

    record Result(int code, String out, String err) {}

    static Result run(ClientSession session, String command) throws IOException {
        return run(session, command, new byte[0]);
    }

    static Result run(ClientSession session, String command, byte[] input) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        try (ChannelExec channel = session.createExecChannel(command)) {
            channel.setIn(new ByteArrayInputStream(input));
            channel.setOut(out);
            channel.setErr(err);
            channel.open().verify(LONG);
            if (channel.waitFor(EnumSet.of(ClientChannelEvent.CLOSED), LONG).contains(ClientChannelEvent.TIMEOUT)) {
                throw new IOException("no end of: " + command);
            }
            Integer code = channel.getExitStatus();
            return new Result(
                    code == null ? -1 : code,
                    out.toString(StandardCharsets.UTF_8),
                    err.toString(StandardCharsets.UTF_8));
        }
    }

    @Override
    public void close() {
        client.stop();
    }
}

package io.jenkins.plugins.vastai.machines;

import io.jenkins.plugins.vastai.rental.Reach;
import io.jenkins.plugins.vastai.rental.Rental;
import io.jenkins.plugins.vastai.ssh.HostKey;
import io.jenkins.plugins.vastai.ssh.StartScript;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.time.Duration;
import java.util.EnumSet;
import java.util.List;
import org.apache.sshd.client.SshClient;
import org.apache.sshd.client.auth.pubkey.UserAuthPublicKeyFactory;
import org.apache.sshd.client.channel.ChannelExec;
import org.apache.sshd.client.channel.ClientChannelEvent;
import org.apache.sshd.client.session.ClientSession;
import org.apache.sshd.common.NamedFactory;
import org.apache.sshd.common.config.keys.PublicKeyEntry;
import org.apache.sshd.common.signature.BuiltinSignatures;
import org.apache.sshd.common.signature.Signature;
import org.apache.sshd.common.util.security.SecurityUtils;

/**
 * What stands for the agent: started as SSH Build Agents starts one, with the host key pinned, and there as long as this
 * is open. Its first lines are what Java says of itself and its environment; then it waits for the end of its input.
 */
final class AgentCommand implements AutoCloseable {

    private static final String UP = "agent-is-up";
    private static final Duration LIMIT = Duration.ofSeconds(20);

    private final SshClient client = SshClient.setUpDefaultClient();
    private final ByteArrayOutputStream output = new ByteArrayOutputStream();
    private ClientSession session;
    private ChannelExec channel;

    AgentCommand(Rental rental) throws IOException {
        Reach reach = rental.reach();
        HostKey pin = HostKey.parse(reach.hostKey());
        // A server with several keys is asked for the pinned kind, as the launcher asks.
        client.setSignatureFactories(BuiltinSignatures.VALUES.stream()
                .filter(known -> known.isSupported() && pin.algorithms().contains(known.getName()))
                .<NamedFactory<Signature>>map(known -> known)
                .toList());
        client.setUserAuthFactories(List.of(new UserAuthPublicKeyFactory(List.of(BuiltinSignatures.ed25519))));
        client.setServerKeyVerifier((with, address, shown) ->
                HostKey.parse(PublicKeyEntry.toString(shown)).equals(pin));
        client.start();
        try {
            session = client.connect(
                            reach.user(),
                            reach.endpoint().host(),
                            reach.endpoint().port())
                    .verify(LIMIT)
                    .getSession();
            session.addPublicKeyIdentity(key(rental));
            session.auth().verify(LIMIT);
            channel = session.createExecChannel(StartScript.AGENT_PREFIX + "cd \"" + Engine.REMOTE_FS + "\" && "
                    + reach.javaPath() + " -version 2>&1 && env && echo " + UP + " && cat");
            channel.setOut(output);
            channel.setErr(output);
            channel.open().verify(LIMIT);
            long end = System.nanoTime() + LIMIT.toNanos();
            while (!text().contains(UP)) {
                boolean closed = channel.waitFor(EnumSet.of(ClientChannelEvent.CLOSED), Duration.ofMillis(50))
                        .contains(ClientChannelEvent.CLOSED);
                if (closed && !text().contains(UP) || System.nanoTime() > end) {
                    throw new IOException("the agent's command ended or said nothing: " + text());
                }
            }
        } catch (IOException | RuntimeException e) {
            close();
            throw e;
        }
    }

    private static KeyPair key(Rental rental) throws IOException {
        try (ByteArrayInputStream text =
                new ByteArrayInputStream(rental.privateKey().value().getBytes(StandardCharsets.US_ASCII))) {
            return SecurityUtils.loadKeyPairIdentities(null, null, text, null)
                    .iterator()
                    .next();
        } catch (GeneralSecurityException e) {
            throw new IOException(e);
        }
    }

    String text() {
        synchronized (output) {
            return output.toString(StandardCharsets.UTF_8);
        }
    }

    boolean connected() {
        return channel.isOpen() && channel.getExitStatus() == null;
    }

    @Override
    public void close() {
        client.close(true);
        client.stop();
    }
}

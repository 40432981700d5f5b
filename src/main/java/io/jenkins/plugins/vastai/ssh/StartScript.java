package io.jenkins.plugins.vastai.ssh;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.zip.Deflater;
import java.util.zip.GZIPOutputStream;

/**
 * The text that Vast.ai runs inside the machine at each start ({@code onstart}): it makes the machine ready to be an
 * agent while the rest of it still boots.
 */
public final class StartScript {

    /** Of the whole text, below what the market surely accepts (docs/market.md, Create). Characters. */
    public static final int MAX_LENGTH = 3999;

    /**
     * Where the state is kept on the machine: in the first of these that can be written to. Everybody finds it by the same
     * line, {@link #FIND_STATE}; the home directory is none of them, since it is not the same for the start script and for a
     * login. Files: {@code ready} ("ready" and the exit status of the user's own script), {@code state} (how far Java is),
     * {@code log}, {@code key} (id and key of the machine itself, for root only), {@code java} (a runtime that was brought),
     * {@code environment} (what the administrator set, for the agent), {@code heard} (the controller was there), {@code writable},
     * {@code watchdog} and what belongs to it: see {@code watchdog.sh}.
     */
    static final List<String> STATE_DIRECTORIES =
            List.of("/var/lib/vastai-cloud", "/run/vastai-cloud", "/tmp/vastai-cloud");

    /** Sets D, empty when there is no such directory. One byte is written: a full file system takes empty files. POSIX. */
    static final String FIND_STATE = "for D in "
            + STATE_DIRECTORIES.stream()
                    .map(directory -> directory.substring(0, directory.lastIndexOf('/')))
                    .collect(Collectors.joining(" "))
            + ";do D=$D/vastai-cloud;mkdir -p $D&&echo >$D/writable&&break;D=;done 2>/dev/null\n";

    /**
     * What the command that starts the agent over SSH must begin with: it tells the watchdog of the connection, and sets
     * the administrator's environment for the agent and with it for builds.
     */
    public static final String AGENT_PREFIX = (FIND_STATE + Scripts.AGENT).replace("\n", "; ");

    private StartScript() {}

    /**
     * @param requiredJava least feature version that the controller's remoting needs, for example 17 or 21
     * @param watchdog when the machine ends itself
     */
    public static Builder builder(SshKeyPair key, int requiredJava, Watchdog watchdog) {
        return new Builder(key.publicLine(), requiredJava, watchdog);
    }

    /** The script and the user's own part together do not fit, even compressed. */
    public static final class TooLong extends Exception {
        private static final long serialVersionUID = 1;
        private final int length;

        TooLong(int length) {
            super("start script of " + length + " characters, limit " + MAX_LENGTH);
            this.length = length;
        }

        /** Characters of the shortest form that was found. */
        public int length() {
            return length;
        }
    }

    public static final class Builder {
        private final String publicLine;
        private final int requiredJava;
        private final Watchdog watchdog;
        private String remoteFs = "/home/jenkins";
        private boolean vm;
        private Optional<String> init = Optional.empty();

        private Builder(String publicLine, int requiredJava, Watchdog watchdog) {
            this.publicLine = Objects.requireNonNull(publicLine);
            this.requiredJava = requiredJava;
            this.watchdog = Objects.requireNonNull(watchdog);
        }

        /** Work directory of the agent; made by the script. Absolute path. */
        public Builder remoteFs(String path) {
            this.remoteFs = Objects.requireNonNull(path);
            return this;
        }

        /** A virtual machine: the script gets a shebang and takes the environment from where a VM has it. */
        public Builder vm(boolean vm) {
            this.vm = vm;
            return this;
        }

        /** The user's own script, run at each start after ours has done its part; with or without a shebang. */
        public Builder init(String script) {
            this.init = Optional.of(script).filter(text -> !text.isBlank());
            return this;
        }

        /** @throws TooLong when even the compressed form exceeds {@link #MAX_LENGTH} */
        public String build() throws TooLong {
            String head = head();
            String body = body();
            String plain = head + body;
            if (plain.length() <= MAX_LENGTH) {
                return plain;
            }
            // The head stays readable: it holds every absolute path that our own part uses.
            String packed = head + "eval \"$(echo " + gzip(body) + "|base64 -d|gzip -dc)\"\n";
            if (packed.length() > MAX_LENGTH) {
                throw new TooLong(packed.length());
            }
            return packed;
        }

        private String head() {
            // A virtual machine needs the shebang; a container does not mind it.
            return "#!/bin/bash\n"
                    + FIND_STATE
                    + "E=/etc/environment S=/etc/ssh R=/run/sshd J=/usr/lib/jvm X=/root\n"
                    + "W=" + Scripts.quote(remoteFs) + " V=" + (vm ? "1" : "") + "\n"
                    + "K=" + Scripts.quote(publicLine) + "\n"
                    + "M=" + requiredJava + " P='" + packages() + "'\n"
                    + watchdog.head() + "\n";
        }

        private String body() {
            StringBuilder text = new StringBuilder();
            text.append(Scripts.START.replace("@WATCHDOG@\n", Scripts.WATCHDOG));
            init.ifPresent(script -> text.append(initPart(script)));
            return text.append("echo \"ready ${i:-0}\" >ready\necho vastai-cloud: ready\n")
                    .toString();
        }

        /** Newest first where the system has it, else what is needed at least. */
        private String packages() {
            return requiredJava < 21 ? "21 " + requiredJava : String.valueOf(requiredJava);
        }

        /** Waits for our own installations first: two package managers at a time refuse each other. */
        private static String initPart(String script) {
            String end = "END_OF_INIT";
            while (script.contains(end)) {
                end += "_";
            }
            return "cat >init <<'" + end + "'\n" + script.replace("\r\n", "\n").stripTrailing() + "\n" + end
                    + "\nchmod 700 init\nwait\n(cd && exec \"$D/init\") </dev/null\ni=$?\n";
        }
    }

    private static String gzip(String text) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (OutputStream out = new GZIPOutputStream(bytes) {
            {
                def.setLevel(Deflater.BEST_COMPRESSION);
            }
        }) {
            out.write(text.getBytes(StandardCharsets.UTF_8));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return Base64.getEncoder().encodeToString(bytes.toByteArray());
    }
}

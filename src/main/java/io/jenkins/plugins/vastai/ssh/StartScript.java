package io.jenkins.plugins.vastai.ssh;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/**
 * The text that Vast.ai runs inside the machine at each start ({@code onstart}): it makes the machine ready to be an
 * agent while the rest of it still boots.
 */
public final class StartScript {

    /** Of the whole text, below what the market surely accepts (api.md section 3.1). Characters. */
    public static final int MAX_LENGTH = 3999;

    private StartScript() {}

    /** @param requiredJava least feature version that the controller's remoting needs, for example 17 or 21 */
    public static Builder builder(SshKeyPair key, int requiredJava) {
        return new Builder(key.publicLine(), requiredJava);
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
        private String remoteFs = "/home/jenkins";
        private boolean vm;
        private String user = "root";
        private Optional<JavaSource> java = Optional.of(JavaSource.TEMURIN_21);
        private Optional<String> init = Optional.empty();
        private final List<String> hidden = new ArrayList<>();

        private Builder(String publicLine, int requiredJava) {
            this.publicLine = Objects.requireNonNull(publicLine);
            this.requiredJava = requiredJava;
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

        /** Login name, root unless told. */
        public Builder user(String user) {
            this.user = Objects.requireNonNull(user);
            return this;
        }

        /** Where to load Java from when the system's packages have none. */
        public Builder java(JavaSource source) {
            this.java = Optional.of(source);
            return this;
        }

        /** The user's own script, run at each start after ours has done its part; with or without a shebang. */
        public Builder init(String script) {
            this.init = Optional.of(script).filter(text -> !text.isBlank());
            return this;
        }

        /** Further names of environment variables that builds must not see. */
        public Builder hide(List<String> names) {
            hidden.addAll(names);
            return this;
        }

        public String build() throws TooLong {
            throw new UnsupportedOperationException();
        }
    }
}

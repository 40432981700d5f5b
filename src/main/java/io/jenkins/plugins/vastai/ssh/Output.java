package io.jenkins.plugins.vastai.ssh;

import java.io.ByteArrayOutputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;

/**
 * What a command on a machine said.
 *
 * @param exit exit status; -1 when a signal ended it
 * @param out stdout, cut at {@link #LIMIT} bytes
 * @param err stderr, cut likewise
 */
record Output(int exit, String out, String err) {

    /** Bytes kept of each stream; a hostile machine may send for ever. */
    static final int LIMIT = 64 * 1024;

    /** For a reason: stderr if there is some, else stdout. */
    String complaint() {
        String text = RemoteText.clean(err);
        return text.isEmpty() ? RemoteText.clean(out) : text;
    }

    /** Keeps the first bytes and forgets the rest. */
    static final class Bounded extends OutputStream {
        private final ByteArrayOutputStream kept = new ByteArrayOutputStream();

        @Override
        public synchronized void write(int b) {
            if (kept.size() < LIMIT) {
                kept.write(b);
            }
        }

        @Override
        public synchronized void write(byte[] bytes, int offset, int length) {
            kept.write(bytes, offset, Math.min(length, LIMIT - kept.size()));
        }

        @Override
        public synchronized String toString() {
            return kept.toString(StandardCharsets.UTF_8);
        }
    }
}

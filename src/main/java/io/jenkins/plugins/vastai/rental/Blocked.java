package io.jenkins.plugins.vastai.rental;

import io.jenkins.plugins.vastai.market.Ban;
import io.jenkins.plugins.vastai.market.Block;
import io.jenkins.plugins.vastai.market.Blocklist;
import io.jenkins.plugins.vastai.market.FailureClass;
import io.jenkins.plugins.vastai.text.Reason;
import java.io.IOException;
import java.time.Instant;
import java.util.List;
import java.util.logging.Level;
import java.util.logging.Logger;

/** The blocklist on disk. Written by the engine's thread, read by any. */
final class Blocked {

    private static final Logger LOGGER = Logger.getLogger(Blocked.class.getName());
    private static final String NAME = "blocklist";
    private static final int VERSION = 1;

    /**
     * @param blocks as {@link Blocklist#entries()}
     * @param bans as {@link Blocklist#bans()}; null in a file of before there were any
     */
    record Entries(int version, List<Block> blocks, List<Ban> bans) {}

    private final RentalStore store;
    private final boolean mayWrite;
    private volatile Blocklist list;

    Blocked(RentalStore store) throws IOException {
        this.store = store;
        Blocklist stored = Blocklist.EMPTY;
        boolean readable = true;
        try {
            stored = store.load(NAME, Entries.class, VERSION)
                    .map(entries -> Blocklist.of(entries.blocks(), entries.bans() == null ? List.of() : entries.bans()))
                    .orElse(Blocklist.EMPTY);
        } catch (NewerVersion e) {
            LOGGER.severe(e.getMessage());
            readable = false;
        }
        list = stored;
        mayWrite = readable;
    }

    Blocklist list() {
        return list;
    }

    void after(Draw draw, FailureClass failure, Reason reason, Instant now) {
        replace(list.after(draw.machineId(), draw.hostId(), failure, reason, now)
                .pruned(now));
    }

    void replace(Blocklist next) {
        if (next.equals(list)) {
            return;
        }
        list = next;
        if (!mayWrite) {
            return; // the file is a newer plugin's
        }
        try {
            store.save(NAME, new Entries(VERSION, next.entries(), next.bans()));
        } catch (IOException e) {
            // The block holds until the next restart; losing it costs a draw, not money on a forgotten machine.
            LOGGER.log(Level.WARNING, "Cannot write the blocklist", e);
        }
    }
}

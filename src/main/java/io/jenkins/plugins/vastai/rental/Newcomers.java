package io.jenkins.plugins.vastai.rental;

import io.jenkins.plugins.vastai.ssh.SshKeyPair;
import java.io.IOException;
import java.time.InstantSource;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.logging.Level;
import java.util.logging.Logger;

/**
 * Rentals that are ordered and have neither key nor record yet. They get both on the engine's thread: two hundred keys
 * made by whoever orders would keep the last of them waiting.
 */
final class Newcomers {

    private static final Logger LOGGER = Logger.getLogger(Newcomers.class.getName());
    private static final int MOST_AT_ONCE = 16;

    private final Queue<String> ids = new ConcurrentLinkedQueue<>();
    private final Records records;
    private final AccountKey accountKey;
    private final InstantSource clock;
    private final String keyComment;

    Newcomers(Records records, AccountKey accountKey, InstantSource clock, String controller) {
        this.records = records;
        this.accountKey = accountKey;
        this.clock = clock;
        keyComment = Labels.owner(controller);
    }

    /** From any thread; counts from now on. */
    void add(Rental rental) {
        records.announce(rental);
        ids.add(rental.id());
    }

    boolean isEmpty() {
        return ids.isEmpty();
    }

    /** Not all of a burst at once: the first is to be rented while the last has no record yet. */
    void begin() {
        for (int i = 0; i < MOST_AT_ONCE && !ids.isEmpty(); i++) {
            begin(ids.remove());
        }
    }

    private void begin(String id) {
        Rental rental = records.get(id).orElse(null);
        if (rental == null || rental.state() != State.ORDERED) {
            return; // retired before it began: that was written and told already
        }
        try {
            SshKeyPair key = rental.order().spec().vm() ? accountKey.pair() : SshKeyPair.generate(keyComment);
            records.announce(rental.key(key.publicLine(), new Hidden(key.privateText())));
        } catch (IOException
                | RuntimeException
                | Error e) { // it has no second turn: without a key it would wait for ever
            LOGGER.log(Level.WARNING, e, () -> "No SSH key for rental " + id);
            records.announce(rental.unneeded(
                    RentalText.KEY_NOT_REGISTERED.of(String.valueOf(e.getMessage())), true, clock.instant()));
        }
        records.begin(id);
    }

    /** Whether it is no newcomer any more. */
    static boolean begun(Rental rental) {
        return rental.state() != State.ORDERED || !rental.publicKey().isEmpty();
    }
}

package io.jenkins.plugins.vastai.rental;

import io.jenkins.plugins.vastai.api.Call;
import io.jenkins.plugins.vastai.api.SshKey;
import io.jenkins.plugins.vastai.api.VastClient;
import io.jenkins.plugins.vastai.ssh.SshKeyPair;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/**
 * The controller's one SSH key on the Vast.ai account. A virtual machine takes its keys from the account when it is
 * created and never again, so the key must be there before (docs/market.md, Virtual machines). Made at first use, kept on disk.
 */
final class AccountKey {

    static final String NAME = "account-key";
    private static final int VERSION = 1;
    private static final Duration RETRY = Duration.ofSeconds(15);

    private record Stored(int version, String publicKey, Hidden privateKey) {}

    private final RentalStore store;
    private final VastClient client;
    private final Lanes lanes;
    private final Records records;
    private final Standing standing;
    private final String comment;
    private SshKeyPair pair;
    private boolean registered;
    private boolean asking;
    private Instant notBefore = Instant.MIN;

    AccountKey(
            RentalStore store, VastClient client, Lanes lanes, Records records, Standing standing, String controller) {
        this.store = store;
        this.client = client;
        this.lanes = lanes;
        this.records = records;
        this.standing = standing;
        this.comment = Labels.owner(controller);
    }

    /** The key pair; made and written at the first call. */
    synchronized SshKeyPair pair() throws IOException {
        if (pair == null) {
            var stored = store.load(NAME, Stored.class, VERSION);
            if (stored.isPresent()) {
                pair = SshKeyPair.parse(stored.get().privateKey().value(), comment);
            } else {
                pair = SshKeyPair.generate(comment);
                store.save(NAME, new Stored(VERSION, pair.publicLine(), new Hidden(pair.privateText())));
            }
        }
        return pair;
    }

    /** Whether the account has the key. Starts looking, and adding it, when that is not known. */
    boolean registered(Rental rental, Instant now) {
        if (!registered) {
            ask(Optional.of(rental), now);
        }
        return registered;
    }

    /** Tries again what a missing permission prevented; that is how its return is noticed. */
    void pass(Instant now) {
        if (!registered && standing.worthAsking(Standing.USER_WRITE, now)) {
            ask(Optional.empty(), now);
        }
    }

    /** @param wanted the rental that needs it and hears what comes of it */
    private void ask(Optional<Rental> wanted, Instant now) {
        if (asking || now.isBefore(notBefore)) {
            return;
        }
        asking = lanes.submit(Lanes.Lane.ACCOUNT, this::register, (added, failure) -> {
            asking = false;
            registered = failure == null;
            Optional<Rental> waiting =
                    wanted.map(rental -> records.get(rental.id()).orElse(rental));
            if (failure != null) {
                notBefore = records.now().plus(RETRY);
                standing.failed(failure, records.now());
                waiting.ifPresent(rental -> records.save(rental.unneeded(
                        RentalText.KEY_NOT_REGISTERED.of(Disposal.said(failure)), true, records.now())));
                return;
            }
            standing.answered(Call.ACCOUNT_KEYS, now);
            // Nothing needs the permission to add it any more, whoever added it.
            standing.answered(Call.ADD_ACCOUNT_KEY, now);
            if (Boolean.TRUE.equals(added)) {
                waiting.ifPresent(rental -> records.say(rental, RentalText.KEY_REGISTERED.of(comment)));
            }
        });
    }

    /** The market says that the key is not there after all. */
    void forget() {
        registered = false;
    }

    private Boolean register() throws IOException {
        String line = pair().publicLine();
        for (SshKey key : client.accountSshKeys()) {
            if (same(key.publicKey(), line)) {
                return false;
            }
        }
        client.addAccountSshKey(line);
        return true;
    }

    /** By type and blob: comments get lost on the way. */
    private static boolean same(String one, String other) {
        String[] a = one == null ? new String[0] : one.trim().split("\\s+");
        String[] b = other.trim().split("\\s+");
        return a.length >= 2 && a[0].equals(b[0]) && a[1].equals(b[1]);
    }
}

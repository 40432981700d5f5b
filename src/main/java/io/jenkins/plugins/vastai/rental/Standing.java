package io.jenkins.plugins.vastai.rental;

import io.jenkins.plugins.vastai.api.User;
import io.jenkins.plugins.vastai.api.VastClient;
import io.jenkins.plugins.vastai.api.VastException;
import io.jenkins.plugins.vastai.market.AllInPrice;
import io.jenkins.plugins.vastai.text.Reason;
import java.math.BigDecimal;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/**
 * Whether the account can rent at all: key accepted, money left, market reachable. A bad key or an empty balance stops
 * every create until a check says that it was mended; rentals that exist are kept and still destroyed.
 */
final class Standing {

    private static final Duration CREDIT_FRESH = Duration.ofSeconds(60);

    private final VastClient client;
    private final Lanes lanes;
    private final ControllerIdentity identity;

    /** Read by pages, written by the engine's thread. */
    private volatile Reason trouble;

    private volatile Reason unreachable;
    private volatile BigDecimal credit;
    private Instant creditAt = Instant.MIN;
    private Instant nextCheck = Instant.MIN;

    Standing(VastClient client, Lanes lanes, ControllerIdentity identity) {
        this.client = client;
        this.lanes = lanes;
        this.identity = identity;
    }

    /** What keeps the account from renting, or the market from answering; empty when all is well. */
    Optional<Reason> trouble() {
        return dormant().or(() -> Optional.ofNullable(trouble != null ? trouble : unreachable));
    }

    /** $ that can be spent, as it was told last; empty while nobody had to ask. */
    Optional<BigDecimal> credit() {
        return Optional.ofNullable(credit);
    }

    /** Why this order may not create now. Asks the market for the credit when what is known is old. */
    Optional<Reason> hold(Order order, Instant now) {
        Optional<Reason> dormant = dormant();
        if (dormant.isPresent()) {
            return dormant;
        }
        if (trouble != null || (order.balanceFloor() != null && now.isAfter(creditAt.plus(CREDIT_FRESH)))) {
            check(now);
        }
        if (trouble != null) {
            return Optional.of(trouble);
        }
        if (order.balanceFloor() == null) {
            return Optional.empty();
        }
        if (credit == null) {
            return Optional.of(RentalText.BALANCE_UNKNOWN.of(AllInPrice.show(order.balanceFloor())));
        }
        return credit.compareTo(order.balanceFloor()) < 0
                ? Optional.of(RentalText.BALANCE_LOW.of(AllInPrice.show(credit), AllInPrice.show(order.balanceFloor())))
                : Optional.empty();
    }

    private Optional<Reason> dormant() {
        return identity.dormant() ? identity.suspicion().map(Suspicion::reason) : Optional.empty();
    }

    void answered() {
        unreachable = null;
    }

    /** Any call failed: keeps what concerns the account, not the single call. */
    void failed(Exception failure, Instant now) {
        if (!(failure instanceof VastException vast)) {
            return;
        }
        switch (vast.kind()) {
            case BAD_KEY, MISSING_PERMISSION, TWO_FACTOR, NO_MONEY -> {
                trouble = RentalText.ACCOUNT_TROUBLE.of(vast.reason());
                nextCheck = now.plus(CREDIT_FRESH);
            }
            case UNREACHABLE, UNAVAILABLE, THROTTLED, UNREADABLE ->
                unreachable = RentalText.MARKET_UNREACHABLE.of(vast.reason());
            default -> {
                // concerns one offer, instance or template only
            }
        }
    }

    /** Somebody says that the trouble was mended. */
    void retry() {
        nextCheck = Instant.MIN;
        creditAt = Instant.MIN;
    }

    /** Asks for the credit, unless that is under way; {@link #broke} tells. */
    void askCredit(Instant now) {
        lanes.submit(Lanes.Lane.ACCOUNT, client::currentUser, (user, failure) -> checked(user, failure, now));
    }

    /** Whether the account has no money left, as asked at that moment or later; empty while it is not known. */
    Optional<Boolean> broke(Instant since) {
        return creditAt.isBefore(since) ? Optional.empty() : Optional.of(credit != null && credit.signum() <= 0);
    }

    private void check(Instant now) {
        if (now.isBefore(nextCheck)) {
            return;
        }
        if (lanes.submit(Lanes.Lane.ACCOUNT, client::currentUser, (user, failure) -> checked(user, failure, now))) {
            nextCheck = now.plus(CREDIT_FRESH);
        }
    }

    private void checked(User user, Exception failure, Instant now) {
        if (failure != null) {
            failed(failure, now);
            return;
        }
        credit = user.spendable().orElse(null);
        creditAt = now;
        unreachable = null;
        trouble = credit != null && credit.signum() <= 0
                ? RentalText.BALANCE_LOW.of(AllInPrice.show(credit), "0.00")
                : null;
    }
}

package io.jenkins.plugins.vastai.rental;

import io.jenkins.plugins.vastai.api.ApiText;
import io.jenkins.plugins.vastai.api.Call;
import io.jenkins.plugins.vastai.api.OfferQuery;
import io.jenkins.plugins.vastai.api.User;
import io.jenkins.plugins.vastai.api.VastClient;
import io.jenkins.plugins.vastai.api.VastException;
import io.jenkins.plugins.vastai.market.AllInPrice;
import io.jenkins.plugins.vastai.text.Reason;
import java.math.BigDecimal;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.logging.Level;
import java.util.logging.Logger;

/**
 * What the account and its key can do: key accepted, permissions, money, market reachable. Each trouble is kept by
 * itself, stops only what needs it, and ends when a later call proves it wrong; what no work would find out by itself
 * is asked once a minute. Rentals that exist are kept and still destroyed.
 */
final class Standing {

    private static final Logger LOGGER = Logger.getLogger(Standing.class.getName());
    private static final Duration CREDIT_FRESH = Duration.ofSeconds(60);
    private static final Duration ASK = Duration.ofSeconds(60);
    private static final Duration LOOK_AT_KEY = Duration.ofSeconds(1);

    private static final String SEARCH = Call.SEARCH.scope();
    private static final String READ = Call.LIST.scope();
    private static final String WRITE = Call.CREATE.scope();
    static final String USER_READ = Call.CURRENT_USER.scope();
    static final String USER_WRITE = Call.ADD_ACCOUNT_KEY.scope();

    /** Without one of these nothing is rented: what cannot be watched or destroyed is money at risk. */
    private static final List<String> REQUIRED = List.of(SEARCH, READ, WRITE);

    private enum Kind {
        KEY,
        SECOND_FACTOR,
        MONEY,
        PERMISSION
    }

    /** @param scope the permission that is missing, or by which the market is asked whether the trouble is over */
    private record Cause(Kind kind, String scope) {
        boolean stopsRenting() {
            return kind != Kind.PERMISSION || REQUIRED.contains(scope);
        }
    }

    /**
     * @param since when it was said first
     * @param at when it was said last; a call that began before proves nothing
     */
    private record Found(Reason reason, Instant since, Instant at) {}

    /** One question to the market, and what came of it. */
    private record Asked(String scope, User user, VastException failure) {}

    private final VastClient client;
    private final Lanes lanes;
    private final ControllerIdentity identity;

    /** In the order of discovery. Read by pages, replaced by the engine's thread. */
    private volatile Map<Cause, Found> found = Map.of();

    private volatile Reason unreachable;
    private volatile BigDecimal credit;
    private Instant creditAt = Instant.MIN;
    private Instant nextCredit = Instant.MIN;

    /** When the market is asked next, by permission. */
    private final Map<String, Instant> asks = new HashMap<>();

    /** Something required was found missing, and what else is missing is being asked. */
    private boolean exploring;

    private boolean mended;
    private Instant nextLook = Instant.MIN;
    /** Tells one key from another; empty for none, null before the first look. */
    private String keyMark;

    Standing(VastClient client, Lanes lanes, ControllerIdentity identity) {
        this.client = client;
        this.lanes = lanes;
        this.identity = identity;
    }

    /** What an administrator must know: what stops renting, or part of it, or the market from answering. */
    Optional<Reason> trouble() {
        return hindrance().or(() -> {
            List<Reason> missing = missing(cause -> true);
            return missing.isEmpty() ? Optional.empty() : Optional.of(RentalText.KEY_LIMITED.of(missing));
        });
    }

    /** What keeps every order from being served; empty when some or all can be. */
    Optional<Reason> hindrance() {
        return dormant().or(() -> stopped(cause -> true)).or(() -> Optional.ofNullable(unreachable));
    }

    /** $ that can be spent, as it was told last; empty while nobody had to ask, or the key may not. */
    Optional<BigDecimal> credit() {
        return lacks(USER_READ) ? Optional.empty() : Optional.ofNullable(credit);
    }

    /** Whether the key was last seen to lack the permission. */
    boolean lacks(String scope) {
        return found.containsKey(new Cause(Kind.PERMISSION, scope));
    }

    /** Why machines cannot be watched, if that was so at {@code then} already. */
    Optional<Reason> blindSince(Instant then) {
        return Optional.ofNullable(found.get(new Cause(Kind.PERMISSION, READ)))
                .filter(blind -> !blind.since().isAfter(then))
                .map(Found::reason);
    }

    /** Why this order may not create now. Asks the market for the credit when what is known is old. */
    Optional<Reason> hold(Order order, Instant now) {
        Optional<Reason> dormant = dormant();
        if (dormant.isPresent()) {
            return dormant;
        }
        BigDecimal floor = order.balanceFloor();
        if (floor != null && !lacks(USER_READ) && now.isAfter(creditAt.plus(CREDIT_FRESH))) {
            checkCredit(now);
        }
        if (exploring) {
            return Optional.of(RentalText.KEY_ASKED.of());
        }
        Optional<Reason> stopped = stopped(cause -> cause.stopsRenting() && !worthATry(cause, now));
        if (stopped.isPresent() || floor == null) {
            return stopped;
        }
        if (lacks(USER_READ)) {
            return Optional.of(RentalText.BALANCE_HIDDEN.of(AllInPrice.show(floor)));
        }
        if (credit == null) {
            return Optional.of(RentalText.BALANCE_UNKNOWN.of(AllInPrice.show(floor)));
        }
        return credit.compareTo(floor) < 0
                ? Optional.of(RentalText.BALANCE_LOW.of(AllInPrice.show(credit), AllInPrice.show(floor)))
                : Optional.empty();
    }

    /** Only another create shows that there is money again when the key may not see the credit. */
    private boolean worthATry(Cause cause, Instant now) {
        return cause.kind() == Kind.MONEY
                && lacks(USER_READ)
                && !now.isBefore(found.get(cause).at().plus(ASK));
    }

    private Optional<Reason> dormant() {
        return identity.dormant() ? identity.suspicion().map(Suspicion::reason) : Optional.empty();
    }

    /** The worst first; missing permissions together, so that one visit to the console is enough. */
    private Optional<Reason> stopped(Predicate<Cause> counts) {
        boolean permissions = REQUIRED.stream().anyMatch(this::lacks);
        return told(Kind.KEY, counts)
                .or(() -> told(Kind.SECOND_FACTOR, counts))
                .or(() -> permissions
                        ? Optional.of(RentalText.ACCOUNT_TROUBLE.of(missing(counts)))
                        : told(Kind.MONEY, counts));
    }

    private Optional<Reason> told(Kind kind, Predicate<Cause> counts) {
        return found.entrySet().stream()
                .filter(entry -> entry.getKey().kind() == kind && counts.test(entry.getKey()))
                .map(entry -> entry.getValue().reason())
                .findFirst();
    }

    private List<Reason> missing(Predicate<Cause> counts) {
        return found.keySet().stream()
                .filter(cause -> cause.kind() == Kind.PERMISSION && counts.test(cause))
                .map(cause -> lack(cause.scope()))
                .toList();
    }

    private static Reason lack(String scope) {
        return switch (scope) {
            case "misc" -> RentalText.LACKS_MISC.of();
            case "instance_read" -> RentalText.LACKS_INSTANCE_READ.of();
            case "instance_write" -> RentalText.LACKS_INSTANCE_WRITE.of();
            case "user_read" -> RentalText.LACKS_USER_READ.of();
            case "user_write" -> RentalText.LACKS_USER_WRITE.of();
            default -> RentalText.LACKS_PERMISSION.of(scope);
        };
    }

    /**
     * A call did what was asked, so its permission is there, the key is accepted and the market can be reached.
     *
     * @param begun when it was sent
     */
    void answered(Call call, Instant begun) {
        unreachable = null;
        // A search is answered to anybody, a bad key or none.
        boolean provesKey = !call.scope().isEmpty() && call != Call.SEARCH;
        end(
                cause -> switch (cause.kind()) {
                    case KEY -> provesKey;
                    case SECOND_FACTOR, PERMISSION -> cause.scope().equals(call.scope());
                    case MONEY -> call == Call.CREATE;
                },
                begun);
    }

    /** Any call failed: keeps what concerns the account, not the single call. */
    void failed(Exception failure, Instant now) {
        if (!(failure instanceof VastException vast)) {
            return;
        }
        switch (vast.kind()) {
            case BAD_KEY -> begin(new Cause(Kind.KEY, READ), RentalText.ACCOUNT_TROUBLE.of(vast.reason()), vast, now);
            case TWO_FACTOR -> {
                String scope = REQUIRED.contains(vast.permission()) ? vast.permission() : USER_READ;
                begin(new Cause(Kind.SECOND_FACTOR, scope), RentalText.ACCOUNT_TROUBLE.of(vast.reason()), vast, now);
            }
            case NO_MONEY ->
                begin(new Cause(Kind.MONEY, USER_READ), RentalText.ACCOUNT_TROUBLE.of(vast.reason()), vast, now);
            case MISSING_PERMISSION -> {
                // Whose permissions the market knows, that key it accepts.
                end(cause -> cause.kind() == Kind.KEY, now);
                boolean known = REQUIRED.stream().anyMatch(this::lacks);
                begin(new Cause(Kind.PERMISSION, vast.permission()), lack(vast.permission()), vast, now);
                if (!known && REQUIRED.contains(vast.permission())) {
                    // Whoever adds one permission is to know which others are missing.
                    exploring = true;
                    REQUIRED.forEach(scope -> asks.put(scope, now));
                }
            }
            case UNREACHABLE, UNAVAILABLE, THROTTLED, UNREADABLE ->
                unreachable = RentalText.MARKET_UNREACHABLE.of(vast.reason());
            default -> {
                // concerns one offer, instance or template only
            }
        }
    }

    private void begin(Cause cause, Reason reason, VastException failure, Instant now) {
        if (keep(cause, reason, now)) {
            LOGGER.log(Level.WARNING, () -> "Not everything can be rented: " + failure.getMessage());
        }
    }

    /** Whether it is news. */
    private boolean keep(Cause cause, Reason reason, Instant now) {
        Map<Cause, Found> next = new LinkedHashMap<>(found);
        Found before = next.get(cause);
        next.put(cause, new Found(reason, before == null ? now : before.since(), now));
        found = Collections.unmodifiableMap(next);
        if (before == null || !asks.getOrDefault(cause.scope(), Instant.MIN).isAfter(now)) {
            asks.put(cause.scope(), now.plus(ASK));
        }
        return before == null;
    }

    private void end(Predicate<Cause> over, Instant begun) {
        Map<Cause, Found> next = new LinkedHashMap<>(found);
        if (next.entrySet()
                .removeIf(entry -> over.test(entry.getKey())
                        && !begun.isBefore(entry.getValue().at()))) {
            found = Collections.unmodifiableMap(next);
            mended = true;
            LOGGER.log(Level.INFO, () -> next.isEmpty() ? "Renting goes on" : "What is left: " + next.keySet());
        }
    }

    /** Asks whether what is kept here still holds, each once a minute at most; in the fleet's pass. */
    void pass(Instant now) {
        if (found.isEmpty()) {
            asks.clear();
            exploring = false;
            return;
        }
        List<String> due = asks.entrySet().stream()
                .filter(ask -> !now.isBefore(ask.getValue()))
                .map(Map.Entry::getKey)
                .filter(scope -> !scope.equals(USER_WRITE)) // only adding the key shows it: AccountKey
                .filter(scope -> exploring && REQUIRED.contains(scope) || troubled(scope))
                .sorted()
                .toList();
        if (!due.isEmpty()
                && lanes.submit(Lanes.Lane.ACCOUNT, () -> ask(due), (asked, failure) -> heard(asked, failure, now))) {
            due.forEach(scope -> asks.put(scope, now.plus(ASK)));
        }
        lookAtKey(now);
    }

    /** Whether a trouble has ended since this was asked last: what waits for the market's next answer need not. */
    boolean mended() {
        boolean since = mended;
        mended = false;
        return since;
    }

    /** Whether the work that needs this missing permission is to be tried again. */
    boolean worthAsking(String scope, Instant now) {
        return lacks(scope) && !now.isBefore(asks.getOrDefault(scope, Instant.MIN));
    }

    private boolean troubled(String scope) {
        return found.keySet().stream().anyMatch(cause -> cause.scope().equals(scope));
    }

    private List<Asked> ask(Collection<String> scopes) {
        List<Asked> all = new ArrayList<>();
        for (String scope : scopes) {
            User user = null;
            VastException failure = null;
            try {
                user = ask(scope);
            } catch (VastException e) {
                failure = e;
            }
            all.add(new Asked(scope, user, failure));
        }
        return all;
    }

    /** The smallest call that needs the permission and changes nothing. */
    private User ask(String scope) throws VastException {
        if (scope.equals(SEARCH)) {
            client.searchOffers(new OfferQuery(Map.of(), "on-demand", List.of(), 1, 10));
        } else if (scope.equals(READ)) {
            client.lookAt(List.of(0L));
        } else if (scope.equals(WRITE)) {
            client.mayWrite();
        } else {
            return client.currentUser();
        }
        return null;
    }

    private void heard(List<Asked> asked, Exception failure, Instant begun) {
        exploring = false;
        if (failure != null) {
            failed(failure, begun);
            return;
        }
        for (Asked each : asked) {
            if (each.scope().equals(USER_READ)) {
                checked(each.user(), each.failure(), begun);
            } else if (each.failure() != null) {
                failed(each.failure(), begun);
            } else {
                answered(
                        each.scope().equals(SEARCH) ? Call.SEARCH : each.scope().equals(READ) ? Call.LIST : Call.LABEL,
                        begun);
            }
        }
    }

    /** A key that was put back or replaced is asked about at once: what was said concerned another. */
    private void lookAtKey(Instant now) {
        boolean aboutKey = found.keySet().stream().anyMatch(cause -> cause.kind() != Kind.MONEY);
        if (!aboutKey || now.isBefore(nextLook)) {
            return;
        }
        if (lanes.submit(
                Lanes.Lane.ACCOUNT, () -> client.keyFingerprint().orElse(""), (mark, failure) -> looked(mark, now))) {
            nextLook = now.plus(LOOK_AT_KEY);
        }
    }

    private void looked(String mark, Instant now) {
        if (mark == null) {
            return; // the credentials cannot be read now
        }
        boolean changed = keyMark != null && !keyMark.equals(mark);
        keyMark = mark;
        if (!mark.isEmpty()) {
            Reason none = RentalText.ACCOUNT_TROUBLE.of(ApiText.NO_KEY.of());
            Map<Cause, Found> present = found;
            end(cause -> present.get(cause).reason().equals(none), now);
        }
        if (changed) {
            askAgain(now);
        }
    }

    /** Somebody says that the trouble was mended. */
    void retry() {
        askAgain(Instant.MIN);
        creditAt = Instant.MIN;
        nextCredit = Instant.MIN;
    }

    private void askAgain(Instant when) {
        found.keySet().forEach(cause -> asks.put(cause.scope(), when));
    }

    /** Asks for the credit, unless that is under way; {@link #broke} tells. */
    void askCredit(Instant now) {
        lanes.submit(Lanes.Lane.ACCOUNT, client::currentUser, (user, failure) -> checked(user, failure, now));
    }

    /** Whether the account has no money left, as asked at that moment or later; empty while it is not known. */
    Optional<Boolean> broke(Instant since) {
        return creditAt.isBefore(since) ? Optional.empty() : Optional.of(credit != null && credit.signum() <= 0);
    }

    private void checkCredit(Instant now) {
        if (now.isBefore(nextCredit)) {
            return;
        }
        if (lanes.submit(Lanes.Lane.ACCOUNT, client::currentUser, (user, failure) -> checked(user, failure, now))) {
            nextCredit = now.plus(CREDIT_FRESH);
        }
    }

    private void checked(User user, Exception failure, Instant begun) {
        if (failure != null) {
            failed(failure, begun);
            return;
        }
        credit = user.spendable().orElse(null);
        creditAt = begun;
        answered(Call.CURRENT_USER, begun);
        if (credit != null && credit.signum() <= 0) {
            keep(new Cause(Kind.MONEY, USER_READ), RentalText.BALANCE_LOW.of(AllInPrice.show(credit), "0.00"), begun);
        } else {
            end(cause -> cause.kind() == Kind.MONEY, begun);
        }
    }
}

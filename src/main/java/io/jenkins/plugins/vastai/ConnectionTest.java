package io.jenkins.plugins.vastai;

import hudson.Util;
import hudson.util.FormValidation;
import io.jenkins.plugins.vastai.api.ApiKey;
import io.jenkins.plugins.vastai.api.OfferQuery;
import io.jenkins.plugins.vastai.api.Pacing;
import io.jenkins.plugins.vastai.api.Patience;
import io.jenkins.plugins.vastai.api.SshKey;
import io.jenkins.plugins.vastai.api.User;
import io.jenkins.plugins.vastai.api.VastClient;
import io.jenkins.plugins.vastai.api.VastException;
import io.jenkins.plugins.vastai.api.VastException.Kind;
import io.jenkins.plugins.vastai.text.Texts;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.net.URI;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import okhttp3.OkHttpClient;
import org.jvnet.localizer.LocaleProvider;

/**
 * What a key can do and what it cannot, found by asking the market, in the words of the admin's remedy. Every question
 * leaves the account as it was.
 */
final class ConnectionTest {

    /** Troubles of the connection or of the whole key: there is no use in asking on. */
    private static final Set<Kind> FATAL =
            Set.of(Kind.BAD_KEY, Kind.TWO_FACTOR, Kind.UNREACHABLE, Kind.UNREADABLE, Kind.UNAVAILABLE, Kind.THROTTLED);

    /** A permission, what it is for, what its lack costs, and whether renting is impossible without. */
    private enum Scope {
        MISC(true),
        INSTANCE_READ(true),
        INSTANCE_WRITE(true),
        USER_READ(false),
        BILLING_READ(false);

        private final boolean required;

        Scope(boolean required) {
            this.required = required;
        }

        /** As Vast.ai writes it. */
        String id() {
            return name().toLowerCase(Locale.ROOT);
        }

        String use() {
            return switch (this) {
                case MISC -> Messages.Connection_use_misc();
                case INSTANCE_READ -> Messages.Connection_use_instance_read();
                case INSTANCE_WRITE -> Messages.Connection_use_instance_write();
                case USER_READ -> Messages.Connection_use_user_read();
                case BILLING_READ -> Messages.Connection_use_billing_read();
            };
        }

        String cost() {
            return switch (this) {
                case MISC -> Messages.Connection_cost_misc();
                case INSTANCE_READ -> Messages.Connection_cost_instance_read();
                case INSTANCE_WRITE -> Messages.Connection_cost_instance_write();
                case USER_READ -> Messages.Connection_cost_user_read();
                case BILLING_READ -> Messages.Connection_cost_billing_read();
            };
        }
    }

    /** A question that needs one permission. */
    private interface Question {
        void ask() throws VastException;
    }

    /** Ends the test: nothing else would be answered. */
    private static final class Fatal extends Exception {
        private static final long serialVersionUID = 1;
        private final transient VastException failure;

        Fatal(VastException failure) {
            super(failure);
            this.failure = failure;
        }
    }

    private final VastClient client;
    private final URI address;
    private final List<String> lines = new ArrayList<>();
    private FormValidation.Kind worst = FormValidation.Kind.OK;

    private ConnectionTest(URI address, VastClient client) {
        this.address = address;
        this.client = client;
    }

    /** @param patience longest wait for one answer; about six are asked for, one after the other */
    static FormValidation run(URI address, ApiKey key, Duration patience) {
        OkHttpClient http = Tuning.current.client();
        try {
            VastClient client =
                    new VastClient(address, () -> key, http, Pacing.published(patience), Patience.once(patience));
            return new ConnectionTest(address, client).result();
        } finally {
            http.connectionPool().evictAll();
        }
    }

    private FormValidation result() {
        try {
            ask();
        } catch (Fatal e) {
            return FormValidation.error(words(e.failure));
        }
        StringBuilder html = new StringBuilder("<div role=\"list\">"); // each line has its own mark
        for (String line : lines) {
            html.append("<div role=\"listitem\">").append(Util.escape(line)).append("</div>");
        }
        return FormValidation.respond(worst, html.append("</div>").toString());
    }

    private void ask() throws Fatal {
        account();
        permission(Scope.MISC, () -> {
            if (client.searchOffers(new OfferQuery(Map.of(), "on-demand", List.of(), 1, 10))
                    .isEmpty()) {
                say(FormValidation.Kind.WARNING, "⚠ " + Messages.Connection_noOffers());
            }
        });
        permission(Scope.INSTANCE_READ, client::listInstances);
        permission(Scope.INSTANCE_WRITE, client::mayWrite);
        permission(Scope.BILLING_READ, () -> {
            Instant now = Instant.now();
            client.charges(now.minus(Duration.ofDays(1)), now);
        });
        virtualMachines();
    }

    private void account() throws Fatal {
        permission(Scope.USER_READ, () -> {
            User user = client.currentUser();
            Optional<BigDecimal> credit = user.spendable();
            String name = Optional.ofNullable(user.username())
                    .or(() -> Optional.ofNullable(user.email()))
                    .orElse(String.valueOf(user.id()));
            say(
                    FormValidation.Kind.OK,
                    "✓ "
                            + credit.map(dollars -> Messages.Connection_account(
                                            address.getHost(),
                                            name,
                                            dollars.setScale(2, RoundingMode.HALF_UP)
                                                    .toPlainString()))
                                    .orElseGet(
                                            () -> Messages.Connection_accountCreditUnknown(address.getHost(), name)));
            if (credit.isPresent() && credit.get().signum() <= 0) {
                say(FormValidation.Kind.WARNING, "⚠ " + Messages.Connection_noCredit());
            }
        });
        if (lines.stream().noneMatch(line -> line.contains(address.getHost()))) {
            lines.add(0, "✓ " + Messages.Connection_noAccount(address.getHost()));
        }
    }

    /** Keys of the account, which virtual machines need: containers get one of their own. */
    private void virtualMachines() throws Fatal {
        try {
            List<SshKey> keys = client.accountSshKeys();
            say(
                    FormValidation.Kind.OK,
                    keys.isEmpty()
                            ? "– " + Messages.Connection_sshKeysNone()
                            : "– " + Messages.Connection_sshKeys(String.valueOf(keys.size())));
            say(FormValidation.Kind.OK, "– " + Messages.Connection_userWrite());
        } catch (VastException e) {
            if (e.kind() == Kind.TEAM_KEY) {
                say(FormValidation.Kind.WARNING, "⚠ " + Messages.Connection_team());
            } else if (FATAL.contains(e.kind())) {
                throw new Fatal(e);
            }
            // A missing user_read has been said already.
        }
    }

    private void permission(Scope scope, Question question) throws Fatal {
        try {
            question.ask();
            say(FormValidation.Kind.OK, "✓ " + Messages.Connection_has(scope.id(), scope.use()));
        } catch (VastException e) {
            if (e.kind() == Kind.MISSING_PERMISSION) {
                say(
                        scope.required ? FormValidation.Kind.ERROR : FormValidation.Kind.WARNING,
                        "✗ " + Messages.Connection_lacks(scope.id(), scope.cost()));
            } else if (FATAL.contains(e.kind())) {
                throw new Fatal(e);
            } else {
                say(FormValidation.Kind.WARNING, "⚠ " + Messages.Connection_unknown(scope.id(), scope.use(), words(e)));
            }
        }
    }

    private static String words(VastException failure) {
        return Texts.render(failure.reason(), LocaleProvider.getLocale());
    }

    private void say(FormValidation.Kind kind, String line) {
        lines.add(line);
        if (kind.ordinal() > worst.ordinal()) {
            worst = kind;
        }
    }
}

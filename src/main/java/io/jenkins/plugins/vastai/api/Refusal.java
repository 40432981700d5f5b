package io.jenkins.plugins.vastai.api;

import static io.jenkins.plugins.vastai.api.VastException.Kind;

import com.fasterxml.jackson.databind.JsonNode;
import io.jenkins.plugins.vastai.text.Reason;
import java.time.Duration;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Reads from an answer why the market did not do what was asked. Neither the status nor the error code alone decides:
 * the market uses 404 for a bad key as well as for a missing instance, 200 for failures, and puts the telling word into
 * any of four fields. But proxies and CDNs answer in its place, and their pages hold the same words: only what has the
 * market's own form is believed. Source: docs/market.md, Answers.
 */
final class Refusal {

    private static final Pattern THRESHOLD = Pattern.compile("threshold\\s*=\\s*(\\d{1,4}(?:\\.\\d{1,3})?)");
    /** A create that names the offer as what is wrong; the next offer may do. */
    private static final Pattern ABOUT_THE_OFFER = Pattern.compile("\\boffer\\b|\\bask\\b|no_such_ask");

    private static final Pattern ABOUT_MONEY =
            Pattern.compile("insufficient[_ ]credit|missing[_ ]billing|spend[_ ]rate[_ ]limit");
    private static final Pattern NO_INSTANCE =
            Pattern.compile("no[_ ]such[_ ]instance|\\bnot_found\\b|\\binvalid_id\\b|instance (?:\\d+ )?not found");
    private static final Pattern NO_PERMISSION =
            Pattern.compile("permission|\\bscopes?\\b|not[_ ]authorized|insufficient[_ ]privilege");
    /** Codes that nobody else has. */
    private static final Set<String> CODES = Set.of(
            "auth_error",
            "invalid_args",
            "invalid_price",
            "no_such_ask",
            "no_such_instance",
            "no_ssh_key",
            "no_ssh_key_for_vm",
            "insufficient_credit",
            "missing_billing",
            "spend_rate_limit");

    private static final Set<Call> ABOUT_AN_INSTANCE = Set.of(
            Call.SHOW, Call.DESTROY, Call.LABEL, Call.REBOOT, Call.ATTACH_KEY, Call.INSTANCE_KEYS, Call.REQUEST_LOGS);

    private final Call call;
    private final Answer answer;
    /** Whether the answer has the market's own form; see {@link #ofTheMarket}. */
    private final boolean own;

    private final String words;
    private final String shown;

    private Refusal(Call call, Answer answer, Set<String> secrets) {
        this.call = call;
        this.answer = answer;
        String error = answer.json().path("error").asText("");
        String message = message(answer.json());
        String said = answer.json().isObject() ? (error + " " + message).strip() : answer.text();
        this.own = ofTheMarket(answer.json());
        this.words = said.toLowerCase(Locale.ROOT);
        this.shown = Redaction.line(said, secrets);
    }

    /** Whether this answer is a failure: by its status, or because it says so in spite of it. */
    static boolean isRefusal(Answer answer) {
        JsonNode json = answer.json();
        return answer.status() < 200
                || answer.status() >= 300
                || (json.has("success") && !json.path("success").asBoolean(false))
                || (!json.has("success") && json.hasNonNull("error"));
    }

    /** @param secrets texts of the request that the answer may repeat and nobody may see */
    static VastException of(Call call, Answer answer, String address, Set<String> secrets) {
        Refusal refusal = new Refusal(call, answer, secrets);
        Kind kind = refusal.kind();
        boolean answeredInEarnest = answer.status() >= 300 && answer.status() < 500 && answer.status() != 408;
        return VastException.of(kind, refusal.reason(kind, address))
                .status(answer.status())
                .permission(refusal.own ? call.scope() : "")
                .createdInstance(Json.whole(answer.json().path("new_contract")))
                .retryAfter(answer.retryAfter())
                .mayHaveTakenEffect(!answeredInEarnest && (kind == Kind.UNAVAILABLE || kind == Kind.UNREADABLE))
                .build();
    }

    /** The spacing that an answer names ({@code threshold=4.5}); null if it names none. */
    static Duration threshold(String text) {
        Matcher matcher = THRESHOLD.matcher(text);
        return matcher.find() ? Duration.ofMillis((long) (Double.parseDouble(matcher.group(1)) * 1000)) : null;
    }

    /**
     * The market says {@code success}, or {@code error} and {@code msg} together, or one of its own codes. Gateways have
     * other forms: {@code {"message"}}, {@code {"error", "message", "status"}}, {@code {"success", "errors"}}, problem
     * details.
     */
    private static boolean ofTheMarket(JsonNode json) {
        if (json.path("success").isBoolean()) {
            return !json.has("errors");
        }
        JsonNode error = json.path("error");
        return error.isTextual() && (json.path("msg").isTextual() || CODES.contains(error.textValue()));
    }

    private static String message(JsonNode json) {
        for (String field : new String[] {"msg", "message", "detail"}) {
            JsonNode text = json.path(field);
            if (!text.isMissingNode() && !text.isNull()) {
                return text.isTextual() ? text.textValue() : text.toString();
            }
        }
        return "";
    }

    private Kind kind() {
        int status = answer.status();
        boolean json = answer.json().isObject();
        if (status == 429
                || json && (words.contains("rate_limit_exceeded") || words.contains("requests too frequent"))) {
            return Kind.THROTTLED;
        }
        if (status >= 500 || status == 408 || status == 425) {
            return Kind.UNAVAILABLE;
        }
        if (status >= 300 && status < 400) {
            return Kind.UNREADABLE;
        }
        return own ? kindByMarket() : kindOfAnother();
    }

    private Kind kindByMarket() {
        Kind said = kindByWords();
        if (said != null) {
            return said;
        }
        int status = answer.status();
        return switch (status) {
            case 401 -> Kind.BAD_KEY;
            case 402 -> Kind.NO_MONEY;
            case 403 -> Kind.MISSING_PERMISSION;
            case 404 -> kindOfPlain404();
            case 409, 410 -> call == Call.CREATE ? Kind.OFFER_GONE : Kind.UNREADABLE;
            default -> status >= 400 ? Kind.BAD_REQUEST : Kind.UNREADABLE;
        };
    }

    /** Without the market's form: what somebody in between says of key, money or machines proves nothing of them. */
    private Kind kindOfAnother() {
        return switch (answer.status()) {
            case 401, 403, 407, 451 -> Kind.UNREACHABLE;
            // How the market refuses a request that it could not even read; with a title it is a gateway's.
            case 400, 422 ->
                answer.json().has("detail") && !answer.json().has("title") ? Kind.BAD_REQUEST : Kind.UNREADABLE;
            // How the market says that the account has no keys.
            case 404 -> call == Call.ACCOUNT_KEYS && answer.text().isBlank() ? Kind.GONE : Kind.UNREADABLE;
            default -> Kind.UNREADABLE;
        };
    }

    /** A 404 whose words say nothing. */
    private Kind kindOfPlain404() {
        if (call == Call.CREATE) {
            return Kind.OFFER_GONE;
        }
        return call == Call.ACCOUNT_KEYS || ABOUT_AN_INSTANCE.contains(call) ? Kind.GONE : Kind.BAD_REQUEST;
    }

    /** What the words say, whatever the status; null if they say nothing known. */
    private Kind kindByWords() {
        if (words.contains("two factor") || words.contains("two-factor") || words.contains("session expired")) {
            return Kind.TWO_FACTOR;
        }
        if (words.contains("no_ssh_key_for_vm")) {
            return Kind.NO_SSH_KEY_FOR_VM;
        }
        if (words.contains("team ssh keys")) {
            return Kind.TEAM_KEY;
        }
        if (ABOUT_MONEY.matcher(words).find()) {
            return Kind.NO_MONEY;
        }
        // A disk that this offer does not have is a matter of the template: the search asked for it.
        if (call == Call.CREATE
                && !words.contains("disk")
                && ABOUT_THE_OFFER.matcher(words).find()) {
            return Kind.OFFER_GONE;
        }
        if (NO_PERMISSION.matcher(words).find()) {
            return Kind.MISSING_PERMISSION;
        }
        if (words.contains("auth_error") || words.contains("invalid user key") || words.contains("requires login")) {
            return Kind.BAD_KEY;
        }
        if (ABOUT_AN_INSTANCE.contains(call) && NO_INSTANCE.matcher(words).find()) {
            return Kind.GONE;
        }
        if (words.contains("server_error") || words.contains("resources_unavailable")) {
            return Kind.UNAVAILABLE;
        }
        if (words.contains("deprecated_endpoint")) {
            return Kind.UNREADABLE;
        }
        return words.startsWith("invalid_") || words.contains("too_long") || words.contains("no_ssh_key")
                ? Kind.BAD_REQUEST
                : null;
    }

    private Reason reason(Kind kind, String address) {
        if (answer.status() >= 300 && answer.status() < 400) {
            return ApiText.REDIRECTED.of(call, answer.status(), address);
        }
        String said = shown.isEmpty() ? "HTTP " + answer.status() : "HTTP " + answer.status() + ": " + shown;
        if (inBetween(kind)) {
            return ApiText.ANSWERED_BEFORE_MARKET.of(call, said, address);
        }
        return switch (kind) {
            case MISSING_PERMISSION -> ApiText.MISSING_PERMISSION.of(call, said, call.scope());
            case UNREACHABLE -> ApiText.REFUSED_BEFORE_MARKET.of(call, said, address);
            case UNREADABLE -> ApiText.UNREADABLE.of(call, said, address);
            default -> ApiText.valueOf(kind.name()).of(call, said);
        };
    }

    /** A text that is no JSON; the market's own is JSON but for its complaints about the pace. */
    private boolean inBetween(Kind kind) {
        return (kind == Kind.UNAVAILABLE || kind == Kind.UNREADABLE)
                && answer.status() >= 400
                && !answer.json().isContainerNode()
                && !answer.text().isBlank();
    }
}

package io.jenkins.plugins.vastai.contract;

import java.util.regex.Pattern;

/**
 * Where client and simulator knowingly leave the published description, because the market itself does. Each has its
 * evidence in docs/market.md; one that no exchange needs any more has to go from this list.
 */
enum Deviation {
    TRAILING_SLASH(
            "paths end in a slash: without it the market redirects, and a redirect may lose method, body and key (1.1)",
            ".*",
            "request",
            "path\\.slash",
            ".*"),
    GPU_NAMES(
            "the list of GPU names exists but is not described (1.2)",
            "GET /api/v0/gpu_names/unique",
            "request",
            "path\\.missing",
            ".*"),
    ON_DEMAND(
            "a search says type on-demand, as the market's own client does; both spellings work (2.2)",
            "POST /api/v0/bundles",
            "request",
            ".*\\.enum",
            "/type"),
    ENV_OBJECT(
            "env of a create is an object in the market's samples and clients; as a string it belongs to templates (3.1)",
            "PUT /api/v0/asks/\\{id\\}",
            "request",
            ".*\\.type",
            "/env"),
    EMPTY_BODY(
            "destroy and reboot carry the body {}, as the market's own client sends (5)",
            "DELETE /api/v0/instances/\\{id\\}|PUT /api/v0/instances/reboot/\\{id\\}",
            "request",
            "validation\\.request\\.body\\.unexpected",
            ""),
    ORDER(
            "one pair of column and direction is a good order; the description sets the length of the pair on the list (2.2)",
            "POST /api/v0/bundles",
            "request",
            ".*\\.minItems",
            "/order"),
    FLOAT(
            "numbers declared as float carry more digits than a float holds, as the description's own examples do (4.3)",
            ".*",
            "response 200",
            ".*\\.format\\.float",
            ".*"),
    PORTS(
            "ports maps a container port to bindings, and is null until the instance runs; never a list of numbers (4.3)",
            "GET /api/v[01]/instances(/\\{id\\})?",
            "response 200",
            ".*\\.type",
            "(/instances(/\\d+)?)?/ports"),
    EXTRA_ENV(
            "extra_env is a list of pairs (4.3)",
            "GET /api/v0/instances/\\{id\\}",
            "response 200",
            ".*\\.type",
            "/instances/extra_env/\\d+"),
    GONE_IS_NULL(
            "an unknown instance is answered with 200 and instances null (1.5, 4.2)",
            "GET /api/v0/instances/\\{id\\}",
            "response 200",
            ".*\\.type",
            "/instances"),
    LIST_IS_NULL(
            "an empty list may be null instead of an array (4.1)",
            "GET /api/v1/instances",
            "response 200",
            ".*\\.type",
            "/instances"),
    THROTTLED_TEXT(
            "too frequent requests are often refused in plain text instead of JSON (1.4)",
            ".*",
            "response 429",
            "validation\\.response\\.contentType\\.notAllowed",
            ".*"),
    THROTTLED_ANYWHERE(
            "every endpoint can refuse too frequent requests, also where the description has no 429 (1.4)",
            ".*",
            "response 429",
            "validation\\.response\\.status\\.unknown",
            ".*"),
    FAILURE_ANYWHERE(
            "the market or the gateway before it can fail anywhere with a 5xx (1.5)",
            ".*",
            "response 50[0234]",
            "validation\\.response\\.status\\.unknown",
            ".*"),
    BAD_KEY_ANYWHERE(
            "a bad key is refused with 401, or with 404 auth_error, also where the description has neither (1.5)",
            ".*",
            "response 40[14]",
            "validation\\.response\\.status\\.unknown",
            ".*"),
    KEY_LIST_ERRORS(
            "errors of the list of account keys have the usual body, which the description leaves out (1.5)",
            "GET /api/v0/ssh",
            "response 40[14]",
            "validation\\.response\\.body\\.unexpected",
            ".*"),
    TEAM_KEYS(
            "a team's key is refused with 400 wherever account SSH keys are concerned (1.2)",
            "GET /api/v0/ssh",
            "response 400",
            "validation\\.response\\.status\\.unknown",
            ".*"),
    OFFER_TAKEN(
            "an offer that is taken may be refused with 409 (1.5)",
            "PUT /api/v0/asks/\\{id\\}",
            "response 409",
            "validation\\.response\\.status\\.unknown",
            ".*"),
    CREATE_ERRORS(
            "a create is refused with 400 for more reasons than the description lists: offer taken, no money (1.5)",
            "PUT /api/v0/asks/\\{id\\}",
            "response 400",
            ".*\\.enum",
            "/error"),
    PERMISSION_ANYWHERE(
            "a key without the permission is refused with 403, also where the description has none (1.3)",
            ".*",
            "response 403",
            "validation\\.response\\.status\\.unknown",
            ".*");

    private final String reason;
    private final Pattern operation;
    private final Pattern place;
    private final Pattern key;
    private final Pattern pointer;

    Deviation(String reason, String operation, String place, String key, String pointer) {
        this.reason = reason;
        this.operation = Pattern.compile(operation);
        this.place = Pattern.compile(place);
        this.key = Pattern.compile(key);
        this.pointer = Pattern.compile(pointer);
    }

    String reason() {
        return reason;
    }

    boolean covers(Finding finding) {
        return operation.matcher(finding.operation()).matches()
                && place.matcher(finding.place()).matches()
                && key.matcher(finding.key()).matches()
                && pointer.matcher(finding.pointer()).matches();
    }
}

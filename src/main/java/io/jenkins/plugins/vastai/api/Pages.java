package io.jenkins.plugins.vastai.api;

import com.fasterxml.jackson.databind.JsonNode;
import io.jenkins.plugins.vastai.text.Reason;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import okhttp3.HttpUrl;

/**
 * Reads a list that comes in pages, whole or not at all. A list that is believed and not complete makes running
 * machines look destroyed, so everything that does not add up is a failure: no {@code success}, no rows, no total, a
 * total that differs from what was read, a page that leads back to an earlier one, no end.
 *
 * @param call what is asked
 * @param rows field that holds a page's rows
 * @param total field that holds the number of rows on all pages
 * @param identity tells rows apart, for lists whose rows may come twice when they change meanwhile; null if they may not
 */
record Pages(Transport transport, Call call, String rows, String total, Function<JsonNode, Object> identity) {

    private static final int MOST_PAGES = 1000;
    /** A list may change while it is read; then it is read anew. */
    private static final int READINGS = 3;

    List<JsonNode> read(HttpUrl firstPage) throws VastException {
        VastException last = null;
        for (int reading = 0; reading < READINGS; reading++) {
            Reading result = readOnce(firstPage);
            if (result.rows.size() == result.total) {
                return result.rows;
            }
            last = unreadable(ApiText.LIST_INCOMPLETE.of(call, result.rows.size(), result.total));
        }
        throw last;
    }

    private Reading readOnce(HttpUrl firstPage) throws VastException {
        List<JsonNode> all = new ArrayList<>();
        Set<Object> seen = new HashSet<>();
        Set<String> tokens = new HashSet<>();
        Optional<String> token = Optional.empty();
        for (int page = 0; page < MOST_PAGES; page++) {
            HttpUrl.Builder url = firstPage.newBuilder();
            token.ifPresent(value -> url.addQueryParameter("after_token", value));
            JsonNode json = transport.send(call, url.build(), null, Set.of()).json();
            require(json.path("success").asBoolean(false), "success");
            require(Json.number(json.path(total)) != null, total);
            long announced = Json.whole(json.path(total));
            JsonNode array = json.path(rows);
            require(array.isArray() || (array.isNull() && announced == 0), rows);
            for (JsonNode row : array) {
                if (identity == null || seen.add(identity.apply(row))) {
                    all.add(row);
                }
            }
            token = Optional.of(json.path("next_token").asText("")).filter(text -> !text.isEmpty());
            if (token.isEmpty()) {
                return new Reading(all, announced);
            }
            if (array.isEmpty() || !tokens.add(token.get())) {
                throw unreadable(ApiText.LIST_NEVER_ENDS.of(call));
            }
        }
        throw unreadable(ApiText.LIST_NEVER_ENDS.of(call));
    }

    private void require(boolean holds, String field) throws VastException {
        if (!holds) {
            throw unreadable(ApiText.FIELD_MISSING.of(call, field));
        }
    }

    private static VastException unreadable(Reason reason) {
        return VastException.of(VastException.Kind.UNREADABLE, reason)
                .status(200)
                .build();
    }

    private record Reading(List<JsonNode> rows, long total) {}
}

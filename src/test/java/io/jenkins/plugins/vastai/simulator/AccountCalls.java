package io.jenkins.plugins.vastai.simulator;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Collections;
import java.util.List;
import java.util.Optional;

/** User, keys and charges. With the world's lock held. */
final class AccountCalls {
    private static final String TEAM_REFUSED =
            "Team SSH keys are not supported. SSH keys can only be created in personal context.";
    private static final long DAY = 86_400;

    private final World world;

    AccountCalls(World world) {
        this.world = world;
    }

    Answer user(Call call, Instant now) {
        double credit =
                world.ledger.creditAt(now).setScale(4, RoundingMode.HALF_UP).doubleValue();
        return Answer.ok(Json.object()
                .put("id", World.ACCOUNT)
                .put("key_id", call.key().map(ApiKeys.ApiKey::id).orElse(0L))
                .put("email", "ci@example.com")
                .put("username", "ci-bot")
                .put("balance", 0.0)
                .put("credit", credit)
                .put("balance_threshold", 0.0)
                .put("balance_threshold_enabled", false)
                .put("has_billing", true)
                .put(
                        "ssh_key",
                        world.sshKeys.isEmpty() ? "" : world.sshKeys.get(0).line())
                .put("sid", world.contracts.secret(32)));
    }

    Answer apiKeys() {
        ObjectNode body = Json.object();
        ArrayNode rows = body.putArray("apikeys");
        for (ApiKeys.ApiKey key : world.keys.account()) {
            ObjectNode row = rows.addObject().put("id", key.id()).put("user_id", World.ACCOUNT);
            row.put("name", key.name()).put("rights", key.scopes().isPresent() ? "custom" : "all");
            key.scopes().ifPresent(scopes -> {
                ObjectNode api = row.putObject("permissions").putObject("api");
                scopes.forEach(scope -> api.putObject(scope));
            });
        }
        return Answer.ok(body);
    }

    // ---- SSH keys of the account

    private static boolean team(Call call) {
        return call.key().map(ApiKeys.ApiKey::team).orElse(false);
    }

    Answer sshKeys(Call call) {
        if (team(call)) {
            return Answer.error(400, "invalid_args", TEAM_REFUSED);
        }
        if (world.sshKeys.isEmpty()) {
            return Answer.error(404, "not_found", "No SSH keys found");
        }
        ArrayNode rows = Json.MAPPER.createArrayNode();
        for (SshKey key : world.sshKeys) {
            ObjectNode row = rows.addObject().put("id", key.id()).put("user_id", World.ACCOUNT);
            // Both names are seen.
            row.put(key.id() % 2 == 0 ? "key" : "public_key", key.line());
            row.put("created_at", key.added().toString()).putNull("deleted_at");
        }
        return Answer.ok(rows);
    }

    private static Optional<String> keyLine(Call call) {
        return call.object().map(body -> body.path("ssh_key").asText("")).filter(line -> !line.isBlank());
    }

    Answer addSshKey(Call call, Instant now) {
        if (team(call)) {
            return Answer.error(400, "invalid_args", TEAM_REFUSED);
        }
        Optional<String> line = keyLine(call).filter(text -> SshKey.parse(text).isPresent());
        if (line.isEmpty()) {
            return Answer.error(400, "no_ssh_key", "No ssh key provided");
        }
        SshKey key = world.newSshKey(line.get(), now);
        world.sshKeys.add(key);
        ObjectNode body = Json.object().put("success", true);
        body.putObject("key")
                .put("id", key.id())
                .put("user_id", World.ACCOUNT)
                .put("public_key", key.line())
                .put("created_at", key.added().toString())
                .putNull("deleted_at");
        return Answer.ok(body);
    }

    Answer changeSshKey(Call call, Instant now) {
        Optional<String> line = keyLine(call).filter(text -> SshKey.parse(text).isPresent());
        Optional<SshKey> old = find(call.id());
        if (line.isEmpty() || old.isEmpty()) {
            return Answer.error(400, "invalid_args", old.isEmpty() ? "SSH key not found" : "No ssh key provided");
        }
        world.sshKeys.set(
                world.sshKeys.indexOf(old.get()),
                new SshKey(call.id(), line.get().trim(), now));
        return Answer.done();
    }

    Answer deleteSshKey(Call call) {
        Optional<SshKey> old = find(call.id());
        if (old.isEmpty()) {
            return Answer.error(400, "invalid_args", "SSH key not found");
        }
        world.sshKeys.remove(old.get());
        return Answer.done();
    }

    private Optional<SshKey> find(long id) {
        return world.sshKeys.stream().filter(key -> key.id() == id).findFirst();
    }

    // ---- charges

    Answer charges(Call call, Instant now) {
        Optional<JsonNode> filters = Json.parse(call.query().getOrDefault("select_filters", ""));
        JsonNode day = filters.map(f -> f.path("day")).orElse(Json.object());
        if (!day.path("gte").isNumber() || !day.path("lte").isNumber()) {
            return Answer.of(
                    400,
                    Json.object()
                            .put("success", false)
                            .put("msg", "Must provide both 'day' gte and lte filters for instance charges"));
        }
        List<ObjectNode> rows = new ArrayList<>();
        for (Books.Entry entry : world.ledger.entries()) {
            long from = day(entry.created());
            long to = day(entry.destroyed().orElse(now)) + DAY;
            if (to > day.get("gte").asLong() && from <= day.get("lte").asLong()) {
                rows.add(row(entry, from, to));
            }
        }
        if (call.query().getOrDefault("latest_first", "true").equals("true")) {
            Collections.reverse(rows);
        }
        return page(call, rows);
    }

    private static Answer page(Call call, List<ObjectNode> rows) {
        String token = call.query().getOrDefault("after_token", "");
        int start = 0;
        if (!token.isEmpty()) {
            ObjectNode position = InstanceList.decode(token);
            if (position == null || !position.path("row").isInt()) {
                return Answer.error(400, "invalid_token", "Invalid pagination token");
            }
            start = position.get("row").asInt();
        }
        String wanted = call.query().getOrDefault("limit", "100");
        int limit = wanted.matches("\\d{1,5}") ? Math.max(1, Integer.parseInt(wanted)) : 100;
        int end = Math.min(rows.size(), start + limit);
        ObjectNode body = Json.object().put("success", true);
        List<ObjectNode> page = rows.subList(Math.min(start, end), end);
        body.put("count", page.size()).put("total", rows.size());
        body.put("next_token", end < rows.size() ? token(end) : null);
        body.putArray("results").addAll(page);
        return Answer.ok(body);
    }

    private static String token(int row) {
        ObjectNode position = Json.object();
        position.putObject("values").put("row", row);
        return Base64.getEncoder().encodeToString(Json.text(position).getBytes(StandardCharsets.UTF_8));
    }

    private static long day(Instant at) {
        return at.getEpochSecond() / DAY * DAY;
    }

    private static ObjectNode row(Books.Entry entry, long from, long to) {
        ObjectNode row = item(from, to, "instance", entry.total());
        row.put("source", "instance-" + entry.id());
        row.put("description", "Instance " + entry.id() + " Charges");
        row.putObject("metadata").put("label", entry.label());
        ArrayNode items = row.putArray("items");
        items.add(item(from, to, "gpu", entry.gpu()));
        items.add(item(from, to, "disk", entry.storage()));
        return row;
    }

    private static ObjectNode item(long from, long to, String type, BigDecimal amount) {
        ObjectNode item = Json.object().put("start", from).put("end", to).put("type", type);
        item.putNull("source").put("description", type);
        item.put("amount", amount.setScale(6, RoundingMode.HALF_UP).doubleValue());
        item.putObject("metadata");
        item.putArray("items");
        return item;
    }
}

package io.jenkins.plugins.vastai.simulator;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.math.BigDecimal;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Everything about existing instances. With the world's lock held. */
final class InstanceCalls {
    private static final int LONGEST_LABEL = 1024;
    private static final Duration LOG_UPLOAD = Duration.ofMillis(300);

    private final World world;
    private final InstanceList list;
    private final String address;
    private final Map<String, Log> logs = new HashMap<>();

    private record Log(Instant ready, Contract contract, int tail, String filter, boolean daemon) {}

    InstanceCalls(World world, String address) {
        this.world = world;
        this.address = address;
        this.list = new InstanceList(world);
    }

    Answer list(Call call, Instant now) {
        return list.answer(call, now);
    }

    Answer oldList() {
        return Answer.error(
                410, "deprecated_endpoint", "/api/v0/instances/ is deprecated. Use /api/v1/instances/ instead.");
    }

    private Optional<Contract> visible(Call call, Instant now) {
        return world.contracts.find(call.id()).filter(c -> c.visible(now));
    }

    private Optional<Contract> alive(Call call, Instant now) {
        return world.contracts.find(call.id()).filter(Contract::alive);
    }

    Answer show(Call call, Instant now) {
        ObjectNode body = Json.object();
        JsonNode found = visible(call, now)
                .<JsonNode>map(c -> InstanceJson.of(c, now, world.contracts.loadTime(c)))
                .orElse(null);
        body.set("instances", found);
        return Answer.ok(body);
    }

    private static Answer noSuch() {
        return Answer.error(404, "no_such_instance", "Instance not found.");
    }

    Answer manage(Call call, Instant now) {
        Optional<ObjectNode> body = call.object();
        if (body.isEmpty()) {
            return Answer.error(400, "invalid_args", "Invalid json body");
        }
        Optional<Contract> found = alive(call, now);
        if (found.isEmpty()) {
            return noSuch();
        }
        Contract c = found.get();
        JsonNode label = body.get().path("label");
        if (label.isTextual()) {
            if (label.asText().length() > LONGEST_LABEL) {
                return Answer.error(400, "label_too_long", "label too long");
            }
            c.label = label.asText();
        }
        return switch (body.get().path("state").asText("")) {
            case "" -> label.isTextual() ? Answer.done() : Answer.error(400, "invalid_args", "no state or label");
            case "stopped" -> {
                world.contracts.stop(c, "stopped", "stopped", now);
                yield Answer.done();
            }
            case "running" -> start(c, now);
            default -> Answer.error(400, "invalid_args", "state must be running or stopped");
        };
    }

    private Answer start(Contract c, Instant now) {
        if (world.ledger.creditAt(now).signum() <= 0) {
            return Answer.error(400, "missing_billing", "missing billing info");
        }
        return world.contracts.start(c, now)
                ? Answer.done()
                : Answer.error(
                        200,
                        "resources_unavailable",
                        "Required resources are currently unavailable, state change queued.");
    }

    Answer destroy(Call call, Instant now) {
        if (call.id() < 0) {
            return Answer.error(400, "invalid_args", "invalid instance_id");
        }
        Optional<Contract> found = alive(call, now);
        if (found.isEmpty()) {
            return Answer.error(404, "not_found", "Instance not found");
        }
        Contract c = found.get();
        Faults.Occasion occasion = Contracts.occasion(Optional.of(Endpoint.DESTROY), c);
        Optional<Fault> back = world.faults.hit(Fault.Kind.DESTROY_RESURRECTS, occasion);
        if (back.isPresent()) {
            c.hidden = true;
            c.visibleFrom = now.plus(back.get().delay().orElse(Duration.ofSeconds(1)));
        } else if (world.faults.hit(Fault.Kind.DESTROY_IGNORED, occasion).isEmpty()) {
            world.contracts.destroy(c, call.key().map(ApiKeys.ApiKey::hand).orElse(Books.Hand.OUTSIDE), now);
            world.keys.remove(c.instanceKey);
        }
        return Answer.ok(Json.object().put("success", true).put("msg", "Instance destroyed successfully"));
    }

    Answer restart(Call call, Instant now) {
        Optional<Contract> found = alive(call, now);
        if (found.isEmpty()) {
            return Answer.error(400, "invalid_args", "invalid instance_id");
        }
        if (call.endpoint() == Endpoint.REBOOT) {
            world.contracts.reboot(found.get(), now);
        } else {
            world.contracts.recycle(found.get(), now);
        }
        return Answer.done();
    }

    Answer changeBid(Call call, Instant now) {
        Optional<Contract> found = alive(call, now);
        BigDecimal price = call.object()
                .map(body -> body.path("price"))
                .filter(JsonNode::isNumber)
                .map(JsonNode::decimalValue)
                .orElse(BigDecimal.ZERO);
        if (price.signum() <= 0) {
            return Answer.error(400, "invalid_price", "error 400: Invalid price");
        }
        if (found.isEmpty()) {
            return noSuch();
        }
        world.contracts.bid(found.get(), price, now);
        return Answer.done();
    }

    // ---- logs

    Answer requestLogs(Call call, Instant now) {
        Optional<Contract> found = alive(call, now);
        if (found.isEmpty()) {
            return Answer.bare(404, "invalid_id", "Invalid instance id.");
        }
        ObjectNode body = call.object().orElseGet(Json::object);
        String name = world.contracts.secret(32) + ".log";
        String tail = body.path("tail").asText("1000");
        logs.put(
                name,
                new Log(
                        now.plus(LOG_UPLOAD),
                        found.get(),
                        tail.matches("\\d{1,7}") ? Integer.parseInt(tail) : 1000,
                        body.path("filter").asText(""),
                        body.path("daemon_logs").asText("").equals("true")));
        return Answer.ok(Json.object()
                .put("success", true)
                .put("result_url", address + "/instance_logs/" + name)
                .put("msg", "Log request sent"));
    }

    Answer logFile(Call call, Instant now) {
        Log log = logs.get(call.file());
        if (log == null || log.ready().isAfter(now)) {
            return Answer.text(404, "application/xml", "<Error><Code>NoSuchKey</Code></Error>");
        }
        Contract c = log.contract();
        String text = log.daemon()
                ? String.valueOf(InstanceJson.message(c, now, world.contracts.loadTime(c)))
                : c.machine == null ? "" : c.machine.containerLog();
        List<String> lines = new ArrayList<>(
                text.lines().filter(line -> line.contains(log.filter())).toList());
        int from = Math.max(0, lines.size() - log.tail());
        return Answer.text(200, "text/plain", String.join("\n", lines.subList(from, lines.size())) + "\n");
    }

    // ---- keys

    Answer keys(Call call, Instant now) {
        Optional<Contract> found = alive(call, now);
        if (found.isEmpty()) {
            return noSuch();
        }
        ArrayNode keys = Json.MAPPER.createArrayNode();
        List<SshKey> all = new ArrayList<>(found.get().accountKeys);
        all.addAll(found.get().attachedKeys);
        for (SshKey key : all) {
            keys.addObject().put("id", key.id()).put("name", "key").put("public_key", key.line());
        }
        // A string that holds JSON, as the market has it.
        return Answer.ok(Json.object().put("success", true).put("ssh_keys", Json.text(keys)));
    }

    Answer attachKey(Call call, Instant now) {
        String line = call.object().map(body -> body.path("ssh_key").asText("")).orElse("");
        if (line.isBlank()) {
            return Answer.error(400, "no_ssh_key", "No ssh key provided");
        }
        if (SshKey.parse(line).isEmpty()) {
            return Answer.error(400, "invalid_args", "Invalid ssh key");
        }
        Optional<Contract> found = alive(call, now);
        if (found.isEmpty()) {
            return noSuch();
        }
        Contract c = found.get();
        SshKey key = world.newSshKey(line, now);
        boolean running = "running".equals(c.actual);
        boolean lost = c.has(Fault.Kind.KEYS_REFUSED_UNTIL_ATTACHED) && !running;
        c.keyAttachedWhileRunning |= running;
        boolean known = c.attachedKeys.stream().anyMatch(old -> old.identity().equals(key.identity()));
        if (known) {
            return Answer.error(400, "invalid_args", "SSH key already attached to instance (duplicate).");
        }
        if (!lost && !c.order.vm()) {
            c.attachedKeys.add(key);
            if (running) {
                world.site.authorize(c, key);
            }
        }
        return Answer.ok(Json.object().put("success", true).put("msg", "SSH key added to instance."));
    }

    Answer detachKey(Call call, Instant now) {
        Optional<Contract> found = alive(call, now);
        if (found.isEmpty()) {
            return noSuch();
        }
        long wanted = call.ids().get(1);
        Optional<SshKey> key =
                found.get().attachedKeys.stream().filter(k -> k.id() == wanted).findFirst();
        if (key.isEmpty()) {
            return Answer.error(404, "no_such_ssh_key", "SSH key not found.");
        }
        found.get().attachedKeys.remove(key.get());
        world.site.revoke(found.get(), key.get());
        return Answer.ok(Json.object().put("success", true).put("msg", "SSH key removed from instance."));
    }
}

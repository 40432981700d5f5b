package io.jenkins.plugins.vastai.simulator;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** Search, create, GPU names. With the world's lock held. */
final class OfferCalls {
    private static final int LONGEST_SCRIPT = 4096;
    private static final int LONGEST_ENVIRONMENT = 32 * 1024;
    private static final int LONGEST_IMAGE = 1024;
    private static final int LONGEST_LABEL = 256;
    private static final Set<String> RUNTYPE_WORDS = Set.of(
            "ssh",
            "ssh_direct",
            "ssh_direc",
            "ssh_proxy",
            "jupyter",
            "jupyter_direct",
            "jupyter_direc",
            "jupyter_proxy",
            "args");

    private final World world;
    private final OfferSearch search;

    OfferCalls(World world) {
        this.world = world;
        this.search = new OfferSearch(world.market);
    }

    Answer search(Call call, Instant now) {
        Optional<ObjectNode> question = call.method().equals("GET")
                ? Json.parse(call.query().getOrDefault("q", "{}"))
                        .filter(JsonNode::isObject)
                        .map(node -> (ObjectNode) node)
                : call.object();
        if (question.isPresent() && call.path().contains("/search/asks")) {
            question = question.map(body -> body.path("q"))
                    .filter(JsonNode::isObject)
                    .map(node -> (ObjectNode) node);
        }
        Faults.Occasion occasion = new Faults.Occasion(Optional.of(Endpoint.SEARCH), 0, 0, 0, "");
        if (question.isPresent()
                && world.faults.hit(Fault.Kind.FILTERS_IGNORED, occasion).isPresent()) {
            question.get().retain("type", "order", "limit", "allocated_storage");
        }
        return question.map(q -> Answer.ok(search.answer(q, now)))
                .orElseGet(() -> Answer.bare(400, "invalid_request", "Invalid json body"));
    }

    Answer gpuNames() {
        ObjectNode body = Json.object().put("success", true);
        ArrayNode names = body.putArray("gpu_names");
        world.market.gpuNames().forEach(names::add);
        return Answer.ok(body);
    }

    Answer gpuTypes() {
        ObjectNode body = Json.object();
        ArrayNode types = body.putArray("gpu_types");
        for (GpuModel model : GpuModel.all()) {
            types.addObject().put("canonical_name", model.name()).put("gpu_ram_mb", model.ramMb());
        }
        return Answer.ok(body);
    }

    // ---- create

    /** A create call that cannot be fulfilled. */
    private static final class Refused extends Exception {
        private static final long serialVersionUID = 1;
        private final transient Answer answer;

        Refused(int status, String code, String message, long ask) {
            super(message);
            answer = Answer.of(status, Json.error(code, message).put("ask_id", ask));
        }
    }

    private static Refused invalid(long ask, String what) {
        return new Refused(400, "invalid_args", "error 400/3467: Invalid args: " + what, ask);
    }

    Answer create(Call call, Instant now) {
        try {
            return create(call.id(), call, now);
        } catch (Refused e) {
            return e.answer;
        }
    }

    private Answer create(long ask, Call call, Instant now) throws Refused {
        if (ask < 0) {
            throw invalid(ask, "'id' is required and must be a valid offer ID");
        }
        ObjectNode body = call.object().orElseThrow(() -> invalid(ask, "body must be a json object"));
        Order order = order(ask, body);
        Optional<Listing> found = world.market.listing(ask);
        long machine = found.map(l -> l.host.machineId).orElse(0L);
        Faults.Occasion occasion = new Faults.Occasion(
                Optional.of(Endpoint.CREATE), ask, machine, 0, order.label() == null ? "" : order.label());
        Optional<Fault> gone = world.faults.hit(Fault.Kind.OFFER_GONE, occasion);
        if (gone.isPresent()) {
            world.market.remove(ask);
            throw gone(ask, gone.get().status() == 0 ? 404 : gone.get().status());
        }
        boolean strict = body.path("cancel_unavail").asBoolean(false);
        // Who says false gets a stopped contract, whose disk costs money, when the offer has just been taken.
        boolean stopped = found.isEmpty() && body.path("cancel_unavail").isBoolean() && !strict;
        Listing listing = found.or(() -> stopped ? world.market.formerly(ask) : Optional.empty())
                .orElseThrow(() -> gone(ask, strict ? 410 : 404));
        check(ask, order, listing, call);
        money(ask, occasion, now);
        boolean lowBid =
                order.price().map(p -> p.compareTo(listing.minBid()) < 0).orElse(false)
                        || world.faults.hit(Fault.Kind.BID_TOO_LOW, occasion).isPresent();
        List<SshKey> keys = call.key().map(ApiKeys.ApiKey::team).orElse(false) ? List.of() : world.sshKeys;
        Contract made = world.contracts.create(listing, order, order.running() && !lowBid && !stopped, keys, now);
        world.keys.add(
                made.instanceKey,
                "instance " + made.id,
                Optional.of(Set.of("instance_read", "instance_write")),
                false,
                false,
                made.id);
        if (lowBid) {
            return Answer.of(
                    400,
                    Json.error(
                                    "no_such_ask",
                                    "error 400/3603: no_such_ask bid too low, instance created in stopped state")
                            .put("ask_id", ask)
                            .put("new_contract", made.id));
        }
        return Answer.ok(Json.object()
                .put("success", true)
                .put("new_contract", made.id)
                .put("instance_api_key", made.instanceKey));
    }

    private static Refused gone(long ask, int status) {
        return status == 410
                ? new Refused(
                        410,
                        "no_such_ask",
                        "error 410/3907: no_such_ask Instance type " + ask + " is no longer available.",
                        ask)
                : new Refused(
                        status,
                        status == 404 ? "invalid_args" : "no_such_ask",
                        "error " + status + "/3603: no_such_ask Instance type by id " + ask + " is not available.",
                        ask);
    }

    private void check(long ask, Order order, Listing listing, Call call) throws Refused {
        double most = listing.row().get("disk_space").doubleValue();
        if (order.diskGb().doubleValue() > most) {
            throw invalid(ask, "disk " + order.diskGb() + " exceeds the offer's maximum of " + most);
        }
        if (order.vm()) {
            if (!listing.host.flag("vms_enabled")) {
                throw invalid(ask, "offer does not support VMs");
            }
            boolean keys = !world.sshKeys.isEmpty()
                    && !call.key().map(ApiKeys.ApiKey::team).orElse(false);
            if (!keys) {
                throw new Refused(
                        400, "no_ssh_key_for_vm", "error 400: VM instances need an SSH key on the account", ask);
            }
        }
    }

    private void money(long ask, Faults.Occasion occasion, Instant now) throws Refused {
        if (world.ledger.creditAt(now).signum() <= 0
                || world.faults.hit(Fault.Kind.NO_CREDIT, occasion).isPresent()) {
            throw new Refused(400, "insufficient_credit", "Insufficient credits", ask);
        }
        if (world.faults.hit(Fault.Kind.SPEND_LIMIT, occasion).isPresent()) {
            throw new Refused(400, "spend_rate_limit", "Spend rate limit exceeded for this account", ask);
        }
    }

    private static Order order(long ask, ObjectNode body) throws Refused {
        String image = text(ask, body, "image", null);
        if (image == null && body.path("template_hash_id").isTextual()) {
            image = "vastai/base-image:@vastai-automatic-tag";
        }
        if (image == null || image.isBlank()) {
            throw invalid(ask, "'image' is required");
        }
        if (image.length() > LONGEST_IMAGE) {
            throw invalid(ask, "len(image) > " + LONGEST_IMAGE);
        }
        if (!image.substring(image.lastIndexOf('/') + 1).matches("[^:@]+(:.+|@sha256:.+)")) {
            throw new Refused(500, "server_error", "Something went wrong on the server", ask);
        }
        BigDecimal disk = number(ask, body, "disk").orElse(BigDecimal.valueOf(8));
        if (disk.compareTo(BigDecimal.valueOf(8)) < 0) {
            throw invalid(ask, "disk must be at least 8");
        }
        String label = text(ask, body, "label", null);
        if (label != null && label.length() > LONGEST_LABEL) {
            throw invalid(ask, "len(label) > " + LONGEST_LABEL);
        }
        String runtype = text(ask, body, "runtype", "ssh");
        for (String word : runtype.split("\\s+")) {
            if (!RUNTYPE_WORDS.contains(word)) {
                throw invalid(ask, "runtype " + word);
            }
        }
        Optional<BigDecimal> price = number(ask, body, "price");
        if (price.isPresent()
                && (price.get().compareTo(new BigDecimal("0.001")) < 0
                        || price.get().compareTo(BigDecimal.valueOf(128)) > 0)) {
            throw new Refused(400, "invalid_price", "error 400: Invalid price", ask);
        }
        String state = text(ask, body, "target_state", "running");
        if (!state.equals("running") && !state.equals("stopped")) {
            throw invalid(ask, "target_state " + state);
        }
        String onstart = text(ask, body, "onstart", "");
        List<String> args = args(ask, body);
        int length = onstart.length() + text(ask, body, "args_str", "").length();
        for (String arg : args) {
            length += arg.length();
        }
        if (length > LONGEST_SCRIPT) {
            throw new Refused(400, "invalid_args", "error 400/3471: Invalid args: len(args) > " + LONGEST_SCRIPT, ask);
        }
        for (String flag :
                new String[] {"cancel_unavail", "vm", "force", "use_jupyter_lab", "python_utf8", "lang_utf8"}) {
            if (body.hasNonNull(flag) && !body.get(flag).isBoolean()) {
                throw invalid(ask, flag + " must be a boolean");
            }
        }
        text(ask, body, "image_login", null);
        text(ask, body, "user", null);
        // An image that is not fully qualified silently becomes a container.
        boolean vm = body.path("vm").asBoolean(false) && image.startsWith("docker.io/vastai/kvm:");
        return new Order(
                image, disk, label, runtype, env(ask, body), onstart, args, price, state.equals("running"), vm);
    }

    private static String text(long ask, ObjectNode body, String name, String absent) throws Refused {
        JsonNode value = body.path(name);
        if (value.isMissingNode() || value.isNull()) {
            return absent;
        }
        if (!value.isTextual()) {
            throw invalid(ask, name + " must be a string");
        }
        return value.asText();
    }

    private static Optional<BigDecimal> number(long ask, ObjectNode body, String name) throws Refused {
        JsonNode value = body.path(name);
        if (value.isMissingNode() || value.isNull()) {
            return Optional.empty();
        }
        if (!value.isNumber()) {
            throw invalid(ask, name + " must be a number");
        }
        return Optional.of(value.decimalValue());
    }

    private static List<String> args(long ask, ObjectNode body) throws Refused {
        List<String> found = new ArrayList<>();
        JsonNode value = body.path("args");
        if (!value.isMissingNode() && !value.isNull() && !value.isArray()) {
            throw invalid(ask, "args must be an array");
        }
        for (JsonNode one : value) {
            found.add(one.asText());
        }
        return found;
    }

    /** An object in practice; the published description says text of docker flags. Both are taken. */
    private static Map<String, String> env(long ask, ObjectNode body) throws Refused {
        Map<String, String> found = new LinkedHashMap<>();
        JsonNode value = body.path("env");
        if (value.isObject()) {
            for (Map.Entry<String, JsonNode> entry : value.properties()) {
                if (!entry.getValue().isTextual()) {
                    throw invalid(ask, "env values must be strings");
                }
                found.put(entry.getKey(), entry.getValue().asText());
            }
        } else if (value.isTextual()) {
            String[] words = value.asText().trim().split("\\s+");
            for (int i = 0; i + 1 < words.length; i += 2) {
                if (words[i].equals("-e")) {
                    String[] pair = words[i + 1].split("=", 2);
                    found.put(pair[0], pair.length > 1 ? pair[1] : "");
                } else {
                    found.put(words[i] + " " + words[i + 1], "1");
                }
            }
        } else if (!value.isMissingNode() && !value.isNull()) {
            throw invalid(ask, "env must be an object");
        }
        int length = 0;
        for (Map.Entry<String, String> entry : found.entrySet()) {
            length += (entry.getKey() + entry.getValue()).getBytes(StandardCharsets.UTF_8).length;
        }
        if (length > LONGEST_ENVIRONMENT) {
            throw new Refused(400, "invalid_args", "invalid env arguments, total length > 32KB", ask);
        }
        return found;
    }
}

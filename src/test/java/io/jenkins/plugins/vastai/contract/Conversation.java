package io.jenkins.plugins.vastai.contract;

import io.jenkins.plugins.vastai.api.ApiKey;
import io.jenkins.plugins.vastai.api.Call;
import io.jenkins.plugins.vastai.api.CreateRequest;
import io.jenkins.plugins.vastai.api.Created;
import io.jenkins.plugins.vastai.api.Instance;
import io.jenkins.plugins.vastai.api.Offer;
import io.jenkins.plugins.vastai.api.OfferQuery;
import io.jenkins.plugins.vastai.api.Pacing;
import io.jenkins.plugins.vastai.api.Patience;
import io.jenkins.plugins.vastai.api.SshKey;
import io.jenkins.plugins.vastai.api.VastClient;
import io.jenkins.plugins.vastai.api.VastException;
import io.jenkins.plugins.vastai.api.VastException.Kind;
import io.jenkins.plugins.vastai.simulator.Endpoint;
import io.jenkins.plugins.vastai.simulator.Fault;
import io.jenkins.plugins.vastai.simulator.Simulator;
import java.io.IOException;
import java.math.BigDecimal;
import java.net.URI;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import okhttp3.MediaType;
import okhttp3.OkHttpClient;
import okhttp3.Request;
import okhttp3.RequestBody;
import okhttp3.Response;
import org.awaitility.Awaitility;

/** Everything that the client can say to the market, and every way in which the market can refuse. */
final class Conversation {

    private static final String KEY =
            "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBvhV8bzQmXyQXzJv5zqB1kSgLzN0bqk2Qm7f3m1Wn0T contract";
    private static final String OTHER_KEY =
            "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBCRqDw/FY5+Xm4FraKgwvVNuQgLgPlvr/JXRLPacZJu contract-2";
    private static final MediaType JSON = MediaType.get("application/json");
    private static final long NOBODY = 99_999_999L;

    private final Simulator simulator;
    private final OkHttpClient http;
    private final Verdict verdict;
    private final VastClient client;

    Conversation(Simulator simulator, OkHttpClient http, Verdict verdict) {
        this.simulator = simulator;
        this.http = http;
        this.verdict = verdict;
        this.client = client(simulator.apiKey());
    }

    private VastClient client(String key) {
        return new VastClient(
                simulator.uri(), () -> ApiKey.of(key), http, Pacing.none(), Patience.once(Duration.ofSeconds(20)));
    }

    /** An action that talks to the market. */
    interface Talk {
        Object run() throws VastException;
    }

    void hold() {
        scenario("the account and the market", this::look);
        scenario("one container from create to destroy", this::container);
        scenario("bid, registry login, virtual machine", this::variants);
        scenario("a list of several pages", this::pages);
        scenario("instances that do not exist", this::nobody);
        scenario("creates that are refused", this::refusedCreates);
        scenario("requests that are refused", this::refusedRequests);
        scenario("questions that the client never asks", this::badQuestions);
        scenario("operations that the client leaves alone", this::others);
        keys();
        faults();
    }

    private interface Scene {
        void play() throws VastException;
    }

    private void scenario(String name, Scene scene) {
        verdict.scenario(name);
        try {
            scene.play();
        } catch (VastException e) {
            verdict.failure("unexpected " + e.kind() + ": " + e.getMessage());
        } catch (RuntimeException e) {
            verdict.failure("unexpected " + e);
        }
    }

    private void check(boolean holds, String what) {
        if (!holds) {
            verdict.failure("does not hold: " + what);
        }
    }

    private Optional<VastException> refused(Kind kind, String what, Talk talk) {
        try {
            Object result = talk.run();
            verdict.failure(what + " should be " + kind + " but gave " + result);
        } catch (VastException e) {
            if (e.kind() == kind) {
                return Optional.of(e);
            }
            verdict.failure(what + " should be " + kind + " but was " + e.kind() + ": " + e.getMessage());
        }
        return Optional.empty();
    }

    private static OfferQuery query(String type, String feature) {
        Map<String, Map<String, Object>> filters = new LinkedHashMap<>();
        filters.put("verified", Map.of("eq", true));
        filters.put("external", Map.of("eq", false));
        filters.put("rentable", Map.of("eq", true));
        filters.put("rented", Map.of("eq", false));
        filters.put("num_gpus", Map.of("eq", 1));
        filters.put("disk_space", Map.of("gte", 40));
        filters.put("direct_port_count", Map.of("gte", 1));
        filters.put("reliability2", Map.of("gte", 0.9));
        filters.put("cpu_arch", Map.of("eq", "amd64"));
        filters.put("duration", Map.of("gte", 86400));
        if (!feature.isEmpty()) {
            filters.put(feature, Map.of("eq", true));
        }
        return new OfferQuery(filters, type, List.of(List.of("dph_total", "asc")), 64, 40);
    }

    /** A fresh one each time: renting a machine gives its other offers new numbers. */
    private Offer offer() throws VastException {
        return client.searchOffers(query("on-demand", "")).get(0);
    }

    private static CreateRequest.Builder request(String label) {
        return CreateRequest.builder()
                .image("nvidia/cuda:12.4.1-base-ubuntu22.04")
                .diskGb(20)
                .label("jenkins-contract-" + label)
                .runtype("ssh_direct")
                .port(22)
                .env("JENKINS_CLOUD", "contract")
                .onstart("touch ~/.no_auto_tmux");
    }

    private void look() throws VastException {
        check(client.currentUser().spendable().orElse(BigDecimal.ZERO).signum() > 0, "the account has credit");
        check(!client.gpuNames().isEmpty(), "GPU names are known");
        List<Offer> found = client.searchOffers(query("on-demand", ""));
        check(!found.isEmpty(), "there are offers");
        check(found.stream().allMatch(o -> o.gpuName() != null && o.machineId() > 0), "offers name GPU and machine");
        check(client.searchOffers(query("bid", "")).stream().allMatch(o -> o.minBid() != null), "bids have a floor");
        check(client.listInstances().isEmpty(), "nothing is rented");
        check(client.accountSshKeys().isEmpty(), "the account has no SSH key");
        SshKey added = client.addAccountSshKey(KEY);
        check(added.id() > 0, "the added key has a number");
        check(client.addAccountSshKey(KEY).id() == added.id(), "the same key is not added twice");
        check(client.accountSshKeys().equals(List.of(added)), "the added key is listed");
        check(
                client.charges(
                                simulator.clock().instant().minus(Duration.ofDays(2)),
                                simulator.clock().instant())
                        != null,
                "charges are readable");
    }

    private void container() throws VastException {
        Created created = client.createInstance(offer().id(), request("one").build());
        long id = created.instanceId();
        client.showInstance(id);
        await("running", () -> client.showInstance(id)
                .filter(i -> i.status() == Instance.Status.RUNNING && i.direct().isPresent())
                .isPresent());
        Instance instance = client.showInstance(id).orElseThrow();
        check("jenkins-contract-one".equals(instance.label()), "the label is kept");
        check(instance.proxy().isPresent() && instance.started().isPresent(), "proxy and start are told");
        check(
                client.listInstances().stream()
                        .anyMatch(i -> i.id() == id
                                && i.direct().equals(instance.direct())
                                && i.status() == instance.status()
                                && i.pricePerHour().compareTo(instance.pricePerHour()) == 0),
                "list and show agree");
        client.labelInstance(id, "jenkins-contract-renamed");
        check("jenkins-contract-renamed".equals(instanceOf(id).label()), "the label is changed");
        client.attachSshKey(id, KEY);
        client.attachSshKey(id, KEY);
        check(client.instanceSshKeys(id).stream().anyMatch(key -> key.sameAs(KEY)), "the key is attached");
        URI log = client.requestLogs(id, 50, false);
        URI daemonLog = client.requestLogs(id, 50, true);
        await("logs", () -> client.downloadLogs(log).isPresent());
        await("logs of the engine", () -> client.downloadLogs(daemonLog).isPresent());
        client.rebootInstance(id);
        check(client.destroyInstance(id), "there was something to destroy");
        await("gone", () -> client.showInstance(id).isEmpty() && !client.destroyInstance(id));
        Instant now = simulator.clock().instant();
        check(
                client.charges(now.minus(Duration.ofDays(1)), now.plus(Duration.ofDays(1))).stream()
                        .allMatch(charge -> charge.amount().signum() >= 0),
                "charges are amounts");
    }

    private Instance instanceOf(long id) {
        try {
            return client.showInstance(id).orElseThrow();
        } catch (VastException e) {
            throw new IllegalStateException(e.getMessage(), e);
        }
    }

    private interface Condition {
        boolean holds() throws VastException;
    }

    private static void await(String what, Condition condition) {
        Awaitility.await(what)
                .atMost(Duration.ofSeconds(30))
                .pollInterval(Duration.ofMillis(25))
                .until(condition::holds);
    }

    private void variants() throws VastException {
        Offer bid = client.searchOffers(query("bid", "")).get(0);
        rentAndDestroy(
                bid.id(),
                request("bid")
                        .pricePerHour(bid.minBid().multiply(new BigDecimal("1.5")))
                        .build());
        rentAndDestroy(
                offer().id(),
                request("login")
                        .image("ghcr.io/acme/ci:1")
                        .imageLogin("-u bot -p s3cr3t ghcr.io")
                        .user("root")
                        .build());
        Offer vm = client.searchOffers(query("on-demand", "vms_enabled")).get(0);
        rentAndDestroy(
                vm.id(),
                request("vm")
                        .image("docker.io/vastai/kvm:ubuntu_cli_22.04-2025-11-21")
                        .vm(true)
                        .runtype("ssh")
                        .onstart("#!/bin/bash\ntrue")
                        .build());
    }

    private void rentAndDestroy(long offer, CreateRequest request) throws VastException {
        long id = client.createInstance(offer, request).instanceId();
        check(client.destroyInstance(id), "there was something to destroy");
    }

    private void pages() throws VastException {
        List<Long> ids = new ArrayList<>();
        for (int i = 0; i < 28; i++) {
            ids.add(client.createInstance(offer().id(), request("page-" + i).build())
                    .instanceId());
        }
        List<Long> listed = client.listInstances().stream().map(Instance::id).toList();
        check(listed.containsAll(ids), "every page is read");
        with(
                Fault.of(Fault.Kind.TRUNCATED_LIST),
                () -> refused(Kind.UNREADABLE, "a list without its last rows", client::listInstances));
        with(Fault.of(Fault.Kind.EMPTY_LIST), () -> {
            // Nothing in the answer shows that it is wrong; who acts on it has to see it twice.
            check(client.listInstances().isEmpty(), "an empty list is read as it stands");
            return null;
        });
        with(
                Fault.of(Fault.Kind.FAILING_PAGE_2),
                () -> refused(Kind.UNAVAILABLE, "a failing second page", client::listInstances));
        for (long id : ids) {
            client.destroyInstance(id);
        }
        await("empty", () -> client.listInstances().isEmpty());
        with(Fault.of(Fault.Kind.NULL_LIST), () -> {
            check(client.listInstances().isEmpty(), "a list that is null by right is empty");
            return null;
        });
    }

    private void nobody() throws VastException {
        check(client.showInstance(NOBODY).isEmpty(), "an unknown instance is not shown");
        check(!client.destroyInstance(NOBODY), "an unknown instance is not destroyed");
        refused(Kind.GONE, "label", () -> label(NOBODY));
        refused(Kind.GONE, "attach", () -> attach(NOBODY, KEY));
        refused(Kind.GONE, "keys", () -> client.instanceSshKeys(NOBODY));
        refused(Kind.GONE, "logs", () -> client.fetchLogs(NOBODY, 5, false));
        try {
            client.rebootInstance(NOBODY);
            verdict.failure("an unknown instance is rebooted");
        } catch (VastException e) {
            check(e.kind() == Kind.GONE || e.kind() == Kind.BAD_REQUEST, "reboot of nobody is refused: " + e.kind());
        }
    }

    private Object label(long id) throws VastException {
        client.labelInstance(id, "x");
        return id;
    }

    private Object attach(long id, String key) throws VastException {
        client.attachSshKey(id, key);
        return id;
    }

    private void refusedCreates() throws VastException {
        refused(
                Kind.OFFER_GONE,
                "unknown offer",
                () -> client.createInstance(NOBODY, request("x").build()));
        for (int status : new int[] {404, 410, 400, 409}) {
            long offer = offer().id();
            with(
                    Fault.of(Fault.Kind.OFFER_GONE).status(status),
                    () -> refused(
                            Kind.OFFER_GONE,
                            "taken offer",
                            () -> client.createInstance(offer, request("x").build())));
        }
        long offer = offer().id();
        with(
                Fault.of(Fault.Kind.NO_CREDIT),
                () -> refused(
                        Kind.NO_MONEY,
                        "no credit",
                        () -> client.createInstance(offer, request("x").build())));
        with(
                Fault.of(Fault.Kind.SPEND_LIMIT),
                () -> refused(
                        Kind.NO_MONEY,
                        "spending limit",
                        () -> client.createInstance(offer, request("x").build())));
        verdict.judgingRequests(false);
        refused(
                Kind.BAD_REQUEST,
                "disk",
                () -> client.createInstance(offer, request("x").diskGb(1e7).build()));
        refused(
                Kind.BAD_REQUEST,
                "price",
                () -> client.createInstance(
                        offer, request("x").pricePerHour(new BigDecimal("-1")).build()));
        refused(
                Kind.BAD_REQUEST,
                "start script",
                () -> client.createInstance(
                        offer, request("x").onstart("#".repeat(20_000)).build()));
        refused(
                Kind.BAD_REQUEST,
                "environment",
                () -> client.createInstance(
                        offer, request("x").env("A", "b".repeat(40_000)).build()));
        verdict.judgingRequests(true);
        Offer dear = client.searchOffers(query("bid", "")).get(0);
        with(Fault.of(Fault.Kind.BID_TOO_LOW), () -> {
            Optional<VastException> failure = refused(
                    Kind.OFFER_GONE,
                    "low bid",
                    () -> client.createInstance(
                            dear.id(),
                            request("x").pricePerHour(new BigDecimal("9")).build()));
            check(failure.isPresent() && failure.get().createdInstance().isPresent(), "the stopped instance is told");
            if (failure.isPresent() && failure.get().createdInstance().isPresent()) {
                client.destroyInstance(failure.get().createdInstance().getAsLong());
            }
            return null;
        });
        simulator.account().removeSshKeys();
        Offer vm = client.searchOffers(query("on-demand", "vms_enabled")).get(0);
        refused(
                Kind.NO_SSH_KEY_FOR_VM,
                "VM without key",
                () -> client.createInstance(
                        vm.id(),
                        request("x")
                                .image("docker.io/vastai/kvm:ubuntu_terminal")
                                .vm(true)
                                .runtype("ssh")
                                .build()));
    }

    private void refusedRequests() throws VastException {
        long id =
                client.createInstance(offer().id(), request("refused").build()).instanceId();
        verdict.judgingRequests(false);
        refused(Kind.BAD_REQUEST, "label of 2000 characters", () -> {
            client.labelInstance(id, "x".repeat(2000));
            return id;
        });
        refused(Kind.BAD_REQUEST, "no key", () -> attach(id, "no key at all"));
        refused(Kind.BAD_REQUEST, "no key for the account", () -> client.addAccountSshKey(" "));
        verdict.judgingRequests(true);
        client.destroyInstance(id);
    }

    /** The description promises answers to wrong questions too; the simulator is to give them. */
    private void badQuestions() {
        verdict.judgingRequests(false);
        ask("GET", "/api/v1/instances/?after_token=nonsense", "", true, 400);
        ask("GET", "/api/v1/instances/?select_filters=%7B%22dph_total%22%3A%7B%22gte%22%3A1%7D%7D", "", true, 400);
        ask("POST", "/api/v0/bundles/", "no json", true, 400);
        ask("GET", "/api/v0/charges/", "", true, 400);
        ask("GET", "/api/v0/charges/?select_filters=%7B%7D", "", false, 403);
        verdict.judgingRequests(true);
    }

    /** The simulator has more than the client uses; people try it by hand, so it is judged as well. */
    private void others() throws VastException {
        SshKey key = client.addAccountSshKey(OTHER_KEY);
        long id = client.createInstance(offer().id(), request("others").build()).instanceId();
        String keyPath = "/api/v0/ssh/" + key.id() + "/";
        ask("PUT", "/api/v0/instances/bid_price/" + id + "/", "{\"client_id\":\"me\",\"price\":0.5}", true, 200);
        ask("PUT", "/api/v0/instances/recycle/" + id + "/", "", true, 200);
        ask("PUT", "/api/v0/instances/" + id + "/", "{\"state\":\"stopped\"}", true, 200);
        ask("PUT", "/api/v0/instances/" + id + "/", "{\"state\":\"running\"}", true, 200);
        client.attachSshKey(id, KEY);
        long attached = client.instanceSshKeys(id).stream()
                .filter(k -> k.sameAs(KEY))
                .findFirst()
                .orElseThrow()
                .id();
        ask("DELETE", "/api/v0/instances/" + id + "/ssh/" + attached + "/", "", true, 200);
        ask("PUT", keyPath, "{\"id\":" + key.id() + ",\"ssh_key\":\"" + KEY + "\"}", true, 200);
        ask("DELETE", keyPath, "", true, 200);
        ask("GET", "/api/v0/auth/apikeys/", "", true, 200);
        client.destroyInstance(id);
    }

    private void ask(String method, String target, String body, boolean withKey, int expected) {
        Request.Builder request = new Request.Builder()
                .url(simulator.uri() + target)
                .method(method, body.isEmpty() && !method.equals("PUT") ? null : RequestBody.create(body, JSON));
        if (withKey) {
            request.header("Authorization", "Bearer " + simulator.apiKey());
        }
        try (Response response = http.newCall(request.build()).execute()) {
            check(
                    response.code() == expected,
                    method + " " + target + " is answered " + expected + ", not " + response.code());
        } catch (IOException e) {
            verdict.failure(method + " " + target + ": " + e);
        }
    }

    /** One call of each kind, harmless enough to be repeated under every fault. */
    static Map<Call, Talk> calls(VastClient with, long id) {
        Map<Call, Talk> calls = new LinkedHashMap<>();
        calls.put(Call.CURRENT_USER, with::currentUser);
        calls.put(Call.SEARCH, () -> with.searchOffers(query("on-demand", "")));
        calls.put(
                Call.CREATE, () -> with.createInstance(NOBODY, request("fault").build()));
        calls.put(Call.LIST, with::listInstances);
        calls.put(Call.SHOW, () -> with.showInstance(id));
        calls.put(Call.DESTROY, () -> with.destroyInstance(NOBODY));
        calls.put(Call.LABEL, () -> {
            with.labelInstance(id, "jenkins-contract-fault");
            return id;
        });
        calls.put(Call.REBOOT, () -> {
            with.rebootInstance(id);
            return id;
        });
        calls.put(Call.ATTACH_KEY, () -> {
            with.attachSshKey(id, OTHER_KEY);
            return id;
        });
        calls.put(Call.INSTANCE_KEYS, () -> with.instanceSshKeys(id));
        calls.put(Call.REQUEST_LOGS, () -> with.fetchLogs(id, 5, false));
        calls.put(Call.ACCOUNT_KEYS, with::accountSshKeys);
        calls.put(Call.ADD_ACCOUNT_KEY, () -> with.addAccountSshKey(OTHER_KEY));
        calls.put(Call.CHARGES, () -> with.charges(Instant.EPOCH, Instant.EPOCH.plus(Duration.ofDays(1))));
        calls.put(Call.GPU_NAMES, with::gpuNames);
        return calls;
    }

    private void keys() {
        String[] all = {"misc", "user_read", "user_write", "instance_read", "instance_write", "billing_read"};
        for (Call call : Call.values()) {
            if (call.scope().isEmpty() || call == Call.SEARCH) {
                continue; // the market asks for no key there
            }
            scenario("a key without " + call.scope() + ", " + call, () -> {
                String[] others = List.of(all).stream()
                        .filter(scope -> !scope.equals(call.scope()))
                        .toArray(String[]::new);
                VastClient weak = client(simulator.addKey("without " + call.scope() + " " + call, others));
                refused(
                        Kind.MISSING_PERMISSION,
                        call.toString(),
                        calls(weak, NOBODY).get(call));
            });
            scenario(
                    "an unknown key, " + call,
                    () -> refused(
                            Kind.BAD_KEY,
                            call.toString(),
                            calls(client("0123456789"), NOBODY).get(call)));
        }
        scenario(
                "a second factor",
                () -> refused(Kind.TWO_FACTOR, "account", client(simulator.addTwoFactorKey())::currentUser));
        scenario(
                "a team's key",
                () -> refused(Kind.TEAM_KEY, "account key", () -> client(simulator.addTeamKey())
                        .addAccountSshKey(OTHER_KEY)));
    }

    private void faults() {
        scenario("faults", () -> {
            long id = client.createInstance(offer().id(), request("faults").build())
                    .instanceId();
            simulator.account().removeSshKeys();
            for (Map.Entry<Call, Talk> entry : calls(client, id).entrySet()) {
                faults(entry.getKey(), endpoint(entry.getKey()), entry.getValue());
            }
            client.destroyInstance(id);
        });
    }

    private void faults(Call call, Endpoint endpoint, Talk talk) throws VastException {
        for (int body = 0; body < 3; body++) {
            fault(call, Kind.THROTTLED, Fault.of(Fault.Kind.THROTTLED).endpoint(endpoint), talk);
        }
        for (int status : new int[] {500, 502, 503, 504}) {
            fault(
                    call,
                    Kind.UNAVAILABLE,
                    Fault.of(Fault.Kind.SERVER_ERROR).endpoint(endpoint).status(status),
                    talk);
        }
        if (call != Call.GPU_NAMES) {
            for (int status : new int[] {401, 404}) {
                fault(
                        call,
                        Kind.BAD_KEY,
                        Fault.of(Fault.Kind.KEY_REFUSED).endpoint(endpoint).status(status),
                        talk);
            }
        }
        fault(call, Kind.UNREACHABLE, Fault.of(Fault.Kind.CONNECTION_CUT).endpoint(endpoint), talk);
        if (call == Call.ADD_ACCOUNT_KEY) {
            return; // after an answer that it cannot read, the client finds the added key in the list
        }
        verdict.judging(false);
        fault(call, Kind.UNREADABLE, Fault.of(Fault.Kind.NOT_JSON).endpoint(endpoint), talk);
        verdict.judging(true);
    }

    private void fault(Call call, Kind kind, Fault fault, Talk talk) throws VastException {
        verdict.scenario(fault.kind() + " " + fault.status() + ", " + call);
        with(fault, () -> refused(kind, call.toString(), talk));
    }

    private void with(Fault fault, Talk talk) throws VastException {
        var active = simulator.faults().add(fault);
        try {
            talk.run();
            check(active.hits() > 0, "the fault " + fault.kind() + " strikes");
        } finally {
            active.remove();
        }
    }

    private static Endpoint endpoint(Call call) {
        return switch (call) {
            case CURRENT_USER -> Endpoint.USER;
            case LABEL -> Endpoint.MANAGE;
            default -> Endpoint.valueOf(call.name());
        };
    }
}

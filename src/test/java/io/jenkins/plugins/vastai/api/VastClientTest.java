package io.jenkins.plugins.vastai.api;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.jenkins.plugins.vastai.api.VastException.Kind;
import java.math.BigDecimal;
import java.net.URI;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class VastClientTest {

    private static final String PUBLIC_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ4RkTWgXqZpJ rental";

    private final ScriptedMarket market = new ScriptedMarket();
    private final VastClient client = market.client();

    @AfterEach
    void close() {
        market.close();
    }

    @Test
    void everyRequestCarriesTheKeyInItsHeaderAndNowhereElse() throws Exception {
        market.answer(200, "{\"id\": 12}");
        client.currentUser();
        ScriptedMarket.Seen request = market.only();
        assertEquals("Bearer " + ScriptedMarket.KEY, request.header("Authorization"));
        assertEquals("jenkins-vastai-cloud", request.header("User-agent"));
        assertEquals("application/json", request.header("Accept"));
        assertFalse(request.target().contains(ScriptedMarket.KEY));
    }

    @Test
    void bodiesAreDeclaredAsPlainJson() throws Exception {
        market.answer(200, "{\"success\": true}");
        client.labelInstance(7, "a");
        assertEquals("application/json", market.only().header("Content-type"));
    }

    @Test
    void everyPathEndsInASlash() throws Exception {
        for (Call call : Call.values()) {
            assertTrue(call.path().endsWith("/"), call.toString());
        }
        market.answer(200, "{\"success\": true}");
        client.rebootInstance(42);
        assertEquals(
                "PUT /api/v0/instances/reboot/42/",
                market.only().method() + " " + market.only().target());
        assertEquals("{}", market.only().body());
    }

    @Test
    void aBaseWithOrWithoutSlashOrWithAPathWorks() throws Exception {
        for (String suffix : List.of("", "/", "/market", "/market/")) {
            market.answer(200, "{\"success\": true, \"gpu_names\": []}");
            new VastClient(
                            URI.create(market.address() + suffix),
                            () -> null,
                            market.http(),
                            Pacing.none(),
                            Patience.withoutDelay())
                    .gpuNames();
            String prefix = suffix.startsWith("/market") ? "/market" : "";
            assertEquals(
                    prefix + "/api/v0/gpu_names/unique/",
                    market.seen.get(market.seen.size() - 1).target());
        }
    }

    @Test
    void aBaseWithUserOrQueryIsRefused() {
        for (String base : List.of("https://me:pw@console.vast.ai", "https://console.vast.ai/?api_key=1", "ftp://a")) {
            assertThrows(
                    IllegalArgumentException.class,
                    () -> new VastClient(URI.create(base), () -> null, market.http(), Pacing.none()),
                    base);
        }
    }

    @Test
    void theAccountIsReadWithoutItsSecrets() throws Exception {
        market.answer(200, """
                {"id": 77, "username": "ci", "email": "ci@example.org", "credit": 12.3456789, "balance": 0,
                 "has_billing": true, "api_key": "abc", "sid": "xyz", "ssh_key": null}""");
        User user = client.currentUser();
        assertEquals(77, user.id());
        assertEquals(Optional.of(new BigDecimal("12.3456789")), user.spendable());
        assertFalse(user.toString().contains("abc"), user.toString());
        assertFalse(user.toString().contains("xyz"), user.toString());
    }

    @Test
    void withoutCreditTheBalanceCounts() throws Exception {
        market.answer(200, "{\"id\": 77, \"balance\": 3.5}");
        assertEquals(Optional.of(new BigDecimal("3.5")), client.currentUser().spendable());
    }

    @Test
    void aSearchSendsFiltersTypeOrderLimitAndDisk() throws Exception {
        market.answer(200, "{\"offers\": []}");
        Map<String, Map<String, Object>> filters = new LinkedHashMap<>();
        filters.put("gpu_name", Map.of("in", List.of("RTX 4090")));
        filters.put("rented", Map.of("eq", false));
        client.searchOffers(new OfferQuery(filters, "on-demand", List.of(List.of("dph_total", "asc")), 64, 30));
        ScriptedMarket.Seen request = market.only();
        assertEquals("POST /api/v0/bundles/", request.method() + " " + request.target());
        JsonNode body = Json.parse(request.body());
        assertEquals("RTX 4090", body.at("/gpu_name/in/0").asText());
        assertFalse(body.at("/rented/eq").asBoolean(true));
        assertEquals("on-demand", body.path("type").asText());
        assertEquals("dph_total", body.at("/order/0/0").asText());
        assertEquals(64, body.path("limit").asInt());
        assertEquals(30, body.path("allocated_storage").asDouble());
    }

    @Test
    void offersAreReadLeniently() throws Exception {
        market.answer(200, """
                {"offers": [
                  {"id": 501.0, "machine_id": "9001", "num_gpus": 2.0, "gpu_name": "RTX 4090", "gpu_ram": "24564",
                   "dph_total": 0.7123456, "reliability": null, "reliability2": 0.987, "cpu_cores": null,
                   "geolocation": "Bavaria, DE", "has_avx": 1, "compute_cap": "890", "vms_enabled": 1, "duration": NaN,
                   "driver_version": 570, "hosting_type": "", "cuda_max_good": "12.8", "newer": {"a": [1]}},
                  {"id": 502, "dph_total": "cheap"},
                  {"ask_contract_id": 503, "id": null, "dph_total": "0.5", "num_gpus": "many", "gpu_name": {"x": 1}},
                  {"id": 99999999999999999999, "dph_total": 1}, null]}""");
        List<Offer> offers = client.searchOffers(new OfferQuery(Map.of(), "on-demand", List.of(), 5, 10));
        assertEquals(List.of(501L, 503L), offers.stream().map(Offer::id).toList());
        Offer first = offers.get(0);
        assertEquals(9001, first.machineId());
        assertEquals(2, first.numGpus());
        assertEquals(24564, first.gpuRamMb());
        assertEquals(new BigDecimal("0.7123456"), first.pricePerHour());
        assertEquals(0.987, first.reliability());
        assertNull(first.cpuCores());
        assertEquals(890, first.computeCap());
        assertEquals(true, first.vmsEnabled());
        assertNull(first.durationSeconds());
        assertEquals("570", first.driverVersion());
        assertNull(first.hostingType());
        assertEquals(12.8, first.cudaMaxGood());
        assertEquals(Optional.of("DE"), first.country());
        assertEquals(0, offers.get(1).numGpus());
        assertNull(offers.get(1).gpuName());
    }

    @Test
    void anAnswerWithoutOffersIsNoEmptyMarket() {
        market.answer(200, "{\"success\": true}");
        VastException failure = assertThrows(
                VastException.class,
                () -> client.searchOffers(new OfferQuery(Map.of(), "on-demand", List.of(), 5, 10)));
        assertEquals(Kind.UNREADABLE, failure.kind());
    }

    @Test
    void aCreateAsksForAMachineThatRunsNowOrNone() throws Exception {
        market.answer(200, "{\"success\": true, \"new_contract\": 640001, \"instance_api_key\": \"inst-key-1\"}");
        Created created = client.createInstance(
                501,
                CreateRequest.builder()
                        .image("nvidia/cuda:12.4.1-base-ubuntu22.04")
                        .diskGb(30)
                        .label("jenkins-1-2-3")
                        .runtype("ssh_direct")
                        .port(22)
                        .env("MODE", "ci")
                        .onstart("touch /tmp/x")
                        .build());
        assertEquals(640001, created.instanceId());
        assertEquals("inst-key-1", created.instanceKey().orElseThrow().reveal());
        ScriptedMarket.Seen request = market.only();
        assertEquals("PUT /api/v0/asks/501/", request.method() + " " + request.target());
        assertEquals(Json.parse("""
                        {"image": "nvidia/cuda:12.4.1-base-ubuntu22.04", "disk": 30.0, "label": "jenkins-1-2-3",
                         "runtype": "ssh_direct", "env": {"-p 22:22": "1", "MODE": "ci"}, "onstart": "touch /tmp/x",
                         "client_id": "me", "target_state": "running", "cancel_unavail": true}"""), Json.parse(request.body()));
    }

    @Test
    void aCreateCarriesVmBidLoginUserAndTemplateWhereWanted() throws Exception {
        market.answer(200, "{\"success\": true, \"new_contract\": \"640002\"}");
        Created created = client.createInstance(
                502,
                CreateRequest.builder()
                        .templateHashId("4e17788f74f075dd")
                        .label("l")
                        .vm(true)
                        .pricePerHour(new BigDecimal("0.21"))
                        .imageLogin("-u u -p pw ghcr.io")
                        .user("root")
                        .build());
        assertEquals(new Created(640002, Optional.empty()), created);
        JsonNode body = Json.parse(market.only().body());
        assertTrue(body.path("vm").asBoolean());
        assertEquals("0.21", body.path("price").asText());
        assertEquals("-u u -p pw ghcr.io", body.path("image_login").asText());
        assertEquals("root", body.path("user").asText());
        assertEquals("4e17788f74f075dd", body.path("template_hash_id").asText());
        assertFalse(body.has("image"));
    }

    @Test
    void aRequestWithoutLabelOrImageIsNotBuilt() {
        assertThrows(
                IllegalArgumentException.class,
                () -> CreateRequest.builder().image("a:b").build());
        assertThrows(
                IllegalArgumentException.class,
                () -> CreateRequest.builder().label("a").build());
    }

    @Test
    void anInstanceIsReadWithItsDirectPortInEveryShape() throws Exception {
        Map<String, Integer> shapes = new LinkedHashMap<>();
        shapes.put("{\"22/tcp\": [{\"HostIp\": \"0.0.0.0\", \"HostPort\": \"31022\"}, {\"HostPort\": \"1\"}]}", 31022);
        shapes.put("{\"22/tcp\": [{\"HostIp\": \"0.0.0.0\", \"HostPort\": 31023}]}", 31023);
        shapes.put("{\"22/tcp\": {\"HostPort\": \"31024\"}}", 31024);
        shapes.put("{\"22/tcp\": [\"31025\"]}", 31025);
        shapes.put("\"{\\\"22/tcp\\\": [{\\\"HostPort\\\": \\\"31026\\\"}]}\"", 31026);
        shapes.put("{\"80/tcp\": [{\"HostPort\": \"31027\"}]}", null);
        shapes.put("{\"22/tcp\": null}", null);
        shapes.put("{\"22/tcp\": [{\"HostPort\": \"ssh\"}]}", null);
        shapes.put("{\"22/tcp\": [{\"HostPort\": \"99999\"}]}", null);
        shapes.put("[31028, 31029]", null);
        shapes.put("[]", null);
        shapes.put("null", null);
        for (Map.Entry<String, Integer> shape : shapes.entrySet()) {
            market.answer(
                    200,
                    "{\"instances\": {\"id\": 8, \"public_ipaddr\": \" 203.0.113.9\\n\", \"ports\": " + shape.getKey()
                            + "}}");
            Instance instance = client.showInstance(8).orElseThrow();
            assertEquals(shape.getValue(), instance.directSshPort(), shape.getKey());
            assertEquals(
                    Optional.ofNullable(shape.getValue()).map(port -> new Instance.Endpoint("203.0.113.9", port)),
                    instance.direct(),
                    shape.getKey());
        }
    }

    @Test
    void anInstanceWithoutPortsIsReadToo() throws Exception {
        market.answer(200, """
                {"instances": {"id": 8, "actual_status": null, "ssh_host": "ssh3.vast.ai", "ssh_port": 17100.0,
                 "start_date": 1790000000.25, "image_runtype": "jupyter_proxy ssh_proxy", "extra_env": [["A", "b"]],
                 "gpu_totalram": 24564}}""");
        Instance instance = client.showInstance(8).orElseThrow();
        assertEquals(Instance.Status.PROVISIONING, instance.status());
        assertEquals(Optional.empty(), instance.direct());
        assertEquals(Optional.of(new Instance.Endpoint("ssh3.vast.ai", 17101)), instance.proxy());
        assertEquals(Optional.of(Instant.ofEpochMilli(1790000000250L)), instance.started());
    }

    @Test
    void ourOwnFormOfAnInstanceIsReadBack() throws Exception {
        market.answer(200, "{\"instances\": {\"id\": 8, \"ports\": {\"22/tcp\": [{\"HostPort\": \"31022\"}]}}}");
        Instance instance = client.showInstance(8).orElseThrow();
        assertEquals(instance, Json.read(Json.parse(Json.write(instance)), Instance.class));
    }

    @Test
    void anInstanceIsFoundInAnArrayAndBare() throws Exception {
        market.answer(200, "{\"instances\": [{\"id\": 8, \"label\": \"x\"}]}");
        market.answer(200, "{\"id\": 8, \"label\": \"x\"}");
        assertEquals("x", client.showInstance(8).orElseThrow().label());
        assertEquals("x", client.showInstance(8).orElseThrow().label());
    }

    @Test
    void anInstanceThatIsGoneIsEmpty() throws Exception {
        market.answer(200, "{\"instances\": null}");
        market.answer(404, "{\"success\": false, \"error\": \"no_such_instance\", \"msg\": \"Instance not found.\"}");
        market.answer(200, "{\"success\": false, \"error\": \"not_found\", \"msg\": \"Instance not found\"}");
        assertEquals(Optional.empty(), client.showInstance(8));
        assertEquals(Optional.empty(), client.showInstance(8));
        assertEquals(Optional.empty(), client.showInstance(8));
    }

    @Test
    void anotherInstanceThanTheOneAskedForIsNotBelieved() {
        market.answer(200, "{\"instances\": {\"id\": 9}}");
        assertEquals(
                Kind.UNREADABLE,
                assertThrows(VastException.class, () -> client.showInstance(8)).kind());
        market.answer(200, "{\"instances\": {}}");
        assertThrows(VastException.class, () -> client.showInstance(8));
        market.answer(200, "{}");
        assertThrows(VastException.class, () -> client.showInstance(8));
    }

    @Test
    void destroyTellsWhetherThereWasSomethingToDestroy() throws Exception {
        market.answer(200, "{\"success\": true, \"msg\": \"destroyed\"}");
        market.answer(404, "{\"success\": false, \"error\": \"not_found\", \"msg\": \"Instance not found\"}");
        assertTrue(client.destroyInstance(8));
        assertFalse(client.destroyInstance(8));
        assertEquals("DELETE", market.seen.get(0).method());
        assertEquals("/api/v0/instances/8/", market.seen.get(0).target());
        assertEquals("{}", market.seen.get(0).body());
    }

    @Test
    void destroyIsRepeatedAfterALostAnswer() throws Exception {
        market.hangUp().answer(502, "<html>Bad Gateway</html>").answer(200, "{\"success\": true}");
        assertTrue(client.destroyInstance(8));
        assertEquals(3, market.seen.size());
    }

    @Test
    void a404ThatIsNotOfTheMarketIsNoDestroyedMachine() {
        for (String body : List.of("<html>404 Not Found</html>", "", "{\"detail\": \"Not Found\"}")) {
            market.answer(404, body);
            VastException failure = assertThrows(VastException.class, () -> client.destroyInstance(8), body);
            assertEquals(Kind.UNREADABLE, failure.kind(), body);
        }
    }

    @Test
    void aLabelIsSetOnTheInstance() throws Exception {
        market.answer(200, "{\"success\": true}");
        client.labelInstance(8, "jenkins-x");
        assertEquals(
                "PUT /api/v0/instances/8/",
                market.only().method() + " " + market.only().target());
        assertEquals("{\"label\":\"jenkins-x\"}", market.only().body());
    }

    @Test
    void aKeyThatIsAttachedAlreadyIsFine() throws Exception {
        market.answer(200, "{\"success\": true, \"msg\": \"SSH key added to instance.\"}");
        market.answer(400, "{\"success\": false, \"error\": \"invalid_args\", \"msg\": \"SSH key already attached\"}");
        market.answer(400, "{\"success\": false, \"error\": \"invalid_args\", \"msg\": \"duplicate key\"}");
        market.answer(400, "{\"success\": false, \"error\": \"invalid_args\", \"msg\": \"Invalid SSH key\"}");
        client.attachSshKey(8, PUBLIC_KEY);
        client.attachSshKey(8, PUBLIC_KEY);
        client.attachSshKey(8, PUBLIC_KEY);
        VastException failure = assertThrows(VastException.class, () -> client.attachSshKey(8, PUBLIC_KEY));
        assertEquals(Kind.BAD_REQUEST, failure.kind());
        assertEquals(
                "POST /api/v0/instances/8/ssh/",
                market.seen.get(0).method() + " " + market.seen.get(0).target());
        assertEquals(
                PUBLIC_KEY,
                Json.parse(market.seen.get(0).body()).path("ssh_key").asText());
    }

    @Test
    void theKeysOfAnInstanceComeAsTextThatHoldsJson() throws Exception {
        market.answer(
                200,
                "{\"success\": true, \"ssh_keys\": \"[{\\\"id\\\": 5, \\\"public_key\\\": \\\"ssh-rsa AAAA a\\\"}]\"}");
        market.answer(200, "{\"success\": true, \"ssh_keys\": [{\"id\": 6, \"key\": \"ssh-rsa BBBB\"}]}");
        market.answer(200, "{\"success\": true, \"ssh_keys\": null}");
        assertEquals(List.of(new SshKey(5, "ssh-rsa AAAA a")), client.instanceSshKeys(8));
        assertEquals(List.of(new SshKey(6, "ssh-rsa BBBB")), client.instanceSshKeys(8));
        assertEquals(List.of(), client.instanceSshKeys(8));
    }

    @Test
    void theKeysOfTheAccountAreReadInEveryShapeWithoutTheDeletedOnes() throws Exception {
        market.answer(200, """
                [{"id": 1, "public_key": "ssh-rsa AAAA a", "deleted_at": null},
                 {"id": 2, "key": "ssh-rsa BBBB"},
                 {"id": 3, "key": "ssh-rsa CCCC", "deleted_at": "2026-08-01T12:00:00Z"}]""");
        market.answer(200, "{\"success\": true, \"ssh_keys\": [{\"id\": 4, \"key\": \"ssh-rsa DDDD\"}]}");
        market.answer(404, "");
        assertEquals(List.of(new SshKey(1, "ssh-rsa AAAA a"), new SshKey(2, "ssh-rsa BBBB")), client.accountSshKeys());
        assertEquals(List.of(new SshKey(4, "ssh-rsa DDDD")), client.accountSshKeys());
        assertEquals(List.of(), client.accountSshKeys());
        market.answer(404, "<html>no such page</html>");
        assertThrows(VastException.class, client::accountSshKeys);
        market.answer(404, "{\"success\": false, \"error\": \"auth_error\", \"msg\": \"Invalid user key\"}");
        assertEquals(
                Kind.BAD_KEY,
                assertThrows(VastException.class, client::accountSshKeys).kind());
    }

    @Test
    void anAccountKeyIsAddedOnceWhateverItsComment() throws Exception {
        market.answer(200, "[{\"id\": 1, \"key\": \"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ4RkTWgXqZpJ laptop\"}]");
        assertEquals(1, client.addAccountSshKey(PUBLIC_KEY).id());
        assertEquals(1, market.seen.size());
        market.answer(200, "[]").answer(200, "{\"success\": true, \"key\": {\"id\": 2, \"public_key\": \"x\"}}");
        assertEquals(new SshKey(2, PUBLIC_KEY), client.addAccountSshKey(PUBLIC_KEY));
        assertEquals("POST", market.seen.get(2).method());
    }

    @Test
    void anAccountKeyWhoseAnswerIsLostIsLookedUpInsteadOfAddedAgain() throws Exception {
        market.answer(200, "[]").hangUp().answer(200, "[{\"id\": 9, \"key\": \"" + PUBLIC_KEY + "\"}]");
        assertEquals(9, client.addAccountSshKey(PUBLIC_KEY).id());
        assertEquals(
                List.of("GET", "POST", "GET"),
                market.seen.stream().map(ScriptedMarket.Seen::method).toList());
    }

    @Test
    void logsAreFetchedWithoutTheKey() throws Exception {
        String place = market.address() + "/uploads/1.log?sig=a%2Bb";
        market.answer(200, "{\"success\": true, \"result_url\": \"" + place + "\"}");
        market.answer(200, "line one\nkey " + ScriptedMarket.KEY + "\n");
        assertEquals(Optional.of("line one\nkey ****\n"), client.fetchLogs(8, 200, true));
        assertEquals(
                "PUT /api/v0/instances/request_logs/8/",
                market.seen.get(0).method() + " " + market.seen.get(0).target());
        assertEquals(
                "{\"tail\":\"200\",\"daemon_logs\":\"true\"}",
                market.seen.get(0).body());
        assertEquals("/uploads/1.log?sig=a%2Bb", market.seen.get(1).target());
        assertNull(market.seen.get(1).header("Authorization"));
    }

    @Test
    void logsThatAreNotUploadedYetAreEmpty() throws Exception {
        for (int status : new int[] {403, 404}) {
            market.answer(200, "{\"success\": true, \"result_url\": \"" + market.address() + "/1.log\"}");
            market.answer(status, "<Error/>");
            assertEquals(Optional.empty(), client.fetchLogs(8, 200, false));
        }
        assertEquals("{\"tail\":\"200\"}", market.seen.get(0).body());
    }

    @Test
    void logsAreWaitedForWithoutAskingForThemAgain() throws Exception {
        Patience patience = new Patience(
                4,
                Duration.ofMillis(1),
                Duration.ofMillis(1),
                Duration.ofSeconds(20),
                Duration.ofSeconds(20),
                Duration.ofSeconds(20));
        market.answer(200, "{\"success\": true, \"result_url\": \"" + market.address() + "/1.log\"}");
        market.answer(404, "<Error/>").answer(403, "<Error/>").answer(200, "there");
        assertEquals(Optional.of("there"), market.client(patience).fetchLogs(8, 5, false));
        assertEquals(
                List.of("PUT", "GET", "GET", "GET"),
                market.seen.stream().map(ScriptedMarket.Seen::method).toList());
    }

    @Test
    void logsCanBeAskedForNowAndLookedForLater() throws Exception {
        market.answer(200, "{\"success\": true, \"result_url\": \"" + market.address() + "/2.log\"}");
        market.answer(404, "<Error/>").answer(200, "there");
        URI place = client.requestLogs(8, 5, false);
        assertEquals(Optional.empty(), client.downloadLogs(place));
        assertEquals(Optional.of("there"), client.downloadLogs(place));
        assertEquals("/2.log", market.seen.get(2).target());
    }

    @Test
    void logsAtAForeignPlainAddressAreNotFetched() {
        for (String place : List.of("http://192.0.2.1/1.log", "file:///etc/passwd", "", "not an address")) {
            market.answer(200, "{\"success\": true, \"result_url\": \"" + place + "\"}");
            VastException failure = assertThrows(VastException.class, () -> client.fetchLogs(8, 1, false), place);
            assertTrue(failure.reason().is(ApiText.LOG_ADDRESS), place);
        }
        assertEquals(4, market.seen.size());
    }

    @Test
    void aHugeLogIsCut() throws Exception {
        market.answer(200, "{\"success\": true, \"result_url\": \"" + market.address() + "/1.log\"}");
        market.answer(200, "x".repeat(3 << 20));
        assertEquals(2 << 20, client.fetchLogs(8, 1, false).orElseThrow().length());
    }

    @Test
    void chargesAreReadFromAllPages() throws Exception {
        market.answer(200, """
                {"success": true, "count": 1, "total": 2, "next_token": "dG9rZW4=", "results": [
                  {"start": 1785974400, "end": 1786060800, "type": "instance", "source": "instance-640001",
                   "description": "d", "amount": 1.4013, "metadata": {"label": "jenkins-x"},
                   "items": [{"type": "gpu", "description": "4 h", "amount": 1.3}, {"type": "disk"}]}]}""");
        market.answer(200, """
                {"success": true, "count": 1, "total": 2, "next_token": null, "results": [
                  {"start": 1785974400.0, "end": null, "type": "volume", "source": "volume-1", "amount": "0.5"}]}""");
        List<Charge> charges = client.charges(Instant.ofEpochSecond(1785974400), Instant.ofEpochSecond(1786060800));
        assertEquals(2, charges.size());
        assertEquals(640001, charges.get(0).instanceId().orElseThrow());
        assertEquals(new BigDecimal("1.4013"), charges.get(0).amount());
        assertEquals("jenkins-x", charges.get(0).label());
        assertEquals("gpu", charges.get(0).items().get(0).type());
        assertTrue(charges.get(1).instanceId().isEmpty());
        String query = URI.create(market.seen.get(0).target()).getQuery();
        assertTrue(query.contains("\"day\":{"), query);
        assertTrue(query.contains("\"gte\":1785974400"), query);
        assertTrue(query.contains("\"lte\":1786060800"), query);
        assertTrue(query.contains("\"type\":{\"in\":[\"instance\"]}"), query);
        assertTrue(
                market.seen.get(1).target().endsWith("&after_token=dG9rZW4%3D"),
                market.seen.get(1).target());
    }

    @Test
    void gpuNamesNeedNoKey() throws Exception {
        market.answer(200, "{\"success\": true, \"gpu_names\": [\"RTX 4090\", \"H100 SXM\", null, \" \"]}");
        VastClient keyless =
                new VastClient(market.address(), () -> null, market.http(), Pacing.none(), Patience.withoutDelay());
        assertEquals(List.of("RTX 4090", "H100 SXM"), keyless.gpuNames());
        assertNull(market.only().header("Authorization"));
    }

    @Test
    void withoutAKeyNothingIsSent() {
        VastClient keyless =
                new VastClient(market.address(), () -> null, market.http(), Pacing.none(), Patience.withoutDelay());
        VastException failure = assertThrows(VastException.class, keyless::currentUser);
        assertEquals(Kind.BAD_KEY, failure.kind());
        assertTrue(failure.reason().is(ApiText.NO_KEY));
        assertEquals(0, market.seen.size());
    }
}

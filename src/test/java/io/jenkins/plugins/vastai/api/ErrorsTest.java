package io.jenkins.plugins.vastai.api;

import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jenkins.plugins.vastai.api.VastException.Kind;
import io.jenkins.plugins.vastai.text.Texts;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** One case per situation of docs/market.md, Answers; the bodies are as the market sends them. */
class ErrorsTest {

    private static final Patience ONCE = Patience.once(Duration.ofSeconds(20));

    private final ScriptedMarket market = new ScriptedMarket();
    private final VastClient client = market.client(ONCE);

    @AfterEach
    void close() {
        market.close();
    }

    private VastException create(int status, String body, String... headers) {
        market.answer(status, body, headers);
        return assertThrows(VastException.class, () -> client.createInstance(501, request()));
    }

    private static CreateRequest request() {
        return CreateRequest.builder()
                .image("ghcr.io/acme/ci:1")
                .label("jenkins-1-2")
                .imageLogin("-u bot -p hunter2secret ghcr.io")
                .env("LICENSE", "wonderland-9")
                .build();
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
            404 | {"success":false,"error":"invalid_args","msg":"error 404/3603: no_such_ask Instance type by id 501 is not available.","ask_id":501} | OFFER_GONE
            410 | {"success":false,"error":"no_such_ask","msg":"error 410/3907: no_such_ask 501 is no longer available."} | OFFER_GONE
            400 | {"success":false,"error":"no_such_ask","msg":"error 400/3603: no_such_ask"} | OFFER_GONE
            409 | {"success":false,"msg":"conflict"} | OFFER_GONE
            403 | {"success":false,"error":"invalid_args","msg":"error 403/3586: Offer 501 is not your own."} | OFFER_GONE
            400 | {"success":false,"error":"invalid_args","msg":"error 400/3467: Invalid args: 'id' is required and must be a valid offer ID"} | OFFER_GONE
            400 | {"success":false,"error":"invalid_args","msg":"error 400/3471: Invalid args: len(args) > 4096"} | BAD_REQUEST
            400 | {"success":false,"error":"invalid_args","msg":"invalid env arguments, total length > 32KB"} | BAD_REQUEST
            400 | {"success":false,"error":"invalid_price","msg":"error 400: Invalid price","ask_id":501} | BAD_REQUEST
            400 | {"success":false,"error":"invalid_args","msg":"disk 900.0 is above the maximum of the offer"} | BAD_REQUEST
            400 | {"detail":"something else"} | BAD_REQUEST
            422 | {"detail":[{"loc":["disk"],"msg":"too small"}]} | BAD_REQUEST
            400 | {"success":false,"error":"no_ssh_key_for_vm","msg":"error 400: VM instances need an SSH key"} | NO_SSH_KEY_FOR_VM
            400 | {"success":false,"error":"insufficient_credit","msg":"Insufficient credits"} | NO_MONEY
            402 | {"success":false,"msg":"pay first"} | NO_MONEY
            403 | {"success":false,"msg":"Insufficient credit for this"} | NO_MONEY
            400 | {"success":false,"error":"spend_rate_limit","msg":"Spend rate limit exceeded"} | NO_MONEY
            400 | {"success":false,"error":"missing_billing","msg":"missing billing info"} | NO_MONEY
            200 | {"success":false,"error":"insufficient_credit","msg":"Insufficient credits"} | NO_MONEY
            401 | {"success":false,"error":"auth_error","msg":"Invalid user key"} | BAD_KEY
            404 | {"success":false,"error":"auth_error","msg":"Invalid user key"} | BAD_KEY
            403 | {"success":false,"error":"auth_error","msg":"This action requires login."} | BAD_KEY
            400 | {"error":"no_such_ask","message":"Instance type is not available."} | OFFER_GONE
            400 | {"error":"insufficient_credit"} | NO_MONEY
            401 | {"error":"auth_error","message":"Invalid user key"} | BAD_KEY
            400 | {"message":"Bad Request"} | UNREADABLE
            400 | {"type":"about:blank","title":"Bad Request","status":400,"detail":"no offer"} | UNREADABLE
            401 | Unauthorized | UNREACHABLE
            401 | {"error":"Unauthorized","message":"Two factor login needed at the gate"} | UNREACHABLE
            403 | {"message":"Forbidden"} | UNREACHABLE
            403 | {"timestamp":1,"status":403,"error":"Forbidden","message":"no permission","path":"/"} | UNREACHABLE
            403 | {"type":"about:blank","title":"Error 1020: Access denied","status":403,"detail":"You do not have permission to access this offer"} | UNREACHABLE
            403 | {"success":false,"errors":[{"code":10000,"message":"Authentication error"}],"messages":[],"result":null} | UNREACHABLE
            403 | "permission denied" | UNREACHABLE
            404 | {"message":"no such offer"} | UNREADABLE
            402 | {"message":"insufficient credit"} | UNREADABLE
            401 | {"success":false,"error":"auth_error","msg":"Two Factor Authentication required for this action."} | TWO_FACTOR
            404 | {"success":false,"error":"auth_error","msg":"Session expired. Please log in again."} | TWO_FACTOR
            403 | {"success":false,"error":"forbidden","msg":"no"} | MISSING_PERMISSION
            401 | {"success":false,"error":"auth_error","msg":"key lacks permission instance_write"} | MISSING_PERMISSION
            403 | <html><title>Blocked</title></html> | UNREACHABLE
            429 | API requests too frequent: endpoint threshold=4.5 | THROTTLED
            429 | {"detail":"API requests too frequent endpoint threshold=4.5"} | THROTTLED
            429 | {"success":false,"error":"rate_limit_exceeded","msg":"API requests too frequent"} | THROTTLED
            200 | {"success":false,"error":"rate_limit_exceeded","msg":"API requests too frequent"} | THROTTLED
            500 | {"success":false,"error":"server_error","msg":"Something went wrong on the server"} | UNAVAILABLE
            200 | {"success":false,"error":"resources_unavailable","msg":"state change queued."} | UNAVAILABLE
            502 | <html><head><title>502 Bad Gateway</title></head></html> | UNAVAILABLE
            404 | <html>nothing here</html> | UNREADABLE
            200 | <html>Log in to the hotel's network</html> | UNREADABLE
            200 | {"success":false,"error":"brand_new","msg":"never seen"} | UNREADABLE
            200 | {"success":true} | UNREADABLE
            200 | {"new_contract":7} | UNREADABLE
            308 | moved | UNREADABLE
            """)
    void aRefusedCreateIsUnderstood(int status, String body, Kind expected) {
        VastException failure = create(status, body);
        assertEquals(expected, failure.kind(), failure.getMessage());
        assertEquals(status, failure.status());
        assertEquals(1, market.seen.size());
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
            404 | {"success":false,"error":"not_found","msg":"Instance not found"} | GONE
            404 | {"success":false,"error":"no_such_instance","msg":"Instance not found."} | GONE
            400 | {"success":false,"msg":"error: no such instance 8"} | GONE
            404 | {"success":false,"error":"auth_error","msg":"Invalid user key"} | BAD_KEY
            404 | {"success":false,"error":"auth_error","msg":"Instance not found for this key"} | BAD_KEY
            400 | {"success":false,"error":"missing_billing","msg":"missing billing info"} | NO_MONEY
            400 | {"success":false,"error":"label_too_long","msg":"label too long"} | BAD_REQUEST
            200 | {"success":false,"error":"label_too_long","msg":"label too long"} | BAD_REQUEST
            404 | {"success":false,"error":"brand_new","msg":"words of a newer market"} | GONE
            404 | {"detail":"Not Found"} | UNREADABLE
            404 | <html>nothing here</html> | UNREADABLE
            410 | {"success":false,"error":"deprecated_endpoint","msg":"Use v1"} | UNREADABLE
            200 | {"error":"oops"} | UNREADABLE
            """)
    void aRefusedChangeOfAnInstanceIsUnderstood(int status, String body, Kind expected) {
        market.answer(status, body);
        VastException failure = assertThrows(VastException.class, () -> client.labelInstance(8, "x"));
        assertEquals(expected, failure.kind(), failure.getMessage());
    }

    /** What proxies and CDNs put in front of the market; each holds a word that the market uses too. */
    private static final Map<String, String> PAGES =
            Map.of("Squid", """
            <!DOCTYPE html PUBLIC "-//W3C//DTD HTML 4.01//EN" "http://www.w3.org/TR/html4/strict.dtd">
            <html><head><meta type="copyright" content="Copyright (C) 1996-2020 The Squid Software Foundation and contributors">
            <title>ERROR: The requested URL could not be retrieved</title></head><body id=ERR_ACCESS_DENIED>
            <div id="content"><p>The following error was encountered while trying to retrieve the URL:
            <a href="https://console.vast.ai/">https://console.vast.ai/</a></p><blockquote id="error"><p><b>Access Denied.</b></p>
            </blockquote><p>Access control configuration prevents your request from being allowed at this time. Please contact
            your service provider if you feel this is incorrect. You do not have permission; cache access requires login.</p>
            </div><div id="footer"><p>Generated Tue, 01 Dec 2026 04:00:00 GMT by proxy01 (squid/5.7)</p></div></body></html>""", "nginx", """
            <html>\r
            <head><title>HTTP error: instance not found</title></head>\r
            <body>\r
            <center><h1>The ask or offer is gone</h1></center>\r
            <hr><center>nginx/1.24.0 (Ubuntu)</center>\r
            </body>\r
            </html>""", "Cloudflare", """
            <!DOCTYPE html><!--[if lt IE 7]> <html class="no-js ie6 oldie" lang="en-US"> <![endif]-->
            <head><title>Attention Required! | Cloudflare</title><meta name="robots" content="noindex, nofollow" /></head>
            <body><div id="cf-wrapper"><div id="cf-error-details"><h1 data-translate="block_headline">Sorry, you have been
            blocked</h1><h2 class="cf-subheadline"><span data-translate="unable_to_access">You are unable to access</span>
            vast.ai</h2><p>This website is using a security service to protect itself from online attacks. Your session
            expired or lacks the permission. Two factor checks failed.</p><span>Cloudflare Ray ID: <strong>8f2a1c</strong>
            </span></div></div></body></html>""", "HAProxy", """
            <html><body><h1>Request forbidden by administrative rules</h1>
            No server is available to handle this request: not authorized, insufficient credit of connections.
            </body></html>
            """, "Zscaler", """
            <!-- IE friendly error message walkround. --><head><title>Internet Security by Zscaler</title></head><body>
            <h1>Sorry, you don't have permission to visit this site.</h1><span>Not allowed to browse AI/ML Applications
            category</span><span>Reason: Not permitted by auth_error policy, invalid user key scope</span>
            <img src="https://login.zscaler.net/img_logo_new1.png" alt="Zscaler"></body>""", "AWS ALB", """
            <html>\r
            <head><title>403 Forbidden: permission</title></head>\r
            <body>\r
            <center><h1>no_such_instance</h1></center>\r
            </body>\r
            </html>\r
            """);

    static Stream<Arguments> pages() {
        return PAGES.keySet().stream().sorted().flatMap(who -> IntStream.of(
                        400, 401, 402, 403, 404, 407, 409, 410, 451, 502, 503)
                .mapToObj(status -> Arguments.of(who, status)));
    }

    @ParameterizedTest
    @MethodSource
    void pages(String who, int status) {
        Set<Kind> honest = status >= 500 ? Set.of(Kind.UNAVAILABLE) : Set.of(Kind.UNREACHABLE, Kind.UNREADABLE);
        for (int call = 0; call < 4; call++) {
            market.answer(status, PAGES.get(who), "Content-Type", "text/html");
            int asked = call;
            VastException failure = assertThrows(VastException.class, () -> {
                switch (asked) {
                    case 0 -> client.createInstance(501, request());
                    case 1 -> client.destroyInstance(8);
                    case 2 -> client.accountSshKeys();
                    default -> client.listInstances();
                }
            });
            String said = failure.getMessage();
            assertTrue(honest.contains(failure.kind()), failure.kind() + ": " + said);
            assertTrue(said.contains("between"), said);
            assertTrue(said.contains("HTTP " + status) && said.contains("proxy"), said);
            assertEquals("", failure.permission());
        }
    }

    @Test
    void aRefusedLogRequestIsUnderstood() {
        market.answer(404, "{\"error\":\"invalid_id\",\"msg\":\"Invalid instance id.\"}");
        market.answer(403, "{\"error\":\"not_authorized\",\"msg\":\"Not authorized to view logs\"}");
        assertEquals(
                Kind.GONE,
                assertThrows(VastException.class, () -> client.fetchLogs(8, 1, false))
                        .kind());
        assertEquals(
                Kind.MISSING_PERMISSION,
                assertThrows(VastException.class, () -> client.fetchLogs(8, 1, false))
                        .kind());
    }

    @Test
    void aTeamKeyIsUnderstood() {
        market.answer(200, "[]")
                .answer(
                        400,
                        "{\"success\":false,\"error\":\"invalid_args\",\"msg\":\"Team SSH keys are not supported. SSH"
                                + " keys can only be created in personal context.\"}");
        VastException failure = assertThrows(VastException.class, () -> client.addAccountSshKey("ssh-ed25519 AAAA x"));
        assertEquals(Kind.TEAM_KEY, failure.kind());
    }

    @Test
    void theInstanceThatAFailedCreateMadeIsTold() {
        VastException failure = create(
                400, "{\"success\":false,\"error\":\"no_such_ask\",\"msg\":\"bid too low\",\"new_contract\":640199}");
        assertEquals(Kind.OFFER_GONE, failure.kind());
        assertEquals(OptionalLong.of(640199), failure.createdInstance());
        assertTrue(failure.mayHaveTakenEffect());
        assertEquals(OptionalLong.of(7), create(200, "{\"new_contract\": 7}").createdInstance());
        assertEquals(OptionalLong.empty(), create(500, "{}").createdInstance());
    }

    @Test
    void onlyAnAnswerThatRefusesProvesThatNothingHappened() {
        for (int status : new int[] {400, 401, 403, 404, 409, 410, 429, 308}) {
            assertFalse(create(status, "{\"success\":false}").mayHaveTakenEffect(), "HTTP " + status);
        }
        for (int status : new int[] {408, 500, 502, 503, 504}) {
            assertTrue(create(status, "{\"success\":false}").mayHaveTakenEffect(), "HTTP " + status);
        }
        assertTrue(create(200, "no json").mayHaveTakenEffect());
        assertTrue(create(200, "{\"success\":false,\"error\":\"brand_new\"}").mayHaveTakenEffect());
        assertFalse(create(200, "{\"success\":false,\"error\":\"insufficient_credit\"}")
                .mayHaveTakenEffect());
    }

    @Test
    void thePauseThatTheMarketAsksForIsTold() {
        assertEquals(
                Optional.of(Duration.ofSeconds(7)),
                create(429, "slow down", "Retry-After", "7").retryAfter());
        assertEquals(Optional.empty(), create(429, "slow down").retryAfter());
        assertEquals(
                Optional.empty(),
                create(429, "slow down", "Retry-After", "soon").retryAfter());
        assertEquals(Duration.ofMillis(4500), Refusal.threshold("{\"detail\":\"too frequent threshold=4.5\"}"));
    }

    @Test
    void aRetryAfterDateIsReadByTheMarketsOwnClock() {
        // The server of the test sets Date itself; a date far ahead must come out as a long pause.
        Duration pause = create(503, "later", "Retry-After", "Fri, 01 Jan 2100 00:00:00 GMT")
                .retryAfter()
                .orElseThrow();
        assertTrue(pause.compareTo(Duration.ofDays(365)) > 0, pause.toString());
    }

    @Test
    void whatIsSaidNamesCallWordsAndRemedyAndNoSecret() {
        VastException failure = create(
                400,
                "{\"error\":\"invalid_args\",\"msg\":\"cannot log in with -u bot -p hunter2secret ghcr.io; LICENSE is"
                        + " wonderland-9; Authorization: Bearer " + ScriptedMarket.KEY + "\\u0007\\nsecond line\"}");
        String text = failure.getMessage();
        assertAll(
                () -> assertTrue(text.contains("PUT /api/v0/asks/{id}/"), text),
                () -> assertTrue(text.contains("HTTP 400"), text),
                () -> assertTrue(text.contains("cannot log in"), text),
                () -> assertFalse(text.contains("hunter2secret"), text),
                () -> assertFalse(text.contains("wonderland-9"), text),
                () -> assertFalse(text.contains(ScriptedMarket.KEY), text),
                () -> assertFalse(text.contains("\n") || text.contains("\u0007"), text));
    }

    @Test
    void longWordsOfTheMarketAreShortened() {
        VastException failure = create(500, "<p>" + "sorry ".repeat(10_000) + "</p>");
        assertTrue(failure.getMessage().length() < 600, failure.getMessage());
        assertFalse(failure.getMessage().contains("<p>"), failure.getMessage());
    }

    @Test
    void aMissingPermissionIsNamed() {
        market.answer(403, "{\"success\":false,\"error\":\"forbidden\"}");
        VastException failure = assertThrows(VastException.class, client::listInstances);
        assertTrue(failure.getMessage().contains("instance_read"), failure.getMessage());
        assertEquals("instance_read", failure.permission());
    }

    @Test
    void noAnswerIsUnreachable() {
        market.close();
        VastException failure = assertThrows(VastException.class, () -> client.createInstance(501, request()));
        assertEquals(Kind.UNREACHABLE, failure.kind());
        assertEquals(0, failure.status());
        assertFalse(failure.mayHaveTakenEffect(), "nobody was there to rent from");
        assertTrue(failure.getMessage().contains(market.address().toString()), failure.getMessage());
    }

    @Test
    void anAnswerBeyondAllMeasureIsNotRead() {
        market.answer(200, "{\"offers\": [\"" + "x".repeat(17 << 20) + "\"]}");
        VastException failure = assertThrows(
                VastException.class, () -> client.searchOffers(new OfferQuery(Map.of(), "bid", List.of(), 1, 1)));
        assertTrue(failure.reason().is(ApiText.TOO_LARGE));
    }

    @Test
    void everyTextIsInTheBundle() {
        for (ApiText text : ApiText.values()) {
            String sentence = Texts.render(text.of("first", "second", "third"));
            assertFalse(sentence.startsWith("ApiText."), sentence);
            assertFalse(sentence.contains("{"), sentence);
        }
    }
}

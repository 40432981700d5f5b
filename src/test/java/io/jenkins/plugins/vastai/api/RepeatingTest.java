package io.jenkins.plugins.vastai.api;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jenkins.plugins.vastai.api.VastException.Kind;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What is sent again, how often and when; above all, that a create is not. */
class RepeatingTest {

    private static final CreateRequest REQUEST =
            CreateRequest.builder().image("a/b:1").label("jenkins-1-2").build();
    private static final String GOOD = "{\"success\": true, \"new_contract\": 640001}";
    private static final Patience SHORT = new Patience(
            4, Duration.ZERO, Duration.ZERO, Duration.ofSeconds(20), Duration.ofMillis(300), Duration.ofMillis(300));

    private final ScriptedMarket market = new ScriptedMarket();
    private final VastClient client = market.client();

    @AfterEach
    void close() {
        market.close();
    }

    private VastException createFails(VastClient with) {
        return assertThrows(VastException.class, () -> with.createInstance(501, REQUEST));
    }

    @Test
    void aCreateThatIsNotAnsweredIsSentOnce() {
        market.silence().answer(200, GOOD);
        VastException failure = createFails(market.client(SHORT));
        assertEquals(Kind.UNREACHABLE, failure.kind());
        assertTrue(failure.mayHaveTakenEffect());
        assertEquals(1, market.seen.size());
    }

    @Test
    void aCreateWhoseConnectionIsClosedIsSentOnce() {
        market.hangUp().answer(200, GOOD);
        VastException failure = createFails(client);
        assertEquals(Kind.UNREACHABLE, failure.kind());
        assertTrue(failure.mayHaveTakenEffect());
        assertEquals(1, market.seen.size());
    }

    @Test
    void aCreateOverAConnectionThatWentStaleIsSentOnce() throws Exception {
        market.answer(200, "{\"id\": 1}").hangUp().answer(200, GOOD);
        client.currentUser();
        assertTrue(createFails(client).mayHaveTakenEffect());
        assertEquals(2, market.seen.size());
    }

    @Test
    void aCreateWhoseAnswerIsCutOffIsSentOnce() {
        market.cutOff("{\"success\": true, \"new_con").answer(200, GOOD);
        VastException failure = createFails(client);
        assertTrue(failure.mayHaveTakenEffect());
        assertEquals(1, market.seen.size());
    }

    @Test
    void aCreateThatFailsInTheMarketIsSentOnce() {
        List<String[]> headers = List.of(new String[0], new String[] {"Retry-After", "0"});
        for (int status : new int[] {408, 500, 502, 503, 504}) {
            for (String[] header : headers) {
                market.seen.clear();
                // OkHttp by itself repeats a 408, and a 503 that says Retry-After: 0.
                market.answer(status, "{}", header);
                assertTrue(createFails(client).mayHaveTakenEffect(), "HTTP " + status);
                assertEquals(1, market.seen.size(), "HTTP " + status);
            }
        }
    }

    @Test
    void aRedirectIsNotFollowed() {
        for (int status : new int[] {301, 302, 307, 308}) {
            market.seen.clear();
            market.answer(status, "", "Location", market.address() + "/elsewhere/");
            VastException failure = createFails(client);
            assertTrue(failure.reason().is(ApiText.REDIRECTED), failure.getMessage());
            assertEquals(1, market.seen.size(), "HTTP " + status);
        }
        market.answer(301, "", "Location", market.address() + "/elsewhere/");
        market.seen.clear();
        assertThrows(VastException.class, client::currentUser);
        assertEquals(1, market.seen.size());
    }

    @Test
    void aCreateThatCameTooSoonIsSentAgain() throws Exception {
        market.answer(429, "API requests too frequent: endpoint threshold=4.5").answer(200, GOOD);
        assertEquals(640001, client.createInstance(501, REQUEST).instanceId());
        assertEquals(2, market.seen.size());
        assertEquals(market.seen.get(0).body(), market.seen.get(1).body());
    }

    @Test
    void aCreateThatCameTooSoonAndThenIsLostIsNotSentAThirdTime() {
        market.answer(429, "API requests too frequent").hangUp().answer(200, GOOD);
        assertTrue(createFails(client).mayHaveTakenEffect());
        assertEquals(2, market.seen.size());
    }

    @Test
    void harmlessCallsAreRepeatedAFewTimes() {
        market.answer(429, "API requests too frequent").answer(503, "").hangUp().answer(500, "{}");
        market.answer(200, "{\"id\": 1}");
        VastException failure = assertThrows(VastException.class, client::currentUser);
        assertEquals(Kind.UNAVAILABLE, failure.kind());
        assertEquals(500, failure.status());
        assertEquals(4, market.seen.size());
    }

    @Test
    void anAnswerThatWillNotChangeIsNotAskedForAgain() {
        market.answer(401, "{\"error\":\"auth_error\",\"msg\":\"Invalid user key\"}")
                .answer(200, "{\"id\": 1}");
        assertThrows(VastException.class, client::currentUser);
        assertEquals(1, market.seen.size());
    }

    @Test
    void aPauseBeyondOurPatienceIsLeftToTheCaller() {
        market.answer(429, "", "Retry-After", "3600").answer(200, "{\"id\": 1}");
        VastException failure = assertThrows(
                VastException.class, () -> market.client(Patience.standard()).currentUser());
        assertEquals(Duration.ofHours(1), failure.retryAfter().orElseThrow());
        assertEquals(1, market.seen.size());
    }

    @Test
    void pausesDoubleUpToTheLimitWithSomethingOnTop() {
        VastException failure = VastException.of(Kind.UNAVAILABLE, ApiText.UNAVAILABLE.of())
                .status(503)
                .build();
        long[] expected = {2, 4, 8, 16, 30, 30};
        for (int failures = 1; failures <= expected.length; failures++) {
            long least = expected[failures - 1] * 1000;
            long pause = Transport.delay(Call.LIST, failure, failures, Patience.standard())
                    .toMillis();
            assertTrue(pause >= least && pause <= least * 5 / 4, failures + ": " + pause);
        }
    }

    @Test
    void aPauseIsNeverShorterThanTheMarketAsks() {
        VastException asked = VastException.of(Kind.THROTTLED, ApiText.THROTTLED.of())
                .status(429)
                .retryAfter(Duration.ofSeconds(25))
                .build();
        VastException plain = VastException.of(Kind.THROTTLED, ApiText.THROTTLED.of())
                .status(429)
                .build();
        assertEquals(Duration.ofSeconds(25), Transport.delay(Call.LIST, asked, 1, Patience.standard()));
        assertEquals(Duration.ofSeconds(12), Transport.delay(Call.CREATE, plain, 1, Patience.standard()));
    }

    @Test
    void thePacingIsAskedBeforeEverySendingAndToldOfEveryComplaint() throws Exception {
        List<String> told = new ArrayList<>();
        Pacing pacing = new Pacing() {
            @Override
            public void await(Call call) {
                told.add("await " + call.name() + " " + market.seen.size());
            }

            @Override
            public void throttled(Call call, Duration pause) {
                told.add("throttled " + call.name() + " " + pause.toMillis());
            }
        };
        VastClient paced =
                new VastClient(market.address(), () -> ApiKey.of("k"), market.http(), pacing, Patience.withoutDelay());
        market.answer(429, "API requests too frequent: endpoint threshold=20.5").answer(200, GOOD);
        paced.createInstance(501, REQUEST);
        market.answer(429, "API requests too frequent").answer(200, "{\"id\": 1}");
        paced.currentUser();
        assertEquals(
                List.of(
                        "await CREATE 0",
                        "throttled CREATE 20500",
                        "await CREATE 1",
                        "await CURRENT_USER 2",
                        "throttled CURRENT_USER 1000",
                        "await CURRENT_USER 3"),
                told);
    }

    @Test
    void aCallThatThePacingRefusesIsNotSent() {
        Pacing full = Pacing.published(Duration.ZERO);
        VastClient paced =
                new VastClient(market.address(), () -> ApiKey.of("k"), market.http(), full, Patience.withoutDelay());
        market.answer(500, "{}");
        assertThrows(VastException.class, () -> paced.createInstance(501, REQUEST));
        VastException failure = assertThrows(VastException.class, () -> paced.createInstance(501, REQUEST));
        assertEquals(Kind.THROTTLED, failure.kind());
        assertTrue(failure.reason().is(ApiText.PACING_WAIT));
        assertFalse(failure.mayHaveTakenEffect());
        assertEquals(1, market.seen.size());
    }

    @Test
    void anInterruptEndsTheCallAndStaysSet() {
        Thread.currentThread().interrupt();
        market.answer(500, "{}").answer(200, "{\"id\": 1}");
        VastException failure = assertThrows(VastException.class, () -> new VastClient(
                        market.address(), () -> ApiKey.of("k"), market.http(), Pacing.published(Duration.ofSeconds(30)))
                .currentUser());
        assertTrue(Thread.interrupted());
        assertTrue(failure.reason().is(ApiText.INTERRUPTED), failure.getMessage());
        assertFalse(failure.mayHaveTakenEffect());
        assertEquals(0, market.seen.size());
    }
}

package io.jenkins.plugins.vastai.simulator;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
class CallFaultsTest {
    private final DrivenClock clock = new DrivenClock();
    private Simulator simulator;
    private Caller caller;
    private long offer;

    @BeforeEach
    void start() throws IOException {
        simulator = Simulator.builder()
                .clock(clock)
                .ssh(false)
                .limits(false)
                .boot(Duration.ofSeconds(10))
                .unload(Duration.ofSeconds(1))
                .start();
        caller = new Caller(simulator);
        offer = simulator.market().find("RTX 4090", 1).get(0).id();
    }

    @AfterEach
    void end() {
        simulator.close();
    }

    private Caller.Reply create() throws IOException {
        return caller.create(offer, Caller.container("a", ""));
    }

    @ParameterizedTest
    @ValueSource(ints = {400, 404, 409, 410})
    void anOfferIsGoneInEveryShape(int status) throws IOException {
        Faults.Active fault = simulator
                .faults()
                .add(Fault.of(Fault.Kind.OFFER_GONE).offer(offer).status(status).once());
        Caller.Reply reply = create();
        assertEquals(status, reply.status());
        assertTrue(reply.text().contains("no_such_ask"));
        assertEquals(1, fault.hits());
        assertTrue(simulator.market().offer(offer).isEmpty());
        assertTrue(simulator.books().entries().isEmpty());
    }

    @Test
    void moneyErrorsOfCreate() throws IOException {
        simulator.faults().add(Fault.of(Fault.Kind.NO_CREDIT).once());
        assertEquals("insufficient_credit", create().error());
        simulator.faults().add(Fault.of(Fault.Kind.SPEND_LIMIT).once());
        assertEquals("spend_rate_limit", create().error());
        assertEquals(200, create().status());
    }

    @Test
    void anErrorMayCarryANewContract() throws IOException {
        simulator.faults().add(Fault.of(Fault.Kind.BID_TOO_LOW).once());
        Caller.Reply reply = create();
        assertEquals(400, reply.status());
        assertEquals(
                reply.json().get("new_contract").asLong(),
                simulator.books().left().get(0).id());
    }

    @Test
    void throttlingStrikesTheEndpointItIsMeantFor() throws IOException {
        simulator
                .faults()
                .add(Fault.of(Fault.Kind.THROTTLED).endpoint(Endpoint.LIST).times(2));
        assertEquals(200, caller.get("/api/v0/users/current/").status());
        assertEquals(429, caller.get("/api/v1/instances/").status());
        assertEquals(429, caller.get("/api/v1/instances/").status());
        assertEquals(200, caller.get("/api/v1/instances/").status());
    }

    @ParameterizedTest
    @ValueSource(ints = {500, 502, 503, 504})
    void serverErrorsHaveNoEffectUnlessTheyComeAfterwards(int status) throws IOException {
        simulator.faults().add(Fault.of(Fault.Kind.SERVER_ERROR).status(status).once());
        Caller.Reply before = create();
        assertEquals(status, before.status());
        if (status == 500) {
            assertNotNull(before.json());
        } else {
            assertNull(before.json(), "a gateway answers with HTML");
        }
        assertTrue(simulator.instances().isEmpty());
        simulator
                .faults()
                .add(Fault.of(Fault.Kind.SERVER_ERROR_AFTER).status(status).once());
        assertEquals(status, create().status());
        assertEquals(1, simulator.instances().size());
    }

    @ParameterizedTest
    @EnumSource(
            value = Fault.Kind.class,
            names = {"TIMEOUT_BEFORE", "TIMEOUT_AFTER", "LOST_ANSWER", "CONNECTION_CUT"})
    void anAnswerThatNeverComesSaysNothingOfTheEffect(Fault.Kind kind) throws IOException {
        simulator
                .faults()
                .add(Fault.of(kind)
                        .endpoint(Endpoint.CREATE)
                        .delay(Duration.ofMillis(300))
                        .once());
        assertThrows(IOException.class, this::create);
        boolean effect = kind == Fault.Kind.TIMEOUT_AFTER || kind == Fault.Kind.LOST_ANSWER;
        assertEquals(effect ? 1 : 0, simulator.instances().size());
        assertEquals(0, simulator.requests(Endpoint.CREATE).get(0).status());
        assertEquals(1, simulator.requests(Endpoint.CREATE).size(), "nobody sent it twice");
    }

    @Test
    void aSlowAnswerComes() throws IOException {
        simulator
                .faults()
                .add(Fault.of(Fault.Kind.SLOW_ANSWER)
                        .delay(Duration.ofMillis(300))
                        .once());
        long begin = System.nanoTime();
        assertEquals(200, caller.get("/api/v1/instances/").status());
        assertTrue(System.nanoTime() - begin >= Duration.ofMillis(290).toNanos());
        simulator.apiLatency(Duration.ofMillis(200));
        begin = System.nanoTime();
        assertEquals(200, caller.get("/api/v1/instances/").status());
        assertTrue(System.nanoTime() - begin >= Duration.ofMillis(190).toNanos());
    }

    @Test
    void anAnswerMayBeNoJson() throws IOException {
        simulator.faults().add(Fault.of(Fault.Kind.NOT_JSON).once());
        Caller.Reply reply = caller.get("/api/v1/instances/");
        assertEquals(200, reply.status());
        assertNull(reply.json());
    }

    @Test
    void aGoodKeyMayBeRefused() throws IOException {
        simulator.faults().add(Fault.of(Fault.Kind.KEY_REFUSED).once());
        assertEquals(401, caller.get("/api/v1/instances/").status());
        simulator.faults().add(Fault.of(Fault.Kind.KEY_REFUSED).status(404).once());
        Caller.Reply reply = caller.get("/api/v1/instances/");
        assertEquals(404, reply.status());
        assertEquals("auth_error", reply.error());
    }

    @Test
    void searchMayIgnoreItsFilters() throws IOException {
        simulator.faults().add(Fault.of(Fault.Kind.FILTERS_IGNORED).once());
        String question = "{\"gpu_name\":{\"eq\":\"H200\"},\"limit\":64}";
        assertTrue(caller.search(question).text().contains("\"B200\""));
        assertFalse(caller.search(question).text().contains("\"B200\""));
    }

    @Test
    void listsLie() throws IOException {
        for (int i = 0; i < 30; i++) {
            caller.rent(
                    simulator.market().offers().get(i).id(),
                    Caller.container("a", "").put("disk", 8));
        }
        simulator.faults().add(Fault.of(Fault.Kind.EMPTY_LIST).once());
        JsonNode empty = caller.get("/api/v1/instances/").json();
        assertTrue(empty.get("success").asBoolean());
        assertEquals(0, empty.get("instances").size());
        assertEquals(0, empty.get("total_instances").asInt());
        simulator.faults().add(Fault.of(Fault.Kind.NULL_LIST).once());
        assertTrue(caller.get("/api/v1/instances/").json().get("instances").isNull());
        simulator.faults().add(Fault.of(Fault.Kind.TRUNCATED_LIST).once());
        JsonNode cut = caller.get("/api/v1/instances/").json();
        assertEquals(12, cut.get("instances").size());
        assertTrue(cut.get("next_token").isNull());
        assertEquals(30, cut.get("total_instances").asInt());
        simulator.faults().add(Fault.of(Fault.Kind.FAILING_PAGE_2).once());
        JsonNode first = caller.get("/api/v1/instances/").json();
        assertEquals(25, first.get("instances").size());
        String next = "/api/v1/instances/?after_token="
                + Caller.encoded(first.get("next_token").asText());
        assertEquals(500, caller.get(next).status());
        assertEquals(5, caller.get(next).json().get("instances").size());
    }

    @Test
    void aDestroyMayBeIgnored() throws IOException {
        long id = create().json().get("new_contract").asLong();
        simulator.faults().add(Fault.of(Fault.Kind.DESTROY_IGNORED).instance(id).once());
        assertEquals(200, caller.destroy(id).status());
        clock.advance(Duration.ofMinutes(1));
        assertFalse(caller.show(id).isNull());
        assertEquals(1, simulator.books().left().size());
        caller.destroy(id);
        clock.advance(Duration.ofMinutes(1));
        assertTrue(caller.show(id).isNull());
    }

    @Test
    void aDestroyedInstanceMayComeBackAndCostsAllTheTime() throws IOException {
        long id = create().json().get("new_contract").asLong();
        clock.advance(Duration.ofMinutes(1));
        simulator
                .faults()
                .add(Fault.of(Fault.Kind.DESTROY_RESURRECTS)
                        .delay(Duration.ofMinutes(5))
                        .once());
        assertEquals(200, caller.destroy(id).status());
        assertTrue(caller.show(id).isNull());
        assertEquals(0, caller.list().size());
        assertEquals(1, simulator.books().left().size());
        clock.advance(Duration.ofMinutes(5));
        assertEquals("running", caller.show(id).get("actual_status").asText());
    }

    @Test
    void aRateStrikesItsShareAndTheSameCallsForTheSameSeed() throws IOException {
        Faults.Active fault = simulator
                .faults()
                .add(Fault.of(Fault.Kind.SERVER_ERROR).endpoint(Endpoint.USER).rate(0.3));
        for (int i = 0; i < 200; i++) {
            caller.get("/api/v0/users/current/");
        }
        assertTrue(fault.hits() > 30 && fault.hits() < 90, "about 60: " + fault.hits());
        simulator.faults().clear();
        assertEquals(200, caller.get("/api/v0/users/current/").status());
        assertTrue(simulator.faults().all().isEmpty());
    }

    @Test
    void faultsOfOneLabelLeaveOthersAlone() throws IOException {
        simulator
                .faults()
                .add(Fault.of(Fault.Kind.SERVER_ERROR).endpoint(Endpoint.CREATE).label("jenkins-"));
        assertEquals(200, create().status());
        long next = simulator.market().find("RTX 4090", 1).get(0).id();
        assertEquals(500, caller.create(next, Caller.container("jenkins-1", "")).status());
    }
}

package io.jenkins.plugins.vastai.api;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jenkins.plugins.vastai.api.VastException.Kind;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The list is complete, or there is none: what is missing from it counts as destroyed. */
class ListingTest {

    private final ScriptedMarket market = new ScriptedMarket();
    private final VastClient client = market.client();

    @AfterEach
    void close() {
        market.close();
    }

    private static String page(int total, String nextToken, long... ids) {
        String rows = LongStream.of(ids)
                .mapToObj(id -> "{\"id\": " + id + ", \"label\": \"l" + id + "\"}")
                .collect(Collectors.joining(", "));
        return "{\"success\": true, \"instances_found\": " + ids.length + ", \"total_instances\": " + total
                + ", \"next_token\": " + (nextToken == null ? "null" : "\"" + nextToken + "\"") + ", \"instances\": ["
                + rows + "]}";
    }

    private List<Long> ids() throws VastException {
        return client.listInstances().stream().map(Instance::id).toList();
    }

    private VastException refused() {
        VastException failure = assertThrows(VastException.class, client::listInstances);
        assertEquals(Kind.UNREADABLE, failure.kind());
        return failure;
    }

    @Test
    void allPagesAreReadInTheOrderOfNumbers() throws Exception {
        market.answer(200, page(5, "a+b/c=", 1, 2))
                .answer(200, page(5, "t2", 3, 4))
                .answer(200, page(5, null, 5));
        assertEquals(List.of(1L, 2L, 3L, 4L, 5L), ids());
        assertEquals(
                "/api/v1/instances/?limit=25&order_by=%5B%7B%22col%22%3A%22id%22%2C%22dir%22%3A%22asc%22%7D%5D",
                market.seen.get(0).target());
        assertEquals(
                market.seen.get(0).target() + "&after_token=a%2Bb%2Fc%3D",
                market.seen.get(1).target());
        assertTrue(market.seen.get(2).target().endsWith("&after_token=t2"));
    }

    @Test
    void anEmptyAccountHasAnEmptyList() throws Exception {
        market.answer(200, page(0, null));
        market.answer(200, "{\"success\": true, \"total_instances\": 0, \"next_token\": null, \"instances\": null}");
        assertEquals(List.of(), ids());
        assertEquals(List.of(), ids());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{\"instances\": []}",
                "{\"success\": true, \"instances\": []}",
                "{\"total_instances\": 0, \"instances\": []}",
                "{\"success\": true, \"total_instances\": 0}",
                "{\"success\": true, \"total_instances\": 2, \"instances\": null}",
                "{\"success\": true, \"total_instances\": null, \"instances\": []}",
                "{\"success\": true, \"total_instances\": 1, \"instances\": {\"id\": 1}}",
                "{\"success\": true, \"total_instances\": 1, \"instances\": [{\"label\": \"no number\"}]}",
                "{\"success\": true, \"total_instances\": 1, \"instances\": [null]}",
                "{\"success\": false, \"error\": \"deprecated_endpoint\", \"msg\": \"Use v1 instead.\"}",
                "{\"success\": false, \"total_instances\": 0, \"instances\": []}",
                "{\"error\": \"oops\", \"total_instances\": 0, \"instances\": []}",
                "[]",
                "null",
                "{\"success\": true, \"total_instances\": 0, \"instances\": [",
                "<html>Log in to the hotel's network</html>",
                ""
            })
    void anAnswerThatIsNoProperListIsAFailure(String body) {
        market.answer(200, body);
        refused();
    }

    @Test
    void fewerRowsThanAnnouncedAreAFailure() {
        for (int i = 0; i < 3; i++) {
            market.answer(200, page(3, null, 1, 2));
        }
        assertTrue(refused().reason().is(ApiText.LIST_INCOMPLETE));
        assertEquals(3, market.seen.size());
    }

    @Test
    void aSilentlyEmptyPageIsAFailure() {
        for (int i = 0; i < 3; i++) {
            market.answer(200, page(40, null));
        }
        assertTrue(refused().reason().is(ApiText.LIST_INCOMPLETE));
    }

    @Test
    void rowsThatComeTwiceCountOnce() {
        for (int i = 0; i < 3; i++) {
            market.answer(200, page(4, "t", 1, 2)).answer(200, page(4, null, 2, 3));
        }
        assertTrue(refused().reason().is(ApiText.LIST_INCOMPLETE));
    }

    @Test
    void aListThatChangesWhileItIsReadIsReadAnew() throws Exception {
        market.answer(200, page(3, "t", 1, 2)).answer(200, page(2, null, 3));
        market.answer(200, page(2, "t", 2, 3)).answer(200, page(2, null));
        assertEquals(List.of(2L, 3L), ids());
    }

    @Test
    void aTokenThatComesAgainIsAFailure() {
        market.answer(200, page(9, "t1", 1, 2)).answer(200, page(9, "t2", 3, 4)).answer(200, page(9, "t1", 5, 6));
        assertTrue(refused().reason().is(ApiText.LIST_NEVER_ENDS));
    }

    @Test
    void anEmptyPageThatPromisesMoreIsAFailure() {
        market.answer(200, page(9, "t1", 1, 2)).answer(200, page(9, "t2"));
        assertTrue(refused().reason().is(ApiText.LIST_NEVER_ENDS));
    }

    @Test
    void aFailureOnALaterPageFailsTheList() {
        market.answer(200, page(3, "t1", 1, 2))
                .answer(400, "{\"error\": \"invalid_token\", \"msg\": \"Invalid pagination token\"}");
        VastException failure = assertThrows(VastException.class, client::listInstances);
        assertEquals(Kind.BAD_REQUEST, failure.kind());
    }

    @Test
    void aPageIsReadAgainAfterATransientFailure() throws Exception {
        market.answer(200, page(3, "t1", 1, 2))
                .answer(502, "<html>Bad Gateway</html>")
                .cutOff("{\"success\": true, \"total_ins")
                .answer(200, page(3, null, 3));
        assertEquals(List.of(1L, 2L, 3L), ids());
    }
}

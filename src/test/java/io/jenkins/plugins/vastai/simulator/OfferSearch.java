package io.jenkins.plugins.vastai.simulator;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.math.BigDecimal;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/** Answers the market's search. With the world's lock held. */
final class OfferSearch {
    /** The market never gives more, whatever is asked. */
    static final int MOST_ROWS = 64;

    private final SimulatedMarket market;

    OfferSearch(SimulatedMarket market) {
        this.market = market;
    }

    ObjectNode answer(ObjectNode asked, Instant now) {
        ObjectNode question = asked.deepCopy();
        // What the server adds by itself.
        question.putIfAbsent("verified", Json.object().put("eq", true));
        question.putIfAbsent("rentable", Json.object().put("eq", true));
        question.putIfAbsent("rented", Json.object().put("eq", false));
        BigDecimal storage = question.path("allocated_storage").isNumber()
                ? question.get("allocated_storage").decimalValue()
                : BigDecimal.valueOf(8);
        boolean bid = question.path("type").asText("").equals("bid");
        Listing.Terms terms = new Listing.Terms(storage, bid, now);
        List<Listing> found = new ArrayList<>();
        for (Listing listing : market.listings()) {
            boolean lasting = listing.duration(now) > 0;
            boolean roomy = listing.row().get("disk_space").doubleValue() >= storage.doubleValue();
            if (lasting && roomy && Filters.offerPasses(question, name -> listing.field(name, terms))) {
                found.add(listing);
            }
        }
        found.sort(order(question.path("order"), terms));
        int limit = question.path("limit").isNumber() ? question.get("limit").asInt() : MOST_ROWS;
        ObjectNode answer = Json.object();
        ArrayNode rows = answer.putArray("offers");
        found.stream().limit(Math.max(0, Math.min(limit, MOST_ROWS))).forEach(l -> rows.add(l.answer(terms)));
        return answer;
    }

    private static Comparator<Listing> order(JsonNode wanted, Listing.Terms terms) {
        Comparator<Listing> all = null;
        for (JsonNode pair : wanted) {
            if (!pair.isArray() || pair.isEmpty()) {
                continue;
            }
            String name = pair.get(0).asText();
            Comparator<Listing> one = Comparator.comparing(l -> l.field(name, terms), Filters.order());
            if (pair.path(1).asText("asc").equals("desc")) {
                one = one.reversed();
            }
            all = all == null ? one : all.thenComparing(one);
        }
        Comparator<Listing> score = Comparator.<Listing, JsonNode>comparing(
                        l -> l.row().get("score"), Filters.order())
                .reversed();
        return (all == null ? score : all).thenComparing(l -> l.id);
    }
}

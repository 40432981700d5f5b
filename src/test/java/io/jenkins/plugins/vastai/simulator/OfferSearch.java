package io.jenkins.plugins.vastai.simulator;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.math.BigDecimal;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/** Answers the market's search. With the world's lock held. */
final class OfferSearch {
    /** The market never gives more, whatever is asked. */
    static final int MOST_ROWS = 64;

    private static final String GPU_NAME = "gpu_name";

    private final SimulatedMarket market;

    OfferSearch(SimulatedMarket market) {
        this.market = market;
    }

    ObjectNode answer(ObjectNode asked, Instant now) {
        ObjectNode question = Json.object();
        if (asked.has(GPU_NAME)) {
            question.set(GPU_NAME, asked.get(GPU_NAME)); // turns most of a market of thousands away: asked first
        }
        question.setAll(asked);
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
        int limit = question.path("limit").isNumber() ? question.get("limit").asInt() : MOST_ROWS;
        ObjectNode answer = Json.object();
        ArrayNode rows = answer.putArray("offers");
        inOrder(found, question.path("order"), terms)
                .limit(Math.max(0, Math.min(limit, MOST_ROWS)))
                .forEach(l -> rows.add(l.answer(terms)));
        return answer;
    }

    /** Values to sort by, worked out once for each offer. */
    private record Place(Listing listing, List<JsonNode> values) {}

    private static Stream<Listing> inOrder(List<Listing> found, JsonNode wanted, Listing.Terms terms) {
        List<String> names = new ArrayList<>();
        Comparator<Place> order = null;
        for (JsonNode pair : wanted) {
            if (pair.isArray() && !pair.isEmpty()) {
                Comparator<Place> next = by(names.size());
                names.add(pair.get(0).asText());
                next = pair.path(1).asText("asc").equals("desc") ? next.reversed() : next;
                order = order == null ? next : order.thenComparing(next);
            }
        }
        if (order == null) {
            order = by(0).reversed();
            names.add("score");
        }
        return found.stream()
                .map(l -> new Place(
                        l, names.stream().map(name -> l.field(name, terms)).toList()))
                .sorted(order.thenComparing(place -> place.listing().id))
                .map(Place::listing);
    }

    private static Comparator<Place> by(int value) {
        return Comparator.comparing(place -> place.values().get(value), Filters.order());
    }
}

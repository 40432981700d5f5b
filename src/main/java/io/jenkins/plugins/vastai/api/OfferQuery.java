package io.jenkins.plugins.vastai.api;

import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;

/**
 * A question to the market, in its own terms: what {@code POST /bundles/} takes. The market package builds it from
 * requirements.
 *
 * @param filters field name → operator ({@code eq neq gt gte lt lte in notin}) → value
 * @param type {@code on-demand} or {@code bid}: decides only which price the answer shows
 * @param order pairs of field and {@code asc} or {@code desc}
 * @param limit rows asked for; the market gives 64 at most
 * @param allocatedStorageGb disk that prices in the answer include, GB: always what will be rented
 */
public record OfferQuery(
        Map<String, Map<String, Object>> filters,
        String type,
        List<List<String>> order,
        int limit,
        double allocatedStorageGb) {

    public OfferQuery {
        filters = Map.copyOf(filters);
        order = List.copyOf(order);
    }

    /**
     * The same question, but for offers of other machines. The market answers with 64 rows at most: without this, those
     * of machines that we hold already fill the answer to somebody who rents many.
     */
    public OfferQuery without(Collection<Long> machineIds) {
        if (machineIds.isEmpty()) {
            return this;
        }
        Map<String, Map<String, Object>> narrowed = new HashMap<>(filters);
        narrowed.put("machine_id", Map.of("notin", List.copyOf(new TreeSet<>(machineIds))));
        return new OfferQuery(narrowed, type, order, limit, allocatedStorageGb);
    }
}

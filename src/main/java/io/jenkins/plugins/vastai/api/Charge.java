package io.jenkins.plugins.vastai.api;

import java.math.BigDecimal;
import java.time.Instant;
import java.util.List;
import java.util.OptionalLong;

/**
 * What the market charged for one source over a period. Its granularity is a day, and it comes late: for reports, not
 * for what an instance costs right now.
 *
 * @param start first moment of the period
 * @param end last moment of the period
 * @param type {@code instance} and others
 * @param source {@code instance-<id>} for instances
 * @param label the instance's label; empty when none
 * @param amount $
 * @param items what the amount is made of
 */
public record Charge(
        Instant start,
        Instant end,
        String type,
        String source,
        String description,
        String label,
        BigDecimal amount,
        List<Item> items) {

    private static final String INSTANCE = "instance-";

    public Charge {
        items = List.copyOf(items);
    }

    /** The instance that was charged for; empty for other sources. */
    public OptionalLong instanceId() {
        if (!source.matches(INSTANCE + "\\d{1,18}")) {
            return OptionalLong.empty();
        }
        return OptionalLong.of(Long.parseLong(source.substring(INSTANCE.length())));
    }

    /**
     * @param type {@code gpu}, {@code disk}, {@code bwd} (received) or {@code bwu} (sent)
     * @param amount $
     */
    public record Item(String type, String description, BigDecimal amount) {}
}

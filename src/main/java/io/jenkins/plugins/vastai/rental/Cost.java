package io.jenkins.plugins.vastai.rental;

import java.math.BigDecimal;
import java.math.MathContext;
import java.time.Duration;
import java.time.Instant;

/** What draws have cost so far, as far as it can be told without the market's bill. */
public final class Cost {

    private static final BigDecimal HOUR =
            BigDecimal.valueOf(Duration.ofHours(1).toMillis());

    private Cost() {}

    /**
     * Upper estimate, $: the all-in price for the whole time from the contract to its end. The market bills the GPU only
     * while the instance runs, so the bill is usually lower.
     */
    public static BigDecimal of(Draw draw, Instant now) {
        return between(draw, Instant.MIN, Instant.MAX, now);
    }

    /** All draws of the rental. */
    public static BigDecimal of(Rental rental, Instant now) {
        return rental.draws().stream().map(draw -> of(draw, now)).reduce(BigDecimal.ZERO, BigDecimal::add);
    }

    /** The part of it that fell between two moments, $. */
    static BigDecimal between(Draw draw, Instant from, Instant to, Instant now) {
        if (draw.billedFrom() == null || draw.pricePerHour() == null) {
            return BigDecimal.ZERO;
        }
        Instant begin = draw.billedFrom().isAfter(from) ? draw.billedFrom() : from;
        Instant billedTo = billedTo(draw, now);
        Instant end = billedTo.isBefore(to) ? billedTo : to;
        long millis = begin.isBefore(end) ? Duration.between(begin, end).toMillis() : 0;
        return draw.pricePerHour().multiply(BigDecimal.valueOf(millis)).divide(HOUR, MathContext.DECIMAL64);
    }

    /** The moment that the draw is billed to, as far as is known now. */
    public static Instant billedTo(Draw draw, Instant now) {
        if (draw.goneAt() == null) {
            return now;
        }
        return draw.destroyedAt() != null ? draw.destroyedAt() : draw.goneAt();
    }
}

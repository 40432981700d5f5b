package io.jenkins.plugins.vastai.rental;

import java.math.BigDecimal;
import java.math.MathContext;
import java.time.Duration;
import java.time.Instant;

/** What draws have cost so far, as far as it can be told without the market's bill. */
public final class Cost {

    private Cost() {}

    /**
     * Upper estimate, $: the all-in price for the whole time from the contract to its end. The market bills the GPU only
     * while the instance runs, so the bill is usually lower.
     */
    public static BigDecimal of(Draw draw, Instant now) {
        if (draw.billedFrom() == null || draw.pricePerHour() == null) {
            return BigDecimal.ZERO;
        }
        Instant end = draw.goneAt() != null ? draw.destroyedAt() != null ? draw.destroyedAt() : draw.goneAt() : now;
        long seconds = Math.max(0, Duration.between(draw.billedFrom(), end).toSeconds());
        return draw.pricePerHour()
                .multiply(BigDecimal.valueOf(seconds))
                .divide(BigDecimal.valueOf(3600), MathContext.DECIMAL64);
    }

    /** All draws of the rental. */
    public static BigDecimal of(Rental rental, Instant now) {
        return rental.draws().stream().map(draw -> of(draw, now)).reduce(BigDecimal.ZERO, BigDecimal::add);
    }
}

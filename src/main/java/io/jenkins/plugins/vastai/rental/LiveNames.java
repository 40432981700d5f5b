package io.jenkins.plugins.vastai.rental;

import io.jenkins.plugins.vastai.api.VastClient;
import io.jenkins.plugins.vastai.market.GpuCatalogue;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;

/**
 * The market's own names of GPUs, asked for when somebody wants them and seldom: they change when a new model is
 * launched. Until the market has answered, the built-in list holds. Used by the engine's thread.
 */
final class LiveNames {

    private static final Duration FRESH = Duration.ofMinutes(10);
    private static final Duration RETRY = Duration.ofSeconds(30);

    private final VastClient client;
    private final Lanes lanes;
    private final Renting renting;
    private final Shop shop;
    private final List<CompletableFuture<Names>> waiting = new ArrayList<>();
    private Instant asOf;
    private Instant nextAsk = Instant.MIN;

    LiveNames(VastClient client, Lanes lanes, Renting renting, Shop shop) {
        this.client = client;
        this.lanes = lanes;
        this.renting = renting;
        this.shop = shop;
    }

    /** @param answer gets the names, of the market if it answers, else those known before */
    void ask(CompletableFuture<Names> answer, Instant now) {
        if (now.isBefore(nextAsk)) {
            answer.complete(names());
            return;
        }
        waiting.add(answer);
        if (lanes.free(Lanes.Lane.NAMES)
                && !lanes.submit(
                        Lanes.Lane.NAMES, client::gpuNames, (names, failure) -> answered(names, failure, now))) {
            settle(); // the engine is being closed
        }
    }

    private void answered(List<String> names, Exception failure, Instant asked) {
        nextAsk = asked.plus(RETRY);
        try {
            if (failure == null) {
                renting.refreshed(GpuCatalogue.builtIn().refreshedWith(names));
                asOf = asked;
                nextAsk = asked.plus(FRESH);
            }
        } finally {
            settle(); // whatever is wrong with the answer, nobody waits for ever
        }
    }

    private void settle() {
        waiting.forEach(answer -> answer.complete(names()));
        waiting.clear();
    }

    private Names names() {
        return new Names(renting.catalogue(), shop.countries(), Optional.ofNullable(asOf));
    }
}

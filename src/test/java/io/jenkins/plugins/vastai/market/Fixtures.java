package io.jenkins.plugins.vastai.market;

import io.jenkins.plugins.vastai.api.Offer;
import java.time.Instant;
import java.util.List;
import java.util.Set;

/** What most tests of this package begin with. */
final class Fixtures {

    static final Instant NOW = Instant.parse("2026-03-01T12:00:00Z");
    static final GpuWish RTX_4090 = new GpuWish(1, "RTX 4090");
    static final Image IMAGE = image("nvidia/cuda:12.0.0-base-ubuntu22.04");

    private Fixtures() {}

    static Image image(String text) {
        try {
            return Image.parse(text);
        } catch (SettingException e) {
            throw new IllegalArgumentException(e);
        }
    }

    static Requirements.Builder requirements(GpuWish wish) {
        return Requirements.builder(List.of(wish), IMAGE);
    }

    static Ranking rank(List<Offer> offers, Requirements requirements) {
        return Ranking.rank(offers, requirements, requirements.wishes().get(0), Blocklist.EMPTY, Set.of(), NOW);
    }
}

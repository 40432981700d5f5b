package io.jenkins.plugins.vastai.api;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jenkins.plugins.vastai.api.VastException.Kind;
import java.time.Duration;
import org.junit.jupiter.api.Test;

class PublishedPacingTest {

    private final Pacing pacing = Pacing.published(Duration.ZERO);

    @Test
    void theSecondCallOfAnEndpointHasToWait() throws Exception {
        for (Call call : Call.values()) {
            pacing.await(call);
            VastException failure = assertThrows(VastException.class, () -> pacing.await(call), call.name());
            assertEquals(Kind.THROTTLED, failure.kind());
            assertEquals(0, failure.status());
            assertEquals(call.interval(), failure.retryAfter().orElseThrow());
        }
    }

    @Test
    void aComplaintStopsTheEndpointForAtLeastItsPenalty() throws Exception {
        pacing.throttled(Call.CREATE, Duration.ofSeconds(1));
        VastException failure = assertThrows(VastException.class, () -> pacing.await(Call.CREATE));
        Duration left = failure.retryAfter().orElseThrow();
        assertTrue(
                left.compareTo(Duration.ofSeconds(11)) > 0 && left.compareTo(Duration.ofSeconds(12)) <= 0, "" + left);
        pacing.await(Call.SEARCH);
    }

    @Test
    void aShorterComplaintDoesNotShortenALongerOne() {
        pacing.throttled(Call.LIST, Duration.ofMinutes(5));
        pacing.throttled(Call.LIST, Duration.ofSeconds(1));
        VastException failure = assertThrows(VastException.class, () -> pacing.await(Call.LIST));
        assertTrue(failure.retryAfter().orElseThrow().toMinutes() >= 4);
    }
}

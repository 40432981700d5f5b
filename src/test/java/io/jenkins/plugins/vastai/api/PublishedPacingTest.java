package io.jenkins.plugins.vastai.api;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jenkins.plugins.vastai.api.VastException.Kind;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class PublishedPacingTest {

    private final Pacing pacing = Pacing.published(Duration.ZERO);
    private final AtomicLong nanos = new AtomicLong(Long.MAX_VALUE - 5_000_000_000L);

    @Test
    void aCallAfterTheLastOneOfABurstHasToWait() throws Exception {
        for (Call call : Call.values()) {
            for (int i = 0; i < call.burst(); i++) {
                pacing.await(call);
            }
            VastException failure = assertThrows(VastException.class, () -> pacing.await(call), call.name());
            assertEquals(Kind.THROTTLED, failure.kind());
            assertEquals(0, failure.status());
            assertTrue(failure.retryAfter().orElseThrow().compareTo(call.interval()) >= 0, call.name());
        }
    }

    /** However the calls come, no window of the market's holds more of them than it allows, and no time is lost. */
    @ParameterizedTest
    @EnumSource(Call.class)
    void turnsAreAsCloseAsThePublishedDistanceAllowsAndNeverCloser(Call call) throws Exception {
        PublishedPacing paced = new PublishedPacing(Duration.ofDays(1), driven());
        Random random = new Random(call.ordinal());
        long begin = nanos.get();
        List<Long> turns = new ArrayList<>();
        for (int i = 0; i < 300; i++) {
            turns.add(nanos.get() - begin + paced.turn(call).toNanos());
            if (i % 100 > 50) {
                nanos.addAndGet((long) (call.interval().toNanos() * 1.5 * random.nextDouble()));
            }
        }
        long window = call.interval().multipliedBy(call.burst()).toNanos();
        for (int i = call.burst(); i < turns.size(); i++) {
            assertTrue(turns.get(i) - turns.get(i - call.burst()) >= window, call + " " + i);
        }
        double floor = (turns.size() - (double) call.burst()) * call.interval().toNanos();
        assertTrue(turns.get(turns.size() - 1) <= floor * 1.02, call + " " + turns.get(turns.size() - 1) / floor);
    }

    private Pacing.Time driven() {
        return new Pacing.Time() {
            @Override
            public long nanos() {
                return nanos.get();
            }

            @Override
            public void sleep(Duration time) {
                nanos.addAndGet(time.toNanos());
            }
        };
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

package io.jenkins.plugins.vastai.chaos;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.io.IOException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A short run of what {@code make chaos} does at length. */
class ChaosTest {

    @ParameterizedTest
    @ValueSource(longs = {1, 20261124})
    void nothingLeaksAndNothingIsKilledByMistake(long seed) throws IOException {
        Chaos.Outcome outcome = Chaos.run(200, seed, 2);
        assertFalse(outcome.result().broken(), () -> outcome.result().toString());
        assertFalse(outcome.crashes().isEmpty(), "crashes really came");
    }

    @Test
    void sameSeedMakesTheSameRun() throws IOException {
        assertEquals(Chaos.run(60, 7, 1), Chaos.run(60, 7, 1));
    }
}

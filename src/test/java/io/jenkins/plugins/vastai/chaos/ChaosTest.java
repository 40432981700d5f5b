package io.jenkins.plugins.vastai.chaos;

import static org.junit.jupiter.api.Assertions.assertFalse;

import java.io.IOException;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A short run of what {@code make chaos} does at length. */
class ChaosTest {

    @ParameterizedTest
    @ValueSource(longs = {1, 20261124})
    void nothingLeaksAndNothingIsKilledByMistake(long seed) throws IOException {
        Chaos.Result result = Chaos.run(120, seed);
        assertFalse(result.broken(), result::toString);
    }
}

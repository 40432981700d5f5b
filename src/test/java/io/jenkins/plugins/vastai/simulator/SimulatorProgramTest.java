package io.jenkins.plugins.vastai.simulator;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SimulatorProgramTest {
    @Test
    void argumentsSetWhatTheySay() {
        Simulator.Builder builder = Simulator.builder();
        SimulatorProgram.read(
                "--port 8123 --boot-seconds 7 --seed 3 --scale 2 --credit 12 --no-limits --no-ssh".split(" "), builder);
        assertEquals(8123, builder.port);
        assertEquals(Duration.ofSeconds(7), builder.boot);
        assertEquals(3, builder.seed);
        assertEquals(2, builder.scale);
        assertEquals("12", builder.credit);
        assertFalse(builder.limits);
        assertFalse(builder.ssh);
    }

    @ParameterizedTest
    @ValueSource(strings = {"--port", "--port x", "--boot-seconds -1", "--colour red"})
    void wrongArgumentsAreNamed(String line) {
        String message = assertThrows(
                        IllegalArgumentException.class,
                        () -> SimulatorProgram.read(line.split(" "), Simulator.builder()))
                .getMessage();
        assertTrue(message.contains(line.split(" ")[0]), message);
    }
}

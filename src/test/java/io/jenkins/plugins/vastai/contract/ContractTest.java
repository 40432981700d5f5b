package io.jenkins.plugins.vastai.contract;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class ContractTest {

    @Test
    void clientAndSimulatorKeepToThePublishedDescription() throws Exception {
        Optional<Path> description = Contract.find();
        assumeTrue(description.isPresent(), "the published description is not here");
        ByteArrayOutputStream report = new ByteArrayOutputStream();
        int violations = Contract.run(description.get(), new PrintStream(report, true, StandardCharsets.UTF_8));
        assertEquals(0, violations, () -> report.toString(StandardCharsets.UTF_8));
    }
}

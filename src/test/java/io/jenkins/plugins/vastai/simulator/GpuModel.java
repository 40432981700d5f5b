package io.jenkins.plugins.vastai.simulator;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Objects;

/** A line of gpus.csv: a card, what it costs, and the machines it sits in. */
record GpuModel(String name, int ramMb, BigDecimal price, int computeCap, Kind kind, List<Integer> machineSizes) {
    enum Kind {
        DC,
        HOME,
        ARM,
        AMD
    }

    static List<GpuModel> all() {
        try (var in = Objects.requireNonNull(GpuModel.class.getResourceAsStream("gpus.csv"), "gpus.csv");
                var reader = new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8))) {
            return reader.lines()
                    .filter(line -> !line.isBlank() && !line.startsWith("#"))
                    .map(GpuModel::parse)
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static GpuModel parse(String line) {
        String[] cell = line.split(";");
        return new GpuModel(
                cell[0],
                Integer.parseInt(cell[1]),
                new BigDecimal(cell[2]),
                Integer.parseInt(cell[3]),
                Kind.valueOf(cell[4].toUpperCase(Locale.ROOT)),
                Arrays.stream(cell[5].split(" ")).map(Integer::valueOf).toList());
    }
}

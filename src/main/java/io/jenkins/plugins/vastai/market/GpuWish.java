package io.jenkins.plugins.vastai.market;

import java.util.List;
import java.util.OptionalInt;

/**
 * GPUs that would do: so many cards of any one of these models. What one entry of {@code instanceType} means.
 *
 * @param count GPUs, exactly
 * @param gpuNames the market's names, sorted, at least one; any of them will do, all cards of an offer are alike
 * @param minGpuRamMb smallest memory of one card, MB, inclusive; empty when any will do
 * @param maxGpuRamMb memory of one card stays below this, MB, exclusive; empty when any will do
 */
public record GpuWish(int count, List<String> gpuNames, OptionalInt minGpuRamMb, OptionalInt maxGpuRamMb) {

    public GpuWish {
        gpuNames = gpuNames.stream().sorted().distinct().toList();
        if (count < 1 || gpuNames.isEmpty()) {
            throw new IllegalArgumentException(count + " of " + gpuNames);
        }
    }

    /** So many cards of one model, whatever their memory. */
    public GpuWish(int count, String gpuName) {
        this(count, List.of(gpuName), OptionalInt.empty(), OptionalInt.empty());
    }

    /** For people: {@code 2x H100 NVL/H100 PCIE/H100 SXM}. */
    public String describe() {
        String cards = count + "x " + String.join("/", gpuNames);
        return minGpuRamMb.isEmpty() ? cards : cards + " (" + minGpuRamMb.getAsInt() / 1000 + "+ GB)";
    }
}

package io.jenkins.plugins.vastai.simulator;

import java.math.BigDecimal;

/**
 * An offer on the simulated market, for tests to choose from.
 *
 * @param gpuName the market's name, with spaces
 * @param gpuRamMb of each GPU
 * @param pricePerHour $ for the GPUs of the offer, without storage ({@code dph_base})
 * @param storagePerGbMonth $ per GB and month of 720 hours
 * @param minBid lowest bid, $ per hour for the offer
 * @param geolocation as the market writes it; null when unknown
 */
public record SimulatedOffer(
        long id,
        long machineId,
        String gpuName,
        int gpus,
        int gpuRamMb,
        BigDecimal pricePerHour,
        BigDecimal storagePerGbMonth,
        BigDecimal minBid,
        String geolocation,
        boolean verified,
        boolean vmsEnabled) {}

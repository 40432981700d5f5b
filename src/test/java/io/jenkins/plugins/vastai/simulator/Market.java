package io.jenkins.plugins.vastai.simulator;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.math.BigDecimal;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/** The offers. Deterministic for a seed; changes when somebody rents. */
public interface Market {
    /** Everything that could be rented now. */
    List<SimulatedOffer> offers();

    /** Rentable offers of so many GPUs of that name (with spaces), cheapest first. */
    default List<SimulatedOffer> find(String gpuName, int gpus) {
        return offers().stream()
                .filter(o -> o.gpuName().equals(gpuName) && o.gpus() == gpus)
                .sorted(Comparator.comparing(SimulatedOffer::pricePerHour))
                .toList();
    }

    Optional<SimulatedOffer> offer(long id);

    /** Takes the offer off the market: whoever tries it finds it gone. */
    void remove(long offerId);

    /** Takes a machine with all its offers off the market; its instances go on. */
    void removeMachine(long machineId);

    /** Takes everything off the market. */
    void clear();

    /** $ per hour for the GPUs of the whole offer, from now on. */
    void setPrice(long offerId, BigDecimal dollarsPerHour);

    /**
     * Lists one more machine.
     *
     * @param pricePerGpu $ per GPU and hour
     * @param change last change to the fields that all its offers share, in the API's names and units
     * @return its machine id
     */
    long list(String gpuName, int gpus, BigDecimal pricePerGpu, String geolocation, Consumer<ObjectNode> change);

    /** Lists one more machine with ordinary fields. */
    default long list(String gpuName, int gpus, BigDecimal pricePerGpu, String geolocation) {
        return list(gpuName, gpus, pricePerGpu, geolocation, fields -> {});
    }
}

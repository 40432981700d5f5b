package io.jenkins.plugins.vastai.simulator;

import java.math.BigDecimal;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/**
 * What every contract has cost, and which are alive. GPUs cost from running until they stop, storage from creation until
 * destroyed except while the host is offline; traffic is not simulated. Amounts are exact in $ (no rounding) up to the
 * clock's present time.
 */
public interface Books {
    /** Who ended a contract. */
    enum Hand {
        API_KEY,
        /** The key inside the machine. */
        INSTANCE_KEY,
        /** The console, the host, or the market itself. */
        OUTSIDE
    }

    /**
     * One contract's account.
     *
     * @param perHour $ for GPUs and disk while it runs, as agreed now
     * @param destroyed empty while it is alive
     * @param gpu $ for the GPUs so far
     * @param storage $ for the disk so far
     */
    record Entry(
            long id,
            String label,
            long machineId,
            BigDecimal perHour,
            Instant created,
            Optional<Instant> destroyed,
            Optional<Hand> destroyedBy,
            BigDecimal gpu,
            BigDecimal storage) {
        public BigDecimal total() {
            return gpu.add(storage);
        }
    }

    /** Every contract there ever was, oldest first. */
    List<Entry> entries();

    Optional<Entry> entry(long id);

    /** Contracts that are not destroyed. */
    List<Entry> left();

    /** Contracts that are not destroyed and whose label begins so. */
    default List<Entry> left(String labelPrefix) {
        return left().stream().filter(e -> e.label().startsWith(labelPrefix)).toList();
    }

    /** $ of all contracts together. */
    BigDecimal total();

    /** Most contracts alive at one moment. */
    int maximumAlive();

    /** Most contracts alive at one moment among those whose (last) label begins so. */
    int maximumAlive(String labelPrefix);
}

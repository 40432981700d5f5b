package io.jenkins.plugins.vastai.simulator;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.math.BigDecimal;
import java.time.Instant;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;

/** A physical machine of the market: its fields, which GPUs are taken, what it offers now. Guarded by the world's lock. */
final class Host {
    final long machineId;
    final GpuModel gpu;
    final int gpus;
    /** Fields that all its offers share, in the API's names. */
    final ObjectNode fields;

    final BigDecimal pricePerGpu;
    final BigDecimal storagePerGbMonth;
    final double diskGb;
    Instant contractEnd;
    final BitSet taken = new BitSet();
    final List<Listing> listings = new ArrayList<>();
    boolean listed = true;

    Host(long machineId, GpuModel gpu, int gpus, ObjectNode fields, BigDecimal pricePerGpu, Instant contractEnd) {
        this.machineId = machineId;
        this.gpu = gpu;
        this.gpus = gpus;
        this.fields = fields;
        this.pricePerGpu = pricePerGpu;
        this.storagePerGbMonth = fields.get("storage_cost").decimalValue();
        this.diskGb = fields.get("disk_space").doubleValue();
        this.contractEnd = contractEnd;
    }

    /** The sizes it is offered in: powers of two, and all of it. */
    List<Integer> sizes() {
        List<Integer> sizes = new ArrayList<>();
        for (int size = 1; size < gpus; size *= 2) {
            sizes.add(size);
        }
        sizes.add(gpus);
        return sizes;
    }

    /** First free block of that many GPUs, -1 when none. Blocks of powers of two are aligned, as NVLink pairs are. */
    int freeBlock(int size) {
        for (int first = 0; first + size <= gpus; first += size) {
            if (taken.get(first, first + size).isEmpty()) {
                return first;
            }
        }
        return -1;
    }

    boolean flag(String field) {
        return fields.path(field).asBoolean();
    }
}

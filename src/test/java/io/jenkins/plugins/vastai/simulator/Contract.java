package io.jenkins.plugins.vastai.simulator;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.math.BigDecimal;
import java.time.Instant;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** One rented instance with its state. Guarded by the world's lock. */
final class Contract {
    final long id;
    final long offerId;
    final Host host;
    final int first;
    final int count;
    final Order order;
    final Instant created;
    final String instanceKey;
    final String jupyterToken;
    final ObjectNode offerRow;
    /** What was decided at creation to go wrong. */
    final Map<Fault.Kind, Fault> faults = new EnumMap<>(Fault.Kind.class);
    /** Only faults added after this number are looked at later. */
    long faultsSeen;

    BigDecimal gpuPerHour;
    final BigDecimal storagePerHour;
    String label;
    boolean bid;

    String actual;
    String intended = "running";
    String current = "running";
    String next = "running";
    /** A message that stays, whatever the state. */
    String message;

    Instant loadingSince;
    Instant runningSince;
    boolean portsKnown;
    boolean holdsGpus;
    boolean offline;
    Instant visibleFrom;
    Instant destroyed;
    Books.Hand destroyedBy;
    /** Out of list and show for good. */
    boolean gone;
    /** Was kept out of list and show although it existed. */
    boolean hidden;
    /** Raised whenever the planned future is void. */
    int generation;

    int directPort;
    int proxyPort;
    final Map<String, Integer> otherPorts = new LinkedHashMap<>();
    Machine machine;
    /** Keys of the account at creation; never changes. */
    final List<SshKey> accountKeys;

    final List<SshKey> attachedKeys = new ArrayList<>();
    boolean keyAttachedWhileRunning;

    Contract(
            long id,
            Listing listing,
            Order order,
            Instant created,
            String instanceKey,
            String jupyterToken,
            List<SshKey> accountKeys) {
        this.id = id;
        this.offerId = listing.id;
        this.host = listing.host;
        this.first = listing.first;
        this.count = listing.count;
        this.order = order;
        this.created = created;
        this.visibleFrom = created;
        this.instanceKey = instanceKey;
        this.jupyterToken = jupyterToken;
        this.offerRow = listing.row().deepCopy();
        this.accountKeys = List.copyOf(accountKeys);
        this.label = order.label();
        this.gpuPerHour = order.price().orElse(listing.price);
        this.bid = order.price().isPresent();
        this.storagePerHour = listing.storagePerHour(order.diskGb());
    }

    String labelText() {
        return label == null ? "" : label;
    }

    boolean alive() {
        return destroyed == null;
    }

    /** Shown by list and show. */
    boolean visible(Instant now) {
        return !gone && !visibleFrom.isAfter(now);
    }

    Optional<Fault> fault(Fault.Kind kind) {
        return Optional.ofNullable(faults.get(kind));
    }

    boolean has(Fault.Kind kind) {
        return faults.containsKey(kind);
    }

    boolean gpuBilled() {
        return alive() && !offline && ("running".equals(actual) || "rebooting".equals(actual));
    }

    boolean storageBilled() {
        return alive() && !offline;
    }

    String status() {
        return offline && actual != null ? "offline" : actual;
    }

    SimulatedInstance view() {
        return new SimulatedInstance(
                id,
                labelText(),
                offerId,
                host.machineId,
                host.gpu.name(),
                count,
                order.image(),
                order.vm(),
                bid,
                status(),
                intended,
                created,
                Optional.ofNullable(destroyed),
                directPort,
                proxyPort,
                hidden,
                Optional.ofNullable(machine).map(Machine::directory),
                Map.copyOf(order.env()));
    }
}

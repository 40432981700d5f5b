package io.jenkins.plugins.vastai.simulator;

import java.math.BigDecimal;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.PriorityQueue;
import java.util.Random;

/**
 * All contracts and what happens to them over the clock. Every change has the moment at which it was due, not the one
 * at which somebody looked, so bills are exact however coarsely time is driven. Guarded by the world's lock; what takes
 * time (directories, processes, ports) is handed to {@link Site}.
 */
final class Contracts {
    /** A stopped contract whose host term is over is removed so much later. */
    private static final Duration REMOVED_AFTER_END = Duration.ofHours(48);

    private static final List<String> FATAL = List.of(
            "Error response from daemon: failed to create task for container: failed to create shim task: OCI runtime"
                    + " create failed: runc create failed: nvidia-container-cli: initialization error: unknown",
            "Error response from daemon: toomanyrequests: You have reached your pull rate limit.",
            "failed to register layer: write /usr/lib/x: no space left on device",
            "Error response from daemon: manifest unknown");

    private final Simulator.Builder settings;
    private final SimulatedMarket market;
    private final Ledger ledger;
    private final Faults faults;
    private final Site site;
    private final Random random;
    private final Map<Long, Contract> all = new LinkedHashMap<>();
    private final PriorityQueue<Due> future = new PriorityQueue<>();
    private long nextId = 35_000_000;
    private long nextDue;
    private int nextFatal;

    private record Due(Instant at, long number, Contract contract, int generation, Step step)
            implements Comparable<Due> {
        @Override
        public int compareTo(Due other) {
            int byTime = at.compareTo(other.at);
            return byTime != 0 ? byTime : Long.compare(number, other.number);
        }
    }

    private interface Step {
        void happen(Contract contract, Instant at);
    }

    Contracts(Simulator.Builder settings, SimulatedMarket market, Ledger ledger, Faults faults, Site site) {
        this.settings = settings;
        this.market = market;
        this.ledger = ledger;
        this.faults = faults;
        this.site = site;
        this.random = new Random(settings.seed + 1);
    }

    Collection<Contract> all() {
        return all.values();
    }

    Optional<Contract> find(long id) {
        return Optional.ofNullable(all.get(id));
    }

    /** Lets everything happen that is due by now, each thing at its own moment. */
    void settle(Instant now) {
        while (true) {
            Due due = future.peek();
            Instant until = due != null && due.at.isBefore(now) ? due.at : now;
            Optional<Instant> broke = ledger.exhausted().filter(at -> !at.isAfter(until));
            if (broke.isPresent()) {
                outOfMoney(broke.get());
            } else if (due != null && !due.at.isAfter(now)) {
                future.poll();
                if (due.generation == due.contract.generation) {
                    due.step.happen(due.contract, due.at);
                }
            } else {
                return;
            }
        }
    }

    private void outOfMoney(Instant at) {
        // Disks are billed on: the account runs into debt, and is not stopped a second time.
        ledger.fold(at);
        for (Contract contract : List.copyOf(all.values())) {
            if (contract.alive() && !"stopped".equals(contract.current)) {
                stop(contract, "stopped", "stopped", at);
            }
        }
    }

    private void later(Contract contract, Instant at, Step step) {
        future.add(new Due(at, nextDue++, contract, contract.generation, step));
    }

    private void voidPlans(Contract contract) {
        contract.generation++;
        if (contract.alive()) {
            planEnd(contract);
        }
    }

    private void bill(Contract c, Instant at) {
        ledger.rates(
                c,
                c.gpuBilled() ? c.gpuPerHour : BigDecimal.ZERO,
                c.storageBilled() ? c.storagePerHour : BigDecimal.ZERO,
                at);
    }

    // ---- life of a contract

    /**
     * Makes the contract and takes the offer.
     *
     * @param startable false leaves it stopped, with its disk billed
     */
    Contract create(Listing listing, Order order, boolean startable, List<SshKey> accountKeys, Instant at) {
        nextId += 1 + random.nextInt(40);
        Contract c = new Contract(nextId, listing, order, at, secret(64), secret(64), accountKeys);
        all.put(c.id, c);
        decideFaults(c);
        c.visibleFrom = at.plus(c.fault(Fault.Kind.UNLISTED)
                .map(fault -> fault.delay().orElse(Duration.ofMinutes(10)))
                .orElse(settings.readLag));
        c.gone = c.has(Fault.Kind.PHANTOM);
        c.hidden = c.gone || c.has(Fault.Kind.UNLISTED);
        site.assignPorts(c);
        bill(c, at);
        if (startable) {
            market.take(listing);
            c.holdsGpus = true;
            planEnd(c);
            planBoot(c, at, bootTime(c));
        } else {
            c.intended = "stopped";
            c.current = "stopped";
            c.next = "stopped";
            c.actual = "stopped";
            market.remove(listing.id);
            planEnd(c);
        }
        return c;
    }

    private void decideFaults(Contract c) {
        Faults.Occasion occasion = occasion(Optional.of(Endpoint.CREATE), c);
        for (Fault.Kind kind : Fault.Kind.values()) {
            if (kind.scope() == Fault.Scope.INSTANCE) {
                faults.hit(kind, occasion).ifPresent(fault -> c.faults.put(kind, fault));
            }
        }
        c.faultsSeen = faults.sequence();
    }

    static Faults.Occasion occasion(Optional<Endpoint> endpoint, Contract c) {
        return new Faults.Occasion(endpoint, c.offerId, c.host.machineId, c.id, c.labelText());
    }

    private Duration bootTime(Contract c) {
        return c.order.vm() ? settings.boot.multipliedBy(settings.virtualMachineFactor) : settings.boot;
    }

    /** How long the image takes to load. */
    Duration loadTime(Contract c) {
        return bootTime(c).multipliedBy(8).dividedBy(10);
    }

    private void planEnd(Contract c) {
        later(c, c.host.contractEnd, (contract, at) -> {
            if (!"stopped".equals(contract.current)) {
                stop(contract, "stopped", "stopped", at);
            }
        });
        later(
                c,
                c.host.contractEnd.plus(REMOVED_AFTER_END),
                (contract, at) -> destroy(contract, Books.Hand.OUTSIDE, at));
    }

    private void planBoot(Contract c, Instant from, Duration boot) {
        Duration tenth = boot.dividedBy(10);
        later(c, from.plus(tenth), this::load);
        later(c, from.plus(tenth.multipliedBy(9)), (contract, at) -> contract.actual = "created");
        later(c, from.plus(boot), this::run);
    }

    private void load(Contract c, Instant at) {
        c.actual = "loading";
        c.loadingSince = at;
        boolean dead = true;
        if (c.has(Fault.Kind.DOOMED)) {
            c.intended = "stopped";
            c.next = "stopped";
        } else if (c.has(Fault.Kind.FATAL_STATUS)) {
            c.message = c.fault(Fault.Kind.FATAL_STATUS)
                    .flatMap(Fault::text)
                    .orElseGet(() -> FATAL.get(nextFatal++ % FATAL.size()));
            if (c.message.contains("OCI runtime")) {
                c.actual = "created";
            }
        } else if (c.has(Fault.Kind.EXITED_IN_BOOT)) {
            voidPlans(c);
            later(c, at.plus(loadTime(c)), (contract, when) -> {
                contract.actual = "exited";
                contract.message = contract.fault(Fault.Kind.EXITED_IN_BOOT)
                        .flatMap(Fault::text)
                        .orElse("Container exited with code 1");
            });
        } else if (c.fault(Fault.Kind.HOST_OFFLINE)
                .filter(f -> f.delay().isEmpty())
                .isPresent()) {
            voidPlans(c);
            offline(c, at);
        } else {
            dead = c.has(Fault.Kind.STUCK_LOADING) || c.has(Fault.Kind.PHANTOM);
        }
        if (dead && !c.has(Fault.Kind.EXITED_IN_BOOT)) {
            voidPlans(c);
        }
    }

    private void run(Contract c, Instant at) {
        c.actual = "running";
        c.message = null;
        c.runningSince = at;
        bill(c, at);
        site.boot(c);
        if (!c.has(Fault.Kind.NO_PORTS)) {
            later(c, at.plus(settings.portsLag), (contract, when) -> contract.portsKnown = true);
        }
        Duration wait = c.fault(Fault.Kind.SSHD_LATE)
                .map(f -> f.delay().orElse(Duration.ofSeconds(30)))
                .orElse(settings.sshdDelay);
        later(c, at.plus(wait), (contract, when) -> site.open(contract));
        c.fault(Fault.Kind.HOST_OFFLINE)
                .flatMap(Fault::delay)
                .ifPresent(delay -> later(c, at.plus(delay), this::offline));
    }

    private void halt(Contract c) {
        voidPlans(c);
        c.portsKnown = false;
        site.halt(c);
    }

    private void releaseGpus(Contract c) {
        if (c.holdsGpus) {
            c.holdsGpus = false;
            market.release(c.host, c.first, c.count);
        }
    }

    /** The container ends; disk and contract stay. */
    void stop(Contract c, String intended, String actual, Instant at) {
        c.intended = intended;
        c.current = "stopped";
        c.next = "stopped";
        c.actual = actual;
        c.message = null;
        halt(c);
        releaseGpus(c);
        bill(c, at);
    }

    /** The container ends by itself. */
    void exit(Contract c, Instant at) {
        c.actual = "exited";
        c.message = "Container exited with code 137";
        halt(c);
        bill(c, at);
    }

    /** Whether the GPUs were still free. */
    boolean start(Contract c, Instant at) {
        c.intended = "running";
        if ("running".equals(c.current)) {
            return true;
        }
        if (!c.host.taken.get(c.first, c.first + c.count).isEmpty()) {
            return false;
        }
        market.occupy(c.host, c.first, c.count);
        c.holdsGpus = true;
        c.current = "running";
        c.next = "running";
        restart(c, "loading", at);
        return true;
    }

    void reboot(Contract c, Instant at) {
        restart(c, "rebooting", at);
    }

    /** Reboot with a fresh file system. */
    void recycle(Contract c, Instant at) {
        restart(c, "recycling", at);
        site.wipe(c);
    }

    private void restart(Contract c, String word, Instant at) {
        halt(c);
        c.actual = word;
        c.message = null;
        bill(c, at);
        later(c, at.plus(bootTime(c).dividedBy(4)), this::run);
    }

    void bid(Contract c, BigDecimal perHour, Instant at) {
        c.gpuPerHour = perHour;
        c.bid = true;
        bill(c, at);
    }

    void offline(Contract c, Instant at) {
        c.offline = true;
        site.shut(c);
        bill(c, at);
    }

    void online(Contract c, Instant at) {
        c.offline = false;
        if ("running".equals(c.actual)) {
            site.open(c);
        }
        bill(c, at);
    }

    void destroy(Contract c, Books.Hand hand, Instant at) {
        if (!c.alive()) {
            return;
        }
        c.destroyed = at;
        c.destroyedBy = hand;
        c.current = "unloaded";
        c.next = "unloaded";
        c.intended = "stopped";
        c.actual = "exited";
        c.portsKnown = false;
        c.generation++;
        site.raze(c);
        releaseGpus(c);
        bill(c, at);
        later(c, at.plus(settings.unload), (contract, when) -> contract.gone = true);
    }

    String secret(int digits) {
        StringBuilder made = new StringBuilder(digits);
        for (int i = 0; i < digits; i++) {
            made.append(Character.forDigit(random.nextInt(16), 16));
        }
        return made.toString();
    }
}

package io.jenkins.plugins.vastai.simulator;

import java.math.BigDecimal;
import java.math.MathContext;
import java.math.RoundingMode;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;

/** The account: credit, and a line for each contract whose rates change with its state. Guarded by the world's lock. */
final class Ledger implements Books {
    private static final BigDecimal NANOS_PER_HOUR = BigDecimal.valueOf(3_600_000_000_000L);

    private final Object lock;
    private final InstantSource clock;
    private final Runnable settle;
    private final Map<Long, Line> lines = new LinkedHashMap<>();
    private BigDecimal deposit;
    private BigDecimal spent = BigDecimal.ZERO;
    private BigDecimal rate = BigDecimal.ZERO;
    private Instant spentUntil;

    /** @param settle lets everything happen that is due by now */
    Ledger(Object lock, InstantSource clock, BigDecimal deposit, Runnable settle) {
        this.lock = lock;
        this.clock = clock;
        this.deposit = deposit;
        this.settle = settle;
        this.spentUntil = clock.instant();
    }

    private static final class Line {
        final Contract contract;
        BigDecimal gpu = BigDecimal.ZERO;
        BigDecimal storage = BigDecimal.ZERO;
        BigDecimal gpuRate = BigDecimal.ZERO;
        BigDecimal storageRate = BigDecimal.ZERO;
        Instant since;

        Line(Contract contract) {
            this.contract = contract;
            this.since = contract.created;
        }

        void fold(Instant at) {
            gpu = gpu.add(cost(gpuRate, since, at));
            storage = storage.add(cost(storageRate, since, at));
            since = at;
        }

        Entry entry(Instant now) {
            return new Entry(
                    contract.id,
                    contract.labelText(),
                    contract.host.machineId,
                    contract.gpuPerHour.add(contract.storagePerHour),
                    contract.created,
                    Optional.ofNullable(contract.destroyed),
                    Optional.ofNullable(contract.destroyedBy),
                    gpu.add(cost(gpuRate, since, now)),
                    storage.add(cost(storageRate, since, now)));
        }
    }

    private static BigDecimal cost(BigDecimal perHour, Instant from, Instant to) {
        if (perHour.signum() == 0 || !to.isAfter(from)) {
            return BigDecimal.ZERO;
        }
        BigDecimal nanos = BigDecimal.valueOf(Duration.between(from, to).toNanos());
        return perHour.multiply(nanos).divide(NANOS_PER_HOUR, MathContext.DECIMAL128);
    }

    /** From this moment the contract costs so much an hour. */
    void rates(Contract contract, BigDecimal gpuPerHour, BigDecimal storagePerHour, Instant at) {
        Line line = lines.computeIfAbsent(contract.id, id -> new Line(contract));
        fold(at);
        rate = rate.subtract(line.gpuRate)
                .subtract(line.storageRate)
                .add(gpuPerHour)
                .add(storagePerHour);
        line.fold(at);
        line.gpuRate = gpuPerHour;
        line.storageRate = storagePerHour;
    }

    void fold(Instant at) {
        spent = spent(at);
        spentUntil = at;
    }

    private BigDecimal spent(Instant at) {
        return spent.add(cost(rate, spentUntil, at));
    }

    BigDecimal creditAt(Instant at) {
        return deposit.subtract(spent(at));
    }

    void setCredit(BigDecimal dollars, Instant at) {
        deposit = dollars.add(spent(at));
    }

    /** When the money will be gone if nothing changes; empty when nothing is spent or nothing is left. */
    Optional<Instant> exhausted() {
        BigDecimal left = deposit.subtract(spent);
        if (rate.signum() <= 0 || left.signum() <= 0) {
            return Optional.empty();
        }
        BigDecimal nanos = left.multiply(NANOS_PER_HOUR).divide(rate, 0, RoundingMode.CEILING);
        return nanos.unscaledValue().bitLength() > 62
                ? Optional.empty()
                : Optional.of(spentUntil.plusNanos(nanos.longValueExact()));
    }

    private List<Entry> settled(Predicate<Contract> which) {
        synchronized (lock) {
            settle.run();
            Instant now = clock.instant();
            return lines.values().stream()
                    .filter(line -> which.test(line.contract))
                    .map(line -> line.entry(now))
                    .toList();
        }
    }

    @Override
    public List<Entry> entries() {
        return settled(any -> true);
    }

    @Override
    public Optional<Entry> entry(long id) {
        synchronized (lock) {
            settle.run();
            return Optional.ofNullable(lines.get(id)).map(line -> line.entry(clock.instant()));
        }
    }

    @Override
    public List<Entry> left() {
        return settled(Contract::alive);
    }

    @Override
    public BigDecimal total() {
        return entries().stream().map(Entry::total).reduce(BigDecimal.ZERO, BigDecimal::add);
    }

    @Override
    public int maximumAlive() {
        return maximumAlive("");
    }

    @Override
    public int maximumAlive(String labelPrefix) {
        record Change(Instant at, int by) {}
        List<Change> changes = new ArrayList<>();
        for (Entry entry : entries()) {
            if (entry.label().startsWith(labelPrefix)) {
                changes.add(new Change(entry.created(), 1));
                entry.destroyed().ifPresent(end -> changes.add(new Change(end, -1)));
            }
        }
        changes.sort(Comparator.comparing(Change::at).thenComparing(Change::by));
        int alive = 0;
        int most = 0;
        for (Change change : changes) {
            alive += change.by();
            most = Math.max(most, alive);
        }
        return most;
    }
}

package io.jenkins.plugins.vastai.market;

import io.jenkins.plugins.vastai.text.Reason;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Machines that failed and are left alone for a while. Without this memory the cheapest bad machine is drawn again and
 * again: it is cheap because nobody keeps it. A host with several machines on the list is left alone as a whole. Apart
 * from what was learned it holds what an admin said.
 *
 * <p>An immutable value: changing methods return a new list. On disk it is its {@link #entries()}.
 */
public final class Blocklist {

    public static final Blocklist EMPTY = new Blocklist(List.of(), List.of());

    /** So many machines of one host blocked at once condemn the host; one bad box in a datacenter does not. */
    static final int MACHINES_PER_HOST = 3;

    /** However often a machine fails. */
    static final Duration LONGEST = Duration.ofDays(30);

    private final Map<Long, Block> byMachine;
    private final Map<Long, List<Block>> byHost;

    private final List<Ban> bans;

    private Blocklist(Collection<Block> blocks, Collection<Ban> bans) {
        this.bans = List.copyOf(bans);
        byMachine = new HashMap<>();
        byHost = new HashMap<>();
        for (Block block : blocks) {
            byMachine.merge(block.machineId(), block, (a, b) -> a.until().isAfter(b.until()) ? a : b);
        }
        for (Block block : byMachine.values()) {
            if (block.hostId() != 0) {
                byHost.computeIfAbsent(block.hostId(), host -> new ArrayList<>())
                        .add(block);
            }
        }
        byHost.values().removeIf(machines -> machines.size() < MACHINES_PER_HOST);
    }

    /** The list with these entries; of two for one machine the longer counts. */
    public static Blocklist of(Collection<Block> entries) {
        return of(entries, List.of());
    }

    /** As {@link #of(Collection)}, with what an admin does not want. */
    public static Blocklist of(Collection<Block> entries, Collection<Ban> bans) {
        return entries.isEmpty() && bans.isEmpty() ? EMPTY : new Blocklist(entries, bans);
    }

    /** Every entry, the latest first. */
    public List<Block> entries() {
        return byMachine.values().stream()
                .sorted((a, b) -> {
                    int latestFirst = b.since().compareTo(a.since());
                    return latestFirst != 0 ? latestFirst : Long.compare(a.machineId(), b.machineId());
                })
                .toList();
    }

    /** What an admin does not want, in the order in which it was said. */
    public List<Ban> bans() {
        return bans;
    }

    public boolean isEmpty() {
        return byMachine.isEmpty() && bans.isEmpty();
    }

    /** The list with this ban in place of an earlier one of the same machine or host from the same source. */
    public Blocklist with(Ban ban) {
        List<Ban> next = new ArrayList<>(without(ban.source(), ban.kind(), ban.id()).bans);
        next.add(ban);
        return of(byMachine.values(), next);
    }

    /** The list without the ban that this source has on that machine or host. */
    public Blocklist without(String source, Ban.Kind kind, long id) {
        return of(
                byMachine.values(),
                bans.stream()
                        .filter(ban -> !(ban.source().equals(source) && ban.kind() == kind && ban.id() == id))
                        .toList());
    }

    /** The list with these bans in place of all that the source has made so far. */
    public Blocklist withAll(String source, Collection<Ban> its) {
        if (its.stream().anyMatch(ban -> !ban.source().equals(source))) {
            throw new IllegalArgumentException("bans of another source than " + source);
        }
        List<Ban> next = new ArrayList<>(
                bans.stream().filter(ban -> !ban.source().equals(source)).toList());
        next.addAll(its);
        return of(byMachine.values(), next);
    }

    /** The list without anything learned; what an admin said stays. */
    public Blocklist forgotten() {
        return of(List.of(), bans);
    }

    /**
     * The list after a failure. A machine that fails anew while it is remembered is blocked twice as long as before, up
     * to 30 days. A failure that blames no machine ({@link FailureClass#TEMPLATE}, {@link FailureClass#MARKET})
     * changes nothing.
     */
    public Blocklist after(long machineId, long hostId, FailureClass failure, Reason reason, Instant now) {
        if (failure.blockedFor().isEmpty()) {
            return this;
        }
        Block earlier = byMachine.get(machineId);
        int times = earlier == null ? 1 : Math.min(earlier.times() + 1, 16);
        Duration time = failure.blockedFor().get().multipliedBy(1L << (times - 1));
        Instant until = now.plus(time.compareTo(LONGEST) > 0 ? LONGEST : time);
        List<Block> blocks = new ArrayList<>(byMachine.values());
        blocks.remove(earlier);
        if (earlier != null && earlier.until().isAfter(until)) {
            until = earlier.until();
        }
        blocks.add(new Block(machineId, hostId, failure, reason, now, until, times));
        return new Blocklist(blocks, bans);
    }

    /** The list without this machine. */
    public Blocklist without(long machineId) {
        if (!byMachine.containsKey(machineId)) {
            return this;
        }
        return of(
                byMachine.values().stream()
                        .filter(block -> block.machineId() != machineId)
                        .toList(),
                bans);
    }

    /**
     * The list without what no longer matters. An entry is remembered as long again as it blocked, so that a machine
     * that fails at once after its return is blocked for longer.
     */
    public Blocklist pruned(Instant now) {
        List<Block> kept = byMachine.values().stream()
                .filter(block -> now.isBefore(block.until().plus(Duration.between(block.since(), block.until()))))
                .toList();
        List<Ban> standing = bans.stream().filter(ban -> ban.activeAt(now)).toList();
        return kept.size() == byMachine.size() && standing.size() == bans.size() ? this : of(kept, standing);
    }

    /** Whether a machine is not to be rented now, by itself or because of its host. */
    public boolean blocks(long machineId, long hostId, Instant now) {
        if (bans.stream().anyMatch(ban -> ban.hits(machineId, hostId, now))) {
            return true;
        }
        Block own = byMachine.get(machineId);
        return own != null && own.activeAt(now) || blocksHost(hostId, now);
    }

    /** Whether a host is left alone as a whole because of its machines' failures. */
    public boolean blocksHost(long hostId, Instant now) {
        List<Block> machines = byHost.get(hostId);
        if (machines == null) {
            return false;
        }
        int active = 0;
        for (Block block : machines) {
            if (block.activeAt(now) && ++active >= MACHINES_PER_HOST) {
                return true;
            }
        }
        return false;
    }

    /** Hosts that are left alone as a whole. */
    public Set<Long> blockedHosts(Instant now) {
        Set<Long> hosts = new HashSet<>(byHost.keySet());
        hosts.removeIf(host -> !blocksHost(host, now));
        return hosts;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Blocklist that && byMachine.equals(that.byMachine) && bans.equals(that.bans);
    }

    @Override
    public int hashCode() {
        return 31 * byMachine.hashCode() + bans.hashCode();
    }

    @Override
    public String toString() {
        return "Blocklist" + byMachine.keySet() + bans;
    }
}

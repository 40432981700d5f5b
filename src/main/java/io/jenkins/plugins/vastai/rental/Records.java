package io.jenkins.plugins.vastai.rental;

import io.jenkins.plugins.vastai.text.Reason;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Collection;
import java.util.Comparator;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.logging.Level;
import java.util.logging.Logger;
import java.util.stream.Stream;

/**
 * All rentals of the fleet, in memory and on disk. Whoever calls {@link #save} may rely on the record being on disk when
 * it returns: side effects come after it. Written by the engine's thread, read by any.
 */
final class Records {

    private static final Logger LOGGER = Logger.getLogger(Records.class.getName());

    private static final Comparator<Rental> OLDEST_FIRST =
            Comparator.comparing(Rental::orderedAt).thenComparing(Rental::id);

    private final Map<String, Rental> live = new ConcurrentHashMap<>();
    /** Kept for people to see; the engine looks at them seldom. */
    private final Map<String, Rental> ended = new ConcurrentHashMap<>();
    /** Engine's thread only. */
    private final Set<String> unwritten = new LinkedHashSet<>();

    private final RentalStore store;
    private final Agents agents;
    private final InstantSource clock;
    private final ControllerIdentity identity;
    private final Map<String, NewerVersion> newer;

    Records(RentalStore store, Agents agents, InstantSource clock, ControllerIdentity identity) throws IOException {
        this.store = store;
        this.agents = agents;
        this.clock = clock;
        this.identity = identity;
        store.owner(identity.id());
        store.ids().forEach(identity::remember);
        RentalStore.Loaded loaded = store.load();
        loaded.rentals().forEach(this::put);
        newer = loaded.newer();
    }

    /** Whether a newer plugin wrote that rental's record: it is ours, and it is left alone. */
    boolean newer(String id) {
        return newer.containsKey(id);
    }

    /** Why records are left alone; empty when all could be read. */
    Optional<Reason> newer() {
        return newer.values().stream().findFirst().map(one -> RentalText.NEWER_RECORDS.of(newer.size(), one.reason()));
    }

    Instant now() {
        return clock.instant();
    }

    Optional<Rental> get(String id) {
        Rental rental = live.get(id);
        return Optional.ofNullable(rental == null ? ended.get(id) : rental);
    }

    /** Oldest order first. */
    List<Rental> all() {
        return Stream.concat(live.values().stream(), ended.values().stream())
                .sorted(OLDEST_FIRST)
                .toList();
    }

    /**
     * Those that have not ended, oldest order first: who waited longest is served first.
     *
     * @param turns places of those that come before all others
     */
    List<Rental> inOrder(Map<String, Integer> turns) {
        return live.values().stream()
                .sorted(Comparator.<Rental, Integer>comparing(
                                rental -> turns.getOrDefault(rental.id(), Integer.MAX_VALUE))
                        .thenComparing(OLDEST_FIRST))
                .toList();
    }

    /** Those that have not ended. */
    Collection<Rental> live() {
        return live.values();
    }

    Collection<Rental> ended() {
        return ended.values();
    }

    /** Makes a new rental count at once, from any thread; {@link #begin} follows on the engine's. */
    void announce(Rental rental) {
        put(rental);
    }

    /** Tells of a new rental. It is written before a machine is asked for, or a little later. */
    void begin(String id) {
        Rental rental = live.get(id);
        unwritten.add(id);
        rental.story().forEach(line -> agents.told(rental, line));
        agents.changed(null, rental);
    }

    /**
     * Writes the rental and tells what is new about it.
     *
     * @throws UncheckedIOException when the disk refuses: memory keeps the old record and the caller must not go on
     */
    Rental save(Rental next) {
        Rental before = get(next.id()).orElse(null);
        if (next.equals(before) && !unwritten.contains(next.id())) {
            return next;
        }
        write(next);
        put(next);
        tell(before, next);
        return next;
    }

    /**
     * Adds a line to the story. It is told at once and written a little later: no side effect follows from it, and five
     * hundred machines that report their progress would keep the disk busy with nothing else.
     */
    Rental say(Rental rental, Reason reason) {
        Rental next = rental.say(reason, now());
        if (next != rental) {
            Rental before = get(next.id()).orElse(null);
            put(next);
            unwritten.add(next.id());
            tell(before, next);
        }
        return next;
    }

    /**
     * Writes some of those that {@link #say} and {@link #begin} left for later, the longest waiting first: each costs the
     * disk's turn. Returns whether any are left.
     */
    boolean writeLate(int most) {
        Iterator<String> ids = unwritten.iterator();
        for (int i = 0; i < most && ids.hasNext(); i++) {
            Optional<Rental> rental = get(ids.next());
            ids.remove();
            try {
                if (rental.isPresent()) {
                    store.save(rental.get());
                }
            } catch (IOException e) {
                // Whatever matters is written before its side effect, and that fails loudly.
                LOGGER.log(
                        Level.FINE,
                        e,
                        () -> "Cannot write the story of " + rental.get().id());
            }
        }
        return ids.hasNext();
    }

    private void tell(Rental before, Rental next) {
        int told = before == null ? 0 : before.story().size();
        Line lastTold = before == null ? null : before.last();
        List<Line> story = next.story();
        // A full story drops lines, so its length alone does not tell what is new.
        int from = lastTold == null ? 0 : Math.min(told, story.lastIndexOf(lastTold) + 1);
        story.subList(from, story.size()).forEach(line -> agents.told(next, line));
        if (before == null || before.state() != next.state()) {
            agents.changed(before, next);
        }
    }

    private void put(Rental rental) {
        (rental.state().ended() ? ended : live).put(rental.id(), rental);
        (rental.state().ended() ? live : ended).remove(rental.id());
    }

    private void write(Rental rental) {
        try {
            store.save(rental);
            unwritten.remove(rental.id());
        } catch (IOException e) {
            throw new UncheckedIOException("Cannot write the record of rental " + rental.id(), e);
        }
    }

    void forget(Rental rental) throws IOException {
        identity.forgetting(rental.id());
        store.delete(rental.id());
        ended.remove(rental.id());
        unwritten.remove(rental.id());
    }
}

package io.jenkins.plugins.vastai.rental;

import io.jenkins.plugins.vastai.text.Reason;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Predicate;

/**
 * All rentals of the fleet, in memory and on disk. Whoever calls {@link #save} may rely on the record being on disk when
 * it returns: side effects come after it. Written by the engine's thread, read by any.
 */
final class Records {

    private final Map<String, Rental> rentals = new ConcurrentHashMap<>();
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
        loaded.rentals().forEach(rental -> rentals.put(rental.id(), rental));
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
        return Optional.ofNullable(rentals.get(id));
    }

    /** Oldest order first. */
    List<Rental> all() {
        return sorted(rental -> true);
    }

    /** Those that have not ended. Oldest order first: who waited longest is served first. */
    List<Rental> live() {
        return sorted(rental -> !rental.state().ended());
    }

    private List<Rental> sorted(Predicate<Rental> which) {
        return rentals.values().stream()
                .filter(which)
                .sorted(Comparator.comparing(Rental::orderedAt).thenComparing(Rental::id))
                .toList();
    }

    Collection<Rental> unordered() {
        return rentals.values();
    }

    long count(Predicate<Rental> which) {
        return rentals.values().stream().filter(which).count();
    }

    /** Makes a new rental count at once, from any thread; {@link #begin} follows on the engine's. */
    void announce(Rental rental) {
        rentals.put(rental.id(), rental);
    }

    /** Writes a new rental down and tells of it. */
    void begin(String id) {
        Rental rental = rentals.get(id);
        write(rental);
        rental.story().forEach(line -> agents.told(rental, line));
        agents.changed(null, rental);
    }

    /**
     * Writes the rental and tells what is new about it.
     *
     * @throws UncheckedIOException when the disk refuses: memory keeps the old record and the caller must not go on
     */
    Rental save(Rental next) {
        Rental before = rentals.get(next.id());
        if (next.equals(before)) {
            return next;
        }
        write(next);
        rentals.put(next.id(), next);
        int told = before == null ? 0 : before.story().size();
        Line lastTold = before == null ? null : before.last();
        List<Line> story = next.story();
        // A full story drops lines, so its length alone does not tell what is new.
        int from = lastTold == null ? 0 : Math.min(told, story.lastIndexOf(lastTold) + 1);
        story.subList(from, story.size()).forEach(line -> agents.told(next, line));
        if (before == null || before.state() != next.state()) {
            agents.changed(before, next);
        }
        return next;
    }

    Rental say(Rental rental, Reason reason) {
        Rental next = rental.say(reason, now());
        return next == rental ? rental : save(next);
    }

    private void write(Rental rental) {
        try {
            store.save(rental);
        } catch (IOException e) {
            throw new UncheckedIOException("Cannot write the record of rental " + rental.id(), e);
        }
    }

    void forget(Rental rental) throws IOException {
        identity.forgetting(rental.id());
        store.delete(rental.id());
        rentals.remove(rental.id());
    }
}

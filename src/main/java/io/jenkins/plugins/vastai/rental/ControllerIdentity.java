package io.jenkins.plugins.vastai.rental;

import io.jenkins.plugins.vastai.text.Reason;
import io.jenkins.plugins.vastai.text.Texts;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.logging.Logger;
import java.util.random.RandomGenerator;

/**
 * Who this controller is, so that whose instances are whose can be told. The id survives restarts and renames; it is in
 * the file {@code controller.json} and in every label. Whoever copies the home copies the id, which two things betray:
 *
 * <ul>
 *   <li>The file holds the {@link Place} of the home that wrote it. A home that finds itself elsewhere may be a copy.
 *   <li>A rental's id is made of a word that each start draws anew and a number that counts the start's orders. The file
 *       holds the words of all starts, and the records tell how far each counted. An instance under our id with another
 *       word, or a number beyond, was never ordered by this home. No clock is asked, the market's least of all.
 * </ul>
 *
 * <p>What is held back until an admin decides is told by {@link Suspicion.Kind}. One instance serves all fleets of a
 * controller from start to stop; a new start opens the file anew. Safe for any thread; only {@link #open}, {@link #keep}
 * and {@link #renew} touch the disk at length.
 */
public final class ControllerIdentity {

    static final int VERSION = 1;
    private static final String FILE = "controller.json";
    private static final Logger LOGGER = Logger.getLogger(ControllerIdentity.class.getName());
    /** Starts that are remembered: an instance of an earlier one would have to outlive them all. */
    private static final int MOST_STARTS = 500;

    /** @param orders highest number used; as far as it was known when the file was written */
    private record Start(String word, long orders) {}

    private record Stored(int version, String id, Place place, List<Start> starts) {}

    /** An instance under our id that was never ordered here. */
    record Stranger(String rental, String label, long instance) {}

    private final Documents documents = new Documents();
    private final Path file;
    private final Place here;
    private final InstantSource clock;
    private final RandomGenerator random;
    /** Highest number used, by word; oldest start first. */
    private final Map<String, Long> starts = new LinkedHashMap<>();

    private final Map<String, Long> written = new HashMap<>();
    private final Map<Object, Set<Stranger>> strangers = new HashMap<>();
    private final String word;
    private String id;
    private Place place;
    private Suspicion copied;
    private Suspicion shared;

    private ControllerIdentity(Path file, Place here, InstantSource clock, RandomGenerator random, Stored stored) {
        this.file = file;
        this.here = here;
        this.clock = clock;
        this.random = random;
        id = stored.id();
        // Before this form there was no place in the file: where it is found first is where it belongs.
        place = stored.place() == null ? here : stored.place();
        for (Start start : stored.starts() == null ? List.<Start>of() : stored.starts()) {
            starts.put(start.word(), start.orders());
        }
        word = Labels.word(Labels.START_LENGTH, random);
        starts.put(word, 0L);
        if (!here.isStill(place)) {
            copied = new Suspicion(
                    Suspicion.Kind.COPIED_HOME,
                    RentalText.COPIED_HOME.of(id, place.path(), place.host(), here.path(), here.host()),
                    clock.instant());
            LOGGER.severe(() -> Texts.render(copied.reason()));
        }
    }

    /**
     * Opens the identity in the file {@code controller.json}, made at the first start, and begins a new start.
     *
     * @param directory of the controller's own, existing; the directories of its fleets lie below
     * @throws NewerVersion when a newer plugin wrote the file: no fleet may be started
     * @throws IOException when the file cannot be read or written
     */
    public static ControllerIdentity open(Path directory) throws IOException {
        return open(directory, Place.of(directory), InstantSource.system(), new SecureRandom());
    }

    /** @param random draws ids and words */
    static ControllerIdentity open(Path directory, Place here, InstantSource clock, RandomGenerator random)
            throws IOException {
        Path file = directory.resolve(FILE);
        Stored stored = Files.exists(file)
                ? new Documents().read(file, Stored.class, VERSION)
                : new Stored(VERSION, Labels.word(Labels.CONTROLLER_LENGTH, random), here, List.of());
        if (stored.id() == null || stored.id().isBlank()) {
            throw new IOException(file + " names no controller");
        }
        ControllerIdentity identity = new ControllerIdentity(file, here, clock, random, stored);
        synchronized (identity) {
            // Before the first order: what this start orders must be known for its own ever after.
            identity.write();
        }
        return identity;
    }

    /** Eight characters that are part of every label. */
    public synchronized String id() {
        return id;
    }

    /** Whether another controller may be using this identity; the more serious suspicion when there are two. */
    public synchronized Optional<Suspicion> suspicion() {
        return Optional.ofNullable(copied != null ? copied : shared);
    }

    /** While true, no machine may be rented, destroyed or connected to: see {@link Suspicion.Kind#COPIED_HOME}. */
    public synchronized boolean dormant() {
        return copied != null;
    }

    /**
     * The admin says: this is the only controller with this identity. Everything goes on at once, without a restart;
     * instances that were left alone as never ordered here are taken for our own, and destroyed as orphans.
     *
     * @throws IOException when it cannot be written; nothing has changed then
     */
    public synchronized void keep() throws IOException {
        Place before = place;
        place = here;
        try {
            strangers.values().stream()
                    .flatMap(Set::stream)
                    .map(Stranger::rental)
                    .forEach(this::remember);
            write();
        } catch (IOException e) {
            place = before;
            throw e;
        }
        copied = null;
        shared = null;
        strangers.clear();
    }

    /**
     * The admin says: this home is a copy. It takes a new id and leaves the other controller's machines alone. Fleets
     * must be stopped before and started, with the identity opened anew, after: each then sets the records and the SSH
     * key of the old id aside, in a directory beside them, without asking anything of the market.
     *
     * @throws IOException when it cannot be written; nothing has changed then
     */
    public synchronized void renew() throws IOException {
        String fresh = Labels.word(Labels.CONTROLLER_LENGTH, random);
        documents.write(file, new Stored(VERSION, fresh, here, List.of()));
        id = fresh;
        place = here;
        starts.clear();
        written.clear();
        strangers.clear();
        starts.put(word, 0L);
        copied = null;
        shared = null;
    }

    /** The id of a new rental. */
    synchronized String newRentalId() {
        return Labels.rentalId(word, starts.merge(word, 1L, Long::sum));
    }

    /** There is, or was, a record of this rental here. */
    synchronized void remember(String rental) {
        if (Labels.isRentalId(rental)) {
            starts.merge(Labels.start(rental), Labels.number(rental), Math::max);
        }
    }

    /** The record of this rental is about to be removed: that it was ours must stay known. */
    synchronized void forgetting(String rental) throws IOException {
        remember(rental);
        if (Labels.isRentalId(rental) && Labels.number(rental) > written.getOrDefault(Labels.start(rental), 0L)) {
            write();
        }
    }

    /** Whether this home ordered the rental, also when its record is lost. */
    synchronized boolean ordered(String rental) {
        return Labels.isRentalId(rental) && Labels.number(rental) <= starts.getOrDefault(Labels.start(rental), 0L);
    }

    /**
     * Instances under our id that were never ordered here, as a fleet sees them now.
     *
     * @param fleet whoever looks
     */
    synchronized void strangers(Object fleet, Set<Stranger> seen) {
        if (seen.isEmpty() ? strangers.remove(fleet) == null : seen.equals(strangers.put(fleet, Set.copyOf(seen)))) {
            return;
        }
        TreeSet<String> labels = new TreeSet<>();
        strangers.values().stream().flatMap(Set::stream).map(Stranger::label).forEach(labels::add);
        if (labels.isEmpty()) {
            shared = null;
            return;
        }
        Reason reason = RentalText.SHARED_ID.of(id, labels.size(), labels.first());
        shared = new Suspicion(Suspicion.Kind.SHARED_ID, reason, shared == null ? clock.instant() : shared.since());
        LOGGER.severe(() -> Texts.render(reason));
    }

    private void write() throws IOException {
        List<Start> all = new ArrayList<>();
        starts.forEach((start, orders) -> all.add(new Start(start, orders)));
        documents.write(
                file, new Stored(VERSION, id, place, all.subList(Math.max(0, all.size() - MOST_STARTS), all.size())));
        written.clear();
        written.putAll(starts);
    }
}

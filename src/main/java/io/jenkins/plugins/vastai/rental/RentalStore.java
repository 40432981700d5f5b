package io.jenkins.plugins.vastai.rental;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.databind.DeserializationContext;
import com.fasterxml.jackson.databind.JsonDeserializer;
import com.fasterxml.jackson.databind.JsonSerializer;
import com.fasterxml.jackson.databind.SerializerProvider;
import com.fasterxml.jackson.databind.module.SimpleModule;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.logging.Level;
import java.util.logging.Logger;
import java.util.stream.Stream;

/**
 * Rentals and what belongs to them on disk: one JSON file each, see {@link Documents}. {@link Hidden} values are
 * encrypted. Not thread-safe per file; the fleet's thread is the only writer.
 */
public final class RentalStore {

    private static final Logger LOGGER = Logger.getLogger(RentalStore.class.getName());
    private static final String SUFFIX = ".json";
    private static final String RENTALS = "rentals";
    private static final String OWNER = "owner";
    private static final int OWNER_VERSION = 1;

    private record Owner(int version, String controller) {}

    private final Path directory;
    private final Documents documents;

    /** @param directory made when missing, readable for its owner only where the file system can do that */
    public RentalStore(Path directory, Secrets secrets) throws IOException {
        this.directory = directory;
        this.documents = new Documents(hiding(secrets));
        Files.createDirectories(rentals());
    }

    void save(Rental rental) throws IOException {
        documents.write(file(rental.id()), rental);
    }

    void delete(String id) throws IOException {
        Files.deleteIfExists(file(id));
    }

    /**
     * What is on disk.
     *
     * @param rentals that can be read
     * @param newer files that a newer plugin wrote, by the rental's id: not read, not touched
     */
    record Loaded(List<Rental> rentals, Map<String, NewerVersion> newer) {}

    /**
     * Every rental on disk. A file that cannot be read is left where it is and reported: its machine, if there is one,
     * is found again by its label.
     */
    Loaded load() throws IOException {
        List<Rental> loaded = new ArrayList<>();
        Map<String, NewerVersion> newer = new TreeMap<>();
        for (Path file : files()) {
            try {
                loaded.add(documents.read(file, Rental.class, Rental.VERSION));
            } catch (NewerVersion e) {
                LOGGER.severe(e.getMessage());
                newer.put(id(file), e);
            } catch (IOException | IllegalArgumentException e) {
                LOGGER.log(
                        Level.SEVERE,
                        e,
                        () -> "Cannot read the rental record " + file + "; its machine is found by its label");
            }
        }
        return new Loaded(loaded, newer);
    }

    /** The id of every rental of which there is a file, readable or not. */
    List<String> ids() throws IOException {
        return files().stream().map(RentalStore::id).toList();
    }

    /** Anything else that must survive, under a name of its own. */
    <T> void save(String name, T value) throws IOException {
        documents.write(directory.resolve(name + SUFFIX), value);
    }

    /**
     * @param newest version of its form that can be read
     * @throws NewerVersion when a newer plugin wrote it: it must not be written over
     */
    <T> Optional<T> load(String name, Class<T> type, int newest) throws IOException {
        Path file = directory.resolve(name + SUFFIX);
        return Files.exists(file) ? Optional.of(documents.read(file, type, newest)) : Optional.empty();
    }

    /**
     * Makes this the store of that controller. What another identity of this home left is set aside, whole, in a
     * directory beside it: its machines may be another controller's.
     */
    void owner(String controller) throws IOException {
        Optional<Owner> before = load(OWNER, Owner.class, OWNER_VERSION);
        if (before.isPresent() && !before.get().controller().equals(controller)) {
            Path aside = directory.resolve("of-" + before.get().controller());
            Files.createDirectories(aside);
            for (String name : List.of(RENTALS, AccountKey.NAME + SUFFIX, Orphans.NAME + SUFFIX)) {
                // There already: a crash came in between, and what is here now is fresh and empty.
                if (Files.exists(directory.resolve(name)) && !Files.exists(aside.resolve(name))) {
                    Files.move(directory.resolve(name), aside.resolve(name));
                }
            }
            Files.createDirectories(rentals());
            LOGGER.warning(() -> "The records of controller " + before.get().controller() + " are set aside in " + aside
                    + "; its machines are left alone");
        }
        if (before.isEmpty() || !before.get().controller().equals(controller)) {
            save(OWNER, new Owner(OWNER_VERSION, controller));
        }
    }

    private List<Path> files() throws IOException {
        try (Stream<Path> files = Files.list(rentals())) {
            return files.filter(file -> file.toString().endsWith(SUFFIX))
                    .sorted()
                    .toList();
        }
    }

    private static String id(Path file) {
        String name = String.valueOf(file.getFileName());
        return name.substring(0, name.length() - SUFFIX.length());
    }

    private Path rentals() {
        return directory.resolve(RENTALS);
    }

    private Path file(String id) {
        return rentals().resolve(id + SUFFIX);
    }

    private static SimpleModule hiding(Secrets secrets) {
        SimpleModule module = new SimpleModule();
        module.addSerializer(Hidden.class, new JsonSerializer<>() {
            @Override
            public void serialize(Hidden value, JsonGenerator generator, SerializerProvider serializers)
                    throws IOException {
                generator.writeString(secrets.encrypt(value.value()));
            }
        });
        module.addDeserializer(Hidden.class, new JsonDeserializer<>() {
            @Override
            public Hidden deserialize(JsonParser parser, DeserializationContext context) throws IOException {
                return new Hidden(secrets.decrypt(parser.getText()));
            }
        });
        return module;
    }
}

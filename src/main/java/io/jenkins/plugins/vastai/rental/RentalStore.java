package io.jenkins.plugins.vastai.rental;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.databind.DeserializationContext;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonDeserializer;
import com.fasterxml.jackson.databind.JsonSerializer;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.SerializerProvider;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.module.SimpleModule;
import com.fasterxml.jackson.datatype.jsr310.JavaTimeModule;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.logging.Level;
import java.util.logging.Logger;
import java.util.stream.Stream;

/**
 * Rentals and what belongs to them on disk: one JSON file each, written to a temporary file, forced, then moved into
 * place, so that a crash leaves the old or the new record and never half of one. {@link Hidden} values are encrypted.
 * Not thread-safe per file; the fleet's thread is the only writer.
 */
public final class RentalStore {

    private static final Logger LOGGER = Logger.getLogger(RentalStore.class.getName());
    private static final String SUFFIX = ".json";

    private final Path directory;
    private final ObjectMapper mapper;

    /** @param directory made when missing, readable for its owner only where the file system can do that */
    public RentalStore(Path directory, Secrets secrets) throws IOException {
        this.directory = directory;
        this.mapper = JsonMapper.builder()
                .addModule(new JavaTimeModule())
                .addModule(hiding(secrets))
                .disable(SerializationFeature.WRITE_DATES_AS_TIMESTAMPS)
                .disable(SerializationFeature.WRITE_DURATIONS_AS_TIMESTAMPS)
                .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
                .enable(SerializationFeature.INDENT_OUTPUT)
                .build();
        Files.createDirectories(rentals());
    }

    void save(Rental rental) throws IOException {
        write(file(rental.id()), rental);
    }

    void delete(String id) throws IOException {
        Files.deleteIfExists(file(id));
    }

    /**
     * Every rental on disk. A file that cannot be read is left where it is and reported: its machine, if there is one,
     * is found again by its label.
     */
    List<Rental> load() throws IOException {
        List<Rental> loaded = new ArrayList<>();
        try (Stream<Path> files = Files.list(rentals())) {
            for (Path file :
                    files.filter(f -> f.toString().endsWith(SUFFIX)).sorted().toList()) {
                try {
                    loaded.add(mapper.readValue(file.toFile(), Rental.class));
                } catch (IOException | IllegalArgumentException e) {
                    LOGGER.log(
                            Level.SEVERE,
                            e,
                            () -> "Cannot read the rental record " + file + "; its machine is found by its label");
                }
            }
        }
        return loaded;
    }

    /** Anything else that must survive, under a name of its own. */
    <T> void save(String name, T value) throws IOException {
        write(directory.resolve(name + SUFFIX), value);
    }

    <T> Optional<T> load(String name, Class<T> type) throws IOException {
        Path file = directory.resolve(name + SUFFIX);
        return Files.exists(file) ? Optional.of(mapper.readValue(file.toFile(), type)) : Optional.empty();
    }

    private void write(Path file, Object value) throws IOException {
        Path temporary = file.resolveSibling(file.getFileName() + ".tmp");
        try (FileChannel channel = FileChannel.open(
                temporary, StandardOpenOption.CREATE, StandardOpenOption.TRUNCATE_EXISTING, StandardOpenOption.WRITE)) {
            ByteBuffer bytes = ByteBuffer.wrap(mapper.writeValueAsBytes(value));
            while (bytes.hasRemaining()) {
                channel.write(bytes);
            }
            channel.force(true);
        }
        Files.move(temporary, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    }

    private Path rentals() {
        return directory.resolve("rentals");
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

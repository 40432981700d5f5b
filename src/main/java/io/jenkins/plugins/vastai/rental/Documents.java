package io.jenkins.plugins.vastai.rental;

import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.Module;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.datatype.jsr310.JavaTimeModule;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;

/**
 * JSON files, each with the version of its form. Written to a temporary file, forced, then moved into place, so that a
 * crash leaves the old or the new one and never half of one. Fields that are not known are passed over: within a version
 * they may only be added. Safe for any thread, but two writers of one file at the same time are not.
 */
final class Documents {

    private final ObjectMapper mapper;

    Documents(Module... more) {
        mapper = JsonMapper.builder()
                .addModule(new JavaTimeModule())
                .addModules(more)
                .disable(SerializationFeature.WRITE_DATES_AS_TIMESTAMPS)
                .disable(SerializationFeature.WRITE_DURATIONS_AS_TIMESTAMPS)
                .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
                .enable(SerializationFeature.INDENT_OUTPUT)
                .build();
    }

    /**
     * @param newest version that this plugin can read; a file without a version is older than all
     * @throws NewerVersion for a file that this plugin is too old for
     */
    <T> T read(Path file, Class<T> type, int newest) throws IOException {
        JsonNode tree = mapper.readTree(file.toFile());
        int version = tree.path("version").asInt(0);
        if (version > newest) {
            throw new NewerVersion(file, version, newest);
        }
        return mapper.treeToValue(tree, type);
    }

    void write(Path file, Object value) throws IOException {
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
}

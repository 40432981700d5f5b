package io.jenkins.plugins.vastai.api;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import java.util.logging.SimpleFormatter;
import org.junit.jupiter.api.Test;

/** Keys, logins and environments show up in no log, exception or text form. */
class SecretsTest {

    @Test
    void aKeyShowsItselfOnlyWhenAsked() {
        ApiKey key = ApiKey.of(" " + ScriptedMarket.KEY + "\n");
        assertEquals("****", key.toString());
        assertEquals(ScriptedMarket.KEY, key.reveal());
        assertEquals(16, key.fingerprint().length());
        assertFalse(ScriptedMarket.KEY.contains(key.fingerprint()));
        assertEquals(key, ApiKey.of(ScriptedMarket.KEY));
        assertEquals(key.hashCode(), ApiKey.of(ScriptedMarket.KEY).hashCode());
        assertNotEquals(key, ApiKey.of("other"));
        assertNotEquals(key.fingerprint(), ApiKey.of("other").fingerprint());
        assertEquals("Created[instanceId=7, instanceKey=Optional[****]]", new Created(7, Optional.of(key)).toString());
    }

    @Test
    void whatCannotBeAKeyIsRefusedWithoutRepeatingIt() {
        for (String text : new String[] {null, "", " \n", "two words", "line\nbreak", "schlüssel"}) {
            IllegalArgumentException failure = assertThrows(IllegalArgumentException.class, () -> ApiKey.of(text));
            assertEquals("not an API key", failure.getMessage());
        }
    }

    @Test
    void aCreateRequestShowsNamesOnly() {
        String text = CreateRequest.builder()
                .image("a/b:1")
                .label("l")
                .env("TOKEN", "s3cr3t-value")
                .imageLogin("-u bot -p hunter2 ghcr.io")
                .onstart("echo private-line")
                .build()
                .toString();
        assertTrue(text.contains("TOKEN"), text);
        for (String secret : List.of("s3cr3t-value", "hunter2", "private-line")) {
            assertFalse(text.contains(secret), text);
        }
    }

    @Test
    void wordsOfOthersAreRedactedAndShortened() {
        String hex = "0123456789abcdef".repeat(4);
        assertEquals("Bearer ****", Redaction.line("Bearer abc.def", Set.of()));
        assertEquals(
                "docker login -u me -p **** ghcr.io", Redaction.line("docker login -u me -p pw! ghcr.io", Set.of()));
        assertEquals("ports -p 22:22 -p 80:80/udp", Redaction.line("ports -p 22:22 -p 80:80/udp", Set.of()));
        assertEquals("key ****", Redaction.line("key " + hex, Set.of()));
        assertEquals("image sha256:" + hex, Redaction.line("image sha256:" + hex, Set.of()));
        assertEquals("CONTAINER_API_KEY=****", Redaction.line("CONTAINER_API_KEY=deadbeef", Set.of()));
        assertEquals("it is ****", Redaction.line("it is swordfish", Set.of("swordfish", "")));
        assertEquals("a b", Redaction.line("<p>a\u001b\r\n\tb</p>", Set.of()));
        assertEquals(301, Redaction.line("x".repeat(5000), Set.of()).length());
    }

    @Test
    void neitherLogNorFailureHoldsASecret() {
        List<String> lines = new ArrayList<>();
        Handler handler = new Handler() {
            @Override
            public void publish(LogRecord entry) {
                lines.add(new SimpleFormatter().format(entry));
            }

            @Override
            public void flush() {
                // nothing is held back
            }

            @Override
            public void close() {
                // nothing to close
            }
        };
        Logger logger = Logger.getLogger("io.jenkins.plugins.vastai.api");
        Level before = logger.getLevel();
        logger.setLevel(Level.ALL);
        logger.addHandler(handler);
        try (ScriptedMarket market = new ScriptedMarket()) {
            String echo = "{\"success\": false, \"msg\": \"key " + ScriptedMarket.KEY + " password hunter2\"}";
            market.answer(200, "{\"id\": \"" + ScriptedMarket.KEY + "\"}")
                    .answer(400, echo)
                    .cutOff(echo);
            VastClient client = market.client();
            StringWriter failures = new StringWriter();
            CreateRequest request = CreateRequest.builder()
                    .image("a/b:1")
                    .label("l")
                    .imageLogin("-u bot -p hunter2 ghcr.io")
                    .build();
            assertThrows(VastException.class, client::currentUser).printStackTrace(new PrintWriter(failures, true));
            for (int i = 0; i < 2; i++) {
                assertThrows(VastException.class, () -> client.createInstance(1, request))
                        .printStackTrace(new PrintWriter(failures, true));
            }
            assertFalse(lines.isEmpty());
            for (String text : List.of(String.join("\n", lines), failures.toString())) {
                assertFalse(text.contains(ScriptedMarket.KEY), text);
                assertFalse(text.contains("hunter2"), text);
            }
        } finally {
            logger.removeHandler(handler);
            logger.setLevel(before);
        }
    }
}

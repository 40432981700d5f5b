package io.jenkins.plugins.vastai.rental;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jenkins.plugins.vastai.market.FailureClass;
import io.jenkins.plugins.vastai.simulator.Endpoint;
import io.jenkins.plugins.vastai.simulator.SimulatedInstance;
import io.jenkins.plugins.vastai.text.Texts;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Files as earlier versions of the plugin wrote them, one directory for each version of their form, are read by this
 * one. A form that changes gets a new directory; none is ever changed or removed.
 */
class FormatTest {

    @TempDir
    Path home;

    private void earlier(String format) throws IOException, URISyntaxException {
        Homes.copy(
                Path.of(Objects.requireNonNull(FormatTest.class.getResource(format))
                        .toURI()),
                home);
    }

    private List<Rental> load() throws IOException {
        RentalStore.Loaded loaded = new RentalStore(home, EngineRig.SECRETS).load();
        assertEquals(Map.of(), loaded.newer());
        return loaded.rentals();
    }

    private static void change(Path file, UnaryOperator<String> how) throws IOException {
        Files.writeString(file, how.apply(Files.readString(file)));
    }

    @ParameterizedTest
    @ValueSource(strings = "format-1")
    void recordsOfEveryVersionLoad(String format) throws Exception {
        earlier(format);
        List<Rental> rentals = load();
        try (Stream<Path> files = Files.list(home.resolve("rentals"))) {
            assertEquals(files.count(), rentals.size());
        }
        Map<State, Rental> byState =
                rentals.stream().collect(Collectors.toMap(Rental::state, rental -> rental, (one, other) -> one));
        Rental serving = byState.get(State.IN_SERVICE);
        assertEquals(Draw.Phase.HELD, serving.current().orElseThrow().phase());
        assertEquals("job/train#17", serving.usedBy());
        assertTrue(serving.privateKey().value().contains("PRIVATE KEY"));
        assertTrue(serving.reach().hostKey().startsWith("ssh-"));
        assertTrue(serving.draws().get(0).failure().is(RentalText.ENDED_IN_BOOT));
        assertTrue(byState.get(State.RETIRING).why().is(RentalText.ORPHAN));
        assertEquals(
                Draw.Phase.GONE, byState.get(State.DESTROYED).draws().get(0).phase());
        rentals.forEach(rental -> rental.story()
                .forEach(line -> assertFalse(Texts.render(line.reason()).isBlank())));
    }

    @ParameterizedTest
    @ValueSource(strings = "format-1")
    void whatBelongsToTheRecordsLoadsToo(String format) throws Exception {
        earlier(format);
        try (EngineRig rig = new EngineRig(home) {
            @Override
            Path place() {
                return Path.of("/var/lib/jenkins/vastai");
            }
        }) {
            assertEquals("zek8vxnb", rig.identity.id());
            assertFalse(rig.identity.dormant());
            assertEquals(1, rig.fleet.reaped().size());
            assertEquals(FailureClass.HOST_FAULT, rig.fleet.blocks().get(0).failure());
            assertEquals("too slow", rig.fleet.blocklist().bans().get(0).note());
            // The account's key is the old one: machines that run know no other.
            Rental vm = rig.fleet.rentals().stream()
                    .filter(rental -> rental.order().spec().vm())
                    .findFirst()
                    .orElseThrow();
            Rental second = rig.order(EngineRig.vm("1xRTX_4090"));
            rig.step();
            assertEquals(vm.publicKey(), rig.now(second).publicKey());
        }
    }

    @Test
    void fieldsThatAreNotKnownArePassedOver() throws Exception {
        earlier("format-1");
        int before = load().size();
        try (Stream<Path> files = Files.list(home.resolve("rentals"))) {
            for (Path file : files.toList()) {
                change(file, text -> text.replaceFirst("\\{", "{ \"later\" : { \"much\" : [ 1 ] },")
                        .replaceFirst("\"order\" : \\{", "\"order\" : { \"later\" : 1,"));
            }
        }
        assertEquals(before, load().size());
    }

    @Test
    void recordOfANewerVersionIsLeftAloneAndSoIsItsMachine() throws Exception {
        try (EngineRig rig = new EngineRig(home)) {
            Rental newer = rig.untilState(rig.order(), State.REACHABLE);
            Path file = home.resolve("rentals").resolve(newer.id() + ".json");
            change(file, text -> text.replace("\"version\" : 1", "\"version\" : 2"));
            String written = Files.readString(file);
            rig.restart();
            assertTrue(rig.fleet.rental(newer.id()).isEmpty());
            assertTrue(rig.fleet.trouble().orElseThrow().is(RentalText.NEWER_RECORDS));
            assertTrue(Texts.render(rig.fleet.trouble().orElseThrow()).contains(file.toString()));
            rig.steps(Duration.ofMinutes(10));
            assertEquals(0, rig.simulator.requests(Endpoint.DESTROY).size());
            assertEquals(
                    1,
                    rig.simulator.instances().stream()
                            .filter(SimulatedInstance::alive)
                            .count());
            assertEquals(written, Files.readString(file));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"blocklist", "orphans", "account-key"})
    void fileOfANewerVersionIsNotWrittenOver(String name) throws Exception {
        earlier("format-1");
        Path file = home.resolve(name + ".json");
        change(file, text -> text.replace("\"version\" : 1", "\"version\" : 2"));
        String written = Files.readString(file);
        try (EngineRig rig = new EngineRig(home) {
            @Override
            Path place() {
                return Path.of("/var/lib/jenkins/vastai");
            }
        }) {
            Rental vm = rig.order(EngineRig.vm("1xRTX_4090"));
            rig.fleet.blocks(list -> list.after(1, 1, FailureClass.SLOW, RentalText.BUILD_DONE.of(), Instant.now()));
            rig.steps(Duration.ofMinutes(10));
            if (name.equals("account-key")) {
                assertEquals(State.FAILED, rig.state(vm));
                assertTrue(Texts.render(rig.now(vm).why()).contains(file.toString()), rig.story());
            }
        }
        assertEquals(written, Files.readString(file));
    }
}

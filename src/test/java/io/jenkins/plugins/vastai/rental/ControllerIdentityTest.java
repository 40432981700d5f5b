package io.jenkins.plugins.vastai.rental;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ControllerIdentityTest {

    private static final Place HOME = new Place("17", "/var/lib/jenkins", "build");

    @TempDir
    Path home;

    private final Random random = new Random();

    private ControllerIdentity start(Place place) throws IOException {
        return ControllerIdentity.open(home, place, () -> Instant.EPOCH, random);
    }

    @Test
    void idSurvivesRestarts() throws IOException {
        String id = start(HOME).id();
        assertEquals(8, id.length());
        assertEquals(id, start(HOME).id());
    }

    @Test
    void realHomeIsStillItselfAtTheNextStart() throws IOException {
        ControllerIdentity.open(home);
        assertTrue(ControllerIdentity.open(home).suspicion().isEmpty());
    }

    @Test
    void fileOfBeforePlacesWereWrittenKeepsItsId() throws IOException {
        Files.writeString(home.resolve("controller.json"), "{ \"id\" : \"abcdefgh\" }");
        assertEquals("abcdefgh", start(HOME).id());
        assertTrue(start(HOME).suspicion().isEmpty());
        assertTrue(start(new Place("18", "/elsewhere", "build")).dormant());
    }

    @Test
    void oneMarkOfThreeMayChange() throws IOException {
        start(HOME);
        assertFalse(start(new Place("17", "/var/lib/jenkins", "container-2")).dormant(), "new container");
        assertFalse(start(new Place("17", "/srv/jenkins", "build")).dormant(), "moved");
        assertFalse(start(new Place("99", "/var/lib/jenkins", "build")).dormant(), "restored in its place");
    }

    @Test
    void homeCopiedToAnotherPathOrHostIsSuspected() throws IOException {
        start(HOME);
        assertTrue(start(new Place("18", "/srv/copy", "build")).dormant());
        ControllerIdentity other = start(new Place("18", "/var/lib/jenkins", "staging"));
        assertTrue(other.dormant());
        assertEquals(Suspicion.Kind.COPIED_HOME, other.suspicion().orElseThrow().kind());
    }

    @Test
    void numberThatTheFileSystemDoesNotGiveAgreesWithNothing() throws IOException {
        start(new Place("", "/var/lib/jenkins", "build"));
        assertFalse(start(new Place("", "/var/lib/jenkins", "build")).dormant());
        assertTrue(start(new Place("", "/var/lib/jenkins", "staging")).dormant());
    }

    @Test
    void suspicionLastsUntilAnAdminDecides() throws IOException {
        String id = start(HOME).id();
        Place copy = new Place("18", "/srv/copy", "build");
        start(copy);
        ControllerIdentity again = start(copy);
        assertTrue(again.dormant());
        again.keep();
        assertFalse(again.dormant());
        assertFalse(start(copy).dormant());
        assertEquals(id, start(copy).id());
        assertTrue(start(HOME).dormant(), "now the old place is the unknown one");
    }

    @Test
    void copyTakesANewId() throws IOException {
        String id = start(HOME).id();
        Place copy = new Place("18", "/srv/copy", "build");
        ControllerIdentity identity = start(copy);
        identity.renew();
        assertFalse(identity.dormant());
        assertNotEquals(id, identity.id());
        assertEquals(identity.id(), start(copy).id());
        assertFalse(start(copy).dormant());
    }

    @Test
    void rentalsOfEarlierStartsAreKnownAndThoseOfACopyAreNot() throws IOException {
        ControllerIdentity first = start(HOME);
        String ours = first.newRentalId();
        String lost = first.newRentalId();
        String last = first.newRentalId();
        ControllerIdentity second = start(HOME);
        second.remember(ours);
        second.remember(last); // the record of the middle one is lost
        assertTrue(second.ordered(lost));
        String afterTheCopy = first.newRentalId();
        assertFalse(second.ordered(afterTheCopy), "the original went on counting");
        assertFalse(first.ordered(second.newRentalId()), "the copy counts under a word of its own");
    }

    @Test
    void rentalIsKnownAsOursAlsoAfterItsRecordWasRemoved() throws IOException {
        ControllerIdentity first = start(HOME);
        String old = first.newRentalId();
        first.forgetting(old);
        assertTrue(start(HOME).ordered(old));
    }

    @Test
    void strangersAreReportedAndKeepingTheIdentityMakesThemOurs() throws IOException {
        ControllerIdentity identity = start(HOME);
        String foreign = Labels.rentalId("zzzzz", 7);
        identity.strangers(
                this, Set.of(new ControllerIdentity.Stranger(foreign, Labels.of(identity.id(), "c", foreign, 1), 5)));
        assertEquals(
                Suspicion.Kind.SHARED_ID, identity.suspicion().orElseThrow().kind());
        assertFalse(identity.dormant());
        identity.keep();
        assertTrue(identity.suspicion().isEmpty());
        assertTrue(start(HOME).ordered(foreign));
        assertFalse(identity.ordered(Labels.rentalId("zzzzz", 8)));
    }

    @Test
    void suspicionOfASharedIdEndsWithTheInstances() throws IOException {
        ControllerIdentity identity = start(HOME);
        identity.strangers(this, Set.of(new ControllerIdentity.Stranger("zzzzzzzzzz", "label", 5)));
        identity.strangers(this, Set.of());
        assertTrue(identity.suspicion().isEmpty());
    }

    @Test
    void fileOfANewerVersionIsRefusedAndNotTouched() throws IOException {
        String newer = "{ \"version\" : 2, \"id\" : \"abcdefgh\", \"other\" : true }";
        Path file = home.resolve("controller.json");
        Files.writeString(file, newer);
        NewerVersion refused = assertThrows(NewerVersion.class, () -> start(HOME));
        assertTrue(refused.getMessage().contains(file.toString()), refused.getMessage());
        assertEquals(newer, Files.readString(file));
    }

    @Test
    void rentalIdsAreTakenApart() {
        String id = Labels.rentalId("abcde", 33_554_431);
        assertTrue(Labels.isRentalId(id));
        assertEquals("abcde", Labels.start(id));
        assertEquals(33_554_431, Labels.number(id));
        assertFalse(Labels.isRentalId("gpu-1"));
    }
}

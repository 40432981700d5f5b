package io.jenkins.plugins.vastai.market;

import static io.jenkins.plugins.vastai.market.Fixtures.NOW;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.datatype.jsr310.JavaTimeModule;
import io.jenkins.plugins.vastai.text.Reason;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class BlocklistTest {

    private static final Reason WHY = new Reason("SshText.REFUSED", List.of("1.2.3.4:22"));

    private static Blocklist failed(Blocklist list, long machine, long host, Duration later) {
        return list.after(machine, host, FailureClass.UNREACHABLE, WHY, NOW.plus(later));
    }

    @Test
    void aMachineThatFailedIsLeftAloneUntilItsTimeIsOver() {
        Blocklist list = failed(Blocklist.EMPTY, 1, 10, Duration.ZERO);
        assertTrue(list.blocks(1, 10, NOW.plus(Duration.ofHours(23))));
        assertFalse(list.blocks(1, 10, NOW.plus(Duration.ofHours(24))));
        assertFalse(list.blocks(2, 10, NOW), "another machine of the host");
        assertFalse(Blocklist.EMPTY.blocks(1, 10, NOW), "the earlier value is unchanged");
    }

    @ParameterizedTest
    @EnumSource(names = {"TEMPLATE", "MARKET"})
    void aMistakeOfOursBlocksNothing(FailureClass ours) {
        Blocklist list = failed(Blocklist.EMPTY, 1, 10, Duration.ZERO);
        assertSame(list, list.after(2, 10, ours, WHY, NOW));
        assertEquals(Blocklist.EMPTY, Blocklist.EMPTY.after(2, 10, ours, WHY, NOW));
    }

    @Test
    void eachFailureInARowBlocksTwiceAsLongUpToAMonth() {
        Blocklist list = Blocklist.EMPTY;
        for (long hours : new long[] {24, 48, 96, 192, 384, 720, 720}) {
            list = failed(list, 1, 10, Duration.ZERO);
            assertEquals(
                    NOW.plus(Duration.ofHours(hours)), list.entries().get(0).until());
        }
        assertEquals(7, list.entries().get(0).times());
    }

    @Test
    void aLesserFaultDoesNotShortenABlock() {
        Blocklist list = Blocklist.EMPTY
                .after(1, 10, FailureClass.HARDWARE, WHY, NOW)
                .after(1, 10, FailureClass.SLOW, WHY, NOW.plusSeconds(1));
        assertEquals(NOW.plus(Duration.ofDays(7)), list.entries().get(0).until());
    }

    @Test
    void threeMachinesCondemnTheirHost() {
        Blocklist two = failed(failed(Blocklist.EMPTY, 1, 10, Duration.ZERO), 2, 10, Duration.ZERO);
        assertFalse(two.blocks(99, 10, NOW));
        Blocklist three = failed(two, 3, 10, Duration.ofHours(5));
        assertTrue(three.blocks(99, 10, NOW.plus(Duration.ofHours(23))));
        assertEquals(Set.of(10L), three.blockedHosts(NOW.plus(Duration.ofHours(23))));
        assertFalse(three.blocks(99, 10, NOW.plus(Duration.ofHours(24))), "two have served their time");
        assertFalse(three.blocks(99, 11, NOW));
    }

    @Test
    void repeatedFailuresOfOneMachineDoNotCondemnItsHost() {
        Blocklist list = Blocklist.EMPTY;
        for (int i = 0; i < 5; i++) {
            list = failed(list, 1, 10, Duration.ZERO);
        }
        assertFalse(list.blocks(2, 10, NOW));
    }

    @Test
    void anUnknownHostIsNoHost() {
        Blocklist list = Blocklist.EMPTY;
        for (int machine = 1; machine <= 3; machine++) {
            list = failed(list, machine, 0, Duration.ZERO);
        }
        assertFalse(list.blocks(99, 0, NOW));
    }

    @Test
    void entriesAreRememberedAsLongAgainAsTheyBlockedAndThenForgotten() {
        Blocklist list = failed(Blocklist.EMPTY, 1, 10, Duration.ZERO);
        assertSame(list, list.pruned(NOW.plus(Duration.ofHours(47))));
        assertEquals(
                2, failed(list, 1, 10, Duration.ofHours(47)).entries().get(0).times());
        assertTrue(list.pruned(NOW.plus(Duration.ofHours(48))).isEmpty());
    }

    @Test
    void anEntryCanBeLiftedByHand() {
        Blocklist list = failed(Blocklist.EMPTY, 5, 50, Duration.ZERO);
        assertTrue(list.without(5).isEmpty());
        assertSame(list, list.without(6));
    }

    @Test
    void survivesTheDisk() throws Exception {
        JsonMapper json = JsonMapper.builder().addModule(new JavaTimeModule()).build();
        Blocklist list = failed(failed(Blocklist.EMPTY, 1, 10, Duration.ZERO), 2, 10, Duration.ofMinutes(1));
        String text = json.writeValueAsString(list.entries());
        assertEquals(list, Blocklist.of(json.readValue(text, new TypeReference<List<Block>>() {})), text);
        assertEquals(
                List.of(2L, 1L), list.entries().stream().map(Block::machineId).toList(), "latest first");
    }

    @Test
    void whatAnAdminBannedStaysUntilItIsLiftedOrItsTimeIsOver() {
        Ban forEver = new Ban(Ban.Kind.MACHINE, 1, "too loud", null, "page");
        Ban aDay = new Ban(Ban.Kind.HOST, 20, "", NOW.plus(Duration.ofDays(1)), "page");
        Blocklist list = Blocklist.EMPTY.with(forEver).with(aDay);
        assertTrue(list.blocks(1, 10, NOW.plus(Duration.ofDays(400))));
        assertTrue(list.blocks(2, 20, NOW), "any machine of the host");
        assertFalse(list.blocks(2, 20, NOW.plus(Duration.ofDays(1))));
        assertFalse(list.blocks(20, 1, NOW), "numbers of machines and hosts are not mixed up");
        assertEquals(List.of(forEver), list.pruned(NOW.plus(Duration.ofDays(2))).bans());
        assertFalse(list.without("page", Ban.Kind.MACHINE, 1).blocks(1, 10, NOW));
    }

    @Test
    void whatWasLearnedAndWhatAnAdminSaidDoNotTouchEachOther() {
        Ban ban = new Ban(Ban.Kind.MACHINE, 1, "", null, "page");
        Blocklist list = failed(Blocklist.EMPTY.with(ban), 1, 10, Duration.ZERO);
        assertTrue(list.without(1).blocks(1, 10, NOW), "the ban stays when the block is lifted");
        assertTrue(list.without("page", Ban.Kind.MACHINE, 1).blocks(1, 10, NOW), "and the other way round");
        assertEquals(List.of(ban), list.forgotten().bans());
        assertEquals(List.of(), list.forgotten().entries());
    }

    @Test
    void configurationReplacesItsOwnBansOnly() {
        Ban page = new Ban(Ban.Kind.MACHINE, 1, "", null, "page");
        Ban old = new Ban(Ban.Kind.MACHINE, 2, "", null, "cloud vast");
        Ban fresh = new Ban(Ban.Kind.HOST, 3, "", null, "cloud vast");
        Blocklist list = Blocklist.EMPTY.with(page).with(old).withAll("cloud vast", List.of(fresh));
        assertEquals(List.of(page, fresh), list.bans());
        assertEquals(list, list.withAll("cloud vast", List.of(fresh)));
        assertEquals(List.of(page), list.withAll("cloud vast", List.of()).bans());
    }
}

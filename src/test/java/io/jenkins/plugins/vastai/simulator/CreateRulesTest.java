package io.jenkins.plugins.vastai.simulator;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.math.BigDecimal;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class CreateRulesTest {

    private Simulator simulator;
    private Caller caller;
    private long offer;

    @BeforeEach
    void start() throws IOException {
        simulator = Simulator.builder()
                .clock(new DrivenClock())
                .ssh(false)
                .limits(false)
                .start();
        caller = new Caller(simulator);
        offer = simulator.market().find("RTX 4090", 1).get(0).id();
    }

    @AfterEach
    void end() {
        simulator.close();
    }

    private void refused(int status, String error, Consumer<ObjectNode> change) throws IOException {
        ObjectNode body = Caller.container("a", "");
        change.accept(body);
        Caller.Reply reply = caller.create(offer, body);
        assertEquals(status, reply.status(), reply.text());
        assertEquals(error, reply.error());
        assertTrue(simulator.instances().isEmpty(), "nothing is rented");
    }

    @Test
    void bodiesAreCheckedForTypesAndSizes() throws IOException {
        refused(400, "invalid_args", body -> body.put("image", 5));
        refused(400, "invalid_args", body -> body.remove("image"));
        refused(500, "server_error", body -> body.put("image", "nvidia/cuda"));
        refused(400, "invalid_args", body -> body.put("image", "a".repeat(1030) + ":1"));
        refused(400, "invalid_args", body -> body.put("disk", 7));
        refused(400, "invalid_args", body -> body.put("disk", "30"));
        refused(400, "invalid_args", body -> body.put("disk", 1_000_000));
        refused(400, "invalid_args", body -> body.put("label", "l".repeat(257)));
        refused(400, "invalid_args", body -> body.put("runtype", "telnet"));
        refused(400, "invalid_args", body -> body.put("cancel_unavail", "yes"));
        refused(400, "invalid_args", body -> body.put("target_state", "flying"));
        refused(400, "invalid_args", body -> body.put("onstart", "#".repeat(4097)));
        refused(400, "invalid_args", body -> body.put("env", 1));
        refused(400, "invalid_args", body -> body.putObject("env").put("A", 1));
        refused(400, "invalid_args", body -> body.putObject("env").put("A", "x".repeat(33_000)));
        refused(400, "invalid_price", body -> body.put("price", 0.0001));
        refused(400, "invalid_price", body -> body.put("price", 129));
    }

    @Test
    void aScriptAndArgumentsMayHave4096Characters() throws IOException {
        assertEquals(
                200,
                caller.create(offer, Caller.container("a", "#".repeat(4096))).status());
    }

    @Test
    void anOfferNobodyMadeIsAnsweredAsOneThatIsTaken() throws IOException {
        ObjectNode strict = Caller.container("a", "");
        Caller.Reply gone = caller.create(1, strict);
        assertEquals(410, gone.status());
        assertEquals("no_such_ask", gone.error());
        strict.remove("cancel_unavail");
        Caller.Reply loose = caller.create(1, strict);
        assertEquals(404, loose.status());
        assertEquals("invalid_args", loose.error());
        assertTrue(loose.text().contains("no_such_ask"));
        assertEquals(400, caller.call("PUT", "/api/v0/asks/abc/", strict).status());
    }

    @Test
    void whoDoesNotCancelGetsAStoppedContractForATakenOffer() throws IOException {
        caller.rent(offer, Caller.container("first", ""));
        long id = caller.rent(offer, Caller.container("second", "").put("cancel_unavail", false));
        assertEquals("stopped", caller.show(id).get("intended_status").asText());
        assertEquals(2, simulator.books().left().size());
    }

    @Test
    void environmentIsTakenAsAnObjectAndAsFlags() throws IOException {
        ObjectNode body = Caller.container("a", "");
        body.put("env", "-e A=b -p 22:22");
        long id = caller.rent(offer, body);
        assertEquals(
                "[[\"A\",\"b\"],[\"-p 22:22\",\"1\"]]",
                caller.show(id).get("extra_env").toString());
    }

    private ObjectNode machine() {
        return Caller.container("vm", "#!/bin/bash\n")
                .put("image", "docker.io/vastai/kvm:ubuntu_terminal")
                .put("vm", true)
                .put("runtype", "ssh");
    }

    private long virtual() {
        return simulator.market().find("RTX 4090", 1).stream()
                .filter(SimulatedOffer::vmsEnabled)
                .findFirst()
                .orElseThrow()
                .id();
    }

    @Test
    void virtualMachinesNeedAKeyOfTheAccountAndAHostThatCan() throws IOException {
        assertEquals("no_ssh_key_for_vm", caller.create(virtual(), machine()).error());
        simulator.account().addSshKey(new SshKeyLines().next());
        long container = simulator.market().find("RTX 4090", 1).stream()
                .filter(o -> !o.vmsEnabled())
                .findFirst()
                .orElseThrow()
                .id();
        assertEquals("invalid_args", caller.create(container, machine()).error());
        assertEquals(
                "no_ssh_key_for_vm",
                new Caller(simulator, simulator.addTeamKey())
                        .create(virtual(), machine())
                        .error());
        long id = caller.rent(virtual(), machine());
        assertTrue(simulator.instance(id).orElseThrow().vm());
    }

    @Test
    void aVirtualMachineImageWithoutItsRegistrySilentlyBecomesAContainer() throws IOException {
        long id = caller.rent(virtual(), machine().put("image", "vastai/kvm:ubuntu_terminal"));
        assertFalse(simulator.instance(id).orElseThrow().vm());
    }

    @Test
    void aPriceMakesABidAndABidTooLowLeavesAStoppedContract() throws IOException {
        BigDecimal floor = simulator.market().offer(offer).orElseThrow().minBid();
        Caller.Reply low = caller.create(offer, Caller.container("low", "").put("price", floor.doubleValue() - 0.01));
        assertEquals(400, low.status());
        long left = low.json().get("new_contract").asLong();
        assertEquals("stopped", caller.show(left).get("intended_status").asText());
        assertEquals(1, simulator.books().left().size());
        assertEquals(200, caller.destroy(left).status());
        long other = simulator.market().find("RTX 4090", 1).get(0).id();
        long id = caller.rent(other, Caller.container("bid", "").put("price", 0.3));
        assertTrue(caller.show(id).get("is_bid").asBoolean());
        assertEquals(0.3, caller.show(id).get("dph_base").asDouble());
    }

    @Test
    void withoutMoneyNothingIsRented() throws IOException {
        simulator.account().setCredit(BigDecimal.ZERO);
        refused(400, "insufficient_credit", body -> {});
    }
}

package io.jenkins.plugins.vastai.rental;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jenkins.plugins.vastai.api.Instance;
import io.jenkins.plugins.vastai.simulator.Endpoint;
import io.jenkins.plugins.vastai.simulator.Fault;
import io.jenkins.plugins.vastai.ssh.Access;
import io.jenkins.plugins.vastai.ssh.Bootstrap;
import io.jenkins.plugins.vastai.ssh.HostKey;
import io.jenkins.plugins.vastai.ssh.Probe;
import io.jenkins.plugins.vastai.ssh.SshKeyPair;
import io.jenkins.plugins.vastai.text.Texts;
import java.io.IOException;
import java.math.BigDecimal;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Keys that may do less than all. What lacks a permission stops, nothing else does; what is missing is said once, and
 * whatever was rented is destroyed in the end.
 */
class KeyPermissionsTest {

    private static final List<String> ALL =
            List.of("misc", "user_read", "user_write", "instance_read", "instance_write", "billing_read");
    /** Without any of these nothing is rented. */
    private static final List<String> REQUIRED = List.of("misc", "instance_read", "instance_write");

    private static final HostKey HOST_KEY =
            HostKey.parse(SshKeyPair.generate("host").publicLine());

    /** Every machine can be reached at once: SSH is not what is tested here. */
    private static final Machines REACHABLE = new Machines() {
        @Override
        public CompletableFuture<Probe> probe(
                List<Instance.Endpoint> endpoints, String user, SshKeyPair key, Duration timeout) {
            return CompletableFuture.completedFuture(new Probe(
                    Probe.Outcome.REACHED,
                    endpoints.get(0),
                    Optional.of(HOST_KEY),
                    RentalText.PROGRESS.of("reached", ""),
                    List.of()));
        }

        @Override
        public CompletableFuture<Bootstrap.Step> prepare(Access access, Bootstrap.Wanted wanted, boolean patient) {
            return CompletableFuture.completedFuture(new Bootstrap.Prepared(
                    "/usr/bin/java",
                    21,
                    List.of(new Bootstrap.Gpu("GPU", 1)),
                    Optional.empty(),
                    Optional.empty(),
                    20,
                    List.of()));
        }
    };

    @TempDir
    Path home;

    private EngineRig rig;
    private String key;

    @BeforeEach
    void start() throws IOException {
        rig = new EngineRig(
                home, builder -> builder.ssh(false).boot(Duration.ofSeconds(5)).portsLag(Duration.ZERO)) {
            @Override
            Machines machines() {
                return REACHABLE;
            }

            @Override
            void breathe() {
                // nothing here takes real time
            }
        };
        key = rig.simulator.addKey("ci", ALL.toArray(String[]::new));
        rig.apiKey(key);
    }

    @AfterEach
    void nothingIsLeft() {
        permit(ALL);
        rig.apiKey(key);
        for (Rental rental : rig.fleet.rentals()) {
            rig.fleet.retire(rental.id(), RentalText.LIFETIME_OVER.of(0));
        }
        try {
            rig.until("all rentals ended", Duration.ofMinutes(5), () -> rig.fleet.rentals().stream()
                    .allMatch(rental -> rental.state().ended()));
            assertEquals(List.of(), rig.simulator.books().left());
            rig.until("no trouble", Duration.ofSeconds(100), () -> rig.fleet
                    .trouble()
                    .isEmpty());
        } finally {
            rig.close();
        }
    }

    private void permit(Iterable<String> scopes) {
        Set<String> set = new TreeSet<>();
        scopes.forEach(set::add);
        rig.simulator.permit(key, set);
    }

    private static List<String> allBut(String... scopes) {
        List<String> left = new ArrayList<>(ALL);
        left.removeAll(List.of(scopes));
        return left;
    }

    private String trouble() {
        return rig.fleet.trouble().map(Texts::render).orElse("");
    }

    /** Permissions that the text names, each as often as it does. */
    private static List<String> named(String text) {
        return ALL.stream()
                .flatMap(scope ->
                        IntStream.range(0, text.split(scope, -1).length - 1).mapToObj(i -> scope))
                .toList();
    }

    /** Lines of the rental's story that name a permission. */
    private List<String> linesNaming(Rental rental) {
        return rig.now(rental).story().stream()
                .map(line -> Texts.render(line.reason()))
                .filter(line -> !named(line).isEmpty())
                .toList();
    }

    private String why(Rental rental) {
        return Texts.render(rig.now(rental).why());
    }

    private Rental floored() {
        return rig.order(EngineRig.container("1xRTX_4090"), 0, BigDecimal.ONE);
    }

    private Rental serving() {
        Rental rental = rig.untilState(rig.order(), State.REACHABLE);
        rig.agentOnline(rental);
        return rig.untilState(rental, State.IN_SERVICE);
    }

    private boolean settled(Rental rental) {
        State state = rig.state(rental);
        return state == State.REACHABLE || state.ended();
    }

    static Stream<Set<String>> subsets() {
        return IntStream.range(0, 1 << ALL.size()).mapToObj(bits -> {
            Set<String> subset = new TreeSet<>();
            IntStream.range(0, ALL.size()).filter(i -> (bits >> i & 1) == 1).forEach(i -> subset.add(ALL.get(i)));
            return subset;
        });
    }

    @ParameterizedTest
    @MethodSource("subsets")
    void aKeyDoesWhatItMayAndSaysWhatItLacks(Set<String> may) {
        Rental before = serving();
        permit(may);
        rig.steps(Duration.ofSeconds(40)); // one slow list
        int creates = rig.simulator.requests(Endpoint.CREATE).size();

        Rental plain = rig.order();
        Rental floored = floored();
        Rental machine = rig.order(EngineRig.vm("1xRTX_4090"));
        rig.until(
                "all three are settled",
                Duration.ofMinutes(5),
                () -> settled(plain) && settled(floored) && settled(machine));

        boolean rents = may.containsAll(REQUIRED);
        List<String> lacking =
                REQUIRED.stream().filter(scope -> !may.contains(scope)).toList();
        boolean seesUser = may.contains("user_read");
        outcome(plain, rents, lacking);
        outcome(floored, rents && seesUser, rents ? List.of("user_read") : lacking);
        // Whether it may write is seen at the create alone, which a virtual machine comes to only with its key.
        boolean keyAsked = lacking.isEmpty() || lacking.equals(List.of("instance_write"));
        List<String> keyLacks =
                !seesUser ? List.of("user_read") : may.contains("user_write") ? lacking : List.of("user_write");
        outcome(machine, rents && keyLacks.isEmpty(), keyAsked ? keyLacks : lacking);
        if (!rents) {
            int tries = rig.simulator.requests(Endpoint.CREATE).size() - creates;
            assertTrue(tries <= 3, "create calls: " + tries);
            assertEquals(1, rig.simulator.books().entries().size(), rig.story());
        }
        if (!may.contains("instance_read")) {
            assertEquals(
                    creates, rig.simulator.requests(Endpoint.CREATE).size(), "what cannot be watched is not rented");
        }

        // Everything that was missed, once and by name; nothing that nobody needed.
        Set<String> missed = new TreeSet<>(lacking);
        if (!seesUser) {
            missed.add("user_read");
        } else if (keyAsked && !may.contains("user_write")) {
            missed.add("user_write");
        }
        assertEquals(ALL.stream().filter(missed::contains).toList(), named(trouble()), trouble());

        retired(before, may);

        permit(ALL);
        rig.until("the warning ends", Duration.ofSeconds(100), () -> rig.fleet
                .trouble()
                .isEmpty());
        rig.untilState(before, State.DESTROYED);
    }

    private void outcome(Rental rental, boolean served, List<String> lacking) {
        if (served) {
            assertEquals(State.REACHABLE, rig.state(rental), rig.story());
            assertEquals(List.of(), linesNaming(rental));
        } else {
            assertEquals(State.FAILED, rig.state(rental), rig.story());
            lacking.forEach(scope -> assertTrue(why(rental).contains(scope), scope + " in: " + why(rental)));
            lacking.forEach(scope -> assertEquals(
                    1,
                    linesNaming(rental).stream()
                            .filter(line -> line.contains(scope))
                            .count(),
                    rig.story()));
        }
    }

    private void retired(Rental rental, Set<String> may) {
        long instance = rental.current().orElseThrow().instanceId();
        rig.fleet.retire(rental.id(), RentalText.LIFETIME_OVER.of(0));
        rig.steps(Duration.ofMinutes(2));
        boolean destroyed = rig.simulator.books().left().stream().noneMatch(entry -> entry.id() == instance);
        boolean proven = rig.state(rental) == State.DESTROYED;
        assertEquals(may.contains("instance_write"), destroyed, "the destroy goes out if it may");
        assertEquals(destroyed && may.contains("instance_read"), proven, rig.story());
        if (!destroyed) {
            assertEquals(1, linesNaming(rental).size(), rig.story());
            assertTrue(linesNaming(rental).get(0).contains("instance_write"), rig.story());
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"misc", "instance_read", "instance_write"})
    void aPermissionWithdrawnStopsRentingAndOneAddedStartsItAgain(String scope) {
        Rental before = serving();
        permit(allBut(scope));
        rig.steps(Duration.ofSeconds(40));
        Rental refused = rig.untilState(rig.order(), State.FAILED);
        assertTrue(why(refused).contains(scope), why(refused));
        assertEquals(List.of(scope), named(trouble()), trouble());
        assertEquals(State.IN_SERVICE, rig.state(before));

        Rental waiting = rig.order();
        rig.steps(Duration.ofSeconds(5));
        assertEquals(State.ORDERED, rig.state(waiting));
        permit(ALL);
        rig.until("the waiting order goes on", Duration.ofSeconds(100), () -> rig.state(waiting) == State.REACHABLE);
        assertEquals("", trouble());
    }

    @Test
    void withoutInstanceReadAMachineOnItsWayIsGivenBackAndOneInServiceIsKept() {
        Rental before = serving();
        permit(allBut("instance_read"));
        // Before any list could tell: the create goes out.
        Rental unseen = rig.order();
        rig.until("two machines", () -> rig.simulator.books().left().size() == 2);
        rig.until(
                "one machine",
                Duration.ofMinutes(3),
                () -> rig.simulator.books().left().size() == 1);
        assertEquals(State.RETIRING, rig.state(unseen), "destroyed, but nobody can see that");
        assertTrue(why(unseen).contains("instance_read"), why(unseen));
        assertEquals(List.of(), rig.fleet.blocks(), "the machine is not to blame");
        assertEquals(State.IN_SERVICE, rig.state(before));
        permit(ALL);
        rig.until("proven", Duration.ofMinutes(2), () -> rig.state(unseen).ended());
        assertEquals(State.IN_SERVICE, rig.state(before));
    }

    @Test
    void theCreditStaysUnknownWithoutUserReadAndContainersGoOn() {
        permit(allBut("user_read", "user_write"));
        Rental lost = serving();
        // The reason of a stop asks for the credit.
        rig.simulator.stopFromOutside(lost.current().orElseThrow().instanceId());
        rig.untilState(lost, State.FAILED);
        assertEquals(List.of("user_read"), named(trouble()), trouble());
        assertEquals(Optional.empty(), rig.fleet.credit());
        rig.untilState(rig.order(), State.REACHABLE);

        permit(allBut("user_write"));
        rig.until("the warning ends", Duration.ofSeconds(100), () -> trouble().isEmpty());
        assertTrue(rig.fleet.credit().isPresent());
        rig.untilState(floored(), State.REACHABLE);

        permit(allBut("user_read"));
        rig.steps(Duration.ofMinutes(2));
        Rental floored = rig.untilState(floored(), State.FAILED);
        assertTrue(why(floored).contains("user_read"), why(floored));
        assertEquals(Optional.empty(), rig.fleet.credit(), "what was true once is not shown for ever");
    }

    @Test
    void withoutUserWriteOnlyVirtualMachinesFailAndTheWarningEndsByItself() {
        permit(allBut("user_write"));
        Rental machine = rig.untilState(rig.order(EngineRig.vm("1xRTX_4090")), State.FAILED);
        assertEquals(1, linesNaming(machine).size(), rig.story());
        assertEquals(List.of("user_write"), named(trouble()), trouble());
        rig.untilState(rig.order(), State.REACHABLE);
        assertEquals(List.of("user_write"), named(trouble()), trouble());

        permit(ALL);
        rig.until("the warning ends", Duration.ofSeconds(100), () -> trouble().isEmpty());
        rig.untilState(rig.order(EngineRig.vm("1xRTX_4090")), State.REACHABLE);
        // The key is there: adding it was all that the permission was for.
        permit(allBut("user_read", "user_write"));
        rig.untilState(rig.order(EngineRig.vm("1xRTX_4090")), State.REACHABLE);
        assertEquals("", trouble());
    }

    @Test
    void aKeyTakenAwayAndPutBackLetsWaitingOrdersGoOnAtOnce() {
        rig.steps(Duration.ofSeconds(5));
        rig.apiKey(null);
        Rental waiting = rig.order();
        rig.steps(Duration.ofSeconds(50));
        assertTrue(trouble().contains("No API key"), trouble());
        rig.apiKey(key);
        rig.until("it goes on", Duration.ofSeconds(4), () -> rig.state(waiting) != State.ORDERED);
        assertEquals("", trouble());
    }

    @Test
    void aKeyTakenAwayAndPutBackIsNoTroubleThoughNobodyOrders() {
        rig.apiKey(null);
        rig.steps(Duration.ofMinutes(5));
        assertTrue(trouble().contains("No API key"), trouble());
        rig.apiKey(key);
        rig.until("the warning ends", Duration.ofSeconds(35), () -> trouble().isEmpty());
        assertEquals(0, rig.simulator.requests(Endpoint.USER).size());
    }

    @Test
    void aRejectedKeyThatIsReplacedLetsWaitingOrdersGoOnAtOnce() {
        rig.apiKey("rejected");
        Rental waiting = rig.order();
        rig.steps(Duration.ofSeconds(50));
        assertFalse(trouble().isEmpty());
        int calls = rig.simulator.requests().size();
        assertTrue(calls < 30, "bounded: " + calls);
        rig.apiKey(key);
        rig.until("it goes on", Duration.ofSeconds(5), () -> rig.state(waiting) != State.ORDERED);
        assertEquals("", trouble());
    }

    @Test
    void anEmptyAccountIsTriedOnceAMinuteByAKeyThatCannotSeeTheCredit() {
        permit(allBut("user_read", "user_write"));
        rig.simulator.account().setCredit(BigDecimal.ZERO);
        Rental first = rig.untilState(rig.order(), State.FAILED);
        assertEquals(1, rig.simulator.requests(Endpoint.CREATE).size(), rig.story());
        assertTrue(why(first).contains("cannot pay"), why(first));
        rig.steps(Duration.ofMinutes(3));
        assertFalse(trouble().isEmpty(), "nobody has shown that there is money");
        rig.untilState(rig.order(), State.FAILED);
        int tried = rig.simulator.requests(Endpoint.CREATE).size();
        assertTrue(tried <= 3, "create calls: " + tried);
        rig.simulator.account().setCredit(BigDecimal.TEN);
        rig.steps(Duration.ofMinutes(1));
        rig.untilState(rig.order(), State.REACHABLE);
        assertEquals(List.of("user_read"), named(trouble()), "it was asked whether there is money");
    }

    @Test
    void aKeyThatTheMarketAcceptsAgainIsNoTroubleThoughNobodyOrders() {
        rig.simulator.faults().add(Fault.of(Fault.Kind.KEY_REFUSED));
        rig.steps(Duration.ofMinutes(5));
        assertFalse(trouble().isEmpty());
        int calls = rig.simulator.requests().size();
        assertTrue(calls <= 20, "a list every 30 s and a question a minute: " + calls);
        rig.simulator.faults().clear();
        rig.until("the warning ends", Duration.ofSeconds(40), () -> trouble().isEmpty());
    }
}

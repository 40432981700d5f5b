package io.jenkins.plugins.vastai;

import io.jenkins.plugins.vastai.api.ApiText;
import io.jenkins.plugins.vastai.rental.Fleet;
import io.jenkins.plugins.vastai.rental.Reaped;
import io.jenkins.plugins.vastai.rental.Rental;
import io.jenkins.plugins.vastai.rental.RentalText;
import io.jenkins.plugins.vastai.ssh.SshText;
import io.jenkins.plugins.vastai.text.Reason;
import java.math.BigDecimal;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/**
 * What an admin has to hear of although nobody looks at a cloud's page. Each is found in what the engine knows already;
 * none asks the market, since monitors are looked at whenever an admin opens a page.
 */
enum Concern {
    /** The market does not take the key, or the key may not do what is needed. */
    BAD_KEY {
        @Override
        Stream<Reason> about(VastAiCloud cloud, Optional<Fleet> fleet) {
            if (Logins.apiKey(cloud.getCredentialsId()).isEmpty()) {
                return Stream.of(RentalText.ACCOUNT_TROUBLE.of(ApiText.NO_KEY.of()));
            }
            return trouble(fleet)
                    .filter(reason -> reason.is(RentalText.KEY_LIMITED)
                            || reason.is(RentalText.ACCOUNT_TROUBLE) && !within(reason, Set.of(ApiText.NO_MONEY)));
        }
    },
    /** Nothing can be rented for want of money, or soon nothing can. */
    LOW_BALANCE {
        @Override
        Stream<Reason> about(VastAiCloud cloud, Optional<Fleet> fleet) {
            List<Reason> told = trouble(fleet)
                    .filter(reason -> reason.is(RentalText.BALANCE_LOW) || within(reason, Set.of(ApiText.NO_MONEY)))
                    .toList();
            BigDecimal floor = cloud.getBalanceFloor();
            Optional<BigDecimal> credit = fleet.flatMap(Fleet::credit);
            return told.isEmpty()
                            && floor != null
                            && credit.isPresent()
                            && credit.get().compareTo(floor) < 0
                    ? Stream.of(RentalText.BALANCE_LOW.of(Shown.sum(credit.get()), Shown.sum(floor)))
                    : told.stream();
        }
    },
    /** Again and again nothing on the market fits a template, or the market does not understand it. */
    NO_MATCH {
        @Override
        Stream<Reason> about(VastAiCloud cloud, Optional<Fleet> fleet) {
            return cloud.getTemplates().stream()
                    .flatMap(template -> Fleets.lookup().stream()
                            .flatMap(fleets -> fleets.circuits().failing(cloud, template).stream()))
                    .filter(rest -> rest.why().is(RentalText.TEMPLATE_WRONG)
                            || rest.why().is(RentalText.CREATE_REFUSED)
                            || rest.why().is(RentalText.NO_OFFER) && rest.failures() > 1)
                    .map(Circuits.Rest::why);
        }
    },
    /** Machines that would go on costing money if this controller were lost. */
    NO_WATCHDOG {
        @Override
        Stream<Reason> about(VastAiCloud cloud, Optional<Fleet> fleet) {
            return rentals(fleet)
                    .filter(rental -> rental.order().cloud().equals(cloud.getName()))
                    .filter(rental -> !rental.state().ended())
                    .flatMap(rental -> rental.story().stream()
                            .filter(line -> within(line.reason(), WITHOUT_WATCHDOG))
                            .map(line -> AgentText.ON_AGENT.of(rental.order().agent(), line.reason())));
        }
    },
    /** A machine of ours was found that nobody knew of. */
    ORPHAN {
        @Override
        Stream<Reason> about(VastAiCloud cloud, Optional<Fleet> fleet) {
            Instant recent = Instant.now().minus(Duration.ofDays(1));
            return fleet.stream()
                    .flatMap(known -> known.reaped().stream())
                    .filter(reaped -> reaped.at().isAfter(recent))
                    .map(Reaped::reason);
        }
    },
    /** The market answers in a way that it is not known to. */
    API_CHANGED {
        @Override
        Stream<Reason> about(VastAiCloud cloud, Optional<Fleet> fleet) {
            return trouble(fleet).filter(reason -> within(reason, UNREADABLE));
        }
    };

    private static final int MOST = 5;
    private static final Set<Reason.Kind> UNREADABLE =
            Set.of(ApiText.UNREADABLE, ApiText.FIELD_MISSING, ApiText.LIST_INCOMPLETE, ApiText.LIST_NEVER_ENDS);
    private static final Set<Reason.Kind> WITHOUT_WATCHDOG =
            Set.of(SshText.WATCHDOG_MISSING, SshText.WATCHDOG_NO_KEY, SshText.WATCHDOG_NO_WAY);

    /** A cloud and what is the matter with it. */
    record Warning(VastAiCloud cloud, Reason reason) {}

    /** What there is to say of one cloud; empty when nothing. */
    abstract Stream<Reason> about(VastAiCloud cloud, Optional<Fleet> fleet);

    /** What there is to say now, a few of it. */
    List<Warning> warnings() {
        return Fleets.lookup().filter(Fleets::started).stream()
                .flatMap(fleets -> Fleets.clouds().stream().flatMap(cloud -> about(
                                cloud, fleets.fleet(FleetKey.of(cloud).id()))
                        .map(reason -> new Warning(cloud, reason))))
                .distinct()
                .limit(MOST)
                .toList();
    }

    private static Stream<Reason> trouble(Optional<Fleet> fleet) {
        return fleet.flatMap(Fleet::trouble).stream();
    }

    private static Stream<Rental> rentals(Optional<Fleet> fleet) {
        return fleet.stream().flatMap(known -> known.rentals().stream());
    }

    /** Whether the reason, or one inside it, is of that kind. */
    private static boolean within(Reason reason, Set<? extends Reason.Kind> kinds) {
        return kinds.stream().anyMatch(reason::is)
                || reason.args().stream().anyMatch(arg -> arg instanceof Reason inner && within(inner, kinds));
    }
}

package io.jenkins.plugins.vastai;

import io.jenkins.plugins.vastai.rental.Draw;
import io.jenkins.plugins.vastai.rental.Fleet;
import io.jenkins.plugins.vastai.rental.Rental;
import io.jenkins.plugins.vastai.rental.State;
import io.jenkins.plugins.vastai.text.Reason;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Second machines, rented beside those that are slow to come where a template asks for it. A second machine is a rental
 * and an agent like any other, so that everything that keeps machines from being forgotten holds for it too; what is
 * particular is only when it is ordered, and that the slower of the two goes.
 */
final class Seconds {

    private final Map<String, Rental> rentals = new HashMap<>();
    private final Map<String, Rental> seconds = new HashMap<>();

    /** @param all rentals, those that ended lately included: there is one second machine, not one after the other */
    Seconds(List<Rental> all) {
        for (Rental rental : all) {
            rentals.put(rental.id(), rental);
            if (rental.order().secondOf() != null) {
                seconds.put(rental.order().secondOf(), rental);
            }
        }
    }

    /** Whether a second machine is to be ordered beside that of the rental. */
    boolean due(Rental rental, Duration minute) {
        Duration limit = rental.order().secondAfter();
        return limit != null
                && (rental.state() == State.RENTING || rental.state() == State.BOOTING)
                && !seconds.containsKey(rental.id())
                && rental.current()
                        .map(Draw::sent)
                        .filter(sent -> Instant.now().isAfter(sent.plus(minute.multipliedBy(limit.toMinutes()))))
                        .isPresent();
    }

    /** Why a machine that has not served yet is not needed any more: the other one of the two serves. */
    Optional<Reason> slower(Rental rental) {
        String first = rental.order().secondOf();
        Rental other = first == null ? seconds.get(rental.id()) : rentals.get(first);
        return other != null && rental.onlineAt() == null && other.needed() && other.onlineAt() != null
                ? Optional.of(AgentText.SLOWER.of(other.order().agent()))
                : Optional.empty();
    }

    /** Whether the rental only stands beside one that is still to come: work that waits for that one counts once. */
    static boolean beside(Rental rental, Optional<Fleet> fleet) {
        String first = rental.order().secondOf();
        return first != null
                && fleet.flatMap(known -> known.rental(first))
                        .filter(known -> known.needed() && known.onlineAt() == null)
                        .isPresent();
    }
}

package io.jenkins.plugins.vastai;

import hudson.model.Node;
import io.jenkins.plugins.vastai.rental.Agents;
import io.jenkins.plugins.vastai.rental.Line;
import io.jenkins.plugins.vastai.rental.Rental;
import io.jenkins.plugins.vastai.rental.State;
import jenkins.model.Jenkins;

/** Hears of rentals on the engine's thread and has agents follow; only hints, since {@link Upkeep} compares again. */
final class RentalAgents implements Agents {

    private final Fleets fleets;
    private final String fleet;

    RentalAgents(Fleets fleets, String fleet) {
        this.fleets = fleets;
        this.fleet = fleet;
    }

    @Override
    public void changed(Rental before, Rental after) {
        if (after.order().agent().isEmpty()) {
            return; // an orphan's: never had one
        }
        switch (after.state()) {
            case ORDERED -> {
                if (before != null) {
                    // Its machine is replaced: an agent that was about to come online there is none.
                    fleets.later(() -> VastAiComputer.of(after).ifPresent(VastAiComputer::leaveReplacedMachine));
                }
            }
            case REACHABLE -> fleets.later(() -> VastAiComputer.of(after).ifPresent(VastAiComputer::connectIfPossible));
            case IN_SERVICE -> {
                fleets.circuits().served(after);
                fleets.upkeep().soon(); // a slower machine beside it may go
            }
            case RETIRING, DESTROYED, FAILED -> {
                if (before != null && before.needed() && after.failed() && after.onlineAt() == null) {
                    fleets.circuits().failed(after, after.why());
                }
                fleets.later(() -> remove(after));
            }
            default -> {
                // on its way
            }
        }
        if (after.state() == State.RETIRING || after.state().ended()) {
            fleets.reviewer().dirty(); // a place under a cap, or an item that needs another machine
        }
    }

    @Override
    public void told(Rental rental, Line line) {
        if (rental.needed()) {
            VastAiComputer.of(rental).ifPresent(computer -> computer.tell(rental));
        }
    }

    private void remove(Rental rental) {
        Jenkins jenkins = Jenkins.getInstanceOrNull();
        Node node = jenkins == null ? null : jenkins.getNode(rental.order().agent());
        if (node instanceof VastAiAgent agent && agent.belongs(fleet, rental.id())) {
            agent.removeFor(rental);
        }
    }
}

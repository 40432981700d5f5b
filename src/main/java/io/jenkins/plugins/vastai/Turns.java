package io.jenkins.plugins.vastai;

import hudson.model.Label;
import hudson.model.Queue;
import hudson.model.queue.SubTask;
import io.jenkins.plugins.vastai.rental.Rental;
import io.jenkins.plugins.vastai.rental.State;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Whose machine is rented next while the market takes one order every few seconds: that of the item which stands first in
 * Jenkins' queue. The queue is in order of age unless a {@link hudson.model.queue.QueueSorter} says otherwise, so
 * whatever gives builds a priority holds here as well, from the moment that it changes.
 */
final class Turns {

    private record Waiting(String fleet, Rental rental) {}

    private Turns() {}

    /**
     * As of now; reads snapshots only and takes no lock.
     *
     * @return by fleet, ids of rentals without a machine, those first that are to be served first
     */
    static Map<String, List<String>> now(Collection<VastAiAgent> agents) {
        Map<Optional<String>, Deque<Waiting>> waiting = new HashMap<>();
        agents.stream()
                .flatMap(agent -> agent
                        .rental()
                        .filter(rental -> rental.state() == State.ORDERED)
                        .map(rental -> Map.entry(agent, rental))
                        .stream())
                .sorted(Comparator.comparing(entry -> entry.getValue().orderedAt()))
                .forEach(entry -> waiting.computeIfAbsent(
                                Optional.ofNullable(entry.getKey().orderedFor()), label -> new ArrayDeque<>())
                        .add(new Waiting(entry.getKey().fleetId(), entry.getValue())));
        Map<String, List<String>> turns = new HashMap<>();
        if (waiting.isEmpty()) {
            return turns;
        }
        for (Queue.BuildableItem item : Queue.getInstance().getBuildableItems()) {
            if (!item.isPending()) {
                for (SubTask part : item.task.getSubTasks()) {
                    Deque<Waiting> of = waiting.get(
                            Optional.ofNullable(item.getAssignedLabelFor(part)).map(Label::getName));
                    if (of != null && !of.isEmpty()) {
                        Waiting next = of.poll();
                        turns.computeIfAbsent(next.fleet(), fleet -> new ArrayList<>())
                                .add(next.rental().id());
                    }
                }
            }
        }
        return turns;
    }
}

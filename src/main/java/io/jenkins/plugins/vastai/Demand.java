package io.jenkins.plugins.vastai;

import edu.umd.cs.findbugs.annotations.CheckForNull;
import hudson.model.Computer;
import hudson.model.Executor;
import hudson.model.Label;
import hudson.model.Node;
import hudson.model.Queue;
import hudson.model.labels.LabelAtom;
import hudson.model.queue.SubTask;
import hudson.slaves.NodeProvisioner;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import jenkins.model.Jenkins;

/**
 * What is missing: buildable work less the executors that are free or on their way, label by label. Core's own numbers
 * will not do: they count work that already has its executor, and count one agent that is
 * on its way once for each of its labels.
 *
 * @param missing executors wanted beyond those there are, in the order of the queue
 * @param spare our agents of which no executor is wanted by anybody
 */
record Demand(Map<Wanted, Integer> missing, Set<String> spare) {

    /**
     * What work asks for.
     *
     * @param label empty for work without label
     * @param job full name of the job; empty as long as every job may use every template, so that jobs need not be told
     *     apart
     */
    record Wanted(Optional<Label> label, String job) {}

    private static final class Slot {
        final Node node;
        final Collection<LabelAtom> labels;
        final boolean coming;
        int free;

        Slot(Node node, boolean coming, int free) {
            this.node = node;
            this.labels = node.getAssignedLabels();
            this.coming = coming;
            this.free = free;
        }

        boolean suits(Wanted wanted) {
            return wanted.label().map(label -> label.matches(labels)).orElse(node.getMode() == Node.Mode.NORMAL)
                    && (!(node instanceof VastAiAgent agent) || agent.admits(wanted.job()));
        }

        boolean orderedFor(Wanted wanted) {
            return node instanceof VastAiAgent agent
                    && agent.admits(wanted.job())
                    && Objects.equals(
                            agent.orderedFor(),
                            wanted.label().map(Label::getName).orElse(null));
        }
    }

    /**
     * As of now; reads snapshots only and takes no lock.
     *
     * @param arriving ordered agents that may not be in Jenkins yet, read before this is called
     */
    static Demand now(Collection<VastAiAgent> arriving) {
        List<Slot> slots = slots(arriving);
        Map<Wanted, Integer> waiting = waiting(tellJobsApart(slots));
        // First to those they were ordered for: what is left over may serve others.
        waiting.replaceAll((wanted, count) -> give(slots, count, slot -> slot.coming && slot.orderedFor(wanted)));
        waiting.replaceAll((wanted, count) -> give(slots, count, slot -> slot.suits(wanted)));
        Map<Optional<Label>, Integer> planned = new HashMap<>();
        waiting.replaceAll((wanted, count) -> {
            int coming = planned.computeIfAbsent(wanted.label(), Demand::planned);
            planned.put(wanted.label(), Math.max(0, coming - Math.max(0, count)));
            return count - coming;
        });
        waiting.values().removeIf(count -> count <= 0);
        Set<String> spare = new HashSet<>();
        for (Slot slot : slots) {
            if (slot.node instanceof VastAiAgent && slot.free == slot.node.getNumExecutors()) {
                spare.add(slot.node.getNodeName());
            }
        }
        return new Demand(waiting, spare);
    }

    /** For all jobs together. */
    int missing(@CheckForNull Label label) {
        return missing.entrySet().stream()
                .filter(entry -> entry.getKey().label().equals(Optional.ofNullable(label)))
                .mapToInt(Map.Entry::getValue)
                .sum();
    }

    private static boolean tellJobsApart(List<Slot> slots) {
        return AllowedJobs.tellJobsApart()
                || slots.stream().anyMatch(slot -> slot.node instanceof VastAiAgent agent && !agent.admits(""));
    }

    private interface Fit {
        boolean test(Slot slot);
    }

    private static int give(List<Slot> slots, int wanted, Fit fit) {
        int left = wanted;
        for (Slot slot : slots) {
            if (left == 0) {
                break;
            }
            if (slot.free > 0 && fit.test(slot)) {
                int given = Math.min(left, slot.free);
                slot.free -= given;
                left -= given;
            }
        }
        return left;
    }

    /** Work that has no executor yet; a pending item has one. */
    private static Map<Wanted, Integer> waiting(boolean tellJobsApart) {
        Map<Wanted, Integer> waiting = new LinkedHashMap<>();
        for (Queue.BuildableItem item : Queue.getInstance().getBuildableItems()) {
            if (!item.isPending()) {
                String job = tellJobsApart ? AllowedJobs.jobOf(item) : "";
                for (SubTask part : item.task.getSubTasks()) {
                    waiting.merge(
                            new Wanted(Optional.ofNullable(item.getAssignedLabelFor(part)), job), 1, Integer::sum);
                }
            }
        }
        return waiting;
    }

    private static List<Slot> slots(Collection<VastAiAgent> arriving) {
        List<Slot> slots = new ArrayList<>();
        Jenkins jenkins = Jenkins.get();
        for (VastAiAgent agent : arriving) {
            if (!beside(agent) && jenkins.getComputer(agent.getNodeName()) == null) {
                slots.add(new Slot(agent, true, agent.getNumExecutors()));
            }
        }
        for (Computer computer : jenkins.getComputers()) {
            Node node = computer.getNode();
            if (node == null || kept(node)) {
                continue;
            }
            if (computer.isOnline()) {
                if (computer.isAcceptingTasks()) {
                    int free = (int) computer.getExecutors().stream()
                            .filter(Executor::isIdle)
                            .count();
                    slots.add(new Slot(node, false, free));
                }
            } else if (computer.isConnecting() && !beside(node)) {
                slots.add(new Slot(node, true, computer.getNumExecutors()));
            }
        }
        return slots;
    }

    /** Kept for the run that used it: free for nobody else. */
    private static boolean kept(Node node) {
        return node instanceof VastAiAgent agent
                && agent.oneShot()
                && agent.rental().map(rental -> rental.usedBy() != null).orElse(false);
    }

    /** A second machine is ordered for nobody who does not wait for the first. */
    private static boolean beside(Node node) {
        return node instanceof VastAiAgent agent
                && agent.rental()
                        .filter(rental -> Seconds.beside(
                                rental, Fleets.lookup().flatMap(fleets -> fleets.fleet(agent.fleetId()))))
                        .isPresent();
    }

    private static int planned(Optional<Label> label) {
        NodeProvisioner provisioner =
                label.map(known -> known.nodeProvisioner).orElse(Jenkins.get().unlabeledNodeProvisioner);
        return provisioner.getPendingLaunches().stream()
                .filter(launch -> !launch.future.isDone())
                .mapToInt(launch -> launch.numExecutors)
                .sum();
    }
}

package io.jenkins.plugins.vastai;

import edu.umd.cs.findbugs.annotations.CheckForNull;
import hudson.model.Descriptor.FormException;
import hudson.model.Label;
import hudson.model.Node;
import hudson.slaves.Cloud;
import hudson.slaves.CloudProvisioningListener;
import hudson.slaves.NodeProvisioner.PlannedNode;
import io.jenkins.plugins.vastai.rental.Fleet;
import io.jenkins.plugins.vastai.rental.Order;
import io.jenkins.plugins.vastai.rental.Rental;
import io.jenkins.plugins.vastai.text.Reason;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Function;
import java.util.logging.Level;
import java.util.logging.Logger;
import java.util.stream.Stream;
import jenkins.model.Jenkins;

/**
 * Decides how many agents are added, from which template, and adds them. One lock for the whole plugin: core reviews
 * different labels at the same time, and a place under a cap must not be given twice. Never called under the queue lock.
 */
final class Provisioning {

    private static final Logger LOGGER = Logger.getLogger(Provisioning.class.getName());
    /** Class files of Java 1 had major version 45. */
    private static final int CLASS_FILE_OF_JAVA_0 = 44;

    private final Fleets fleets;
    private final Circuits circuits;
    private final ReentrantLock lock = new ReentrantLock();
    private final Map<String, VastAiAgent> arriving = new ConcurrentHashMap<>();
    private final int javaMajor = javaMajor();

    /** An agent that is ordered and not yet in Jenkins. */
    private record Ordered(Fleet fleet, Rental rental, VastAiAgent agent) {}

    Provisioning(Fleets fleets, Circuits circuits) {
        this.fleets = fleets;
        this.circuits = circuits;
    }

    static Provisioning get() {
        return Fleets.get().provisioning();
    }

    /** Whether a template of the cloud serves the label and may be rented for now. Takes no lock. */
    boolean canProvision(VastAiCloud cloud, @CheckForNull Label label) {
        return fleets.started()
                && fleets.trouble().isEmpty()
                && !fleets.pauses().paused(cloud.getName())
                && !cloud.getCredentialsId().isEmpty()
                && cloud.getTemplates().stream()
                        .anyMatch(template -> template.matches(label)
                                && circuits.resting(cloud, template).isEmpty());
    }

    /** Core asks for so many executors. The agents are in Jenkins when this returns. */
    Collection<PlannedNode> provision(VastAiCloud cloud, @CheckForNull Label label, int excessWorkload) {
        List<Ordered> ordered = new ArrayList<>();
        lock.lock();
        try {
            if (closed() || fleets.pauses().paused(cloud.getName())) {
                return List.of();
            }
            Caps caps = new Caps(fleets.rentals());
            int left = excessWorkload;
            for (Map.Entry<String, Integer> job :
                    jobs(cloud, label, excessWorkload).entrySet()) {
                List<VastAiTemplate> usable = usable(cloud, label, job.getKey());
                int wanted = Math.min(left, job.getValue());
                left -= wanted - order(cloud, usable, label, wanted, caps, ordered);
            }
        } finally {
            lock.unlock();
        }
        fleets.supervisor().run("cloud statistics", () -> tellStatistics(ordered));
        List<PlannedNode> planned = new ArrayList<>();
        for (Ordered one : ordered) {
            if (add(one)) {
                planned.add(Statistics.planned(one.agent()));
            }
        }
        return planned;
    }

    /** Core does not know that some jobs may not use some templates: where any is told apart, our own count decides. */
    private Map<String, Integer> jobs(VastAiCloud cloud, @CheckForNull Label label, int excessWorkload) {
        if (!AllowedJobs.tellJobsApart(cloud)) {
            return Map.of("", excessWorkload);
        }
        Map<String, Integer> jobs = new LinkedHashMap<>();
        demand().missing().forEach((wanted, count) -> {
            if (wanted.label().equals(Optional.ofNullable(label))) {
                jobs.merge(wanted.job(), count, Integer::sum);
            }
        });
        return jobs;
    }

    /** What is missing now, with the agents that are ordered and not yet in Jenkins counted as coming. */
    Demand demand() {
        return Demand.now(List.copyOf(arriving.values()));
    }

    /** Fleets start: whatever was on its way when they stopped never arrives. */
    void forgetArriving() {
        arriving.clear();
    }

    /** Whether the agent is ordered and on its way into Jenkins. */
    boolean arriving(String agent) {
        return arriving.containsKey(agent);
    }

    /**
     * Counts what is missing and orders it. The agents come into Jenkins a little later: that takes file and lock, and
     * nobody who orders shall wait for it.
     *
     * @return what is still missing
     */
    Demand review() {
        lock.lock();
        try {
            Demand demand = demand();
            if (demand.missing().isEmpty() || closed()) {
                return demand;
            }
            Caps caps = new Caps(fleets.rentals());
            List<VastAiCloud> clouds = prompt().filter(
                            cloud -> !cloud.getCredentialsId().isEmpty())
                    .toList();
            List<Ordered> ordered = new ArrayList<>();
            for (Map.Entry<Demand.Wanted, Integer> wanted : demand.missing().entrySet()) {
                wanted.setValue(order(clouds, wanted.getKey(), wanted.getValue(), caps, ordered));
            }
            if (!ordered.isEmpty()) {
                fleets.later(() -> addAll(ordered));
            }
            return demand;
        } finally {
            lock.unlock();
        }
    }

    /** Tells each fleet whose machine comes next, see {@link Turns}. */
    void turns() {
        Set<VastAiAgent> agents = new LinkedHashSet<>(arriving.values());
        for (Node node : Jenkins.get().getNodes()) {
            if (node instanceof VastAiAgent agent) {
                agents.add(agent);
            }
        }
        Map<String, List<String>> turns = Turns.now(agents);
        turns.forEach((id, rentals) -> fleets.fleet(id).ifPresent(fleet -> fleet.turns(rentals)));
    }

    /** Whether one of our clouds with immediate provisioning would order for the label now. */
    boolean able(@CheckForNull Label label) {
        return prompt().anyMatch(cloud -> canProvision(cloud, label));
    }

    private Stream<VastAiCloud> prompt() {
        return Fleets.clouds().stream()
                .filter(VastAiCloud::isNoDelayProvisioning)
                .filter(cloud -> !fleets.pauses().paused(cloud.getName()));
    }

    private boolean closed() {
        Jenkins jenkins = Jenkins.get();
        return !fleets.started() || fleets.trouble().isPresent() || jenkins.isQuietingDown() || jenkins.isTerminating();
    }

    private List<VastAiTemplate> usable(VastAiCloud cloud, @CheckForNull Label label, String job) {
        return cloud.getTemplates().stream()
                .filter(template -> template.matches(label))
                .filter(template -> template.admits(job))
                .filter(template -> circuits.resting(cloud, template).isEmpty())
                .toList();
    }

    /** @return executors that are still missing */
    private int order(List<VastAiCloud> clouds, Demand.Wanted wanted, int missing, Caps caps, List<Ordered> ordered) {
        Label label = wanted.label().orElse(null);
        int left = missing;
        for (VastAiCloud cloud : clouds) {
            List<VastAiTemplate> usable = left > 0 ? usable(cloud, label, wanted.job()) : List.of();
            if (!usable.isEmpty() && !vetoed(cloud, label, left)) {
                left = order(cloud, usable, label, left, caps, ordered);
            }
        }
        return left;
    }

    private int order(
            VastAiCloud cloud,
            List<VastAiTemplate> templates,
            @CheckForNull Label label,
            int missing,
            Caps caps,
            List<Ordered> ordered) {
        int left = missing;
        for (VastAiTemplate template : templates) {
            while (left > 0 && caps.room(cloud, template)) {
                Optional<Ordered> one = order(cloud, template, label);
                if (one.isEmpty()) {
                    return left;
                }
                caps.take(cloud.getName(), template.getName());
                ordered.add(one.get());
                left -= template.getNumExecutors();
            }
        }
        return left;
    }

    private Optional<Ordered> order(VastAiCloud cloud, VastAiTemplate template, @CheckForNull Label label) {
        return order(cloud, template, label == null ? null : label.getName(), agent -> terms(cloud, template, agent));
    }

    /** @param terms of the rental, from its agent's name */
    private Optional<Ordered> order(
            VastAiCloud cloud,
            VastAiTemplate template,
            @CheckForNull String orderedFor,
            Function<String, Order> terms) {
        try {
            Optional<Fleet> fleet = fleets.fleet(cloud);
            if (fleet.isEmpty()) {
                return Optional.empty();
            }
            Rental rental = fleet.get().order(id -> terms.apply(VastAiAgent.name(template.getName(), id)));
            VastAiAgent agent = new VastAiAgent(FleetKey.of(cloud).id(), rental, template, orderedFor);
            arriving.put(agent.getNodeName(), agent);
            return Optional.of(new Ordered(fleet.get(), rental, agent));
        } catch (IOException | FormException | RuntimeException e) {
            LOGGER.log(
                    Level.WARNING,
                    e,
                    () -> "Template " + template.getName() + " of cloud " + cloud.getName() + " cannot be rented for");
            return Optional.empty();
        }
    }

    /**
     * Orders a second machine beside that of a rental that is slow to come, on the rental's own terms. Does nothing while
     * cloud or template have no place for it, or are gone.
     */
    void second(Fleet fleet, Rental first, VastAiAgent beside) {
        Optional<Ordered> second = Optional.empty();
        lock.lock();
        try {
            Optional<VastAiCloud> cloud = Fleets.clouds().stream()
                    .filter(known -> known.getName().equals(first.order().cloud()))
                    .filter(known -> !fleets.pauses().paused(known.getName()))
                    .findFirst();
            Optional<VastAiTemplate> template =
                    cloud.flatMap(known -> known.template(first.order().template()));
            if (!closed()
                    && template.isPresent()
                    && FleetKey.of(cloud.get()).id().equals(beside.fleetId())
                    && new Caps(fleets.rentals()).room(cloud.get(), template.get())) {
                second = order(cloud.get(), template.get(), beside.orderedFor(), agent -> first.order()
                        .second(first.id(), agent));
            }
        } finally {
            lock.unlock();
        }
        second.ifPresent(one -> {
            long minutes = first.order().secondAfter().toMinutes();
            fleet.say(
                    first.id(),
                    AgentText.SECOND_ORDERED.of(
                            first.order().agent(), minutes, one.agent().getNodeName()));
            fleets.later(() -> addAll(List.of(one)));
        });
    }

    private Order terms(VastAiCloud cloud, VastAiTemplate template, String agent) {
        return new Order(
                        cloud.getName(),
                        template.getName(),
                        agent,
                        template.spec(cloud),
                        template.getRemoteFs(),
                        javaMajor,
                        Math.max(1, template.getDraws()),
                        Duration.ofMinutes(template.launchMinutes()),
                        Duration.ofMinutes(template.getMaxLifetimeMinutes()),
                        cloud.getInstanceCap(),
                        template.getInstanceCap(),
                        cloud.getBalanceFloor())
                .secondAfter(
                        template.getSecondMachineMinutes() > 0
                                ? Duration.ofMinutes(template.getSecondMachineMinutes())
                                : null);
    }

    private void addAll(List<Ordered> ordered) {
        // Whatever it throws, the agents are added: each of them stands for a machine that costs money.
        fleets.supervisor().run("cloud statistics", () -> tellStatistics(ordered));
        ordered.forEach(one -> fleets.later(() -> add(one)));
    }

    private void tellStatistics(List<Ordered> ordered) {
        if (fleets.started() && !ordered.isEmpty()) {
            Statistics.started(ordered.stream().map(Ordered::agent).toList());
        }
    }

    private boolean add(Ordered ordered) {
        try {
            if (!fleets.started()) {
                return false; // Jenkins stops: the rental is given back when it comes again
            }
            Jenkins.get().addNode(ordered.agent());
            if (ordered.agent().toComputer() instanceof VastAiComputer computer) {
                ordered.agent().rental().ifPresent(computer::tell);
            }
            return true;
        } catch (IOException | RuntimeException e) {
            LOGGER.log(
                    Level.WARNING,
                    e,
                    () -> "Cannot add agent " + ordered.agent().getNodeName());
            Reason why = AgentText.NOT_ADDED.of(ordered.agent().getNodeName(), e.getMessage());
            ordered.fleet().fail(ordered.rental().id(), why);
            Statistics.failed(ordered.agent(), why);
            return false;
        } finally {
            arriving.remove(ordered.agent().getNodeName());
        }
    }

    /** This path does not pass core's provisioner, so others are asked here whether they object. */
    private static boolean vetoed(VastAiCloud cloud, @CheckForNull Label label, int missing) {
        Cloud.CloudState state = new Cloud.CloudState(label, 0);
        for (CloudProvisioningListener listener : CloudProvisioningListener.all()) {
            try {
                if (listener.canProvision(cloud, state, missing) != null) {
                    return true;
                }
            } catch (RuntimeException e) {
                LOGGER.log(Level.WARNING, e, () -> "A provisioning listener failed: " + listener);
            }
        }
        return false;
    }

    /** The oldest Java that runs this controller's agents: that of its own classes. */
    private static int javaMajor() {
        try (InputStream stream = Jenkins.class.getResourceAsStream("Jenkins.class");
                DataInputStream data = new DataInputStream(stream)) {
            data.readInt(); // magic
            data.readUnsignedShort(); // minor version
            return data.readUnsignedShort() - CLASS_FILE_OF_JAVA_0;
        } catch (IOException e) {
            throw new IllegalStateException("Cannot read Jenkins' own class file", e);
        }
    }
}

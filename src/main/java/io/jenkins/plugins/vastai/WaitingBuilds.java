package io.jenkins.plugins.vastai;

import edu.umd.cs.findbugs.annotations.CheckForNull;
import hudson.model.Label;
import hudson.model.Node;
import hudson.model.Queue;
import io.jenkins.plugins.vastai.rental.Rental;
import io.jenkins.plugins.vastai.text.Reason;
import java.io.IOException;
import java.io.PrintStream;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.logging.Level;
import java.util.logging.Logger;
import jenkins.model.Jenkins;

/**
 * Tells builds that wait for an agent, in their own logs, what they wait for: the first of those that wait for a label
 * hears of the oldest machine that was ordered for it, and so on; those for whom nothing is ordered hear why. Each build
 * hears each line once, and new states at once but everything else seldom. Called by one thread at a time, never under
 * the queue lock.
 */
final class WaitingBuilds {

    private static final Logger LOGGER = Logger.getLogger(WaitingBuilds.class.getName());
    private static final DateTimeFormatter TIME =
            DateTimeFormatter.ofPattern("yyyy-MM-dd HH:mm:ss").withZone(ZoneId.systemDefault());
    private static final Duration PAUSE = Duration.ofSeconds(5);
    /** So many different lines a build hears at most while it waits; new states it hears always. */
    private static final int LINES = 200;

    /** What one build heard since it began to wait. */
    private static final class Heard {
        final Set<String> lines = new HashSet<>();
        final Map<String, String> states = new HashMap<>();
        Instant last = Instant.MIN;
    }

    /**
     * Something to tell.
     *
     * @param subject what it is about
     * @param state where that stands
     */
    private record News(String cloud, String subject, String state, Reason reason) {}

    private final Fleets fleets;
    private Map<Queue.Executable, Heard> heard = Map.of();

    WaitingBuilds(Fleets fleets) {
        this.fleets = fleets;
    }

    void look() {
        List<Queue.BuildableItem> items = Queue.getInstance().getBuildableItems().stream()
                .filter(item -> !item.isPending())
                .sorted(Comparator.comparingLong(Queue.Item::getId))
                .toList();
        Map<Optional<String>, Iterator<Rental>> coming = items.isEmpty() ? Map.of() : coming();
        Map<Queue.Executable, Heard> still = new HashMap<>();
        Hindrances hindrances = new Hindrances();
        for (Queue.BuildableItem item : items) {
            Label label = item.getAssignedLabel();
            Iterator<Rental> ordered = coming.get(Optional.ofNullable(label).map(Label::getName));
            Optional<Reason> refusal = AllowedJobs.refusal(label, AllowedJobs.jobOf(item));
            Rental rental = refusal.isEmpty() && ordered != null && ordered.hasNext() ? ordered.next() : null;
            Queue.Executable build = item.task.getOwnerExecutable();
            if (build != null) {
                Heard so = still.computeIfAbsent(build, key -> heard.getOrDefault(key, new Heard()));
                List<News> news = refusal.map(WaitingBuilds::refused)
                        .orElseGet(() -> rental == null ? hindrances.of(label, item) : List.of(news(rental)));
                news.forEach(one -> tell(build, item.getId(), one, so));
            }
        }
        heard = still;
    }

    /** Rentals on their way, oldest first, one entry for each executor, by what they were ordered for. */
    private static Map<Optional<String>, Iterator<Rental>> coming() {
        record Coming(VastAiAgent agent, Rental rental) {}
        List<Coming> all = new ArrayList<>();
        for (Node node : Jenkins.get().getNodes()) {
            if (node instanceof VastAiAgent agent) {
                agent.rental()
                        .filter(rental -> rental.needed() && rental.state().coming())
                        .ifPresent(rental -> all.add(new Coming(agent, rental)));
            }
        }
        all.sort(Comparator.comparing(one -> one.rental().orderedAt()));
        Map<Optional<String>, List<Rental>> found = new HashMap<>();
        for (Coming one : all) {
            List<Rental> same =
                    found.computeIfAbsent(Optional.ofNullable(one.agent().orderedFor()), key -> new ArrayList<>());
            for (int i = 0; i < one.agent().getNumExecutors(); i++) {
                same.add(one.rental());
            }
        }
        Map<Optional<String>, Iterator<Rental>> iterators = new HashMap<>();
        found.forEach((label, rentals) -> iterators.put(label, rentals.iterator()));
        return iterators;
    }

    private static News news(Rental rental) {
        return new News(
                rental.order().cloud(),
                rental.order().template(),
                rental.id() + " " + rental.state(),
                rental.last().reason());
    }

    /** Nothing ever is ordered for it as things are. */
    private static List<News> refused(Reason why) {
        return List.of(new News("vastai", "", why.key(), why));
    }

    /** What keeps labels from being served, found once in a look: thousands of items wait for a few labels. */
    private final class Hindrances {
        private final Caps caps = new Caps(fleets.rentals());
        private final boolean tellJobsApart = AllowedJobs.tellJobsApart();
        private final Map<List<String>, List<News>> known = new HashMap<>();

        /** Why nothing is ordered for the label; empty when that is about to change, or none of our business. */
        List<News> of(@CheckForNull Label label, Queue.Item item) {
            String job = tellJobsApart ? AllowedJobs.jobOf(item) : "";
            // A label's name is never empty.
            List<String> key = List.of(label == null ? "" : label.getName(), job);
            return known.computeIfAbsent(key, unknown -> find(label, job));
        }

        private List<News> find(@CheckForNull Label label, String job) {
            List<News> news = new ArrayList<>();
            for (VastAiCloud cloud : Fleets.clouds()) {
                for (VastAiTemplate template : cloud.getTemplates()) {
                    if (template.matches(label) && template.admits(job)) {
                        fleets.trouble()
                                .or(() -> paused(cloud))
                                .or(() -> fleets.circuits()
                                        .resting(cloud, template)
                                        .map(rest -> AgentText.RESTS.of(
                                                template.getName(), TIME.format(rest.until()), rest.why())))
                                .or(() -> caps.full(cloud, template))
                                .map(why -> new News(cloud.getName(), template.getName(), why.key(), why))
                                .ifPresent(news::add);
                    }
                }
            }
            return news;
        }
    }

    private Optional<Reason> paused(VastAiCloud cloud) {
        return fleets.pauses().of(cloud.getName()).map(pause -> AgentText.PAUSED_BY.of(cloud.getName(), pause.by()));
    }

    private static void tell(Queue.Executable build, long item, News news, Heard heard) {
        String line = BuildConsole.line(news.cloud(), news.reason());
        String subject = item + " " + news.subject();
        boolean known = heard.lines.contains(line);
        boolean moved = !Objects.equals(heard.states.get(subject), news.state());
        boolean turn = heard.lines.size() < LINES && !Instant.now().isBefore(heard.last.plus(PAUSE));
        if (known || !moved && !turn) {
            return;
        }
        try {
            Optional<PrintStream> log = BuildConsole.find(build);
            if (log.isPresent()) {
                log.get().println(line);
                heard.lines.add(line);
                heard.states.put(subject, news.state());
                heard.last = Instant.now();
            }
        } catch (IOException e) {
            LOGGER.log(Level.FINE, e, () -> "Cannot write to the log of " + build);
        }
    }
}

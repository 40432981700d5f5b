package io.jenkins.plugins.vastai;

import edu.umd.cs.findbugs.annotations.CheckForNull;
import io.jenkins.plugins.vastai.rental.Rental;
import io.jenkins.plugins.vastai.rental.State;
import java.math.BigDecimal;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.kohsuke.accmod.Restricted;
import org.kohsuke.accmod.restrictions.NoExternalUse;

/**
 * How well a template did, going by the rentals that are remembered.
 *
 * @param ordered rentals
 * @param ready of them, that brought an agent online
 * @param failed of them, that ended in a failure before
 * @param percent of those that did either; null when none did
 * @param machines tried for each agent that came online, on average; null when none did
 * @param median from the order to the agent; null when none came
 * @param slow nine of ten agents were faster; null when none came
 * @param month $ since the month began
 */
@Restricted(NoExternalUse.class) // status.jelly
public record TemplateFigures(
        String template,
        int ordered,
        int ready,
        int failed,
        @CheckForNull Integer percent,
        @CheckForNull Double machines,
        @CheckForNull Duration median,
        @CheckForNull Duration slow,
        BigDecimal month) {

    /** One for each template that is configured, and for each that was. */
    static List<TemplateFigures> of(VastAiCloud cloud, Collection<Rental> rentals, Map<String, BigDecimal> month) {
        Map<String, List<Rental>> byTemplate = rentals.stream()
                .collect(Collectors.groupingBy(
                        rental -> rental.order().template(), TreeMap::new, Collectors.toCollection(ArrayList::new)));
        byTemplate.remove(""); // orphans
        cloud.getTemplates().forEach(template -> byTemplate.putIfAbsent(template.getName(), new ArrayList<>()));
        return byTemplate.entrySet().stream()
                .map(entry -> of(entry.getKey(), entry.getValue(), month.getOrDefault(entry.getKey(), BigDecimal.ZERO)))
                .toList();
    }

    private static TemplateFigures of(String template, List<Rental> rentals, BigDecimal month) {
        List<Rental> ready =
                rentals.stream().filter(rental -> rental.onlineAt() != null).toList();
        int failed = (int) rentals.stream()
                .filter(rental -> rental.onlineAt() == null && rental.state() == State.FAILED)
                .count();
        List<Duration> times = ready.stream()
                .map(rental -> Duration.between(rental.orderedAt(), rental.onlineAt()))
                .sorted()
                .toList();
        int judged = ready.size() + failed;
        return new TemplateFigures(
                template,
                rentals.size(),
                ready.size(),
                failed,
                judged == 0 ? null : Math.round(100f * ready.size() / judged),
                ready.isEmpty()
                        ? null
                        : ready.stream()
                                .mapToInt(r -> r.draws().size())
                                .average()
                                .orElseThrow(),
                at(times, 0.5),
                at(times, 0.9),
                month);
    }

    @CheckForNull
    private static Duration at(List<Duration> sorted, double part) {
        return sorted.isEmpty() ? null : sorted.get((int) Math.ceil(part * sorted.size()) - 1);
    }

    public String percentShown() {
        return percent == null ? "–" : percent + " %";
    }

    public String machinesShown() {
        return machines == null ? "–" : String.format(Locale.ROOT, "%.1f", machines);
    }

    public String medianShown() {
        return median == null ? "–" : Shown.span(median);
    }

    public String slowShown() {
        return slow == null ? "–" : Shown.span(slow);
    }

    public String monthShown() {
        return Shown.sum(month);
    }
}

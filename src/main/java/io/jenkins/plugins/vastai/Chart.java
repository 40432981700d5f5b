package io.jenkins.plugins.vastai;

import io.jenkins.plugins.vastai.rental.Cost;
import io.jenkins.plugins.vastai.rental.Rental;
import io.jenkins.plugins.vastai.rental.Spend;
import java.math.BigDecimal;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.kohsuke.accmod.Restricted;
import org.kohsuke.accmod.restrictions.NoExternalUse;

/**
 * Bars over time. Drawn by the page itself as an image with its numbers beside it: needs no script, follows the theme, and
 * can be read by whoever does not see it.
 *
 * @param most what the highest bar stands for
 */
@Restricted(NoExternalUse.class) // chart.jelly
public record Chart(List<Bar> bars, String most) {

    /** Width and height of the image, in its own units. */
    public static final int WIDTH = 600;

    /** As {@link #WIDTH}. */
    public static final int HEIGHT = 80;

    private static final int DAYS = 30;
    private static final int HOURS = 24;
    private static final DateTimeFormatter HOUR = DateTimeFormatter.ofPattern("MM-dd HH:00");

    /**
     * One bar, in units of the image.
     *
     * @param label what it is of
     * @param value what it stands for
     */
    public record Bar(int x, int y, int width, int height, String label, String value) {}

    /** $ on each of the last thirty days. */
    static Chart spend(Collection<Spend.Amount> amounts, Shown shown) {
        Map<LocalDate, BigDecimal> byDay = new HashMap<>();
        amounts.forEach(amount -> byDay.merge(amount.day(), amount.dollars(), BigDecimal::add));
        LocalDate today = LocalDate.ofInstant(shown.now(), shown.zone());
        List<String> labels = new ArrayList<>();
        List<BigDecimal> values = new ArrayList<>();
        for (LocalDate day = firstDay(today); !day.isAfter(today); day = day.plusDays(1)) {
            labels.add(day.toString());
            values.add(byDay.getOrDefault(day, BigDecimal.ZERO));
        }
        return of(labels, values, values.stream().map(Shown::sum).toList());
    }

    /** The first day that {@link #spend} shows. */
    static LocalDate firstDay(LocalDate today) {
        return today.minusDays(DAYS - 1L);
    }

    /** The most machines at a time in each of the last 24 hours. */
    static Chart machines(Collection<Rental> rentals, Shown shown) {
        Instant end = shown.now().plusMillis(1);
        Instant begin = end.minus(Duration.ofHours(HOURS));
        record Step(Instant at, int change) {}
        List<Step> steps = new ArrayList<>();
        for (Rental rental : rentals) {
            rental.draws().stream().filter(draw -> draw.billedFrom() != null).forEach(draw -> {
                Instant gone = Cost.billedTo(draw, end);
                if (gone.isAfter(begin)) {
                    steps.add(new Step(draw.billedFrom(), 1));
                    steps.add(new Step(gone, -1));
                }
            });
        }
        // One that goes as another comes counts once.
        steps.sort(Comparator.comparing(Step::at).thenComparing(Step::change));
        int[] most = new int[HOURS];
        int held = 0;
        int next = 0;
        for (int hour = 0; hour < HOURS; hour++) {
            Instant from = begin.plus(Duration.ofHours(hour));
            Instant to = from.plus(Duration.ofHours(1));
            for (; next < steps.size() && !steps.get(next).at().isAfter(from); next++) {
                held += steps.get(next).change();
            }
            most[hour] = held;
            for (; next < steps.size() && steps.get(next).at().isBefore(to); next++) {
                held += steps.get(next).change();
                most[hour] = Math.max(most[hour], held);
            }
        }
        List<String> labels = new ArrayList<>();
        List<BigDecimal> values = new ArrayList<>();
        for (int hour = 0; hour < HOURS; hour++) {
            labels.add(HOUR.format(begin.plus(Duration.ofHours(hour + 1L)).atZone(shown.zone())));
            values.add(BigDecimal.valueOf(most[hour]));
        }
        return of(labels, values, values.stream().map(BigDecimal::toPlainString).toList());
    }

    private static Chart of(List<String> labels, List<BigDecimal> values, List<String> texts) {
        BigDecimal most = values.stream().reduce(BigDecimal.ZERO, BigDecimal::max);
        int room = WIDTH / values.size();
        List<Bar> bars = new ArrayList<>();
        for (int i = 0; i < values.size(); i++) {
            double part = most.signum() == 0 ? 0 : values.get(i).doubleValue() / most.doubleValue();
            // A little of something is something.
            int height = values.get(i).signum() == 0 ? 0 : Math.max(1, (int) Math.round(part * HEIGHT));
            bars.add(new Bar(i * room, HEIGHT - height, room - 2, height, labels.get(i), texts.get(i)));
        }
        int highest = values.indexOf(most);
        return new Chart(bars, texts.get(highest));
    }
}

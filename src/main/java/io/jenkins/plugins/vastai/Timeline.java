package io.jenkins.plugins.vastai;

import io.jenkins.plugins.vastai.rental.Draw;
import io.jenkins.plugins.vastai.rental.Line;
import io.jenkins.plugins.vastai.rental.Rental;
import io.jenkins.plugins.vastai.rental.RentalText;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.kohsuke.accmod.Restricted;
import org.kohsuke.accmod.restrictions.NoExternalUse;

/** Where the time of a rental went: spans that follow one another from the order to its end, or to now. */
@Restricted(NoExternalUse.class) // rental.jelly
public record Timeline(List<Span> spans) {

    /** Width of the bar, in its own units. */
    public static final int WIDTH = 1000;

    /** What a span was spent on. */
    public enum Kind {
        WAITING,
        BOOTING,
        CONNECTING,
        SERVING,
        LEAVING
    }

    /**
     * A span of time.
     *
     * @param machine that was tried; empty unless booting
     * @param x where it begins on the bar
     * @param width on the bar, 1 at least
     */
    public record Span(Kind kind, String machine, String from, String lasted, int x, int width) {

        public String name() {
            return switch (kind) {
                case WAITING -> Messages.Timeline_WAITING();
                case BOOTING -> Messages.Timeline_BOOTING(machine);
                case CONNECTING -> Messages.Timeline_CONNECTING();
                case SERVING -> Messages.Timeline_SERVING();
                case LEAVING -> Messages.Timeline_LEAVING();
            };
        }
    }

    private record Mark(Kind kind, String machine, Instant at) {}

    static Timeline of(Rental rental, Shown shown) {
        Instant end = rental.state().ended() ? rental.since() : shown.now();
        List<Mark> marks = marks(rental);
        long whole = Math.max(1, Duration.between(rental.orderedAt(), end).toMillis());
        List<Span> spans = new ArrayList<>();
        for (int i = 0; i < marks.size(); i++) {
            Mark mark = marks.get(i);
            Instant to = i + 1 < marks.size() ? marks.get(i + 1).at() : end;
            long from = Duration.between(rental.orderedAt(), mark.at()).toMillis();
            long length = Math.max(0, Duration.between(mark.at(), to).toMillis());
            spans.add(new Span(
                    mark.kind(),
                    mark.machine(),
                    shown.time(mark.at()),
                    Shown.span(Duration.ofMillis(length)),
                    (int) (Math.max(0, from) * WIDTH / whole),
                    (int) Math.max(1, length * WIDTH / whole)));
        }
        return new Timeline(List.copyOf(spans));
    }

    /** In the order of time. */
    private static List<Mark> marks(Rental rental) {
        List<Mark> marks = new ArrayList<>();
        marks.add(new Mark(Kind.WAITING, "", rental.orderedAt()));
        for (Draw draw : rental.draws()) {
            marks.add(new Mark(Kind.BOOTING, Long.toString(draw.machineId()), draw.sent()));
        }
        told(rental, RentalText.FIT).ifPresent(at -> marks.add(new Mark(Kind.CONNECTING, "", at)));
        if (rental.onlineAt() != null) {
            marks.add(new Mark(Kind.SERVING, "", rental.onlineAt()));
        }
        if (rental.why() != null) {
            Instant over = rental.story().stream()
                    .filter(line -> line.reason().equals(rental.why()))
                    .map(Line::at)
                    .findFirst()
                    .orElse(rental.since());
            marks.add(new Mark(Kind.LEAVING, "", over));
        }
        marks.sort((a, b) -> a.at().compareTo(b.at()));
        return marks;
    }

    private static Optional<Instant> told(Rental rental, RentalText what) {
        return rental.story().stream()
                .filter(line -> line.reason().is(what))
                .map(Line::at)
                .reduce((first, second) -> second);
    }
}

package io.jenkins.plugins.vastai.rental;

import com.fasterxml.jackson.annotation.JsonIgnore;
import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import io.jenkins.plugins.vastai.text.Reason;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Our commitment to one machine for one agent, from the decision to have it to the proof that nothing of it is left.
 * Immutable; every change is written to disk before the side effect that it announces.
 *
 * @param version of this record's form on disk
 * @param id our own, never the market's; part of the label and of the agent's name
 * @param order what it was ordered for
 * @param account id of the account that pays, as the market knows it; empty while unknown
 * @param state where it stands
 * @param since when it entered the state
 * @param orderedAt when it was ordered
 * @param needed false from the moment that nobody needs it any more; never becomes true again
 * @param why what ended it; null while it is needed
 * @param failed whether {@code why} is a failure
 * @param draws tries so far, oldest first
 * @param publicKey OpenSSH public key line of this rental
 * @param privateKey its private half, OpenSSH form
 * @param reach how the present machine is reached; null before first contact
 * @param onlineAt when the agent first came online; null before
 * @param usedBy external id of the run that first used the agent; null while unused
 * @param story what happened, bounded, oldest first
 */
@JsonIgnoreProperties(ignoreUnknown = true)
public record Rental(
        int version,
        String id,
        Order order,
        String account,
        State state,
        Instant since,
        Instant orderedAt,
        boolean needed,
        Reason why,
        boolean failed,
        List<Draw> draws,
        String publicKey,
        Hidden privateKey,
        Reach reach,
        Instant onlineAt,
        String usedBy,
        List<Line> story) {

    static final int VERSION = 1;
    private static final int STORY_LINES = 200;

    public Rental {
        draws = List.copyOf(draws);
        story = List.copyOf(story);
    }

    static Rental ordered(
            String id, Order order, String account, String publicKey, Hidden privateKey, Line first, Instant now) {
        return new Rental(
                VERSION,
                id,
                order,
                account,
                State.ORDERED,
                now,
                now,
                true,
                null,
                false,
                List.of(),
                publicKey,
                privateKey,
                null,
                null,
                null,
                List.of(first));
    }

    /** The newest try while something of it may exist; empty before the first and between two tries. */
    @JsonIgnore
    public Optional<Draw> current() {
        if (draws.isEmpty()) {
            return Optional.empty();
        }
        Draw last = draws.get(draws.size() - 1);
        return last.phase() == Draw.Phase.SENDING || last.phase() == Draw.Phase.HELD
                ? Optional.of(last)
                : Optional.empty();
    }

    /** Number of the newest attempt at a machine, whatever became of it; 0 before the first. */
    @JsonIgnore
    public int attempt() {
        return draws.size();
    }

    /** Whether an agent that runs on that attempt's machine is the one that the rental is for. */
    public boolean serves(int attempt) {
        return needed
                && state.connectable()
                && attempt == attempt()
                && current().isPresent();
    }

    /** Tries of which something may exist at the market. */
    @JsonIgnore
    public List<Draw> open() {
        return draws.stream().filter(Draw::open).toList();
    }

    /** The last line of the story. */
    @JsonIgnore
    public Line last() {
        return story.get(story.size() - 1);
    }

    Rental state(State next, Instant now) {
        return next == state ? this : copy(next, now, needed, why, failed, draws, reach, onlineAt, usedBy, story);
    }

    Rental say(Reason reason, Instant now) {
        if (!story.isEmpty() && last().reason().equals(reason)) {
            return this;
        }
        List<Line> lines = new ArrayList<>(story);
        if (lines.size() >= STORY_LINES) {
            lines.remove(1); // the first line says what was ordered: keep it
        }
        lines.add(new Line(now, reason));
        return copy(state, since, needed, why, failed, draws, reach, onlineAt, usedBy, lines);
    }

    /** Replaces the draw with the same number, or appends it. */
    Rental draw(Draw draw) {
        List<Draw> next = new ArrayList<>(draws);
        next.removeIf(other -> other.number() == draw.number());
        next.add(draw.number() - 1, draw);
        return copy(state, since, needed, why, failed, next, reach, onlineAt, usedBy, story);
    }

    Rental reach(Reach next) {
        return copy(state, since, needed, why, failed, draws, next, onlineAt, usedBy, story);
    }

    Rental unneeded(Reason reason, boolean failure, Instant now) {
        return needed
                ? copy(State.RETIRING, now, false, reason, failure, draws, reach, onlineAt, usedBy, story)
                        .say(reason, now)
                : this;
    }

    Rental online(Instant now) {
        return copy(
                State.IN_SERVICE,
                state == State.IN_SERVICE ? since : now,
                needed,
                why,
                failed,
                draws,
                reach,
                onlineAt == null ? now : onlineAt,
                usedBy,
                story);
    }

    Rental key(String publicLine, Hidden privateText) {
        return new Rental(
                version,
                id,
                order,
                account,
                state,
                since,
                orderedAt,
                needed,
                why,
                failed,
                draws,
                publicLine,
                privateText,
                reach,
                onlineAt,
                usedBy,
                story);
    }

    /** The cloud that it counts for has another name. */
    Rental cloud(String name) {
        return new Rental(
                version,
                id,
                order.cloud(name),
                account,
                state,
                since,
                orderedAt,
                needed,
                why,
                failed,
                draws,
                publicKey,
                privateKey,
                reach,
                onlineAt,
                usedBy,
                story);
    }

    Rental used(String by) {
        return usedBy == null ? copy(state, since, needed, why, failed, draws, reach, onlineAt, by, story) : this;
    }

    private Rental copy(
            State newState,
            Instant newSince,
            boolean newNeeded,
            Reason newWhy,
            boolean newFailed,
            List<Draw> newDraws,
            Reach newReach,
            Instant newOnline,
            String newUsedBy,
            List<Line> newStory) {
        return new Rental(
                version,
                id,
                order,
                account,
                newState,
                newSince,
                orderedAt,
                newNeeded,
                newWhy,
                newFailed,
                newDraws,
                publicKey,
                privateKey,
                newReach,
                newOnline,
                newUsedBy,
                newStory);
    }
}

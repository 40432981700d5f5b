package io.jenkins.plugins.vastai.rental;

import io.jenkins.plugins.vastai.api.Instance;
import io.jenkins.plugins.vastai.text.Reason;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;

/**
 * Tells why the connection to a machine broke, for builds that end before {@link Serving} has reason enough to give the
 * machine up. Answers from what the market shows after the question. Engine's thread only.
 */
final class Explanations {

    /** The market learns a little later than the connection breaks: so often it may show that all is well. */
    private static final int LISTS = 3;

    private static final class Question {
        final String rental;
        final Instant asked;
        final CompletableFuture<Reason> answer;
        long counted;
        int lists;

        Question(String rental, Instant asked, CompletableFuture<Reason> answer) {
            this.rental = rental;
            this.asked = asked;
            this.answer = answer;
        }
    }

    private final Records records;
    private final List<Question> open = new ArrayList<>();

    Explanations(Records records) {
        this.records = records;
    }

    void ask(String rental, Instant asked, CompletableFuture<Reason> answer) {
        open.add(new Question(rental, asked, answer));
    }

    /** Whether somebody waits for the next list. */
    boolean pending() {
        return !open.isEmpty();
    }

    void pass(Observation observed) {
        for (Iterator<Question> all = open.iterator(); all.hasNext(); ) {
            Question question = all.next();
            try {
                if (!question.answer.isDone()) {
                    why(question, observed).ifPresent(question.answer::complete);
                }
            } catch (RuntimeException | Error e) {
                // Those that wait behind it have their turn all the same.
                question.answer.completeExceptionally(e);
                all.remove();
                throw e;
            }
            if (question.answer.isDone()) {
                all.remove();
            }
        }
    }

    private Optional<Reason> why(Question question, Observation observed) {
        Optional<Rental> rental = records.get(question.rental);
        if (rental.isEmpty()) {
            return Optional.of(RentalText.VANISHED.of("?"));
        }
        if (!rental.get().needed()) {
            return Optional.of(rental.get().why());
        }
        Optional<Draw> draw = rental.get().current();
        if (draw.isEmpty()) {
            return Optional.of(rental.get().last().reason());
        }
        if (observed.number() == question.counted || !observed.after(question.asked)) {
            return Optional.empty();
        }
        question.counted = observed.number();
        question.lists++;
        return why(draw.get(), observed.of(draw.get()), question.lists >= LISTS);
    }

    private static Optional<Reason> why(Draw draw, Optional<Instance> shown, boolean last) {
        if (shown.isEmpty()) {
            return last ? Optional.of(RentalText.NOT_LISTED.of(draw.instanceId())) : Optional.empty();
        }
        return switch (shown.get().status()) {
            case OFFLINE, UNKNOWN -> Optional.of(RentalText.HOST_WENT_OFFLINE.of(draw.instanceId()));
            // The rental is about to end for it, with the reason.
            case EXITED, STOPPED, FROZEN -> Optional.empty();
            default ->
                last
                        ? Optional.of(RentalText.CONNECTION_BROKE.of(
                                draw.instanceId(), shown.get().actualStatus()))
                        : Optional.empty();
        };
    }
}

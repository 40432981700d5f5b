package io.jenkins.plugins.vastai;

import edu.umd.cs.findbugs.annotations.CheckForNull;
import hudson.model.Computer;
import hudson.model.Executor;
import hudson.model.Item;
import hudson.model.Job;
import hudson.model.Queue;
import hudson.model.Run;
import hudson.slaves.Cloud;
import io.jenkins.plugins.vastai.rental.Cost;
import io.jenkins.plugins.vastai.rental.Draw;
import io.jenkins.plugins.vastai.rental.Rental;
import io.jenkins.plugins.vastai.rental.State;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import jenkins.model.Jenkins;
import org.kohsuke.accmod.Restricted;
import org.kohsuke.accmod.restrictions.NoExternalUse;
import org.springframework.security.access.AccessDeniedException;

/**
 * One rental as a row of a table. Texts are as they are, for a view that escapes them: hosts write what they like.
 *
 * @param state in words
 * @param time in the state
 * @param agentUrl relative to Jenkins' own address; null when the agent is gone
 * @param machine of the latest try; empty before the first
 * @param price $ per hour all-in; empty before the first try
 * @param cost $ so far
 * @param builds that run there, or the one that did; those that the reader may see
 * @param last what happened last
 * @param mayDestroy whether there is something to destroy and the reader may do it
 * @param mayBlock whether there is a machine to leave alone and the reader may say so
 */
@Restricted(NoExternalUse.class) // status.jelly
public record RentalRow(
        String id,
        String state,
        String time,
        String template,
        String agent,
        @CheckForNull String agentUrl,
        String machine,
        String gpus,
        String place,
        String price,
        String cost,
        List<Build> builds,
        String since,
        String last,
        boolean failed,
        boolean mayDestroy,
        boolean mayBlock) {

    /**
     * A build.
     *
     * @param url relative to Jenkins' own address
     */
    public record Build(String name, String url) {}

    static RentalRow of(Rental rental, VastAiCloud cloud, Shown shown) {
        List<Draw> draws = rental.draws();
        Optional<Draw> draw = draws.isEmpty() ? Optional.empty() : Optional.of(draws.get(draws.size() - 1));
        Optional<VastAiComputer> computer = VastAiComputer.of(rental);
        return new RentalRow(
                rental.id(),
                state(rental.state()),
                shown.since(rental.since()),
                rental.order().template(),
                rental.order().agent(),
                computer.map(Computer::getUrl).orElse(null),
                draw.map(d -> Long.toString(d.machineId())).orElse(""),
                draw.map(Draw::gpus).orElse(""),
                draw.map(Draw::place).map(RentalRow::tidy).orElse(""),
                draw.map(Draw::pricePerHour).map(Shown::price).orElse(""),
                Shown.price(Cost.of(rental, shown.now())),
                computer.map(RentalRow::running)
                        .filter(running -> !running.isEmpty())
                        .orElseGet(() -> used(rental)),
                shown.time(rental.since()),
                shown.text(rental.last().reason()),
                rental.failed(),
                rental.needed() && CloudActions.mayDestroy(computer.orElse(null)),
                draw.isPresent() && cloud.hasPermission(Cloud.PROVISION));
    }

    static String state(State state) {
        return switch (state) {
            case ORDERED -> Messages.CloudPage_ORDERED();
            case RENTING -> Messages.CloudPage_RENTING();
            case BOOTING -> Messages.CloudPage_BOOTING();
            case REACHABLE -> Messages.CloudPage_REACHABLE();
            case IN_SERVICE -> Messages.CloudPage_IN_SERVICE();
            case RETIRING -> Messages.CloudPage_RETIRING();
            case DESTROYED -> Messages.CloudPage_DESTROYED();
            case FAILED -> Messages.CloudPage_FAILED();
        };
    }

    /** Owners write places as they like: {@code ", US"} is common. */
    static String tidy(String place) {
        return place.replaceFirst("^[,\\s]+", "");
    }

    private static List<Build> running(Computer computer) {
        return Stream.concat(computer.getExecutors().stream(), computer.getOneOffExecutors().stream())
                .map(Executor::getCurrentExecutable)
                .flatMap(executable -> run(executable).stream())
                .filter(run -> run.hasPermission(Item.READ))
                .map(run -> new Build(run.getFullDisplayName(), run.getUrl()))
                .distinct()
                .toList();
    }

    /** A part of a pipeline belongs to its run. */
    private static Optional<Run<?, ?>> run(@CheckForNull Queue.Executable executable) {
        for (Queue.Executable one = executable; one != null; one = one.getParentExecutable()) {
            if (one instanceof Run<?, ?> run) {
                return Optional.of(run);
            }
        }
        return Optional.empty();
    }

    /** Only the job is looked up: a hundred old builds would be read from disk for their names alone. */
    static List<Build> used(Rental rental) {
        String used = rental.usedBy();
        int hash = used == null ? -1 : used.lastIndexOf('#');
        if (hash < 0) {
            return List.of();
        }
        try {
            Job<?, ?> job = Jenkins.get().getItemByFullName(used.substring(0, hash), Job.class);
            String number = used.substring(hash + 1);
            return job == null
                    ? List.of()
                    : List.of(new Build(job.getFullDisplayName() + " #" + number, job.getUrl() + number + "/"));
        } catch (AccessDeniedException e) {
            return List.of(); // may know that there is such a job, but not read it
        }
    }
}

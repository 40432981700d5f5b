package io.jenkins.plugins.vastai.rental;

import io.jenkins.plugins.vastai.api.VastClient;
import io.jenkins.plugins.vastai.market.FailureClass;
import io.jenkins.plugins.vastai.text.Reason;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.stream.Collectors;

/** Machines that are given up before they serve: whose fault it was, their last words, and another one. */
final class Duds {

    private static final int LOG_LINES = 5;
    private static final Duration LOG_PATIENCE = Duration.ofSeconds(12);

    private final Records records;
    private final Lanes lanes;
    private final VastClient client;
    private final Blocked blocked;
    private final Renting renting;

    Duds(Records records, Lanes lanes, VastClient client, Blocked blocked, Renting renting) {
        this.records = records;
        this.lanes = lanes;
        this.client = client;
        this.blocked = blocked;
        this.renting = renting;
    }

    /** Ends the present draw: remembers whose fault it was, and tries another machine where that can help. */
    void failed(Rental rental, Progress progress, Draw draw, FailureClass failure, Reason reason, Instant now) {
        Reason why = RentalText.NOT_FIT.of(draw.number(), draw.machineId(), reason);
        blocked.after(draw, failure, reason, now);
        fetchLog(rental, progress, draw, now);
        Rental next = rental.draw(draw.disposing(reason, now)).say(why, now);
        if (failure == FailureClass.TEMPLATE) {
            records.save(
                    next.unneeded(RentalText.TEMPLATE_WRONG.of(rental.order().template(), reason), true, now));
            progress.nextDraw();
        } else {
            renting.again(next, progress, now);
        }
    }

    /**
     * The container's last words, for the story; they are gone once the instance is destroyed, so the destroy waits a
     * moment for them.
     */
    private void fetchLog(Rental rental, Progress progress, Draw draw, Instant now) {
        if (draw.instanceId() == null || draw.runningFrom() == null) {
            return; // a container that never ran has said nothing
        }
        long instance = draw.instanceId();
        Progress.Disposing disposing = progress.disposing(draw);
        if (lanes.submit(Lanes.Lane.LOGS, () -> client.fetchLogs(instance, 20, false), (log, failure) -> {
            disposing.notBefore = Instant.MIN;
            if (failure == null && log.isPresent() && !log.get().isBlank()) {
                String[] lines = log.get().strip().split("\\R");
                String last = Arrays.stream(lines)
                        .skip(Math.max(0, lines.length - LOG_LINES))
                        .map(StatusText::shown)
                        .collect(Collectors.joining(" | "));
                records.get(rental.id())
                        .ifPresent(current -> records.say(current, RentalText.CONTAINER_LOG.of(instance, last)));
            }
        })) {
            disposing.notBefore = now.plus(LOG_PATIENCE);
        }
    }
}

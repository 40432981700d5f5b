package io.jenkins.plugins.vastai;

import io.jenkins.plugins.vastai.market.Ban;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;

/**
 * Has each fleet leave alone what the clouds that order from it say, and nothing that they no longer say. Compares, like
 * all of {@link Upkeep}, so that it does not matter how a configuration was changed.
 */
final class ConfiguredBans {

    /** Bans of the configuration, as the fleets know them. */
    static final String SOURCE = "configuration";

    private final Fleets fleets;

    ConfiguredBans(Fleets fleets) {
        this.fleets = fleets;
    }

    void look() {
        Instant now = Instant.now();
        fleets.ids().forEach(id -> fleets.fleet(id).ifPresent(fleet -> {
            List<Ban> wanted = wanted(id, now);
            List<Ban> there = fleet.blocklist().bans().stream()
                    .filter(ban -> ban.source().equals(SOURCE) && ban.activeAt(now))
                    .toList();
            if (!wanted.equals(there)) {
                fleet.blocks(list -> list.withAll(SOURCE, wanted));
            }
        }));
    }

    private static List<Ban> wanted(String fleet, Instant now) {
        List<Ban> wanted = new ArrayList<>();
        for (VastAiCloud cloud : Fleets.clouds()) {
            if (FleetKey.of(cloud).id().equals(fleet)) {
                cloud.getBlocklist().forEach(entry -> add(entry, wanted));
            }
        }
        wanted.removeIf(ban -> !ban.activeAt(now));
        return wanted;
    }

    private static void add(BlocklistEntry entry, List<Ban> wanted) {
        Instant until = null;
        try {
            until = entry.end().orElse(null);
        } catch (DateTimeException e) {
            // Loaded from a file that nobody checked: the admin does not want it, only the day is unknown.
        }
        if (entry.getMachineId() > 0) {
            wanted.add(new Ban(Ban.Kind.MACHINE, entry.getMachineId(), entry.getReason(), until, SOURCE));
        }
        if (entry.getHostId() > 0) {
            wanted.add(new Ban(Ban.Kind.HOST, entry.getHostId(), entry.getReason(), until, SOURCE));
        }
    }
}

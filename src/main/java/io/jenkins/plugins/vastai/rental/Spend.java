package io.jenkins.plugins.vastai.rental;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.math.BigDecimal;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneId;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.logging.Level;
import java.util.logging.Logger;

/**
 * What was spent, by day, cloud and template. Whatever still has its record is summed up from the record, so nothing has
 * to be kept in step while machines run; only when a record is forgotten is its sum written down, in one file for all.
 * Written by the engine's thread, read by any.
 */
public final class Spend {

    private static final Logger LOGGER = Logger.getLogger(Spend.class.getName());
    private static final String NAME = "spend";
    private static final int VERSION = 1;
    private static final int DAYS_KEPT = 400;

    /**
     * A sum.
     *
     * @param day in the controller's time zone
     * @param dollars estimated as {@link Cost} does
     */
    public record Amount(LocalDate day, String cloud, String template, BigDecimal dollars) {}

    /**
     * The file.
     *
     * @param last id of the rental that was added last; empty at first
     * @param added ids of rentals that were added and whose records may still be there, since a crash came in between or
     *     the disk refused: they must not count twice; null in a file of before there were any
     */
    record Ledger(int version, String last, List<String> added, List<Amount> amounts) {
        static final Ledger EMPTY = new Ledger(VERSION, "", List.of(), List.of());
    }

    private record Cell(LocalDate day, String cloud, String template) {}

    private final RentalStore store;
    private final ZoneId zone;
    /** Added, and their records removed since. Engine's thread only. */
    private final Set<String> gone = new HashSet<>();

    private boolean mayWrite = true;
    private volatile Ledger ledger;

    Spend(RentalStore store, ZoneId zone) {
        this.store = store;
        this.zone = zone;
        this.ledger = load();
    }

    /** Sums are worth less than machines: these are looked after whatever became of the file. */
    private Ledger load() {
        try {
            Ledger stored = store.load(NAME, Ledger.class, VERSION).orElse(Ledger.EMPTY);
            Set<String> added = new HashSet<>(stored.added() == null ? List.of() : stored.added());
            added.add(stored.last());
            added.retainAll(store.ids());
            return new Ledger(VERSION, stored.last(), List.copyOf(added), stored.amounts());
        } catch (NewerVersion e) {
            mayWrite = false; // the file is a newer plugin's
            LOGGER.severe(e.getMessage());
            return Ledger.EMPTY;
        } catch (IOException e) {
            LOGGER.log(Level.SEVERE, "Cannot read what was spent before; sums begin anew", e);
            return Ledger.EMPTY;
        }
    }

    /**
     * The record is about to be forgotten. On disk when this returns; {@link #forgotten} follows when the record is gone.
     *
     * @throws UncheckedIOException when the disk refuses: the record must be kept
     */
    void keep(Rental rental, Instant now) {
        if (ledger.added().contains(rental.id())) {
            return;
        }
        Map<Cell, BigDecimal> cells = cells(ledger.amounts());
        add(cells, rental, LocalDate.MIN, now);
        LocalDate oldest = LocalDate.ofInstant(now, zone).minusDays(DAYS_KEPT);
        cells.keySet().removeIf(cell -> cell.day().isBefore(oldest));
        List<String> added = new ArrayList<>(ledger.added());
        added.removeAll(gone);
        added.add(rental.id());
        write(new Ledger(VERSION, rental.id(), List.copyOf(added), amounts(cells)));
        gone.clear();
    }

    /** The record is gone: its id is dropped with the next sum, and one id too many harms nothing until then. */
    void forgotten(String id) {
        gone.add(id);
    }

    /** A cloud has another name from now on. */
    void renamed(String cloud, String to) {
        if (ledger.amounts().stream().noneMatch(amount -> amount.cloud().equals(cloud))) {
            return;
        }
        Map<Cell, BigDecimal> cells = cells(ledger.amounts().stream()
                .map(amount -> amount.cloud().equals(cloud)
                        ? new Amount(amount.day(), to, amount.template(), amount.dollars())
                        : amount)
                .toList());
        write(new Ledger(VERSION, ledger.last(), ledger.added(), amounts(cells)));
    }

    /**
     * Sums from that day on, in no order.
     *
     * @param kept every rental that has a record
     */
    List<Amount> since(LocalDate from, Collection<Rental> kept, Instant now) {
        Ledger known = ledger;
        Map<Cell, BigDecimal> cells = cells(known.amounts());
        cells.keySet().removeIf(cell -> cell.day().isBefore(from));
        for (Rental rental : kept) {
            if (!known.added().contains(rental.id())) {
                add(cells, rental, from, now);
            }
        }
        return amounts(cells);
    }

    private void add(Map<Cell, BigDecimal> cells, Rental rental, LocalDate from, Instant now) {
        for (Draw draw : rental.draws()) {
            if (draw.billedFrom() == null) {
                continue;
            }
            LocalDate last = LocalDate.ofInstant(Cost.billedTo(draw, now), zone);
            LocalDate first = LocalDate.ofInstant(draw.billedFrom(), zone);
            for (LocalDate day = first.isBefore(from) ? from : first; !day.isAfter(last); day = day.plusDays(1)) {
                BigDecimal dollars = Cost.between(
                        draw,
                        day.atStartOfDay(zone).toInstant(),
                        day.plusDays(1).atStartOfDay(zone).toInstant(),
                        now);
                if (dollars.signum() > 0) {
                    cells.merge(
                            new Cell(day, rental.order().cloud(), rental.order().template()), dollars, BigDecimal::add);
                }
            }
        }
    }

    private static Map<Cell, BigDecimal> cells(List<Amount> amounts) {
        Map<Cell, BigDecimal> cells = new HashMap<>();
        amounts.forEach(amount -> cells.merge(
                new Cell(amount.day(), amount.cloud(), amount.template()), amount.dollars(), BigDecimal::add));
        return cells;
    }

    private static List<Amount> amounts(Map<Cell, BigDecimal> cells) {
        List<Amount> amounts = new ArrayList<>();
        cells.forEach((cell, dollars) -> amounts.add(new Amount(cell.day(), cell.cloud(), cell.template(), dollars)));
        return List.copyOf(amounts);
    }

    private void write(Ledger next) {
        try {
            if (mayWrite) {
                store.save(NAME, next);
            }
            ledger = next;
        } catch (IOException e) {
            throw new UncheckedIOException("Cannot write what was spent", e);
        }
    }
}

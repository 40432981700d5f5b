package io.jenkins.plugins.vastai;

import java.util.List;
import java.util.function.Function;
import org.kohsuke.accmod.Restricted;
import org.kohsuke.accmod.restrictions.NoExternalUse;

/**
 * Part of a long table.
 *
 * @param rows that are shown
 * @param skipped before them
 * @param all there are
 * @param size of a full part
 */
@Restricted(NoExternalUse.class) // status.jelly
public record Part<T>(List<T> rows, int skipped, int all, int size) {

    /** Only what is shown is rendered. */
    static <S, T> Part<T> of(List<S> all, int skip, int size, Function<S, T> row) {
        int from = skip < all.size() ? Math.max(0, skip) : 0;
        return new Part<>(all.stream().skip(from).limit(size).map(row).toList(), from, all.size(), size);
    }

    public boolean isEmpty() {
        return rows.isEmpty();
    }

    public boolean hasMore() {
        return skipped + rows.size() < all;
    }

    public boolean hasLess() {
        return skipped > 0;
    }

    /** What the part after this one skips. */
    public int next() {
        return skipped + size;
    }

    /** What the part before this one skips. */
    public int previous() {
        return Math.max(0, skipped - size);
    }

    /** 1 for the first row of all. */
    public int first() {
        return skipped + 1;
    }

    public int last() {
        return skipped + rows.size();
    }
}

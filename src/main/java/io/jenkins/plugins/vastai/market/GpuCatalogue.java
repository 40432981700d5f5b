package io.jenkins.plugins.vastai.market;

import java.util.Collection;
import java.util.List;
import java.util.OptionalInt;
import java.util.SortedSet;

/** GPU models by the names that the market gives them. An immutable value. */
public final class GpuCatalogue {

    private GpuCatalogue() {}

    /** The names known when this was released. */
    public static GpuCatalogue builtIn() {
        throw new UnsupportedOperationException();
    }

    /** This catalogue and the names that the market uses today ({@code /gpu_names/unique/}). */
    public GpuCatalogue refreshedWith(Collection<String> liveNames) {
        throw new UnsupportedOperationException();
    }

    /** All names, as the market spells them. */
    public SortedSet<String> names() {
        throw new UnsupportedOperationException();
    }

    /**
     * The models that somebody means: one name in any spelling (case, spaces, underscores, hyphens do not matter), or
     * a family such as {@code H100}. Sorted; empty when unknown.
     */
    public List<String> resolve(String model) {
        throw new UnsupportedOperationException();
    }

    /** Names most like a text, the likeliest first; {@code limit} at most. */
    public List<String> nearest(String text, int limit) {
        throw new UnsupportedOperationException();
    }

    /** Memory that one card of a model usually reports, MB; empty when not known. */
    public OptionalInt typicalRamMb(String name) {
        throw new UnsupportedOperationException();
    }
}

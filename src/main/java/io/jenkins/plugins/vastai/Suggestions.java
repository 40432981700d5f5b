package io.jenkins.plugins.vastai;

import edu.umd.cs.findbugs.annotations.CheckForNull;
import hudson.model.AutoCompletionCandidates;
import io.jenkins.plugins.vastai.market.GpuCatalogue;
import io.jenkins.plugins.vastai.market.Regions;
import io.jenkins.plugins.vastai.rental.Fleet;
import io.jenkins.plugins.vastai.rental.Names;
import java.io.IOException;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * What fields offer while somebody types: the market's names, or the built-in ones while it does not answer. A choice
 * takes the place of the whole text, so each repeats what stands before the last comma.
 */
final class Suggestions {

    /** As many as the list under a field shows. */
    private static final int MOST = 10;

    /** Nobody types on for longer without looking up. */
    private static final long PATIENCE_MILLIS = 1500;

    private static final Pattern COUNT = Pattern.compile("(\\d{1,2})\\s*[xX]\\s*(.*)");

    /** The market's texts go into a page: whatever is no name stays out. */
    private static final Pattern PLAIN = Pattern.compile("[A-Za-z0-9][A-Za-z0-9 ._+-]{0,59}");

    /** Images that are known to exist and to have what an agent needs; source: the market's own documentation. */
    static final List<String> IMAGES = List.of(
            "nvidia/cuda:12.0.0-base-ubuntu22.04",
            "vastai/base-image:@vastai-automatic-tag",
            "vastai/kvm:ubuntu_cli_22.04-2025-11-21",
            "vastai/kvm:ubuntu_desktop_22.04-2025-11-21",
            "vastai/kvm:ubuntu_terminal");

    private Suggestions() {}

    /** Never fails, and takes no longer than somebody who types would wait. */
    static Names names(@CheckForNull VastAiCloud cloud) {
        Names builtIn = new Names(GpuCatalogue.builtIn(), Set.of(), Optional.empty());
        if (cloud == null) {
            return builtIn;
        }
        try {
            Optional<Fleet> fleet = Fleets.get().fleet(cloud);
            if (fleet.isEmpty()) {
                return builtIn;
            }
            CompletableFuture<Names> answer = fleet.get().names();
            try {
                return answer.get(PATIENCE_MILLIS, TimeUnit.MILLISECONDS);
            } catch (TimeoutException e) {
                return new Names(fleet.get().catalogue(), Set.of(), Optional.empty());
            }
        } catch (IOException | ExecutionException | IllegalArgumentException e) {
            return builtIn; // an address that is none: said beside its own field
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return builtIn;
        }
    }

    static AutoCompletionCandidates gpus(String typed, Names names) {
        return completed(typed, part -> {
            Matcher counted = COUNT.matcher(part);
            boolean hasCount = counted.matches();
            String count = hasCount ? counted.group(1) : "1";
            String model = key(hasCount ? counted.group(2) : part);
            return names.catalogue().names().stream()
                    .filter(name -> PLAIN.matcher(name).matches() && key(name).contains(model))
                    .sorted(Comparator.comparing((String name) -> !key(name).endsWith(model))
                            .thenComparing(Comparator.naturalOrder()))
                    .map(name -> count + "x" + name.replace(' ', '_'));
        });
    }

    static AutoCompletionCandidates regions(String typed, Names names) {
        return completed(typed, part -> {
            String wanted = key(part);
            Stream<String> groups = Regions.groups().keySet().stream()
                    .filter(group -> key(group).startsWith(wanted));
            Stream<String> countries = Stream.of(Locale.getISOCountries())
                    .sorted(Comparator.comparing(
                            (String code) -> !names.countries().contains(code)))
                    .flatMap(code -> {
                        String name = Regions.countryName(code, Locale.ENGLISH);
                        return key(name).startsWith(wanted)
                                ? Stream.of(name)
                                : key(code).startsWith(wanted) ? Stream.of(code) : Stream.empty();
                    });
            return Stream.concat(countries, groups);
        });
    }

    static AutoCompletionCandidates images(String typed) {
        AutoCompletionCandidates found = new AutoCompletionCandidates();
        String wanted = typed.trim().toLowerCase(Locale.ROOT);
        IMAGES.stream().filter(image -> image.contains(wanted)).forEach(found::add);
        return found;
    }

    private static AutoCompletionCandidates completed(String typed, Function<String, Stream<String>> candidates) {
        int comma = typed.lastIndexOf(',');
        String before = comma < 0 ? "" : typed.substring(0, comma + 1) + " ";
        String part = typed.substring(comma + 1).trim();
        AutoCompletionCandidates found = new AutoCompletionCandidates();
        if (!part.isEmpty()) {
            candidates.apply(part).limit(MOST).forEach(candidate -> found.add(before + candidate));
        }
        return found;
    }

    private static String key(String text) {
        return text.toLowerCase(Locale.ROOT).replaceAll("[^\\p{L}\\p{N}]", "");
    }
}

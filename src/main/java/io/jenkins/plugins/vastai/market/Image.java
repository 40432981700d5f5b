package io.jenkins.plugins.vastai.market;

import io.jenkins.plugins.vastai.text.Reason;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.OptionalDouble;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A Docker image reference ({@code machineImage}) and what it tells about itself.
 *
 * @param registry host with optional port; empty means Docker Hub
 * @param repository lower case, {@code library/} not added
 * @param tag empty when only a digest is given
 * @param digest {@code sha256:…}, or empty
 */
public record Image(String registry, String repository, String tag, String digest) {

    /** Tag under which the market picks the variant for the host's CUDA; works for {@code vastai/*} images alone. */
    public static final String AUTOMATIC_TAG = "@vastai-automatic-tag";

    /** A VM image that is known to exist, for messages. */
    public static final String EXAMPLE_VM_IMAGE = "vastai/kvm:ubuntu_cli_22.04-2025-11-21";

    /** Longest reference that the market takes, characters. */
    static final int MAX_LENGTH = 1024;

    private static final Pattern REPOSITORY =
            Pattern.compile("[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*");
    private static final Pattern REGISTRY =
            Pattern.compile("(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\\[[0-9a-fA-F:]+])(?::\\d{1,5})?");
    private static final Pattern TAG = Pattern.compile("\\w[\\w.-]{0,127}");
    private static final Pattern DIGEST = Pattern.compile("sha256:[0-9a-f]{64}");

    /** {@code cuda12.4}, {@code cuda-12.8.1}, {@code cuda_12.1}, {@code cuda12}. */
    private static final Pattern CUDA_WORD = Pattern.compile("cuda[-_]?(\\d{1,2})(?:\\.(\\d))?(?!\\d)");
    /** {@code cu124}, {@code cu118}: the last digit is the minor version. */
    private static final Pattern CUDA_SHORT = Pattern.compile("(?:^|[^a-z])cu(\\d{2})(\\d)(?!\\d)");
    /** {@code 12.0.0-base-ubuntu22.04}, for images that are CUDA itself. */
    private static final Pattern CUDA_LEADING = Pattern.compile("^(\\d{1,2})\\.(\\d)(?!\\d)");

    /**
     * Reads {@code [registry/]repository[:tag][@sha256:digest]}.
     *
     * @throws SettingException when empty, too long, malformed or without a tag
     */
    public static Image parse(String text) throws SettingException {
        String given = text == null ? "" : text.trim();
        if (given.isEmpty()) {
            throw new SettingException(MarketText.IMAGE_EMPTY.of());
        }
        if (given.length() > MAX_LENGTH) {
            throw new SettingException(
                    MarketText.IMAGE_TOO_LONG.of(given.substring(0, 40) + "…", given.length(), MAX_LENGTH));
        }
        String rest = given;
        String digest = "";
        String tag = "";
        if (rest.endsWith(AUTOMATIC_TAG)) {
            tag = AUTOMATIC_TAG;
            rest = rest.substring(0, rest.length() - AUTOMATIC_TAG.length());
            rest = rest.endsWith(":") ? rest.substring(0, rest.length() - 1) : rest;
        } else {
            int at = rest.indexOf('@');
            if (at >= 0) {
                digest = rest.substring(at + 1);
                rest = rest.substring(0, at);
            }
            int colon = rest.lastIndexOf(':');
            if (colon > rest.lastIndexOf('/')) {
                tag = rest.substring(colon + 1);
                rest = rest.substring(0, colon);
                if (!TAG.matcher(tag).matches()) {
                    throw new SettingException(MarketText.IMAGE_MALFORMED.of(given));
                }
            }
        }
        String registry = "";
        int slash = rest.indexOf('/');
        String first = slash < 0 ? "" : rest.substring(0, slash);
        // Docker's own rule: the first part is a host when it looks like one.
        if (first.contains(".") || first.contains(":") || first.equals("localhost")) {
            registry = first;
            rest = rest.substring(slash + 1);
        }
        if (!rest.equals(rest.toLowerCase(Locale.ROOT))
                && REPOSITORY.matcher(rest.toLowerCase(Locale.ROOT)).matches()) {
            throw new SettingException(
                    MarketText.IMAGE_UPPER_CASE.of(given, given.replace(rest, rest.toLowerCase(Locale.ROOT))));
        }
        if (!REPOSITORY.matcher(rest).matches()
                || !registry.isEmpty() && !REGISTRY.matcher(registry).matches()
                || !digest.isEmpty() && !DIGEST.matcher(digest).matches()) {
            throw new SettingException(MarketText.IMAGE_MALFORMED.of(given));
        }
        Image image = new Image(registry, rest, tag, digest);
        if (tag.isEmpty() && digest.isEmpty()) {
            throw new SettingException(
                    image.virtualMachine()
                            ? MarketText.VM_IMAGE_NO_TAG.of(given, EXAMPLE_VM_IMAGE)
                            : MarketText.IMAGE_NO_TAG.of(given, given + ":1.4.2"));
        }
        if (tag.equals(AUTOMATIC_TAG) && !(image.onDockerHub() && rest.startsWith("vastai/"))) {
            throw new SettingException(MarketText.IMAGE_AUTOMATIC_TAG.of(given));
        }
        return image;
    }

    /** Whether it is one of the market's virtual machine images. */
    public boolean virtualMachine() {
        return onDockerHub() && repository.equals("vastai/kvm");
    }

    /** Whether it comes from Docker Hub, which limits pulls per address: hosts at home share theirs with strangers. */
    public boolean onDockerHub() {
        return registry.isEmpty() || registry.equals("docker.io") || registry.equals("index.docker.io");
    }

    /** CUDA version that the tag speaks of, 12.4; empty when it does not say. */
    public OptionalDouble cuda() {
        String text = tag.toLowerCase(Locale.ROOT);
        Matcher matcher = CUDA_WORD.matcher(text);
        if (!matcher.find()) {
            matcher = CUDA_SHORT.matcher(text);
            if (!matcher.find()) {
                matcher = CUDA_LEADING.matcher(text);
                boolean isCuda = repository.equals("cuda") || repository.endsWith("/cuda");
                if (!isCuda || !matcher.find()) {
                    return OptionalDouble.empty();
                }
            }
        }
        String minor = matcher.group(2) == null ? "0" : matcher.group(2);
        return OptionalDouble.of(Double.parseDouble(matcher.group(1) + "." + minor));
    }

    /** What contradicts the mode; empty when all is well. */
    public List<Reason> contradictions(boolean vm) {
        List<Reason> found = new ArrayList<>();
        if (vm && !virtualMachine()) {
            found.add(MarketText.VM_NEEDS_VM_IMAGE.of(this, EXAMPLE_VM_IMAGE));
        } else if (!vm && virtualMachine()) {
            found.add(MarketText.VM_IMAGE_NEEDS_VM.of(this));
        }
        if (vm && virtualMachine() && (tag.equals("latest") || tag.equals(AUTOMATIC_TAG))) {
            found.add(MarketText.VM_IMAGE_NO_TAG.of(this, EXAMPLE_VM_IMAGE));
        }
        return found;
    }

    /**
     * What is sent to the market. A VM image must name its registry, or the market silently starts a container;
     * anything else is sent as written.
     */
    public String reference() {
        return virtualMachine() ? new Image("docker.io", repository, tag, digest).toString() : toString();
    }

    /** As the admin wrote it. */
    @Override
    public String toString() {
        return (registry.isEmpty() ? "" : registry + "/")
                + repository
                + (tag.isEmpty() ? "" : ":" + tag)
                + (digest.isEmpty() ? "" : "@" + digest);
    }
}

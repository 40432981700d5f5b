package io.jenkins.plugins.vastai.market;

import java.util.List;

/** The grammar of {@code instanceType}: {@code 1xRTX_4090}, {@code 2xH100, 8xA100_SXM4_80GB}. */
public final class InstanceType {

    private InstanceType() {}

    /**
     * Reads {@code {count}x{model}}, several separated by commas. Case, spaces, underscores and hyphens do not matter;
     * a model may be a family ({@code H100}) and may end in the memory of one card ({@code _80GB}).
     *
     * @return what to look for, in the order in which it is to be tried; at least one, immutable
     * @throws SettingException when empty, malformed, absurd, or when a GPU is unknown (offers the nearest names)
     */
    public static List<GpuWish> parse(String text, GpuCatalogue catalogue) throws SettingException {
        throw new UnsupportedOperationException();
    }
}

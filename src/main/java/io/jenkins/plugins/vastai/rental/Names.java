package io.jenkins.plugins.vastai.rental;

import io.jenkins.plugins.vastai.market.GpuCatalogue;
import java.time.Instant;
import java.util.Optional;
import java.util.Set;

/**
 * What can be asked for, in the market's words.
 *
 * @param catalogue GPU models
 * @param countries ISO codes of countries that offers were seen in lately; empty when none have been looked at
 * @param asOf when the market was asked for the models; empty while the list is the built-in one
 */
public record Names(GpuCatalogue catalogue, Set<String> countries, Optional<Instant> asOf) {}

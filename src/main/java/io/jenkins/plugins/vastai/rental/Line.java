package io.jenkins.plugins.vastai.rental;

import io.jenkins.plugins.vastai.text.Reason;
import java.time.Instant;

/** One line of a rental's story. */
public record Line(Instant at, Reason reason) {}

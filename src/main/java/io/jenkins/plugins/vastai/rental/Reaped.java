package io.jenkins.plugins.vastai.rental;

import io.jenkins.plugins.vastai.text.Reason;
import java.time.Instant;

/**
 * What the sweep did to an instance that no rental wanted. Kept on disk, the newest {@value Orphans#KEPT} of them.
 *
 * @param at when it was decided
 * @param instance the market's contract
 * @param label what the instance carries
 * @param rental id of the rental whose record destroys it and tells the rest of the story
 * @param reason why
 */
public record Reaped(Instant at, long instance, String label, String rental, Reason reason) {}

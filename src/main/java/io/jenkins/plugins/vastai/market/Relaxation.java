package io.jenkins.plugins.vastai.market;

import io.jenkins.plugins.vastai.api.Offer;

/**
 * One change of one setting that would let an offer through.
 *
 * @param rejection the requirement
 * @param value what to set {@link Rejection#setting()} to so that the nearest offer fits; for {@code region} what to
 *     add to it
 * @param offer the nearest offer
 * @param offers how many offers fail on this requirement alone; more of them may need more of a change
 */
public record Relaxation(Rejection rejection, String value, Offer offer, int offers) {}

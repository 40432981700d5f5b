package io.jenkins.plugins.vastai.market;

import java.time.Duration;

/**
 * What a run on the machine is expected to need. Only prices and the order of offers depend on it, so rough figures
 * will do.
 *
 * @param imageGb download of the image, compressed, GB; paid as traffic and waited for at every start
 * @param downloadGb received by the build itself, GB
 * @param uploadGb sent by the build itself, GB
 * @param runTime from the agent being ready to the end of the build
 * @param waitingPricePerHour what an hour of waiting for the machine is worth, $: the higher, the more a fast start
 *     counts against a low price; 0 ranks by money alone
 */
public record ExpectedRun(
        double imageGb, double downloadGb, double uploadGb, Duration runTime, double waitingPricePerHour) {

    /** A build of half an hour on an image of 5 GB; a minute of waiting weighs as much as about 1.7 cents. */
    public static final ExpectedRun DEFAULT = new ExpectedRun(5, 2, 0.5, Duration.ofMinutes(30), 1);
}

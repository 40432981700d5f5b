package io.jenkins.plugins.vastai.rental;

import io.jenkins.plugins.vastai.api.Offer;
import io.jenkins.plugins.vastai.market.AllInPrice;
import io.jenkins.plugins.vastai.market.Ban;
import io.jenkins.plugins.vastai.market.Block;
import io.jenkins.plugins.vastai.market.Candidate;
import io.jenkins.plugins.vastai.market.GpuWish;
import io.jenkins.plugins.vastai.text.Reason;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/** What would be rented now for somebody, by the choice that rentals themselves go by. */
public sealed interface Preview {

    /**
     * The market has answered.
     *
     * @param wish the GPUs that were found, or the last that were looked for
     * @param offers how many offers were looked at
     * @param fit how many machines would do
     * @param best the first of them, the best first; ten at most
     * @param withheld machines that would do if they were free for us, the best first; ten at most
     * @param explanation what removed how many offers, and what would help
     * @param asOf when the market was asked
     */
    record Shown(
            GpuWish wish,
            int offers,
            int fit,
            List<Candidate> best,
            List<Withheld> withheld,
            List<Reason> explanation,
            Instant asOf)
            implements Preview {}

    /** There is no preview, for this reason. */
    record Refused(Reason why) implements Preview {}

    /**
     * A machine that meets every requirement and is left out all the same; without block, ban and agent, because several
     * machines of its host failed.
     *
     * @param price what it would cost; empty when the offer states no price
     * @param block why it is left alone; empty when that has another cause
     * @param ban who wants it never rented; empty when nobody does
     * @param agent whose machine it is; empty when it is not in use
     */
    record Withheld(
            Offer offer,
            Optional<AllInPrice> price,
            Optional<Block> block,
            Optional<Ban> ban,
            Optional<String> agent) {}
}

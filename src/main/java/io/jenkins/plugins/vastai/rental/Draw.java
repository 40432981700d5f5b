package io.jenkins.plugins.vastai.rental;

import com.fasterxml.jackson.annotation.JsonIgnore;
import io.jenkins.plugins.vastai.text.Reason;
import java.math.BigDecimal;
import java.time.Instant;

/**
 * One try of a rental at one machine. Immutable; on disk before its create call is sent.
 *
 * @param number counts from 1 within the rental
 * @param label what the create call carries: names controller, cloud, rental and draw, so that a lost answer can be
 *     settled by looking for it
 * @param offerId what was asked for
 * @param machineId the physical machine
 * @param hostId its owner
 * @param gpus for people: {@code 1x RTX 4090}
 * @param place for people: the country code, {@code ?} when the host states none
 * @param pricePerHour $ per hour all-in as promised by the offer
 * @param phase how far it is
 * @param since when it entered the phase
 * @param sent when the create call was about to be sent
 * @param instanceId the contract; null until known
 * @param billedFrom when the market began to bill; null until the instance is known
 * @param runningFrom when it was first seen running, which is when the GPU is billed; null before
 * @param goneAt when it was proved gone; null before
 * @param destroyedAt when the market last acknowledged a destroy; null before
 * @param destroys destroy calls made
 * @param absences complete lists in a row, each begun after the last destroy, that did not show it
 * @param failure why it did not serve, or stopped serving; null while all is well
 */
public record Draw(
        int number,
        String label,
        long offerId,
        long machineId,
        long hostId,
        String gpus,
        String place,
        BigDecimal pricePerHour,
        Phase phase,
        Instant since,
        Instant sent,
        Long instanceId,
        Instant billedFrom,
        Instant runningFrom,
        Instant goneAt,
        Instant destroyedAt,
        int destroys,
        int absences,
        Reason failure) {

    /** Life of one instance, from the decision to take the offer to the proof that nothing of it is left. */
    public enum Phase {
        /** Create is about to be sent, under way, or was sent with an unknown outcome. */
        SENDING,
        /** The market confirmed a contract. */
        HELD,
        /** Not wanted any more: destroy, look, destroy again. */
        DISPOSING,
        /** Seen to be gone, or never made. */
        GONE
    }

    static Draw planned(
            int number,
            String label,
            long offerId,
            long machineId,
            long hostId,
            String gpus,
            String place,
            BigDecimal pricePerHour,
            Instant now) {
        return new Draw(
                number,
                label,
                offerId,
                machineId,
                hostId,
                gpus,
                place,
                pricePerHour,
                Phase.SENDING,
                now,
                now,
                null,
                null,
                null,
                null,
                null,
                0,
                0,
                null);
    }

    /** May an instance of this draw exist at the market? */
    @JsonIgnore
    public boolean open() {
        return phase != Phase.GONE;
    }

    Draw held(long instance, Instant now) {
        return with(Phase.HELD, now, instance, now, runningFrom, null, destroyedAt, destroys, 0, failure);
    }

    Draw running(Instant now) {
        return with(phase, since, instanceId, billedFrom, now, null, destroyedAt, destroys, absences, failure);
    }

    Draw disposing(Reason why, Instant now) {
        return with(
                Phase.DISPOSING,
                now,
                instanceId,
                billedFrom,
                runningFrom,
                null,
                destroyedAt,
                destroys,
                0,
                failure == null ? why : failure);
    }

    /** An instance was found for it although none was known, or although it was proved gone. */
    Draw found(long instance, Instant now) {
        return with(
                Phase.DISPOSING,
                now,
                instance,
                billedFrom == null ? now : billedFrom,
                runningFrom,
                null,
                null,
                destroys,
                0,
                failure);
    }

    Draw destroySent(Instant acknowledged) {
        return with(
                phase,
                since,
                instanceId,
                billedFrom,
                runningFrom,
                null,
                acknowledged == null ? destroyedAt : acknowledged,
                destroys + 1,
                0,
                failure);
    }

    Draw absent(int times) {
        return with(phase, since, instanceId, billedFrom, runningFrom, null, destroyedAt, destroys, times, failure);
    }

    Draw gone(Reason why, Instant now) {
        return with(
                Phase.GONE,
                now,
                instanceId,
                billedFrom,
                runningFrom,
                now,
                destroyedAt,
                destroys,
                absences,
                failure == null ? why : failure);
    }

    private Draw with(
            Phase newPhase,
            Instant newSince,
            Long newInstance,
            Instant newBilled,
            Instant newRunning,
            Instant newGone,
            Instant newDestroyed,
            int newDestroys,
            int newAbsences,
            Reason newFailure) {
        return new Draw(
                number,
                label,
                offerId,
                machineId,
                hostId,
                gpus,
                place,
                pricePerHour,
                newPhase,
                newSince,
                sent,
                newInstance,
                newBilled,
                newRunning,
                newGone,
                newDestroyed,
                newDestroys,
                newAbsences,
                newFailure);
    }
}

package io.jenkins.plugins.vastai.rental;

import io.jenkins.plugins.vastai.text.Reason;
import java.time.Instant;

/**
 * Why another controller may be using this one's identity. An admin decides: {@link ControllerIdentity#keep()} or
 * {@link ControllerIdentity#renew()}.
 *
 * @param kind what was noticed
 * @param reason the same for people, with what can be done
 * @param since when it was noticed
 */
public record Suspicion(Kind kind, Reason reason, Instant since) {

    /** What was noticed, and what is held back until an admin decides. */
    public enum Kind {
        /**
         * This home lies elsewhere than when its identity was last used: it may be a copy, and its records those of
         * machines that another controller uses. Nothing is rented, nothing is destroyed, agents must not connect.
         */
        COPIED_HOME,
        /**
         * The account has instances under this controller's id that this home never ordered. They are left alone;
         * everything else goes on, since neither controller touches what it has no record of.
         */
        SHARED_ID
    }
}

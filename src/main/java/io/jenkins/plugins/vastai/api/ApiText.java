package io.jenkins.plugins.vastai.api;

import io.jenkins.plugins.vastai.text.Reason;

/**
 * What the client has to say to people; the sentences are in {@code Texts.properties}. The first argument is the
 * {@link Call}; where nothing else is said, the second one is the status and the words of the market.
 */
public enum ApiText implements Reason.Kind {
    /** the call, the words, the market's address */
    ANSWERED_BEFORE_MARKET,
    BAD_KEY,
    BAD_REQUEST,
    /** the call, the field */
    FIELD_MISSING,
    GONE,
    INTERRUPTED,
    /** the call, rows read, rows announced */
    LIST_INCOMPLETE,
    LIST_NEVER_ENDS,
    /** the host alone */
    LOG_ADDRESS,
    /** the call, the words, the permission */
    MISSING_PERMISSION,
    /** nothing */
    NO_KEY,
    NO_MONEY,
    NO_SSH_KEY_FOR_VM,
    OFFER_GONE,
    /** the call, seconds */
    PACING_WAIT,
    /** the call, the status, the market's address */
    REDIRECTED,
    /** the call, the words, the market's address */
    REFUSED_BEFORE_MARKET,
    TEAM_KEY,
    THROTTLED,
    /** the call, bytes */
    TOO_LARGE,
    TWO_FACTOR,
    UNAVAILABLE,
    /** the call, the address, what went wrong */
    UNREACHABLE,
    /** the call, the words, the market's address */
    UNREADABLE
}

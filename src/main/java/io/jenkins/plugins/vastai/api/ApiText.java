package io.jenkins.plugins.vastai.api;

import io.jenkins.plugins.vastai.text.Reason;

/** What the client has to say to people; the sentences are in {@code Texts.properties}. */
public enum ApiText implements Reason.Kind {
    /** the call; what the market said */
    BAD_KEY,
    BAD_REQUEST,
    GONE,
    MISSING_PERMISSION,
    NO_MONEY,
    NO_SSH_KEY_FOR_VM,
    OFFER_GONE,
    TEAM_KEY,
    THROTTLED,
    TWO_FACTOR,
    UNAVAILABLE,
    UNREADABLE,
    /** the call, the address, what went wrong */
    UNREACHABLE,
    /** the call, seconds */
    PACING_WAIT,
    /** the call */
    INTERRUPTED,
    NO_KEY,
    /** the call, the status, the address */
    REFUSED_BEFORE_MARKET,
    /** the call, the status, where to */
    REDIRECTED,
    /** the call, bytes */
    TOO_LARGE,
    /** the call, what is wrong with the list: a number read, a number announced */
    LIST_INCOMPLETE,
    /** the call */
    LIST_NEVER_ENDS,
    /** the call, the field */
    FIELD_MISSING,
    /** host */
    LOG_ADDRESS
}

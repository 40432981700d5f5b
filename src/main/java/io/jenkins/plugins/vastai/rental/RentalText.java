package io.jenkins.plugins.vastai.rental;

import io.jenkins.plugins.vastai.text.Reason;

/** What the engine says; the sentences are in {@code Texts.properties}. */
public enum RentalText implements Reason.Kind {
    /** template, instance type, image */
    ORDERED,
    /** offers seen, fit */
    OFFERS_FOUND,
    /** offers seen, seconds left */
    NO_OFFER_YET,
    /** template, seconds waited */
    NO_OFFER,
    /** place in line, expected seconds */
    WAITING_TURN,
    /** cloud or template, cap */
    WAITING_CAP,
    /** contract */
    RENTED,
    /** the market's answer */
    OFFER_TAKEN,
    /** the market's answer */
    CREATE_REFUSED,
    /** label */
    ANSWER_LOST,
    /** label, contract */
    ANSWER_SETTLED,
    /** label, seconds */
    NEVER_MADE,
    /** contract, seconds */
    PHANTOM,
    /** status, status message */
    PROGRESS,
    /** minutes */
    BOOT_TIMEOUT,
    /** host's text */
    START_FAILED_MACHINE,
    /** image, host's text */
    START_FAILED_IMAGE,
    /** status */
    ENDED_IN_BOOT,
    /** $ per hour now, ceiling */
    PRICE_ROSE,
    /** endpoint, fingerprint */
    HOST_KEY_PINNED,
    /** reason of the failure */
    NOT_FIT,
    /** minutes */
    PREPARE_TIMEOUT,
    /** Java path, GPUs */
    FIT,
    /** agent */
    AGENT_ONLINE,
    /** minutes */
    AGENT_NEVER_CAME,
    /** minutes */
    AGENT_LOST,
    /** draws */
    DRAWS_USED,
    /** minutes of life */
    LIFETIME_OVER,
    /** contract */
    VANISHED,
    /** status */
    STOPPED_OUTSIDE,
    /** contract */
    CONTRACT_ENDED,
    /** contract */
    OUTBID,
    /** contract, host's text */
    CONTAINER_ENDED,
    /** contract */
    CREDIT_GONE,
    /** minutes */
    HOST_OFFLINE,
    /** contract */
    HOST_WENT_OFFLINE,
    /** contract */
    NOT_LISTED,
    /** contract, status */
    CONNECTION_BROKE,
    /** contract */
    DESTROY_SENT,
    /** contract, answer */
    DESTROY_FAILED,
    /** contract */
    DESTROY_AGAIN,
    /** contract, $ */
    DESTROYED,
    /** template, what is wrong */
    TEMPLATE_WRONG,
    /** what the market said, or a list of what is missing */
    ACCOUNT_TROUBLE,
    /** credit, floor */
    BALANCE_LOW,
    /** floor */
    BALANCE_UNKNOWN,
    /** floor */
    BALANCE_HIDDEN,
    /** nothing */
    KEY_ASKED,
    /** what is missing */
    KEY_LIMITED,
    LACKS_MISC,
    LACKS_INSTANCE_READ,
    LACKS_INSTANCE_WRITE,
    LACKS_USER_READ,
    LACKS_USER_WRITE,
    /** the permission */
    LACKS_PERMISSION,
    /** what failed */
    MARKET_UNREACHABLE,
    /** label, contract */
    ORPHAN,
    /** lines */
    CONTAINER_LOG,
    /** template */
    KEY_REGISTERED,
    /** what failed */
    KEY_NOT_REGISTERED,
    /** the build it was rented for has ended */
    BUILD_DONE,
    /** what failed */
    KEY_NOT_ATTACHED,
    /** characters, limit */
    SCRIPT_TOO_LONG,
    /** id, path before, host before, path now, host now */
    COPIED_HOME,
    /** id, instances, one of their labels */
    SHARED_ID,
    /** file, its version, newest version known */
    NEWER_VERSION,
    /** files, the first of them */
    NEWER_RECORDS,
    /** how many wait */
    PREVIEW_BUSY,
    /** most in a minute, seconds until the next */
    PREVIEW_TOO_MANY,
    /** what fails, class of the error */
    INTERNAL_ERROR
}

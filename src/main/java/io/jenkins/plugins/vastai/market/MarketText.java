package io.jenkins.plugins.vastai.market;

import io.jenkins.plugins.vastai.text.Reason;

/** What this package tells people. The comments name the arguments. */
public enum MarketText implements Reason.Kind {
    /** setting, country, all-in $/h of the nearest offer, offers that fail on this alone */
    ADD_REGION,
    /** machine, GPUs, model, place, rank, of, all-in, GPU, disk, traffic ($/h), run $, minutes to ready, reliability */
    CHOSEN,
    /** value, value times 100 or 10 */
    COMPUTE_CAP_SMALL,
    /** value */
    CPU_ARCH_UNKNOWN,
    /** disk GB, image GB */
    DISK_BELOW_IMAGE,
    /** candidates, offers, wish */
    FOUND,
    /** part, model, nearest names */
    GPU_UNKNOWN,
    /** image */
    IMAGE_AUTOMATIC_TAG,
    IMAGE_EMPTY,
    /** image */
    IMAGE_MALFORMED,
    /** image, image with a tag */
    IMAGE_NO_TAG,
    /** beginning of the image, length, longest */
    IMAGE_TOO_LONG,
    /** image, image in lower case */
    IMAGE_UPPER_CASE,
    /** part, count, most */
    INSTANCE_TYPE_COUNT,
    INSTANCE_TYPE_EMPTY,
    /** part */
    INSTANCE_TYPE_MALFORMED,
    /** part, GB */
    INSTANCE_TYPE_MEMORY,
    /** part */
    INSTANCE_TYPE_NO_COUNT,
    /** most */
    INSTANCE_TYPE_TOO_MANY,
    /** offers, wish */
    NOTHING_FITS,
    /** wish */
    NO_OFFERS,
    /** machine, all-in $/h, settings */
    NO_SINGLE_CHANGE,
    /** setting, value, least, most */
    OUT_OF_RANGE,
    /** part, nearest, groups */
    REGION_UNKNOWN,
    /** setting, value, all-in $/h of the nearest offer, offers that fail on this alone */
    RELAX,
    /** value, value over 100 */
    RELIABILITY_PERCENT,
    /** count, offers, setting, value, alone */
    REMOVED,
    /** count, offers, alone */
    REMOVED_BLOCKED,
    /** count, offers, alone */
    REMOVED_IN_USE,
    /** count, offers */
    REMOVED_NOT_RENTABLE,
    /** count, offers */
    REMOVED_SAME_MACHINE,
    /** image */
    VM_IMAGE_NEEDS_VM,
    /** image, example */
    VM_IMAGE_NO_TAG,
    /** image, example */
    VM_NEEDS_VM_IMAGE
}

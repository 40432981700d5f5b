package io.jenkins.plugins.vastai.market;

import io.jenkins.plugins.vastai.text.Reason;

/** What this package tells people. */
public enum MarketText implements Reason.Kind {
    /** machine, GPUs, model, place, rank, of, all-in $/h, GPU $/h, disk $/h, traffic $/h, run $, minutes, reliability */
    CHOSEN,
    IMAGE_AUTOMATIC_TAG,
    IMAGE_EMPTY,
    IMAGE_MALFORMED,
    IMAGE_NO_TAG,
    IMAGE_TOO_LONG,
    IMAGE_UPPER_CASE,
    VM_IMAGE_NEEDS_VM,
    VM_IMAGE_NO_TAG,
    VM_NEEDS_VM_IMAGE
}

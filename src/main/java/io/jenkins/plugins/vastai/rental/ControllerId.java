package io.jenkins.plugins.vastai.rental;

/** The id of a controller: made once, then kept, since it marks whose instances are whose. */
public final class ControllerId {

    private ControllerId() {}

    /** Eight characters that a label may hold. */
    public static String random() {
        return Labels.newControllerId();
    }
}

package io.jenkins.plugins.vastai;

/** The fleets of all clouds. */
final class Fleets {

    private static final Fleets INSTANCE = new Fleets();

    private Fleets() {}

    static Fleets get() {
        return INSTANCE;
    }

    /** A cloud has another name from now on; its rentals go along. */
    void renamed(String from, String to) {
        // nothing rents yet
    }
}

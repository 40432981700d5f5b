package io.jenkins.plugins.vastai;

/** Values that come from a configuration file, where any may be missing: it may be of an older release. */
final class Loaded {

    private Loaded() {}

    /** The value, or the default of a field that the file does not mention. */
    static <T> T or(T value, T missing) {
        return value == null ? missing : value;
    }
}

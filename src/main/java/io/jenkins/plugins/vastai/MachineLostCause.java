package io.jenkins.plugins.vastai;

import hudson.model.Cause;

/** The machine of an earlier build was lost under it. Goes along with what had caused that build. */
public final class MachineLostCause extends Cause {

    private final String build;
    private final String why;

    /**
     * @param build for people
     * @param why sentence
     */
    MachineLostCause(String build, String why) {
        this.build = build;
        this.why = why;
    }

    @Override
    public String getShortDescription() {
        return Messages.MachineLostCause_description(build, why);
    }
}

package io.jenkins.plugins.vastai;

import edu.umd.cs.findbugs.annotations.CheckForNull;
import hudson.Extension;
import hudson.model.RootAction;
import jenkins.model.Jenkins;

/**
 * Where the actions on a cloud and its state are: {@code /vastai/<cloud>/}. Not only below the cloud's own page, which Jenkins
 * shows to those alone who may read the system, while whoever may provision may act.
 */
@Extension
public final class VastAiActions implements RootAction {

    static final String URL = "vastai";

    @Override
    @CheckForNull
    public String getIconFileName() {
        return null; // nothing to look at
    }

    @Override
    @CheckForNull
    public String getDisplayName() {
        return null;
    }

    @Override
    public String getUrlName() {
        return URL;
    }

    /** Each action checks what its user may do. */
    @CheckForNull
    public CloudActions getDynamic(String cloud) {
        return Jenkins.get().getCloud(cloud) instanceof VastAiCloud known ? new CloudActions(known) : null;
    }
}

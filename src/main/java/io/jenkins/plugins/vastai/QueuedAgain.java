package io.jenkins.plugins.vastai;

import hudson.model.InvisibleAction;

/** On a build that was queued again because the machine of the one before was lost: how often in a row that was. */
final class QueuedAgain extends InvisibleAction {

    private final int times;

    QueuedAgain(int times) {
        this.times = times;
    }

    int times() {
        return times;
    }
}

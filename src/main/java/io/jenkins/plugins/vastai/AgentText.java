package io.jenkins.plugins.vastai;

import io.jenkins.plugins.vastai.text.Reason;

/** What the Jenkins face says of agents and their rentals; the sentences are in {@code Texts.properties}. */
enum AgentText implements Reason.Kind {
    /** agent */
    BUILD_DONE,
    /** agent, minutes */
    IDLE,
    /** agent */
    UNWANTED,
    /** agent, minutes */
    LIFETIME,
    /** agent */
    REMOVED,
    /** agent, what happened */
    LOST_UNDER_BUILD,
    /** seconds */
    MARKET_SILENT,
    /** how many times it is, limit */
    QUEUED_AGAIN,
    /** limit, template */
    NOT_QUEUED_AGAIN,
    /** agent, what went wrong */
    NOT_ADDED,
    /** agent */
    NO_NODE,
    /** directory, what went wrong */
    NOT_STARTED,
    /** cloud */
    CLOUD_GONE,
    /** cloud */
    PAUSED,
    /** cloud, user */
    PAUSED_BY,
    /** agent, user */
    DESTROYED_BY,
    /** job, template, patterns */
    NOT_ALLOWED,
    /** job, agent */
    NOT_ON_AGENT,
    /** agent, what is said of it */
    ON_AGENT,
    /** agent, run */
    NOT_CLAIMED,
    /** agent, state */
    NOT_YET,
    /** agent */
    NO_RENTAL,
    /** agent, run */
    KEPT_FOR,
    /** template, time, reason */
    RESTS,
    /** slow agent, minutes, second agent */
    SECOND_ORDERED,
    /** agent that was quicker */
    SLOWER,
    /** cloud, cap */
    CLOUD_FULL,
    /** template, cap */
    TEMPLATE_FULL,
    /** agent */
    ATTEMPT_OVER
}

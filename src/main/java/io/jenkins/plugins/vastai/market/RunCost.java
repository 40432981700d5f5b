package io.jenkins.plugins.vastai.market;

/** Placeholder of the formula. */
final class RunCost {
    private RunCost() {}
}

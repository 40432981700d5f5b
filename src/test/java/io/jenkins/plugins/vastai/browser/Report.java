package io.jenkins.plugins.vastai.browser;

import java.util.List;

/** What was looked at and what was found. */
final class Report {

    private int pages;
    private int shots;
    private int checks;
    private int failures;
    private int violations;

    /** Numbers the images in the order in which they were taken. */
    int nextShot() {
        return ++shots;
    }

    void page() {
        pages++;
    }

    void check(String what, boolean asItShouldBe) {
        checks++;
        if (!asItShouldBe) {
            failures++;
            System.out.println("browser: NOT SO: " + what);
        }
    }

    void violations(String page, List<?> found) {
        violations += found.size();
        found.forEach(one -> System.out.println("browser: axe: " + page + ": " + one));
    }

    boolean clean() {
        return failures == 0 && violations == 0 && checks > 0;
    }

    String line() {
        return "browser: pages=" + pages + " checks=" + checks + (failures > 0 ? " failed=" + failures : "")
                + " axe_violations=" + violations;
    }
}

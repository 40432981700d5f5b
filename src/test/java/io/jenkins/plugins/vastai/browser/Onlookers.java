package io.jenkins.plugins.vastai.browser;

import com.microsoft.playwright.Page;

/** The same pages for other people, in other windows and without script, while a machine is in service. */
final class Onlookers {

    private static final String[] PAGES = {
        Tour.CLOUD, Tour.CLOUD + "configure", Tour.CLOUD + "templates/", Tour.TEMPLATE, Tour.TEMPLATE + "preview/"
    };

    /** Our row on the list of agents, and our part of an agent's page: the rest is Jenkins' own. */
    private static final String ROW = "#vastai-cloud-vast";

    private static final String MACHINE = "#vastai-machine";

    private final Scene scene;

    Onlookers(Scene scene) {
        this.scene = scene;
    }

    void all() {
        readOnly();
        operator();
        otherWindows();
        withoutScript();
    }

    private void readOnly() {
        try (Visitor looker = new Visitor(scene, "looker", 1280, false, true)) {
            Page page = looker.page();
            for (String path : PAGES) {
                looker.open(path).seen("read-only");
                looker.check("no way to change anything", ways(page) == 0);
            }
            String rental = rental(looker);
            looker.open(rental).says("Story").seen("read-only");
            looker.check("no way to change anything", ways(page) == 0);
            looker.check("may not make a template", status(looker, Tour.CLOUD + "templates/new") == 403);
        }
    }

    /** Buttons but those that unfold something, and links to forms. */
    private static int ways(Page page) {
        return page.locator("#main-panel button:visible:not(.advanced-button), #main-panel a[href='new']")
                .count();
    }

    private String rental(Visitor visitor) {
        Page page = visitor.open(Tour.CLOUD).page();
        return Tour.CLOUD
                + page.locator("#vastai-rentals a[href^='rental/']").first().getAttribute("href");
    }

    private void operator() {
        try (Visitor operator = new Visitor(scene, "operator", 1280, false, true)) {
            operator.check("may not see the cloud's page", status(operator, Tour.CLOUD) == 403);
            operator.open("computer/").says("Cloud vast").seen("as operator", ROW);
            Page page = operator.page();
            page.locator("#vastai-cloud-vast button:has-text('Pause')").click();
            page.waitForSelector("#vastai-cloud-vast:has-text('Paused by operator')");
            operator.seen("as operator, paused", ROW);
            page.locator("#vastai-cloud-vast button:has-text('Go on ordering')").click();
            page.waitForSelector("#vastai-cloud-vast button:has-text('Pause')");
            page.locator("#main-panel a[href*='/computer/gpu']").first().click();
            page.waitForSelector("#vastai-facts");
            operator.check(
                            "may destroy what an agent runs on",
                            page.locator("button:has-text('Destroy')").count() == 1)
                    .seen("as operator", MACHINE);
        }
    }

    private static int status(Visitor visitor, String path) {
        return visitor.page().context().request().get(path).status();
    }

    private void otherWindows() {
        for (int width : new int[] {400, 800}) {
            try (Visitor narrow = new Visitor(scene, "admin", width, false, true)) {
                everything(narrow, width + " pixels wide");
            }
        }
        try (Visitor dark = new Visitor(scene, "admin", 1280, true, true)) {
            everything(dark, "dark");
        }
    }

    private void everything(Visitor visitor, String how) {
        for (String path : PAGES) {
            visitor.open(path).seen(how);
        }
        visitor.open(Tour.CLOUD + "templates/new").seen(how);
        visitor.open(rental(visitor)).seen(how);
        visitor.open(Tour.CLOUD);
        visitor.page().locator("#vastai-rentals a[href*='/computer/']").first().click();
        visitor.page().waitForSelector("#vastai-facts");
        visitor.seen(how, MACHINE);
    }

    private void withoutScript() {
        try (Visitor plain = new Visitor(scene, "admin", 1280, false, false)) {
            plain.open(Tour.CLOUD)
                    .says("Ended rentals")
                    .says("How the templates do")
                    .shot("without script");
            plain.page().locator("#vastai-pause").click();
            plain.page().waitForSelector("#vastai-paused");
            plain.says("Paused by admin");
            plain.page().locator("#vastai-resume").click();
            plain.page().waitForSelector("#vastai-pause");
            plain.check("buttons work", plain.page().locator("#vastai-paused").count() == 0);
        }
    }
}

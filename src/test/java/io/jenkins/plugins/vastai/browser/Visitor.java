package io.jenkins.plugins.vastai.browser;

import com.microsoft.playwright.Browser;
import com.microsoft.playwright.BrowserContext;
import com.microsoft.playwright.Page;
import com.microsoft.playwright.options.ColorScheme;
import com.microsoft.playwright.options.LoadState;
import java.net.URI;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Somebody at a browser: opens pages as a user of Jenkins, looks at each, and notes what is wrong. */
final class Visitor implements AutoCloseable {

    /** A loaded machine may take its time. */
    private static final double PATIENCE = 120_000;

    /**
     * What Jenkins itself adds to any page, and its own to mend: menus on links, help buttons, the statistics of another
     * plugin, the page's frame.
     */
    private static final String AXE = """
            async () => {
              const result = await axe.run(
                {
                  include: [['#main-panel']],
                  exclude: [
                    ['.jenkins-menu-dropdown-chevron'],
                    ['.jenkins-help-button'],
                    ['.jenkins-page-description'],
                    ['.cloud-stats-health'],
                    ['.jenkins-table__cell__button-wrapper'],
                  ],
                },
                { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa'] },
              );
              return result.violations.flatMap((violation) =>
                violation.nodes.map((node) => violation.id + ': ' + node.target.join(' ') + ': ' + node.failureSummary));
            }
            """;

    private final Report report;
    private final URI jenkins;
    private final BrowserContext context;
    private final String axe;
    private final Page page;
    private final List<String> complaints = new ArrayList<>();

    Visitor(
            Report report,
            Browser browser,
            URI jenkins,
            String user,
            int width,
            boolean dark,
            boolean script,
            String axe) {
        this.report = report;
        this.jenkins = jenkins;
        this.axe = axe;
        context = browser.newContext(new Browser.NewContextOptions()
                .setViewportSize(width, 900)
                .setColorScheme(dark ? ColorScheme.DARK : ColorScheme.LIGHT)
                .setJavaScriptEnabled(script)
                .setBaseURL(jenkins.toString()));
        context.setDefaultTimeout(PATIENCE);
        page = context.newPage();
        page.onConsoleMessage(message -> {
            if (message.type().equals("error")) {
                complaints.add(message.text());
            }
        });
        page.onPageError(complaints::add);
        signIn(user);
    }

    private void signIn(String user) {
        page.navigate(jenkins.resolve("login").toString());
        page.fill("#j_username", user);
        page.fill("#j_password", user);
        page.locator("button[name=Submit]").click();
        page.waitForLoadState(LoadState.DOMCONTENTLOADED);
    }

    Page page() {
        return page;
    }

    /** Opens a page of Jenkins. */
    Visitor open(String path) {
        page.navigate(jenkins.resolve(path).toString());
        return this;
    }

    /** Notes whether something is as it should be. */
    Visitor check(String what, boolean asItShouldBe) {
        report.check(page.url() + ": " + what, asItShouldBe);
        return this;
    }

    /** Whether the page, as people see it, has these words. */
    Visitor says(String words) {
        String text = page.locator("#main-panel").innerText();
        return check("says \"" + words + "\"", text.contains(words));
    }

    /** Counts the page as seen: no error in the browser, nothing that runs off its side, and nothing that axe finds. */
    Visitor seen() {
        report.page();
        complaints.removeIf(Visitor::ofTheNetwork);
        check("the browser complains of nothing, but: " + complaints, complaints.isEmpty());
        complaints.clear();
        check("is no wider than the window", (Boolean)
                page.evaluate("() => document.documentElement.scrollWidth <= window.innerWidth + 1"));
        page.evaluate(axe);
        Object found = page.evaluate(AXE);
        report.violations(page.url(), found instanceof List<?> list ? list : List.of(found));
        return this;
    }

    /** The page without script: only that it is there. */
    Visitor seenWithoutScript() {
        report.page();
        return this;
    }

    /** Jenkins asks the internet for updates and cannot have them here. */
    private static boolean ofTheNetwork(String complaint) {
        return complaint.contains("ERR_NAME_NOT_RESOLVED") || complaint.contains("ERR_INTERNET_DISCONNECTED");
    }

    /** Keeps an image for the documentation. */
    Visitor image(Path file) {
        page.screenshot(new Page.ScreenshotOptions().setPath(file).setFullPage(true));
        return this;
    }

    @Override
    public void close() {
        context.close();
    }

    /** What a browser is started with: as quiet as it can be. */
    static final List<String> ARGUMENTS = List.of(
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync");

    static final Map<String, String> ENVIRONMENT = Map.of("PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD", "1");
}

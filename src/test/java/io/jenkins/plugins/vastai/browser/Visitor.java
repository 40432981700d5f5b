package io.jenkins.plugins.vastai.browser;

import com.microsoft.playwright.Browser;
import com.microsoft.playwright.BrowserContext;
import com.microsoft.playwright.Page;
import com.microsoft.playwright.Response;
import com.microsoft.playwright.options.ColorScheme;
import com.microsoft.playwright.options.LoadState;
import com.microsoft.playwright.options.ScreenshotAnimations;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Somebody at a browser: opens pages as a user of Jenkins, looks at each, and notes what is wrong. */
final class Visitor implements AutoCloseable {

    /** A loaded machine may take its time. */
    private static final double PATIENCE = 120_000;

    private static final int HEIGHT = 900;
    private static final int HIGHEST = 8_000;

    /**
     * What Jenkins itself puts into any form, in colours of its own with too little contrast: what a check says, the note
     * that a folded part was edited, the mark of an empty field that may only be read. {@link Tour} shows that each is
     * found fault with on pages which this plugin has no part in.
     */
    static final String SAID_ERROR = ".validation-error-area .error";

    static final String SAID_WARNING = ".validation-error-area .warning";
    static final String SAID_OK = ".validation-error-area .ok";
    static final String EDITED = ".jenkins-edited-section-label:not(.jenkins-hidden)";
    static final String NOT_APPLICABLE = ".jenkins-not-applicable";
    private static final List<String> EXCLUDED = List.of(SAID_ERROR, SAID_WARNING, SAID_OK, EDITED, NOT_APPLICABLE);

    /** What Jenkins shows for an icon that it does not have looks like the one for closing. */
    private static final String MISSING_ICON = "table svg:has(path[d='M368 368L144 144M368 144L144 368'])";

    private static final String AXE = """
            async ({ region, excluded }) => {
              const result = await axe.run(
                { include: [[region]], exclude: excluded.map((one) => [one]) },
                { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa'] },
              );
              return result.violations.flatMap((violation) =>
                violation.nodes.map(
                  (node) => violation.id + ': ' + node.target.join(' ') + ': ' + node.html.slice(0, 200) + ': ' + node.failureSummary));
            }
            """;

    private final Scene scene;
    private final BrowserContext context;
    private final Page page;
    private final List<String> complaints = new ArrayList<>();

    /** @param script whether the browser runs any */
    Visitor(Scene scene, String user, int width, boolean dark, boolean script) {
        this.scene = scene;
        context = scene.browser()
                .newContext(new Browser.NewContextOptions()
                        .setViewportSize(width, HEIGHT)
                        .setColorScheme(dark ? ColorScheme.DARK : ColorScheme.LIGHT)
                        .setJavaScriptEnabled(script)
                        .setBaseURL(scene.jenkins().toString()));
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
        page.navigate(scene.jenkins().resolve("login").toString());
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
        Response answer = page.navigate(scene.jenkins().resolve(path).toString());
        return check(
                "a strict policy for its content is in force", answer.headers().containsKey("content-security-policy"));
    }

    /** Notes whether something is as it should be. */
    Visitor check(String what, boolean asItShouldBe) {
        scene.report().check(page.url() + ": " + what, asItShouldBe);
        return this;
    }

    /** Whether the page, as people see it, has these words. */
    Visitor says(String words) {
        String text = page.locator("#main-panel").innerText();
        return check("says \"" + words + "\"", text.contains(words));
    }

    /** Looks at the page as it is now: see {@link #seen(String, String)}. */
    Visitor seen(String how) {
        return seen(how, "#main-panel");
    }

    /**
     * Looks at the page as it is now, and keeps an image of it: no error in the browser, no part of it that a strict
     * policy for its content would not let be, nothing that runs off its side, and nothing that axe finds.
     *
     * @param how what is special about it
     * @param region the part of it that is ours: the rest is Jenkins' own frame, the same without this plugin
     */
    Visitor seen(String how, String region) {
        scene.report().page();
        page.waitForLoadState();
        complaints.removeIf(Visitor::ofTheNetwork);
        check("the browser complains of nothing, but: " + complaints, complaints.isEmpty());
        complaints.clear();
        check("is whole", page.locator("footer").count() > 0);
        check("is no wider than the window", (Boolean)
                page.evaluate("() => document.documentElement.scrollWidth <= window.innerWidth + 1"));
        check("every icon is there", page.locator(region + " " + MISSING_ICON).count() == 0);
        scene.report().violations(page.url(), violations(region, EXCLUDED));
        return shot(how);
    }

    private List<?> violations(String region, List<String> excluded) {
        page.evaluate(scene.axe());
        return (List<?>) page.evaluate(AXE, Map.of("region", region, "excluded", excluded));
    }

    /** Notes whether axe finds fault with such a thing on this page, which must be Jenkins' own. */
    Visitor findsFaultWith(String selector) {
        page.waitForSelector(selector);
        return check(
                "axe finds fault with Jenkins' own " + selector,
                !violations(selector, List.of()).isEmpty());
    }

    /** Keeps an image of the whole page, for people to look at. */
    Visitor shot(String how) {
        String name = page.url().replaceFirst(".*/jenkins/", "").replaceFirst("[?].*", "") + " " + how;
        String file = "%03d-%s.png".formatted(scene.report().nextShot(), name.replaceAll("[^A-Za-z0-9]+", "-"));
        // In a window as high as the page: what sticks to the window's edge would else cover the middle of the page.
        int width = page.viewportSize().width;
        int height = (Integer) page.evaluate("() => Math.max(" + HEIGHT + ", document.documentElement.scrollHeight)");
        page.setViewportSize(width, Math.min(height, HIGHEST));
        page.screenshot(new Page.ScreenshotOptions()
                .setPath(scene.shots().resolve(file))
                .setAnimations(ScreenshotAnimations.DISABLED));
        page.setViewportSize(width, HEIGHT);
        return this;
    }

    /** Jenkins asks the internet for updates and cannot have them here. */
    private static boolean ofTheNetwork(String complaint) {
        return complaint.contains("ERR_NAME_NOT_RESOLVED") || complaint.contains("ERR_INTERNET_DISCONNECTED");
    }

    /**
     * Keeps an image for the documentation.
     *
     * @param part a selector; empty for the window
     */
    Visitor picture(String part, Path file) {
        try {
            Palette.write(
                    part.isEmpty() ? page.screenshot() : page.locator(part).screenshot(), file);
        } catch (IOException e) {
            check("image " + file.getFileName() + ": " + e.getMessage(), false);
        }
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

package io.jenkins.plugins.vastai.browser;

import com.microsoft.playwright.Browser;
import com.microsoft.playwright.Locator;
import com.microsoft.playwright.Page;
import com.microsoft.playwright.options.AriaRole;
import com.microsoft.playwright.options.WaitForSelectorState;
import io.jenkins.plugins.vastai.demo.RealJenkins;
import io.jenkins.plugins.vastai.simulator.Simulator;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;

/** Everything that people do with the plugin in a browser, from an empty Jenkins to a finished build, in this order. */
final class Tour {

    private static final Duration BUILD = Duration.ofMinutes(6);
    private static final String CLOUD = "manage/cloud/vast/";

    private final Report report;
    private final Browser browser;
    private final RealJenkins jenkins;
    private final Simulator simulator;
    private final Path images;
    private final Path machines;
    private final String axe;

    Tour(
            Report report,
            Browser browser,
            RealJenkins jenkins,
            Simulator simulator,
            Path images,
            Path machines,
            String axe) {
        this.report = report;
        this.browser = browser;
        this.jenkins = jenkins;
        this.simulator = simulator;
        this.images = images;
        this.machines = machines;
        this.axe = axe;
    }

    void all() throws IOException, InterruptedException {
        Files.createDirectories(images);
        try (Visitor admin = visitor("admin", 1280, false)) {
            makeCloud(admin);
            makeTemplate(admin);
            build(admin);
            lookAt(admin);
            pauseAndGoOn(admin);
            destroy(admin);
            formsRoundTrip(admin);
        }
        readOnly();
        operator();
        narrowAndDark();
        withoutScript();
        manyRentals();
    }

    private Visitor visitor(String user, int width, boolean dark) {
        return new Visitor(report, browser, jenkins.uri(), user, width, dark, true, axe);
    }

    // ---- from nothing to a finished build

    private void makeCloud(Visitor admin) {
        admin.open("manage/cloud/new");
        Page page = admin.page();
        page.locator("#name").fill("vast");
        page.getByText("Vast.ai", new Page.GetByTextOptions().setExact(true))
                .first()
                .click();
        page.locator("#ok").click();
        page.waitForSelector("[name='_.credentialsId']");
        page.selectOption("[name='_.credentialsId']", "vastai-api-key");
        page.locator("button", new Page.LocatorOptions().setHasText("Advanced"))
                .first()
                .click();
        page.fill("[name='_.apiUrl']", simulator.uri().toString());
        page.getByRole(AriaRole.BUTTON, new Page.GetByRoleOptions().setName("Test connection"))
                .click();
        page.waitForSelector("text=/Connected to/");
        admin.says("has instance_write").seen().image(images.resolve("new-cloud.png"));
        save(page);
        admin.check("the new cloud is there", jenkins.status(CLOUD) == 200);
    }

    private void makeTemplate(Visitor admin) {
        admin.open(CLOUD + "templates/new").seen();
        Page page = admin.page();
        page.fill("[name='_.name']", "gpu");
        page.fill("[name='_.labels']", "gpu");
        page.fill("[name='_.instanceType']", "1xRTX_4090");
        page.fill("[name='_.machineImage']", "nvidia/cuda:12.0.0-base-ubuntu22.04");
        page.fill("[name='_.remoteFs']", machines.resolve("agent").toString());
        save(page);
        admin.open(CLOUD + "templates/").says("gpu").seen().image(images.resolve("templates.png"));
        admin.open(CLOUD + "templates/gpu/").seen();
    }

    private void build(Visitor admin) throws IOException, InterruptedException {
        jenkins.post("createItem?name=train", freestyle("gpu", "echo hello; sleep 100000"));
        Page page = admin.open("job/train/").page();
        page.getByText("Build Now").first().click();
        admin.check("the build begins on a rented machine", RealJenkins.await(BUILD, () -> jenkins.get(
                        "job/train/1/api/json?tree=building,builtOn")
                .contains("\"building\":true")));
        jenkins.post("createItem?name=quick", pipeline("gpu", "echo done"));
        jenkins.post("job/quick/build?delay=0sec", "");
        admin.check("a pipeline ends", RealJenkins.await(BUILD, () -> jenkins.get("job/quick/1/api/json?tree=result")
                .contains("SUCCESS")));
        admin.open("job/quick/1/console")
                .check(
                        "its log told what it waited for",
                        jenkins.get("job/quick/1/consoleText").contains("[vast] "));
    }

    private static String freestyle(String label, String script) {
        return """
                <project>
                  <assignedNode>%s</assignedNode>
                  <canRoam>false</canRoam>
                  <builders><hudson.tasks.Shell><command>%s</command></hudson.tasks.Shell></builders>
                </project>
                """.formatted(label, script);
    }

    private static String pipeline(String label, String step) {
        return """
                <flow-definition>
                  <definition class="org.jenkinsci.plugins.workflow.cps.CpsFlowDefinition">
                    <script>node('%s') { sh '%s' }</script>
                    <sandbox>true</sandbox>
                  </definition>
                </flow-definition>
                """.formatted(label, step);
    }

    // ---- pages of what runs

    private void lookAt(Visitor admin) {
        admin.open(CLOUD).says("in service").says("train #1").seen().image(images.resolve("cloud.png"));
        Page page = admin.page();
        String before = page.locator("#vastai-live").innerText();
        page.waitForFunction("before => document.getElementById('vastai-live').innerText !== before", before);
        admin.check("it brings itself up to date", page.locator("#vastai-stale").isHidden());
        page.locator("#vastai-rentals a[href^='rental/']").first().click();
        page.waitForSelector("#vastai-story");
        admin.says("Where the time went").says("Story").seen().image(images.resolve("rental.png"));
        admin.open(CLOUD);
        page.locator("#vastai-rentals a[href*='/computer/']").first().click();
        page.waitForSelector("#vastai-facts");
        admin.says("GPU driver").seen().image(images.resolve("agent.png"));
        admin.open("computer/").says("Cloud vast").seen();
        admin.open("manage/cloud/").seen();
    }

    private void pauseAndGoOn(Visitor admin) {
        Page page = admin.open(CLOUD).page();
        page.locator("#vastai-pause").click();
        page.waitForSelector("#vastai-paused");
        admin.says("Paused by admin").seen();
        page.locator("#vastai-resume").click();
        page.waitForSelector("#vastai-pause");
        page.locator("#vastai-rentals button:has-text('Leave alone')").first().click();
        page.waitForSelector("#vastai-blocked");
        admin.says("Put on the list by admin");
        page.locator("#vastai-blocked button").first().click();
        page.waitForSelector(
                "#vastai-blocked", new Page.WaitForSelectorOptions().setState(WaitForSelectorState.DETACHED));
    }

    /** By keyboard alone. */
    private void destroy(Visitor admin) {
        Page page = admin.open(CLOUD).page();
        Locator button =
                page.locator("#vastai-rentals button:has-text('Destroy')").first();
        button.focus();
        page.keyboard().press("Enter");
        page.waitForSelector("dialog[open]");
        admin.check(
                "it asks before it destroys",
                page.locator("dialog[open]").innerText().contains("whatever runs on agent"));
        page.keyboard().press("Escape");
        page.waitForSelector("dialog[open]", new Page.WaitForSelectorOptions().setState(WaitForSelectorState.DETACHED));
        button.click();
        page.locator("dialog[open] button[data-id=ok]").click();
        page.waitForSelector("#vastai-ended:has-text('destroyed by admin'), #vastai-ended:has-text('is gone')");
        admin.check(
                "the machine is gone",
                RealJenkins.await(
                        Duration.ofMinutes(2), () -> simulator.books().left().isEmpty()));
    }

    /** Saved unchanged, nothing is changed. */
    private void formsRoundTrip(Visitor admin) {
        for (String form : new String[] {CLOUD + "configure", CLOUD + "templates/gpu/"}) {
            String before = configuration();
            admin.open(form)
                    .seen()
                    .image(images.resolve(form.endsWith("configure") ? "configure.png" : "template.png"));
            save(admin.page());
            admin.check("saved unchanged, it stays the same", before.equals(configuration()));
        }
    }

    private String configuration() {
        try {
            String all = Files.readString(jenkins.home().resolve("config.xml"));
            return all.substring(all.indexOf("<clouds>"), all.indexOf("</clouds>"));
        } catch (IOException e) {
            return "unreadable";
        }
    }

    private static void save(Page page) {
        page.locator("button[name=Submit], button.jenkins-submit-button")
                .first()
                .click();
        page.waitForLoadState();
    }

    // ---- other people, other windows

    private void readOnly() {
        try (Visitor looker = visitor("looker", 1280, false)) {
            looker.open(CLOUD).seen();
            looker.check(
                    "no button", looker.page().locator("#vastai-live button").count() == 0);
            looker.open(CLOUD + "configure").seen();
            looker.check(
                    "no way to save",
                    looker.page().locator("button[name=Submit]").count() == 0);
        }
    }

    private void operator() {
        try (Visitor operator = visitor("operator", 1280, false)) {
            operator.check("may not see the cloud's page", jenkins(operator, CLOUD) == 403);
            operator.open("computer/").says("Cloud vast").seen();
            Page page = operator.page();
            page.locator("#vastai-cloud-vast button:has-text('Pause')").click();
            page.waitForSelector("#vastai-cloud-vast:has-text('Paused by operator')");
            page.locator("#vastai-cloud-vast button:has-text('Go on ordering')").click();
            page.waitForSelector("#vastai-cloud-vast button:has-text('Pause')");
            operator.says("Cloud vast");
        }
    }

    private static int jenkins(Visitor visitor, String path) {
        return visitor.page().context().request().get(path).status();
    }

    private void narrowAndDark() {
        try (Visitor narrow = visitor("admin", 400, false)) {
            narrow.open(CLOUD).seen().image(images.resolve("cloud-narrow.png"));
            narrow.open(CLOUD + "templates/gpu/").seen();
        }
        try (Visitor dark = visitor("admin", 1280, true)) {
            dark.open(CLOUD).seen().image(images.resolve("cloud-dark.png"));
            dark.open(CLOUD + "templates/gpu/").seen();
        }
    }

    private void withoutScript() {
        try (Visitor plain = new Visitor(report, browser, jenkins.uri(), "admin", 1280, false, false, axe)) {
            plain.open(CLOUD).says("Ended rentals").says("How the templates do").seenWithoutScript();
            plain.page().locator("#vastai-pause").click();
            plain.says("Paused by admin");
            plain.page().locator("#vastai-resume").click();
            plain.check("buttons work", plain.page().locator("#vastai-pause").count() == 1);
        }
    }

    /** Orders for agents that Jenkins does not have: they end by themselves, nothing is rented for them. */
    private void manyRentals() throws IOException, InterruptedException {
        simulator.market().clear();
        jenkins.script("""
                import io.jenkins.plugins.vastai.rental.Order
                def cloud = Jenkins.get().getCloud('vast')
                def fleet = io.jenkins.plugins.vastai.Fleets.get().fleet(cloud).get()
                def like = fleet.rentals()[0].order()
                500.times {
                  fleet.order({ id -> new Order('vast', 'gpu', 'gpu-' + id, like.spec(), like.remoteFs(), like.javaMajor(), 1,
                      like.launchLimit(), like.maxLifetime(), 0, 0, null) } as java.util.function.Function)
                }
                """);
        try (Visitor admin = visitor("admin", 1280, false)) {
            admin.open(CLOUD).seen();
            Page page = admin.page();
            long fastest = Long.MAX_VALUE;
            for (int i = 0; i < 5; i++) {
                long begun = System.nanoTime();
                page.context().request().get(CLOUD + "live");
                fastest = Math.min(fastest, System.nanoTime() - begun);
            }
            System.out.println("browser: 500 rentals: the live part took " + fastest / 1_000_000 + " ms");
            admin.check(
                    "at most a hundred rows of each",
                    page.locator("[id^=vastai-rental-]").count() <= 200);
            admin.check(
                    "the rest can be reached", page.locator(".vastai-parts a").count() > 0);
            admin.check(
                    "five hundred rentals do not slow it down",
                    fastest < Duration.ofSeconds(2).toNanos());
        }
    }
}

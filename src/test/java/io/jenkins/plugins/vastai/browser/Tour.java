package io.jenkins.plugins.vastai.browser;

import com.microsoft.playwright.Locator;
import com.microsoft.playwright.Page;
import com.microsoft.playwright.options.AriaRole;
import com.microsoft.playwright.options.LoadState;
import com.microsoft.playwright.options.WaitForSelectorState;
import io.jenkins.plugins.vastai.demo.RealJenkins;
import io.jenkins.plugins.vastai.simulator.Simulator;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;

/** Everything that an admin does with the plugin in a browser, from an empty Jenkins to a finished build, in this order. */
final class Tour {

    static final String CLOUD = "manage/cloud/vast/";
    static final String TEMPLATE = CLOUD + "template/gpu/";

    private static final Duration BUILD = Duration.ofMinutes(6);

    private final Scene scene;
    private final RealJenkins jenkins;
    private final Simulator simulator;
    private final Path images;
    private final Path machines;

    /**
     * @param images gets what the documentation shows
     * @param machines a directory that the simulated machines may use
     */
    Tour(Scene scene, RealJenkins jenkins, Simulator simulator, Path images, Path machines) {
        this.scene = scene;
        this.jenkins = jenkins;
        this.simulator = simulator;
        this.images = images;
        this.machines = machines;
    }

    void all() throws IOException, InterruptedException {
        try (Visitor admin = new Visitor(scene, "admin", 1280, false, true)) {
            coresOwn(admin);
            makeCloud(admin);
            makeTemplate(admin);
            moreTemplates(admin);
            build(admin);
            lookAt(admin);
        }
        new Onlookers(scene).all();
        try (Visitor admin = new Visitor(scene, "admin", 1280, false, true)) {
            pauseAndGoOn(admin);
            destroy(admin);
            formsRoundTrip(admin);
        }
        new HardTimes(scene, jenkins, simulator).all();
    }

    /** What axe does not look at on our pages, because it is Jenkins' own: it is the same without us. */
    private void coresOwn(Visitor admin) throws IOException, InterruptedException {
        admin.open("manage/configure").findsFaultWith(Visitor.SAID_WARNING);
        Page page = admin.open("computer/(built-in)/configure").page();
        page.fill("[name='_.numExecutors']", "-1");
        page.keyboard().press("Tab");
        admin.findsFaultWith(Visitor.SAID_ERROR);
        jenkins.post("createItem?name=plain", """
                <project>
                  <displayName>Plain</displayName>
                  <triggers><hudson.triggers.TimerTrigger><spec>H H 1 1 *</spec></hudson.triggers.TimerTrigger></triggers>
                </project>
                """);
        admin.open("job/plain/configure").findsFaultWith(Visitor.SAID_OK).findsFaultWith(Visitor.EDITED);
        try (Visitor looker = new Visitor(scene, "looker", 1280, false, true)) {
            looker.open("manage/configure").findsFaultWith(Visitor.NOT_APPLICABLE);
        }
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
        page.waitForSelector("[name='_.credentialsId'] option[value='vastai-api-key']", there());
        admin.seen("a new cloud");
        page.selectOption("[name='_.credentialsId']", "vastai-api-key");
        unfold(page, "Address of the market");
        page.fill("[name='_.apiUrl']", simulator.uri().toString());
        page.getByRole(AriaRole.BUTTON, new Page.GetByRoleOptions().setName("Test connection"))
                .click();
        page.waitForSelector("text=/Connected to/");
        admin.says("has instance_write").seen("a connection that was tested");
        save(page);
        admin.check("the new cloud is there", jenkins.status(CLOUD) == 200);
        admin.open(CLOUD).says("Nothing is rented now").seen("a cloud without templates");
    }

    private void makeTemplate(Visitor admin) {
        Page page = admin.open(CLOUD).page();
        page.locator("#vastai-no-template a").click();
        page.waitForSelector("[name='_.name']");
        page.waitForLoadState(LoadState.NETWORKIDLE);
        admin.check("nobody is blamed for what he has not written yet", errors(page) == 0)
                .seen("a new template");
        page.fill("[name='_.name']", "two words");
        page.keyboard().press("Tab");
        page.waitForSelector(".validation-error-area .error:has-text('two words')");
        admin.seen("a name that cannot be");
        page.fill("[name='_.name']", "gpu");
        page.fill("[name='_.labels']", "gpu");
        complete(admin);
        page.fill("[name='_.machineImage']", "nvidia/cuda:12.0.0-base-ubuntu22.04");
        page.fill("[name='_.remoteFs']", machines.resolve("agent").toString());
        page.locator("button.vastai-preview").click();
        page.waitForSelector("dialog[open] .vastai-machines");
        admin.check(
                        "the form tells what would be rented",
                        text(page, "dialog[open]").contains("machines match"))
                .seen("what would be rented for a form", "dialog[open]")
                .picture("dialog[open]", images.resolve("offers.png"));
        page.keyboard().press("Escape");
        page.waitForSelector("dialog[open]", gone());
        save(page);
        admin.says("nvidia/cuda").seen("the list of templates");
        admin.open(TEMPLATE).seen("a template");
        admin.open(TEMPLATE + "preview/").says("machines match").seen("what would be rented");
        admin.check(
                "programs are told the same",
                jenkins.get(TEMPLATE + "preview/api/json").contains("pricePerHour"));
    }

    /** The GPU is chosen from what the market has, by keyboard. */
    private static void complete(Visitor admin) {
        Page page = admin.page();
        Locator gpu = page.locator("[name='_.instanceType']");
        gpu.fill("");
        gpu.pressSequentially("1x4090");
        page.waitForSelector(".jenkins-dropdown__item:has-text('RTX_4090')");
        page.keyboard().press("ArrowDown");
        page.keyboard().press("Enter");
        admin.check(
                "the GPU is completed from the market's list", gpu.inputValue().equals("1xRTX_4090"));
    }

    private void moreTemplates(Visitor admin) {
        Page page = admin.open(CLOUD + "templates/new").page();
        page.selectOption("#vastai-from", "gpu");
        page.locator("form[name=copy] button").click();
        page.waitForSelector("[name='_.remoteFs']");
        admin.check(
                        "a copy starts with the other's values",
                        page.inputValue("[name='_.labels']").equals("gpu")
                                && page.inputValue("[name='_.name']").isEmpty())
                .seen("a copy");
        page.fill("[name='_.name']", "second");
        page.fill("[name='_.labels']", "second");
        page.fill("[name='_.maxPricePerHour']", "0.01");
        save(page);
        admin.says("second").seen("two templates");
        press(admin, "button[aria-label='Move second up']");
        page.waitForSelector("#vastai-templates tbody tr:first-child:has-text('second')");
        press(admin, "button[aria-label='Move second down']");
        page.waitForSelector("#vastai-templates tbody tr:last-child:has-text('second')");
        admin.check("the order is changed by keyboard", true);
        admin.open(CLOUD + "template/second/preview/")
                .says("No machine matches")
                .says("do not meet maxPricePerHour")
                .seen("nothing would be rented");
        page.locator("#side-panel a:has-text('Remove')").click();
        page.waitForSelector("dialog[open]");
        admin.check("it asks before it removes", text(page, "dialog[open]").contains("second"));
        page.locator("dialog[open] button[data-id=ok]").click();
        page.waitForURL("**/templates/");
        admin.check(
                "the template is gone",
                page.locator("#vastai-templates tbody tr").count() == 1);
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

    static String freestyle(String label, String script) {
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
        admin.open(CLOUD).says("in service").says("train #1").seen("a cloud");
        Page page = admin.page();
        String before = page.locator("#vastai-live").innerText();
        page.waitForFunction("before => document.getElementById('vastai-live').innerText !== before", before);
        admin.check("it brings itself up to date", page.locator("#vastai-stale").isHidden())
                .picture("", images.resolve("cloud.png"));
        page.locator("#vastai-live details summary").first().click();
        admin.seen("a cloud with the numbers of its charts");
        page.locator("#vastai-rentals a[href^='rental/']").first().click();
        page.waitForSelector("#vastai-story");
        admin.says("Where the time went").says("Story").seen("a rental");
        admin.open(CLOUD);
        page.locator("#vastai-rentals a[href*='/computer/']").first().click();
        page.waitForSelector("#vastai-facts");
        admin.says("GPU driver")
                .seen("an agent", "#vastai-machine")
                .picture("#vastai-machine", images.resolve("agent.png"));
        admin.open("computer/").says("Cloud vast").seen("the list of agents", "#vastai-cloud-vast");
        admin.open("manage/cloud/").says("vast").shot("the list of clouds");
    }

    private void pauseAndGoOn(Visitor admin) {
        Page page = admin.open(CLOUD).page();
        page.locator("#vastai-pause").click();
        page.waitForSelector("#vastai-paused");
        admin.says("Paused by admin").seen("a paused cloud");
        page.locator("#vastai-resume").click();
        page.waitForSelector("#vastai-pause");
        page.locator("#vastai-rentals button:has-text('Leave alone')").first().click();
        page.waitForSelector("#vastai-blocked");
        admin.says("Put on the list by admin").seen("a machine that is left alone");
        page.locator("#vastai-blocked button").first().click();
        page.waitForSelector("#vastai-blocked", gone());
    }

    /** By keyboard alone. */
    private void destroy(Visitor admin) {
        Page page = admin.open(CLOUD).page();
        String button = "#vastai-rentals button:has-text('Destroy')";
        press(admin, button);
        page.waitForSelector("dialog[open]");
        admin.check("it asks before it destroys", text(page, "dialog[open]").contains("whatever runs on agent"))
                .seen("the question before a machine is destroyed", "dialog[open]");
        page.keyboard().press("Escape");
        page.waitForSelector("dialog[open]", gone());
        press(admin, button);
        page.waitForSelector("dialog[open]");
        press(admin, "dialog[open] button[data-id=ok]");
        page.waitForSelector("#vastai-ended:has-text('destroyed by admin'), #vastai-ended:has-text('is gone')");
        admin.check(
                "the machine is gone",
                RealJenkins.await(
                        Duration.ofMinutes(2), () -> simulator.books().left().isEmpty()));
    }

    /** What was changed in a form is saved; saved unchanged, nothing is changed. */
    private void formsRoundTrip(Visitor admin) {
        Page page = admin.open(CLOUD + "configure").page();
        page.fill("[name='_.maxPricePerHour']", "2.50");
        page.fill("[name='_.instanceCap']", "7");
        unfold(page, "Advanced");
        page.locator("button:has-text('Add machine or host')").click();
        page.fill("[name='blocklist'] [name='_.machineId']:visible", "12345");
        page.fill("[name='blocklist'] [name='_.reason']:visible", "resets its GPU");
        admin.seen("the form of a cloud");
        save(page);
        String cloud = configuration();
        admin.check(
                "what was written in the cloud's form is saved",
                cloud.contains("2.50") && cloud.contains("12345") && cloud.contains("resets its GPU"));

        admin.open(TEMPLATE);
        page.fill("[name='_.region']", "US, DE");
        page.fill("[name='_.initScript']", "echo one\necho \"two & '<three>'\"");
        page.locator("button:has-text('Add variable')").click();
        page.fill("[name='environment'] [name='_.key']:visible", "HF_HOME");
        page.fill("[name='environment'] [name='_.value']:visible", "/workspace/hf");
        unfold(page, "Advanced");
        page.fill("[name='_.draws']", "3");
        admin.seen("the form of a template");
        save(page);
        String template = configuration();
        admin.check(
                "what was written in the template's form is saved",
                template.contains("US, DE") && template.contains("HF_HOME") && template.contains("&lt;three&gt;"));

        for (String form : new String[] {CLOUD + "configure", TEMPLATE}) {
            String before = configuration();
            admin.open(form);
            save(page);
            String after = configuration();
            admin.check(
                    "saved unchanged, it stays the same, but: "
                            + after.lines()
                                    .filter(line -> !before.contains(line))
                                    .toList(),
                    before.equals(after));
        }
    }

    private String configuration() {
        try {
            String all = Files.readString(jenkins.home().resolve("config.xml"));
            // Jenkins writes an empty list into any cloud as soon as somebody has looked at its page.
            return all.substring(all.indexOf("<clouds>"), all.indexOf("</clouds>"))
                    .replaceAll("\\s*<actions/>", "");
        } catch (IOException e) {
            return "unreadable";
        }
    }

    // ---- hands

    static void save(Page page) {
        String before = page.url();
        page.locator("form[name=config] button[name=Submit], form[name=config] button.jenkins-submit-button")
                .first()
                .click();
        page.waitForURL(url -> !url.equals(before));
        page.waitForLoadState();
    }

    private static void unfold(Page page, String title) {
        page.locator("button.advanced-button:has-text('" + title + "')").first().click();
    }

    /** Goes there with the tab key, as far as that takes, and presses enter. */
    private static void press(Visitor visitor, String button) {
        Page page = visitor.page();
        Locator wanted = page.locator(button).first();
        for (int i = 0; i < 200; i++) {
            if ((Boolean) wanted.evaluate("element => document.activeElement === element")) {
                page.keyboard().press("Enter");
                return;
            }
            page.keyboard().press("Tab");
        }
        visitor.check("the tab key reaches " + button, false);
        wanted.press("Enter");
    }

    private static long errors(Page page) {
        return page.locator(".validation-error-area .error:visible").count();
    }

    private static String text(Page page, String selector) {
        return page.locator(selector).innerText();
    }

    private static Page.WaitForSelectorOptions there() {
        return new Page.WaitForSelectorOptions().setState(WaitForSelectorState.ATTACHED);
    }

    private static Page.WaitForSelectorOptions gone() {
        return new Page.WaitForSelectorOptions().setState(WaitForSelectorState.DETACHED);
    }
}

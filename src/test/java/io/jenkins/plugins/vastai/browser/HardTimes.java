package io.jenkins.plugins.vastai.browser;

import com.microsoft.playwright.Page;
import io.jenkins.plugins.vastai.demo.RealJenkins;
import io.jenkins.plugins.vastai.simulator.Fault;
import io.jenkins.plugins.vastai.simulator.Simulator;
import java.io.IOException;
import java.math.BigDecimal;
import java.time.Duration;
import java.util.Arrays;

/** A market whose hosts write what they like, a key that is refused, and five hundred rentals at a time. */
final class HardTimes {

    /** Whatever of it were taken for more than text would change the page's title. */
    private static final String HOSTILE =
            "<img src=x onerror=document.title='taken'><script>document.title='taken'</script>\"'${7*7}, US";

    private static final Duration PATIENCE = Duration.ofMinutes(4);

    private final Scene scene;
    private final RealJenkins jenkins;
    private final Simulator simulator;

    HardTimes(Scene scene, RealJenkins jenkins, Simulator simulator) {
        this.scene = scene;
        this.jenkins = jenkins;
        this.simulator = simulator;
    }

    void all() throws IOException, InterruptedException {
        hostileMarket();
        refusedKey();
        manyRentals();
    }

    private Visitor admin() {
        return new Visitor(scene, "admin", 1280, false, true);
    }

    private void hostileMarket() throws IOException, InterruptedException {
        simulator.market().list("RTX 4090", 1, new BigDecimal("0.01"), HOSTILE, fields -> {});
        simulator
                .faults()
                .add(Fault.of(Fault.Kind.FATAL_STATUS)
                        .text("OCI runtime create failed: " + HOSTILE)
                        .once());
        jenkins.post("createItem?name=hostile", Tour.freestyle("gpu", "sleep 100000"));
        try (Visitor admin = admin()) {
            Page page = admin.open(Tour.TEMPLATE + "preview/").page();
            text(admin, ".vastai-machines");
            admin.open(Tour.TEMPLATE);
            page.locator("button.vastai-preview").click();
            page.waitForSelector("dialog[open] .vastai-machines");
            text(admin, "dialog[open]");
            jenkins.post("job/hostile/build?delay=0sec", "");
            admin.open(Tour.CLOUD);
            // Brought by the page's own script, not loaded with it.
            page.waitForSelector("#vastai-blocked:has-text('onerror=')");
            text(admin, "#vastai-blocked");
            admin.check("the build runs elsewhere", RealJenkins.await(PATIENCE, () -> jenkins.get(
                            "job/hostile/1/api/json?tree=building,builtOn")
                    .contains("\"building\":true")));
            admin.open(Tour.CLOUD).seen("hostile");
            page.locator("#vastai-rentals a[href^='rental/']").first().click();
            page.waitForSelector("#vastai-story");
            text(admin, "#main-panel");
            admin.seen("hostile");
            admin.open(Tour.CLOUD);
            page.locator("#vastai-rentals a[href*='/computer/']").first().click();
            page.waitForSelector("#vastai-facts");
            text(admin, "#main-panel");
            admin.seen("hostile", "#vastai-machine");
            jenkins.post("job/hostile/1/stop", "");
            admin.check(
                    "the machine is given back",
                    RealJenkins.await(PATIENCE, () -> simulator.books().left().isEmpty()));
        }
    }

    private static void text(Visitor visitor, String region) {
        Page page = visitor.page();
        page.waitForTimeout(500); // for an image that could not be loaded to say so
        visitor.check(
                "what a host writes stays text",
                page.locator(region).first().innerText().contains("onerror=document.title")
                        && !page.title().equals("taken")
                        && page.locator("img[src=x]").count() == 0);
    }

    private void refusedKey() throws IOException, InterruptedException {
        simulator.faults().add(Fault.of(Fault.Kind.KEY_REFUSED));
        jenkins.post("job/hostile/build?delay=0sec", "");
        try (Visitor admin = admin()) {
            String warning = "#vastai-BAD_KEY";
            admin.check(
                    "a refused key is told on the page of Jenkins itself",
                    RealJenkins.await(
                            PATIENCE,
                            () -> admin.open("manage/").page().locator(warning).count() == 1));
            admin.says("does not accept the API key").seen("a warning", warning);
            admin.open(Tour.CLOUD).says("does not accept the API key").seen("a refused key");
            admin.open("computer/").seen("a refused key", "#vastai-cloud-vast");
            simulator.faults().clear();
            admin.open(Tour.CLOUD).page().locator("#vastai-try").click();
            admin.check(
                    "and no more once it works again",
                    RealJenkins.await(
                            PATIENCE,
                            () -> admin.open("manage/").page().locator(warning).count() == 0));
        }
        jenkins.script("Jenkins.get().queue.clear()");
        RealJenkins.await(PATIENCE, () -> simulator.books().left().isEmpty());
    }

    /** Orders for agents that Jenkins does not have: they end by themselves, nothing is rented for them. */
    private void manyRentals() throws IOException, InterruptedException {
        simulator.market().clear();
        jenkins.script("""
                import io.jenkins.plugins.vastai.rental.Order
                def cloud = Jenkins.get().getCloud('vast')
                cloud.instanceCap = 0
                def fleet = io.jenkins.plugins.vastai.Fleets.get().fleet(cloud).get()
                def like = fleet.rentals()[0].order()
                500.times {
                  fleet.order({ id -> new Order('vast', 'gpu', 'gpu-' + id, like.spec(), like.remoteFs(), like.javaMajor(), 1,
                      like.launchLimit(), like.maxLifetime(), 0, 0, null) } as java.util.function.Function)
                }
                """);
        try (Visitor admin = admin()) {
            admin.open(Tour.CLOUD).seen("500 rentals");
            Page page = admin.page();
            long[] took = new long[9];
            for (int i = 0; i < took.length; i++) {
                long begun = System.nanoTime();
                admin.check(
                        "the live part is there",
                        page.context().request().get(Tour.CLOUD + "live").ok());
                took[i] = System.nanoTime() - begun;
            }
            Arrays.sort(took);
            Duration median = Duration.ofNanos(took[took.length / 2]);
            System.out.println("browser: 500 rentals: the live part took " + median.toMillis() + " ms (median)");
            admin.check(
                    "at most a hundred rows of each",
                    page.locator("[id^=vastai-rental-]").count() <= 200);
            admin.check("five hundred rentals do not slow it down", median.compareTo(Duration.ofSeconds(1)) < 0);
            // Not clicked: the page may just be bringing itself up to date, many times with so many rentals.
            String rest = page.locator(".vastai-parts a").last().getAttribute("href");
            admin.open(Tour.CLOUD + rest).says("101 to 200").seen("the next hundred of 500 rentals");
        }
    }
}

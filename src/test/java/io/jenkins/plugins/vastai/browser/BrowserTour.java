package io.jenkins.plugins.vastai.browser;

import com.deque.html.axecore.playwright.AxeBuilder;
import com.microsoft.playwright.Browser;
import com.microsoft.playwright.BrowserType;
import com.microsoft.playwright.Playwright;
import com.microsoft.playwright.PlaywrightException;
import io.jenkins.plugins.vastai.demo.RealJenkins;
import io.jenkins.plugins.vastai.simulator.Simulator;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.logging.Level;
import java.util.logging.Logger;
import java.util.stream.Stream;

/**
 * The plugin in a real browser: the {@link Tour} through a real Jenkins that rents from the simulator, with the system's
 * Chromium. Takes the images that the documentation shows.
 *
 * <p>Arguments: the project's directory, then the Maven command. Exit code 1 when anything is not as it should be, and
 * when there is no Chromium: what was not tried has not passed.
 */
public final class BrowserTour {

    private BrowserTour() {}

    public static void main(String[] args) throws Exception {
        Logger.getLogger("").setLevel(Level.WARNING);
        Optional<Path> chromium = chromium();
        if (chromium.isEmpty()) {
            System.out.println(
                    "browser: nothing was tried: there is no Chromium on this machine. Install the package chromium,"
                            + " or name the program in the environment variable CHROMIUM");
            System.exit(1);
        }
        Path project = Path.of(args[0]).toAbsolutePath().normalize();
        Path directory = Files.createTempDirectory("vastai-browser-jenkins");
        Path machines = Files.createDirectories(directory.resolve("machines"));
        Files.createDirectories(machines.resolve("agent"));
        Report report = new Report();
        try (Simulator simulator = Simulator.builder()
                        .boot(Duration.ofSeconds(5))
                        .limits(false)
                        .workDirectory(machines)
                        .start();
                RealJenkins jenkins = RealJenkins.start(
                        project,
                        args[1],
                        directory,
                        uri -> yaml(simulator, uri),
                        "-Pbrowser",
                        "-Djenkins.security.SystemReadPermission=true")) {
            System.out.println("browser: building the plugin and starting Jenkins; its log: " + jenkins.log());
            jenkins.signIn("admin", "admin");
            report.check("Jenkins starts", jenkins.up());
            if (report.clean()) {
                tour(report, chromium.get(), jenkins, simulator, project, machines);
            }
        }
        System.out.println(report.line());
        System.exit(report.clean() ? 0 : 1);
    }

    private static void tour(
            Report report, Path chromium, RealJenkins jenkins, Simulator simulator, Path project, Path machines)
            throws IOException, InterruptedException {
        try (Playwright playwright = Playwright.create(new Playwright.CreateOptions().setEnv(Visitor.ENVIRONMENT));
                Browser browser = playwright
                        .chromium()
                        .launch(new BrowserType.LaunchOptions()
                                .setExecutablePath(chromium)
                                .setArgs(Visitor.ARGUMENTS))) {
            Path shots = Files.createDirectories(project.resolve("target/browser"));
            new Tour(
                            new Scene(report, browser, jenkins.uri(), axe(), shots),
                            jenkins,
                            simulator,
                            project.resolve("docs/images"),
                            machines)
                    .all();
        } catch (PlaywrightException e) {
            report.check("the tour comes to its end: " + e.getMessage(), false);
        }
    }

    private static Optional<Path> chromium() {
        return Stream.of(
                        Optional.ofNullable(System.getenv("CHROMIUM")).orElse(""),
                        "/usr/bin/chromium",
                        "/usr/bin/chromium-browser",
                        "/usr/bin/google-chrome")
                .filter(path -> !path.isEmpty())
                .map(Path::of)
                .filter(Files::isExecutable)
                .findFirst();
    }

    private static String axe() throws IOException {
        try (InputStream script = AxeBuilder.class.getResourceAsStream("/axe.min.js")) {
            return new String(script.readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    /** An admin, somebody who only looks, somebody who operates, and a key: everything else is done by hand. */
    private static String yaml(Simulator simulator, String uri) {
        return """
                jenkins:
                  numExecutors: 0
                  securityRealm:
                    local:
                      allowsSignup: false
                      users:
                        - {id: admin, password: admin}
                        - {id: looker, password: looker}
                        - {id: operator, password: operator}
                  authorizationStrategy:
                    globalMatrix:
                      entries:
                        - user: {name: admin, permissions: ["Overall/Administer"]}
                        - user: {name: looker, permissions: ["Overall/Read", "Overall/SystemRead", "Job/Read"]}
                        - user: {name: operator, permissions: ["Overall/Read", "Agent/Provision", "Agent/Delete", "Job/Read"]}
                credentials:
                  system:
                    domainCredentials:
                      - credentials:
                          - string: {id: vastai-api-key, scope: SYSTEM, secret: "%s"}
                appearance:
                  themeManager:
                    disableUserThemes: true
                    theme: darkSystem
                unclassified:
                  location:
                    url: "%s"
                """.formatted(simulator.apiKey(), uri);
    }
}

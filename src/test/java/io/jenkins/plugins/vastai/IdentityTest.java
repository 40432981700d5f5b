package io.jenkins.plugins.vastai;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import hudson.ExtensionList;
import hudson.model.Label;
import hudson.slaves.Cloud;
import io.jenkins.plugins.vastai.rental.Rental;
import io.jenkins.plugins.vastai.simulator.Endpoint;
import java.net.URL;
import java.nio.file.Path;
import jenkins.model.Jenkins;
import org.htmlunit.HttpMethod;
import org.htmlunit.WebRequest;
import org.htmlunit.html.HtmlPage;
import org.jenkinsci.plugins.workflow.cps.CpsFlowDefinition;
import org.jenkinsci.plugins.workflow.job.WorkflowJob;
import org.jenkinsci.plugins.workflow.job.WorkflowRun;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.jvnet.hudson.test.JenkinsRule;
import org.jvnet.hudson.test.MockAuthorizationStrategy;
import org.jvnet.hudson.test.junit.jupiter.JenkinsSessionExtension;

/** A home that may be a copy rents and destroys nothing until an administrator says which of the two it is. */
@Timeout(300)
class IdentityTest {

    static {
        System.setProperty(
                "org.jenkinsci.plugins.workflow.support.pickles.ExecutorPickle.timeoutForNodeMillis", "120000");
    }

    @RegisterExtension
    final JenkinsSessionExtension sessions = new JenkinsSessionExtension();

    @RegisterExtension
    final RentedMachines machines = new RentedMachines();

    @AfterEach
    void usualPermissions() {
        Jenkins.MANAGE.setEnabled(false);
    }

    /** A running build, then a restart in what looks like another place: two of its three marks are others. */
    private void copied() throws Throwable {
        sessions.then(j -> {
            machines.cloud(RentedMachines.template("gpu", "gpu"));
            j.jenkins.save();
            WorkflowJob job = j.createProject(WorkflowJob.class, "p");
            job.setDefinition(new CpsFlowDefinition("node('gpu') { sh '" + RentedMachines.WAIT + "' }", true));
            WorkflowRun run = job.scheduleBuild2(0).waitForStart();
            j.waitForMessage("begun", run);
        });
        Path file = sessions.getHome().toPath().resolve("vastai").resolve("controller.json");
        ObjectMapper json = new ObjectMapper();
        ObjectNode stored = (ObjectNode) json.readTree(file.toFile());
        ((ObjectNode) stored.get("place")).put("path", "/elsewhere").put("host", "other");
        json.writeValue(file.toFile(), stored);
    }

    @Test
    void aMovedHomeWaitsAndGoesOnWhenItIsSaidToBeTheOnlyOne() throws Throwable {
        copied();
        sessions.then(j -> {
            IdentityMonitor monitor = ExtensionList.lookupSingleton(IdentityMonitor.class);
            assertTrue(monitor.isActivated());
            int calls = machines.simulator().requests().size();
            VastAiCloud cloud = (VastAiCloud) Jenkins.get().getCloud(RentedMachines.CLOUD);
            assertFalse(cloud.canProvision(new Cloud.CloudState(Label.get("gpu"), 0)));
            WorkflowJob other = j.createProject(WorkflowJob.class, "other");
            other.setDefinition(new CpsFlowDefinition("node('gpu') { echo 'here' }", true));
            WorkflowRun waiting = other.scheduleBuild2(0).waitForStart();
            j.waitForMessage("[vast] This home may be a copy", waiting);
            assertEquals(calls, machines.simulator().requests().size(), "the market is not even asked");
            Rental rental = RentedMachines.rentals().get(0);
            assertTrue(VastAiComputer.of(rental).orElseThrow().isOffline());
            assertTrue(page(j, "manage").asNormalizedText().contains("This home may be a copy"));

            decide(j, monitor, "keep");

            assertFalse(monitor.isActivated());
            WorkflowRun run =
                    j.jenkins.getItemByFullName("p", WorkflowJob.class).getBuildByNumber(1);
            await().atMost(RentedMachines.PATIENCE)
                    .untilAsserted(() -> assertTrue(
                            VastAiComputer.of(rental)
                                    .filter(VastAiComputer::isOnline)
                                    .isPresent(),
                            RentedMachines::stories));
            machines.letGo(rental, "p");
            j.assertBuildStatusSuccess(j.waitForCompletion(run));
            j.assertBuildStatusSuccess(j.waitForCompletion(waiting));
            machines.nothingLeft();
        });
    }

    @Test
    void aCopyForgetsTheOthersMachinesAndRentsItsOwn() throws Throwable {
        copied();
        sessions.then(j -> {
            String before = Fleets.get().identity().orElseThrow().id();
            IdentityMonitor monitor = ExtensionList.lookupSingleton(IdentityMonitor.class);

            decide(j, monitor, "renew");

            assertFalse(monitor.isActivated());
            assertNotEquals(before, Fleets.get().identity().orElseThrow().id());
            await().atMost(RentedMachines.PATIENCE)
                    .until(() -> RentedMachines.agents().isEmpty());
            WorkflowJob own = j.createProject(WorkflowJob.class, "own");
            own.setDefinition(new CpsFlowDefinition("node('gpu') { echo 'here' }", true));
            j.assertBuildStatusSuccess(own.scheduleBuild2(0));
            await().atMost(RentedMachines.PATIENCE).until(() -> RentedMachines.rentals().stream()
                    .allMatch(rental -> rental.state().ended()));
            assertEquals(1, machines.simulator().books().left().size(), "the other controller's is left alone");
            assertEquals(1, machines.simulator().requests(Endpoint.DESTROY).size());
            long other = machines.simulator().books().left().get(0).id();
            machines.simulator().destroyFromOutside(other);
            j.jenkins
                    .getItemByFullName("p", WorkflowJob.class)
                    .getBuildByNumber(1)
                    .doKill();
        });
    }

    @Test
    void onlyAdministratorsDecideAndOnlyByPost() throws Throwable {
        copied();
        sessions.then(j -> {
            IdentityMonitor monitor = ExtensionList.lookupSingleton(IdentityMonitor.class);
            Jenkins.MANAGE.setEnabled(true);
            j.jenkins.setSecurityRealm(j.createDummySecurityRealm());
            j.jenkins.setAuthorizationStrategy(new MockAuthorizationStrategy()
                    .grant(Jenkins.READ, Jenkins.MANAGE)
                    .everywhere()
                    .to("manager")
                    .grant(Jenkins.ADMINISTER)
                    .everywhere()
                    .to("admin"));
            for (String decision : new String[] {"keep", "renew"}) {
                assertEquals(403, status(j, "manager", monitor.getUrl() + "/" + decision, HttpMethod.POST));
                assertEquals(404, status(j, "admin", monitor.getUrl() + "/" + decision, HttpMethod.GET));
            }
            assertTrue(monitor.isActivated());
            Fleets.get().keepIdentity();
            j.jenkins
                    .getItemByFullName("p", WorkflowJob.class)
                    .getBuildByNumber(1)
                    .doKill();
            machines.giveBack();
        });
    }

    private static void decide(JenkinsRule j, IdentityMonitor monitor, String decision) throws Exception {
        assertEquals(302, status(j, "", monitor.getUrl() + "/" + decision, HttpMethod.POST));
    }

    private static HtmlPage page(JenkinsRule j, String path) throws Exception {
        try (JenkinsRule.WebClient browser = j.createWebClient()) {
            return browser.goTo(path);
        }
    }

    private static int status(JenkinsRule j, String user, String path, HttpMethod method) throws Exception {
        try (JenkinsRule.WebClient browser = j.createWebClient()) {
            if (!user.isEmpty()) {
                browser.login(user);
            }
            browser.getOptions().setThrowExceptionOnFailingStatusCode(false);
            browser.getOptions().setRedirectEnabled(false);
            WebRequest request = new WebRequest(new URL(j.getURL(), path), method);
            if (method == HttpMethod.POST) {
                browser.addCrumb(request);
            }
            return browser.getPage(request).getWebResponse().getStatusCode();
        }
    }
}

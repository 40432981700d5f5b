package io.jenkins.plugins.vastai;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import hudson.model.Action;
import hudson.model.AdministrativeMonitor;
import hudson.model.Computer;
import hudson.model.Descriptor;
import hudson.model.FreeStyleProject;
import hudson.model.Item;
import hudson.model.Label;
import hudson.model.RootAction;
import hudson.slaves.Cloud;
import hudson.tasks.Shell;
import io.jenkins.plugins.vastai.rental.Rental;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.net.URI;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;
import jenkins.model.Jenkins;
import org.htmlunit.HttpMethod;
import org.htmlunit.WebRequest;
import org.htmlunit.WebResponse;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.jvnet.hudson.test.JenkinsRule;
import org.jvnet.hudson.test.MockAuthorizationStrategy;
import org.jvnet.hudson.test.MockFolder;
import org.jvnet.hudson.test.junit.jupiter.WithJenkins;
import org.kohsuke.stapler.MetaClass;
import org.kohsuke.stapler.WebApp;
import org.kohsuke.stapler.WebMethod;
import org.kohsuke.stapler.jelly.JellyClassTearOff;

/**
 * Every address that the plugin answers, found in the classes that Stapler dispatches to, tried by users of all kinds with
 * GET and POST: who lacks the permission of docs/security.md neither reads a fact of a machine nor changes anything.
 */
@Timeout(600)
@WithJenkins
class PermissionCrawlTest {

    private static final String OURS = "io.jenkins.plugins.vastai";
    private static final int DEEPEST = 3;
    private static final List<String> USERS =
            List.of("anonymous", "reader", "builder", "manager", "looker", "operator", "admin");
    /** May see the state of clouds. */
    private static final Set<String> SEE = Set.of("looker", "operator", "admin");

    @RegisterExtension
    final RentedMachines machines = new RentedMachines();

    /** @param method {@code doX} or a view; empty for the object itself */
    private record Address(String url, String method) {}

    @AfterEach
    void usualPermissions() {
        Jenkins.SYSTEM_READ.setEnabled(false);
        Jenkins.MANAGE.setEnabled(false);
    }

    @Test
    void nobodyReadsOrChangesMoreThanTheTableOfPermissionsSays(JenkinsRule j) throws Exception {
        MockFolder folder = j.createFolder("team");
        machines.cloud(RentedMachines.template("gpu", "gpu"));
        FreeStyleProject job = folder.createProject(FreeStyleProject.class, "endless");
        job.setAssignedLabel(Label.get("gpu"));
        job.getBuildersList().add(new Shell(RentedMachines.WAIT));
        job.scheduleBuild2(0);
        Rental rental = RentedMachines.inService();
        machines.untilBegun(rental, "team/endless");
        Set<String> facts = new TreeSet<>();
        facts.add(rental.reach().endpoint().toString());
        facts.add(rental.reach().hostKey().split(" ")[1]);
        facts.add(io.jenkins.plugins.vastai.ssh.HostKey.parse(rental.reach().hostKey())
                .fingerprint());

        Set<Address> addresses = j.executeOnServer(() -> addresses(j, rental));
        secure(j, folder);
        assertTrue(addresses.size() > 60, () -> "found " + addresses);
        for (String part : List.of(
                "/api/json",
                "rental/" + rental.id(),
                "vastai/vast/live",
                VastAiComputer.of(rental).orElseThrow().getUrl())) {
            assertTrue(
                    addresses.stream().anyMatch(address -> address.url().contains(part)),
                    () -> part + " was not found in " + addresses);
        }

        Map<String, Map<Integer, Integer>> table = new LinkedHashMap<>();
        List<String> leaks = new ArrayList<>();
        List<String> broken = new ArrayList<>();
        String before = state(j);
        for (String user : USERS) {
            JenkinsRule.WebClient client = client(j, user);
            boolean factsSeen = false;
            for (HttpMethod method : List.of(HttpMethod.GET, HttpMethod.POST)) {
                Map<Integer, Integer> counts = table.computeIfAbsent(user + " " + method, key -> new TreeMap<>());
                if (user.equals("admin") && method == HttpMethod.POST) {
                    continue; // would just do it; see below
                }
                for (Address address : addresses) {
                    WebResponse answer = ask(j, client, method, address.url(), method == HttpMethod.POST);
                    counts.merge(answer.getStatusCode(), 1, Integer::sum);
                    String body = answer.getContentAsString();
                    boolean fact = facts.stream().anyMatch(body::contains);
                    factsSeen |= fact;
                    if (fact && !SEE.contains(user)) {
                        leaks.add(user + " " + method + " " + address.url());
                    }
                    if (answer.getStatusCode() >= 500 && !user.equals("admin")) {
                        broken.add(user + " " + method + " " + address.url() + " " + answer.getStatusCode());
                    }
                }
                if (!user.equals("operator")) {
                    assertEquals(before, state(j), () -> user + " changed something with " + method);
                }
            }
            assertEquals(SEE.contains(user), factsSeen, user + " sees facts of the machine");
            if (user.equals("operator")) {
                Fleets.get().pauses().resume(RentedMachines.CLOUD);
                assertEquals(before, state(j), "an operator changes neither settings nor destroys");
            }
        }
        assertEquals(List.of(), leaks, "facts of a machine that were shown to those who may not see them");
        assertEquals(List.of(), broken, "answers with a stack trace");

        JenkinsRule.WebClient admin = client(j, "admin");
        Map<Integer, Integer> withoutCrumb = new TreeMap<>();
        for (Address address : addresses) {
            WebResponse answer = ask(j, admin, HttpMethod.POST, address.url(), false);
            withoutCrumb.merge(answer.getStatusCode(), 1, Integer::sum);
            assertEquals(403, answer.getStatusCode(), () -> "POST without crumb to " + address.url());
        }
        assertEquals(before, state(j), "a POST without crumb changes nothing");
        table.put("admin POST without crumb", withoutCrumb);

        System.out.println("rights: urls=" + addresses.size() + " requests="
                + table.values().stream()
                        .flatMap(counts -> counts.values().stream())
                        .mapToInt(Integer::intValue)
                        .sum()
                + " leaks=0 changed=0");
        table.forEach((who, counts) -> System.out.println("rights: " + who + " " + counts));
        machines.letGo(rental, "team/endless");
        machines.giveBack();
    }

    /** What nobody may change who is not asked for it: settings, pauses, and whether the machine is needed. */
    private static String state(JenkinsRule j) {
        return Jenkins.XSTREAM2.toXML(j.jenkins.clouds.get(0))
                + Fleets.get().pauses().paused(RentedMachines.CLOUD)
                + RentedMachines.rentals().stream()
                        .map(rental -> rental.id() + rental.needed())
                        .toList()
                + RentedMachines.agents().size();
    }

    private static void secure(JenkinsRule j, MockFolder folder) {
        Jenkins.SYSTEM_READ.setEnabled(true);
        Jenkins.MANAGE.setEnabled(true);
        j.jenkins.setSecurityRealm(j.createDummySecurityRealm());
        j.jenkins.setAuthorizationStrategy(new MockAuthorizationStrategy()
                .grant(Jenkins.ADMINISTER)
                .everywhere()
                .to("admin")
                .grant(Jenkins.READ)
                .everywhere()
                .to("reader", "builder", "manager", "looker", "operator")
                .grant(Item.READ, Item.BUILD)
                .onItems(folder)
                .to("builder")
                .grant(Item.READ, Item.BUILD)
                .onFolders(folder)
                .to("builder")
                .grant(Jenkins.MANAGE)
                .everywhere()
                .to("manager")
                .grant(Jenkins.SYSTEM_READ)
                .everywhere()
                .to("looker")
                .grant(Cloud.PROVISION)
                .everywhere()
                .to("operator"));
    }

    private static JenkinsRule.WebClient client(JenkinsRule j, String user) throws Exception {
        JenkinsRule.WebClient client =
                j.createWebClient().withJavaScriptEnabled(false).withThrowExceptionOnFailingStatusCode(false);
        if (!user.equals("anonymous")) {
            client.login(user);
        }
        client.getOptions().setRedirectEnabled(false);
        client.getOptions().setPrintContentOnFailingStatusCode(false);
        client.setRefreshHandler((page, url, seconds) -> {}); // leads anonymous users to the login page
        return client;
    }

    private static WebResponse ask(
            JenkinsRule j, JenkinsRule.WebClient client, HttpMethod method, String url, boolean crumb)
            throws IOException {
        WebRequest request = new WebRequest(new URL(j.getURL(), url), method);
        if (crumb) {
            client.addCrumb(request);
        }
        return client.loadWebResponse(request);
    }

    // ---- what there is

    private static Set<Address> addresses(JenkinsRule j, Rental rental) throws Exception {
        Set<Address> found = new LinkedHashSet<>();
        List<String> names = List.of(RentedMachines.CLOUD, "gpu", rental.id());
        Crawl crawl = new Crawl(j, names, found);
        VastAiCloud cloud = (VastAiCloud) j.jenkins.clouds.get(0);
        crawl.walk(cloud, "manage/" + cloud.getUrl(), 0);
        crawl.walk(cloud, cloud.getUrl(), 0);
        for (Action action : cloud.getAllActions()) {
            crawl.ours(action, "manage/" + cloud.getUrl() + action.getUrlName() + "/", 1);
        }
        for (RootAction action : j.jenkins.getExtensionList(RootAction.class)) {
            crawl.ours(action, action.getUrlName() + "/", 0);
        }
        for (AdministrativeMonitor monitor : AdministrativeMonitor.all()) {
            crawl.ours(monitor, monitor.getUrl() + "/", 0);
        }
        for (Computer computer : j.jenkins.getComputers()) {
            crawl.ours(computer, computer.getUrl(), 0);
            for (Action action : computer.getAllActions()) {
                crawl.ours(action, computer.getUrl() + action.getUrlName() + "/", 1);
            }
        }
        for (Descriptor<?> descriptor : j.jenkins.getExtensionList(Descriptor.class)) {
            crawl.ours(descriptor, "descriptorByName/" + descriptor.getId() + "/", 0);
        }
        return found;
    }

    /** Follows what Stapler would: getters to further objects, {@code do} methods and views as leaves. */
    private static final class Crawl {
        private final WebApp app;
        private final List<String> names;
        private final Set<Address> found;
        private final Set<String> visited = new HashSet<>();

        Crawl(JenkinsRule j, List<String> names, Set<Address> found) {
            this.app = WebApp.get(j.jenkins.getServletContext());
            this.names = names;
            this.found = found;
        }

        void ours(Object node, String url, int depth) throws Exception {
            if (node != null && node.getClass().getName().startsWith(OURS)) {
                walk(node, url, depth);
            }
        }

        void walk(Object node, String url, int depth) throws Exception {
            // Objects lead to each other in circles; below each first step of an address one way to each kind is
            // enough.
            if (depth > DEEPEST || !visited.add(url.substring(0, url.indexOf('/')) + node.getClass())) {
                return;
            }
            found.add(new Address(url, ""));
            MetaClass meta = app.getMetaClass(node);
            for (String view : views(node.getClass())) {
                if (meta.getTearOff(JellyClassTearOff.class).findScript(view + ".jelly") != null) {
                    found.add(new Address(url + view, view));
                }
            }
            for (Method method : node.getClass().getMethods()) {
                boolean core = !method.getDeclaringClass().getName().startsWith(OURS);
                if (Modifier.isStatic(method.getModifiers()) || core && !(node instanceof Cloud)) {
                    continue; // what Jenkins answers for every node and descriptor is its own
                }
                String name = method.getName();
                if (method.isAnnotationPresent(WebMethod.class)) {
                    for (String web : method.getAnnotation(WebMethod.class).name()) {
                        found.add(new Address(url + web, name));
                    }
                } else if (name.matches("do[A-Z].*")) {
                    found.add(new Address(url + decapitalized(name.substring(2)), name));
                } else if (name.matches("get[A-Z].*") || name.equals("getDynamic")) {
                    follow(node, method, url, depth);
                }
            }
        }

        private void follow(Object node, Method method, String url, int depth) throws Exception {
            Class<?>[] parameters = method.getParameterTypes();
            if (!method.canAccess(node) || method.getName().equals("getTarget")) {
                return;
            }
            if (parameters.length == 0) {
                Object next = invoke(node, method);
                String step = url + decapitalized(method.getName().substring(3)) + "/";
                ours(next, step, depth + 1);
                if (next instanceof hudson.model.Api) {
                    found.add(new Address(step + "json", "api"));
                    found.add(new Address(step + "xml", "api"));
                    found.add(new Address(step + "python", "api"));
                }
            } else if (parameters.length == 1 && parameters[0] == String.class) {
                for (String name : names) {
                    String step = method.getName().equals("getDynamic")
                            ? url
                            : url + decapitalized(method.getName().substring(3)) + "/";
                    ours(invoke(node, method, name), step + name + "/", depth + 1);
                }
            }
        }

        private static Object invoke(Object node, Method method, Object... arguments) throws Exception {
            try {
                return method.invoke(node, arguments);
            } catch (InvocationTargetException e) {
                return null; // needs a request
            }
        }

        /** Of the class and those above it that are ours: what lies beside the compiled classes. */
        private static Set<String> views(Class<?> type) throws Exception {
            Set<String> views = new TreeSet<>();
            for (Class<?> each = type; each != null && each.getName().startsWith(OURS); each = each.getSuperclass()) {
                URL directory = each.getClassLoader()
                        .getResource(each.getName().replace('.', '/').replace('$', '/') + "/");
                if (directory != null && directory.getProtocol().equals("file")) {
                    try (Stream<Path> files = Files.list(Path.of(URI.create(directory.toString())))) {
                        files.map(file -> String.valueOf(file.getFileName()))
                                .filter(file -> file.endsWith(".jelly"))
                                .forEach(file -> views.add(file.substring(0, file.length() - 6)));
                    } catch (IOException e) {
                        throw new UncheckedIOException(e);
                    }
                }
            }
            return views;
        }

        private static String decapitalized(String name) {
            return Character.toLowerCase(name.charAt(0)) + name.substring(1);
        }
    }
}

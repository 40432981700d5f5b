package io.jenkins.plugins.vastai;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import hudson.util.FormValidation;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.jvnet.hudson.test.JenkinsRule;
import org.jvnet.hudson.test.junit.jupiter.WithJenkins;

/** What a form says beside a field: the field, the value and the remedy. */
@WithJenkins
class SettingsCheckTest {

    private static final String CUDA = "nvidia/cuda:12.0.0-base-ubuntu22.04";
    private static final String KVM = "vastai/kvm:ubuntu_cli_22.04-2025-11-21";

    /** Stands for the version of a template that is saved already. */
    private static final String SAVED = "version";

    private static VastAiCloud.DescriptorImpl cloud;
    private static VastAiTemplate.DescriptorImpl template;
    private static ExtraConfig.DescriptorImpl extra;
    private static EnvironmentVariable.DescriptorImpl variable;

    @BeforeAll
    static void start(JenkinsRule rule) throws Exception {
        cloud = rule.jenkins.getExtensionList(VastAiCloud.DescriptorImpl.class).get(0);
        template = rule.jenkins
                .getExtensionList(VastAiTemplate.DescriptorImpl.class)
                .get(0);
        extra = rule.jenkins.getExtensionList(ExtraConfig.DescriptorImpl.class).get(0);
        variable = rule.jenkins
                .getExtensionList(EnvironmentVariable.DescriptorImpl.class)
                .get(0);
        Keys.secretText("key", "0123456789abcdef");
        Keys.secretText("two-lines", "0123\n4567");
        Keys.login("login", "user", "password");
        Keys.login("login-with-space", "user", "pass word");
    }

    private static void good(FormValidation said) {
        assertEquals(FormValidation.Kind.OK, said.kind, said.getMessage());
    }

    /** @param parts what the message has to hold: the field, the value, the remedy */
    private static void error(FormValidation said, String... parts) {
        says(FormValidation.Kind.ERROR, said, parts);
    }

    private static void warning(FormValidation said, String... parts) {
        says(FormValidation.Kind.WARNING, said, parts);
    }

    private static void says(FormValidation.Kind kind, FormValidation said, String... parts) {
        String text = (said.getMessage() == null ? "" : said.getMessage())
                .replace("&quot;", "\"")
                .replace("&#039;", "'")
                .replace("&lt;", "<")
                .replace("&gt;", ">")
                .replace("&amp;", "&");
        assertEquals(kind, said.kind, text);
        for (String part : parts) {
            assertTrue(text.contains(part), part + " in " + text);
        }
    }

    @Test
    void theSeedsTypesAreGood() {
        List.of("1xRTX_4090", "4xA100_SXM", "2xH100", "8xA100_SXM4_80GB", "1x rtx 4090, 2xH100")
                .forEach(type -> good(template.doCheckInstanceType(null, type)));
    }

    @Test
    void anUnknownGpuOffersTheNearest() {
        warning(
                template.doCheckInstanceType(null, "1xRTX_4900"),
                "instanceType",
                "RTX_4900",
                "Did you mean",
                "RTX 4090");
    }

    @Test
    void aTypeThatIsNoneShowsTheGrammar() {
        error(template.doCheckInstanceType(null, ""), "instanceType is empty", "1xRTX_4090");
        error(template.doCheckInstanceType(null, "RTX 4090"), "how many GPUs", "1xRTX 4090");
        error(template.doCheckInstanceType(null, "0xRTX_4090"), "asks for 0 GPUs", "1 to");
        error(template.doCheckInstanceType(null, "gpu please"), "gpu please", "1xRTX_4090");
    }

    @Test
    void imageAndModeMustFit() {
        good(template.doCheckMachineImage(CUDA, SAVED, false));
        good(template.doCheckMachineImage(KVM, SAVED, true));
        error(template.doCheckMachineImage(KVM, SAVED, false), "machineImage", KVM, "set extraConfig.vm to true");
        error(template.doCheckMachineImage(CUDA, SAVED, true), "extraConfig.vm is true", CUDA, KVM);
        error(extra.doCheckVm("true", CUDA), "extraConfig.vm is true", CUDA, KVM);
        good(extra.doCheckVm("true", KVM));
        good(extra.doCheckVm("false", CUDA));
    }

    @Test
    void anImageNeedsATag() {
        error(template.doCheckMachineImage("nvidia/cuda", SAVED, false), "machineImage", "nvidia/cuda:1.4.2");
        error(template.doCheckMachineImage("", SAVED, false), "machineImage is empty");
        error(template.doCheckMachineImage("not an image", SAVED, false), "machineImage", "not an image");
    }

    @Test
    void aTagThatMovesIsWarnedOf() {
        warning(
                template.doCheckMachineImage("pytorch/pytorch:latest", SAVED, false),
                "machineImage",
                "latest",
                "fixed tag");
        warning(
                template.doCheckMachineImage("vastai/base-image:@vastai-automatic-tag", SAVED, false),
                "machineImage",
                "@vastai-automatic-tag",
                "fixed tag");
        good(template.doCheckMachineImage("pytorch/pytorch:latest@sha256:" + "0".repeat(64), SAVED, false));
        error(template.doCheckMachineImage("vastai/kvm:latest", SAVED, true), "machineImage", "vastai/kvm");
    }

    @Test
    void gpusAreCompletedWhateverTheirSpelling() {
        assertEquals(List.of("1xRTX_4090", "1xRTX_4090_Ti", "1xRTX_4090D"), complete("4090"));
        assertEquals(List.of("2xRTX_4090", "2xRTX_4090_Ti", "2xRTX_4090D"), complete("2x rtx 4090"));
        assertEquals(
                List.of("1xRTX_4090, 4xH100_NVL", "1xRTX_4090, 4xH100_PCIE", "1xRTX_4090, 4xH100_SXM"),
                complete("1xRTX_4090,4xH100"));
        assertEquals(List.of(), complete(""));
        assertEquals(List.of(), complete("1xRTX_4090, "));
        assertEquals(List.of(), complete("<script>"));
        complete("a").forEach(suggestion -> good(template.doCheckInstanceType(null, suggestion)));
    }

    private static List<String> complete(String typed) {
        return template.doAutoCompleteInstanceType(null, typed).getValues();
    }

    @Test
    void regionsAreCompletedByCodeAndName() {
        assertEquals(
                List.of("Germany"), template.doAutoCompleteRegion(null, "germ").getValues());
        assertEquals(
                List.of("US, DE"),
                template.doAutoCompleteRegion(null, "US,de").getValues().stream()
                        .filter(suggestion -> suggestion.equals("US, DE"))
                        .toList());
        assertTrue(template.doAutoCompleteRegion(null, "eu").getValues().contains("EU"));
        for (String beginning : List.of("a", "c", "n", "s", "u")) {
            template.doAutoCompleteRegion(null, beginning)
                    .getValues()
                    .forEach(suggestion -> good(template.doCheckRegion(suggestion)));
        }
    }

    @Test
    void imagesAreSuggestedThatWork() {
        assertTrue(template.doAutoCompleteMachineImage("cuda").getValues().contains(CUDA));
        List<String> vms = template.doAutoCompleteMachineImage("kvm").getValues();
        assertTrue(vms.contains(KVM));
        vms.forEach(image -> good(template.doCheckMachineImage(image, SAVED, true)));
    }

    @Test
    void regionsAreCountriesAndGroups() {
        good(template.doCheckRegion(""));
        good(template.doCheckRegion("US, EU"));
        error(template.doCheckRegion("Atlantis"), "region", "Atlantis", "Did you mean");
    }

    @Test
    void numbersAreNumbersWithinReason() {
        good(extra.doCheckDiskSpace("30"));
        good(extra.doCheckDiskSpace(""));
        error(extra.doCheckDiskSpace("much"), "extraConfig.diskSpace", "much", "for example 30");
        error(extra.doCheckDiskSpace("1.5"), "extraConfig.diskSpace", "1.5");
        error(extra.doCheckDiskSpace("7"), "extraConfig.diskSpace is 7", "from 8");
        error(extra.doCheckDiskSpace("99999999"), "extraConfig.diskSpace is 99999999");
        error(extra.doCheckDiskSpace("99999999999999"), "extraConfig.diskSpace");
        error(extra.doCheckMinRam("-1"), "extraConfig.minRam is -1", "from 0");
        error(template.doCheckMinReliability("98"), "minReliability 98", "write 0.98");
        error(template.doCheckMinReliability("-0.1"), "minReliability is -0.1", "from 0 to 1");
        error(template.doCheckMinReliability("NaN"), "minReliability", "NaN", "0.98");
        error(template.doCheckMaxPricePerHour("0"), "maxPricePerHour is 0");
        error(template.doCheckMaxPricePerHour("cheap"), "maxPricePerHour", "cheap");
        error(template.doCheckMaxPricePerHour("1,5"), "maxPricePerHour", "1,5");
        good(template.doCheckMaxPricePerHour(""));
        error(template.doCheckDraws("0"), "draws is 0", "1 to 20");
        error(template.doCheckLaunchTimeoutMinutes("241"), "launchTimeoutMinutes is 241");
        error(template.doCheckInstanceCap("-1"), "instanceCap is -1");
        error(template.doCheckMinDownloadMbps("-5"), "minDownloadMbps is -5");
        error(template.doCheckIdleMinutes("0"), "idleMinutes is 0", "from 1");
        error(cloud.doCheckInstanceCap("-1"), "instanceCap is -1", "0 to 10000");
        error(cloud.doCheckInstanceCap("ten"), "instanceCap", "ten", "for example 10");
        error(cloud.doCheckMaxPricePerHour("-2"), "maxPricePerHour is -2");
        error(cloud.doCheckBalanceFloor("-2"), "balanceFloor is -2");
        good(cloud.doCheckBalanceFloor("0"));
    }

    @Test
    void aMachineMustOutliveItsStart() {
        good(template.doCheckMaxLifetimeMinutes("60", "0", false));
        error(template.doCheckMaxLifetimeMinutes("15", "0", false), "maxLifetimeMinutes 15", "15");
        error(template.doCheckMaxLifetimeMinutes("20", "0", true), "maxLifetimeMinutes 20", "30");
        error(template.doCheckMaxLifetimeMinutes("60", "90", false), "maxLifetimeMinutes 60", "90");
        error(template.doCheckMaxLifetimeMinutes("0", "0", false), "maxLifetimeMinutes is 0");
    }

    @Test
    void aOneShotAgentHasOneExecutor() {
        good(template.doCheckNumExecutors("1", true));
        good(template.doCheckNumExecutors("4", false));
        error(template.doCheckNumExecutors("4", true), "numExecutors 4", "oneShot");
        error(template.doCheckNumExecutors("0", false), "numExecutors is 0");
    }

    @Test
    void labelsAreWordsThatAJobCanName() {
        good(template.doCheckLabels("gpu rtx-4090 cirun-vastai-gpu", "EXCLUSIVE"));
        error(template.doCheckLabels("a&&b", "EXCLUSIVE"), "labels", "a&&b");
        error(template.doCheckLabels("!gpu", "EXCLUSIVE"), "labels", "!gpu");
        error(template.doCheckLabels("(gpu)", "EXCLUSIVE"), "labels", "(gpu)");
        error(template.doCheckLabels("\"two words\"", "EXCLUSIVE"), "labels", "two words");
        warning(template.doCheckLabels("", "EXCLUSIVE"), "labels is empty", "EXCLUSIVE");
        good(template.doCheckLabels("", "NORMAL"));
    }

    @Test
    void namesCanBeInAddressesAndAgentNames() {
        good(template.doCheckName("vastai-gpu-runner", SAVED));
        error(template.doCheckName("", SAVED), "name is empty");
        error(template.doCheckName("a/b", SAVED), "name", "a/b");
        error(template.doCheckName("two words", SAVED), "name", "two words");
        error(template.doCheckName("x".repeat(41), SAVED), "41", "40");
        good(template.doCheckName("under_score", SAVED));
        error(template.doCheckName("_first", SAVED), "_first", "underscores, a letter or a digit first and last");
        good(cloud.doCheckName("vast"));
        error(cloud.doCheckName(""), "name is empty");
        error(cloud.doCheckName("a?b"), "name", "a?b");
    }

    @Test
    void whatANewTemplateStillLacksIsNoMistakeYet() {
        for (String version : new String[] {null, ""}) {
            good(template.doCheckName("", version));
            good(template.doCheckMachineImage(" ", version, false));
            error(template.doCheckName("a/b", version), "a/b");
            error(template.doCheckMachineImage("nvidia/cuda", version, false), "has no tag");
        }
    }

    @Test
    void theMarketIsAskedByHttpsUnlessItIsThisMachine() {
        good(cloud.doCheckApiUrl("https://console.vast.ai"));
        good(cloud.doCheckApiUrl("http://127.0.0.1:8080"));
        good(cloud.doCheckApiUrl("http://localhost:8080"));
        good(cloud.doCheckApiUrl("http://[::1]:8080"));
        error(
                cloud.doCheckApiUrl("http://console.vast.ai"),
                "apiUrl",
                "http://console.vast.ai",
                "https://console.vast.ai");
        error(cloud.doCheckApiUrl("http://127.0.0.1.example.org"), "apiUrl");
        error(cloud.doCheckApiUrl("http://169.254.169.254/latest"), "apiUrl");
        error(cloud.doCheckApiUrl("file:///etc/passwd"), "apiUrl", "https://");
        error(cloud.doCheckApiUrl("ftp://console.vast.ai"), "apiUrl");
        error(cloud.doCheckApiUrl("console.vast.ai"), "apiUrl");
        error(cloud.doCheckApiUrl("https://"), "apiUrl");
        error(cloud.doCheckApiUrl("https://console.vast.ai?x=1"), "apiUrl", "query");
        FormValidation withPassword = cloud.doCheckApiUrl("https://me:hunter2@console.vast.ai");
        error(withPassword, "apiUrl", "user");
        assertTrue(!withPassword.getMessage().contains("hunter2"));
    }

    @Test
    void theMirrorForJavaIsAnAddress() {
        good(cloud.doCheckJavaDownloadUrl(""));
        good(cloud.doCheckJavaDownloadUrl("https://mirror.example.org/temurin21"));
        error(cloud.doCheckJavaDownloadUrl("mirror"), "javaDownloadUrl", "mirror", "https://mirror.example.org");
        error(cloud.doCheckJavaDownloadUrl("https://x/$(reboot)"), "javaDownloadUrl");
    }

    @Test
    void theApiKeyIsASecretText() {
        good(cloud.doCheckCredentialsId("key"));
        error(cloud.doCheckCredentialsId(""), "credentialsId is empty", "secret text");
        error(cloud.doCheckCredentialsId("nobody"), "credentialsId", "nobody", "secret text");
        error(cloud.doCheckCredentialsId("login"), "credentialsId", "login", "Username with password", "secret text");
        FormValidation broken = cloud.doCheckCredentialsId("two-lines");
        error(broken, "two-lines", "API key");
        assertTrue(!broken.getMessage().contains("4567"));
    }

    @Test
    void aRegistryLoginIsAUsernameWithPassword() {
        good(template.doCheckRegistryCredentialsId(""));
        good(template.doCheckRegistryCredentialsId("login"));
        error(template.doCheckRegistryCredentialsId("nobody"), "registryCredentialsId", "nobody");
        error(template.doCheckRegistryCredentialsId("key"), "registryCredentialsId", "key", "Secret text");
        FormValidation spaces = template.doCheckRegistryCredentialsId("login-with-space");
        error(spaces, "login-with-space", "access token");
        assertTrue(!spaces.getMessage().contains("pass word"));
        good(template.doCheckRegistry("ghcr.io", "ghcr.io/me/image:1", "login"));
        error(
                template.doCheckRegistry("https://ghcr.io", "ghcr.io/me/image:1", "login"),
                "registry",
                "https://ghcr.io");
        warning(template.doCheckRegistry("ghcr.io", "me/image:1", "login"), "registry", "docker.io");
        warning(template.doCheckRegistry("ghcr.io", "ghcr.io/me/image:1", ""), "registry", "registryCredentialsId");
    }

    @Test
    void aBlocklistEntryNamesAMachineOrAHostAndADay() {
        BlocklistEntry.DescriptorImpl entry = new BlocklistEntry.DescriptorImpl();
        good(entry.doCheckMachineId("12345", "0"));
        good(entry.doCheckMachineId("0", "67"));
        good(entry.doCheckHostId("", "12345"));
        error(entry.doCheckMachineId("0", ""), "machineId is 0 and hostId is 0");
        error(entry.doCheckHostId("67", "12345"), "machineId is 12345 and hostId is 67");
        error(entry.doCheckMachineId("-1", "0"), "machineId is -1");
        error(entry.doCheckMachineId("first", "0"), "machineId", "first");
        good(entry.doCheckUntil(""));
        good(entry.doCheckUntil("2026-12-31"));
        error(entry.doCheckUntil("31.12.2026"), "until", "31.12.2026", "2026-12-31");
        error(entry.doCheckUntil("2026-02-30"), "until", "2026-02-30");
    }

    @Test
    void theRestHasItsRules() {
        good(template.doCheckRemoteFs("/home/jenkins"));
        for (String bad : List.of("home", "/home/a b", "/../etc", "/", "/a;rm", "C:\\x")) {
            error(template.doCheckRemoteFs(bad), "remoteFs", bad);
        }
        error(template.doCheckJvmOptions("-Xmx1g\n-Xss1m"), "jvmOptions", "one line");
        good(template.doCheckRuntype("ssh_direct", false));
        error(template.doCheckRuntype("jupyter", false), "runtype", "jupyter", "ssh_direct");
        warning(template.doCheckRuntype("ssh_proxy", true), "runtype", "virtual machine");
        good(variable.doCheckKey("HF_HOME"));
        error(variable.doCheckKey("1A"), "environment", "1A");
        warning(variable.doCheckKey("HF_TOKEN"), "HF_TOKEN", "credentials");
        error(variable.doCheckValue("a\nb"), "environment", "one line");
    }
}

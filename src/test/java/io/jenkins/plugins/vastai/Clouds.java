package io.jenkins.plugins.vastai;

import hudson.model.Node;
import java.math.BigDecimal;
import java.util.List;
import jenkins.model.Jenkins;

/** Clouds of the tests. */
final class Clouds {

    private Clouds() {}

    /** No field of cloud and first template has its default; the second template is all defaults. */
    static VastAiCloud full() {
        ExtraConfig extra = new ExtraConfig();
        extra.setDiskSpace(64);
        extra.setMinRam(12);
        extra.setVm(true);
        VastAiTemplate template =
                new VastAiTemplate("gpu-vm", "2xH100, 1xRTX_4090", "vastai/kvm:ubuntu_cli_22.04-2025-11-21");
        template.setLabels("gpu vm-1");
        template.setRegion("US, EU");
        template.setExtraConfig(extra);
        template.setMode(Node.Mode.NORMAL);
        template.setOneShot(false);
        template.setNumExecutors(3);
        template.setIdleMinutes(7);
        template.setMaxLifetimeMinutes(1200);
        template.setLaunchTimeoutMinutes(33);
        template.setDraws(2);
        template.setSecondMachineMinutes(5);
        template.setInstanceCap(4);
        template.setRequeueLimit(2);
        template.setAllowedJobs("team/*");
        template.setMaxPricePerHour(new BigDecimal("3.75"));
        template.setMinReliability(0.9);
        template.setVerified(false);
        template.setDatacenterOnly(true);
        template.setMinDownloadMbps(50);
        template.setRemoteFs("/workspace");
        template.setJvmOptions("-Xmx512m");
        template.setEnvironment(
                List.of(new EnvironmentVariable("HF_HOME", "/workspace/hf"), new EnvironmentVariable("A", "b c")));
        template.setInitScript("echo one\necho two");
        template.setRegistry("ghcr.io");
        template.setRegistryCredentialsId("registry");
        template.setRuntype("ssh_proxy");

        VastAiTemplate plain = new VastAiTemplate("gpu-plain", "1xRTX_4090", "nvidia/cuda:12.0.0-base-ubuntu22.04");
        plain.setLabels("gpu");

        VastAiCloud cloud = new VastAiCloud("vast", "key");
        cloud.setApiUrl("https://vast.example.org");
        cloud.setInstanceCap(2500);
        cloud.setMaxPricePerHour(new BigDecimal("9.5"));
        cloud.setBalanceFloor(new BigDecimal("12"));
        cloud.setJavaDownloadUrl("https://mirror.example.org/temurin21");
        cloud.setNoDelayProvisioning(false);
        cloud.setBlocklist(List.of(blocked(12345, 0, "resets its GPU", "2026-12-31"), blocked(0, 67, "", "")));
        cloud.setTemplates(List.of(template, plain));
        return cloud;
    }

    static BlocklistEntry blocked(int machine, int host, String reason, String until) {
        BlocklistEntry entry = new BlocklistEntry();
        entry.setMachineId(machine);
        entry.setHostId(host);
        entry.setReason(reason);
        entry.setUntil(until);
        return entry;
    }

    static String xml(VastAiCloud cloud) {
        // Looking at a page makes core add an empty list of actions.
        return Jenkins.XSTREAM2.toXML(cloud).replace("  <actions/>\n", "");
    }
}

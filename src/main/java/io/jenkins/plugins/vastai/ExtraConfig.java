package io.jenkins.plugins.vastai;

import hudson.Extension;
import hudson.RelativePath;
import hudson.model.AbstractDescribableImpl;
import hudson.model.Descriptor;
import hudson.util.FormValidation;
import io.jenkins.plugins.vastai.rental.RunnerSpec;
import java.util.Objects;
import org.kohsuke.stapler.DataBoundConstructor;
import org.kohsuke.stapler.DataBoundSetter;
import org.kohsuke.stapler.QueryParameter;
import org.kohsuke.stapler.verb.POST;

/** What a runner needs besides its GPU: disk, memory, container or virtual machine. */
public class ExtraConfig extends AbstractDescribableImpl<ExtraConfig> {

    // Boxed: null tells that a configuration file does not mention the field.
    private Integer diskSpace = RunnerSpec.DISK_SPACE_GB;
    private Integer minRam = 0;
    private Boolean vm = false;

    @DataBoundConstructor
    public ExtraConfig() {}

    /** Disk to rent, GB. */
    public int getDiskSpace() {
        return diskSpace;
    }

    @DataBoundSetter
    public void setDiskSpace(int diskSpace) {
        this.diskSpace = diskSpace;
    }

    /** Memory, GB; 0 for any. */
    public int getMinRam() {
        return minRam;
    }

    @DataBoundSetter
    public void setMinRam(int minRam) {
        this.minRam = minRam;
    }

    /** A virtual machine instead of a container. */
    public boolean isVm() {
        return vm;
    }

    @DataBoundSetter
    public void setVm(boolean vm) {
        this.vm = vm;
    }

    /** By value, so that an export leaves out what is at its default. */
    @Override
    public boolean equals(Object other) {
        return other instanceof ExtraConfig extra
                && diskSpace.equals(extra.diskSpace)
                && minRam.equals(extra.minRam)
                && vm.equals(extra.vm);
    }

    @Override
    public int hashCode() {
        return Objects.hash(diskSpace, minRam, vm);
    }

    private Object readResolve() {
        ExtraConfig fresh = new ExtraConfig();
        diskSpace = Loaded.or(diskSpace, fresh.diskSpace);
        minRam = Loaded.or(minRam, fresh.minRam);
        vm = Loaded.or(vm, fresh.vm);
        return this;
    }

    /** Form glue. */
    @Extension
    public static class DescriptorImpl extends Descriptor<ExtraConfig> {

        @POST
        public FormValidation doCheckDiskSpace(@QueryParameter String value) {
            return check("diskSpace", value);
        }

        @POST
        public FormValidation doCheckMinRam(@QueryParameter String value) {
            return check("minRam", value);
        }

        @POST
        public FormValidation doCheckVm(
                @QueryParameter String value, @RelativePath("..") @QueryParameter String machineImage) {
            return Forms.check(() -> {
                VastAiTemplate template = Forms.sample(machineImage);
                Fields.OF_EXTRA_CONFIG.set(template.getExtraConfig(), "vm", value);
                return Problem.shown("extraConfig.vm", TemplateCheck.problems(template));
            });
        }

        private static FormValidation check(String field, String value) {
            return Forms.check(() -> {
                VastAiTemplate template = Forms.sample();
                return Forms.field(
                        Fields.OF_EXTRA_CONFIG,
                        "extraConfig.",
                        field,
                        value,
                        template.getExtraConfig(),
                        () -> TemplateCheck.problems(template));
            });
        }
    }
}

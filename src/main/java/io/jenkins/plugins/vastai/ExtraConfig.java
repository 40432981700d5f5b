package io.jenkins.plugins.vastai;

import hudson.Extension;
import hudson.model.AbstractDescribableImpl;
import hudson.model.Descriptor;
import io.jenkins.plugins.vastai.rental.RunnerSpec;
import org.kohsuke.stapler.DataBoundConstructor;
import org.kohsuke.stapler.DataBoundSetter;

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

    private Object readResolve() {
        ExtraConfig fresh = new ExtraConfig();
        diskSpace = Loaded.or(diskSpace, fresh.diskSpace);
        minRam = Loaded.or(minRam, fresh.minRam);
        vm = Loaded.or(vm, fresh.vm);
        return this;
    }

    /** Form glue. */
    @Extension
    public static class DescriptorImpl extends Descriptor<ExtraConfig> {}
}

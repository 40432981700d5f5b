package io.jenkins.plugins.vastai;

import hudson.Extension;
import hudson.Util;
import hudson.model.AbstractDescribableImpl;
import hudson.model.Descriptor;
import hudson.util.FormValidation;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.kohsuke.stapler.DataBoundConstructor;
import org.kohsuke.stapler.DataBoundSetter;
import org.kohsuke.stapler.QueryParameter;
import org.kohsuke.stapler.verb.POST;

/** A machine, or all machines of a host, that a cloud never rents. Holds what the admin wrote, also when it makes no sense. */
public class BlocklistEntry extends AbstractDescribableImpl<BlocklistEntry> {

    // Boxed: null tells that a configuration file does not mention the field.
    private Integer machineId = 0;
    private Integer hostId = 0;
    private String reason = "";
    private String until = "";

    @DataBoundConstructor
    public BlocklistEntry() {}

    /** The market's number of the machine; 0 for all of {@link #getHostId()}. */
    public int getMachineId() {
        return machineId;
    }

    @DataBoundSetter
    public void setMachineId(int machineId) {
        this.machineId = machineId;
    }

    /** The market's number of the owner; 0 for {@link #getMachineId()} alone. */
    public int getHostId() {
        return hostId;
    }

    @DataBoundSetter
    public void setHostId(int hostId) {
        this.hostId = hostId;
    }

    /** In the admin's words; may be empty. */
    public String getReason() {
        return reason;
    }

    @DataBoundSetter
    public void setReason(String reason) {
        this.reason = Util.fixNull(reason).trim();
    }

    /** First day (UTC) on which it may be rented again, {@code 2026-12-31}; empty for never. */
    public String getUntil() {
        return until;
    }

    @DataBoundSetter
    public void setUntil(String until) {
        this.until = Util.fixNull(until).trim();
    }

    /**
     * The moment that {@link #getUntil()} names; empty for never.
     *
     * @throws DateTimeException if it is no date
     */
    Optional<Instant> end() {
        return until.isEmpty()
                ? Optional.empty()
                : Optional.of(
                        LocalDate.parse(until).atStartOfDay(ZoneOffset.UTC).toInstant());
    }

    /** Whether {@link #getUntil()} can be read. */
    boolean hasReadableEnd() {
        try {
            end();
            return true;
        } catch (DateTimeException e) {
            return false;
        }
    }

    /** By value, so that an export leaves out what is at its default. */
    @Override
    public boolean equals(Object other) {
        return other instanceof BlocklistEntry entry
                && machineId.equals(entry.machineId)
                && hostId.equals(entry.hostId)
                && reason.equals(entry.reason)
                && until.equals(entry.until);
    }

    @Override
    public int hashCode() {
        return Objects.hash(machineId, hostId, reason, until);
    }

    private Object readResolve() {
        machineId = Loaded.or(machineId, 0);
        hostId = Loaded.or(hostId, 0);
        reason = Util.fixNull(reason);
        until = Util.fixNull(until);
        return this;
    }

    /** Form glue. */
    @Extension
    public static class DescriptorImpl extends Descriptor<BlocklistEntry> {

        @POST
        public FormValidation doCheckMachineId(@QueryParameter String value, @QueryParameter String hostId) {
            return check("machineId", value, "hostId", hostId);
        }

        @POST
        public FormValidation doCheckHostId(@QueryParameter String value, @QueryParameter String machineId) {
            return check("hostId", value, "machineId", machineId);
        }

        @POST
        public FormValidation doCheckUntil(@QueryParameter String value) {
            return check("until", value, "machineId", "1");
        }

        private static FormValidation check(String field, String value, String other, String its) {
            return Forms.check(() -> {
                VastAiCloud cloud = new VastAiCloud("vast", "any");
                BlocklistEntry entry = new BlocklistEntry();
                if (Fields.OF_BLOCKLIST_ENTRY.problem("", other, its).isEmpty()) {
                    Fields.OF_BLOCKLIST_ENTRY.set(entry, other, its);
                }
                cloud.setBlocklist(List.of(entry));
                return Forms.field(
                        Fields.OF_BLOCKLIST_ENTRY, "blocklist.", field, value, entry, () -> CloudCheck.problems(cloud));
            });
        }
    }
}

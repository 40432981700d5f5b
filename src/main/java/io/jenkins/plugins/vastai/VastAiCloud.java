package io.jenkins.plugins.vastai;

import edu.umd.cs.findbugs.annotations.CheckForNull;
import edu.umd.cs.findbugs.annotations.NonNull;
import hudson.Extension;
import hudson.Util;
import hudson.model.Descriptor;
import hudson.slaves.Cloud;
import hudson.slaves.NodeProvisioner.PlannedNode;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import net.sf.json.JSONObject;
import org.jenkinsci.Symbol;
import org.kohsuke.stapler.DataBoundConstructor;
import org.kohsuke.stapler.DataBoundSetter;
import org.kohsuke.stapler.StaplerRequest2;

/**
 * The Vast.ai market as a source of agents: whose account, which limits, which kinds of runner. Holds what the admin
 * wrote and nothing that changes while agents run.
 */
public class VastAiCloud extends Cloud {

    /** Default of {@link #getApiUrl()}. */
    public static final String API_URL = "https://console.vast.ai";

    private String credentialsId;
    private String apiUrl = API_URL;
    private List<VastAiTemplate> templates = new ArrayList<>();
    // Boxed: null tells that a configuration file does not mention the field.
    private Integer instanceCap = 10;

    @CheckForNull
    private BigDecimal maxPricePerHour;

    @CheckForNull
    private BigDecimal balanceFloor;

    private String javaDownloadUrl = "";
    private Boolean noDelayProvisioning = true;

    /**
     * @param name unique among all clouds
     * @param credentialsId secret text that holds the API key
     * @throws IllegalArgumentException if the name is missing
     */
    @DataBoundConstructor
    public VastAiCloud(String name, String credentialsId) {
        super(Util.fixNull(name).trim());
        this.credentialsId = Util.fixNull(credentialsId).trim();
    }

    public String getName() {
        return name;
    }

    public String getCredentialsId() {
        return credentialsId;
    }

    public String getApiUrl() {
        return apiUrl;
    }

    @DataBoundSetter
    public void setApiUrl(String apiUrl) {
        this.apiUrl = Util.fixNull(apiUrl).isBlank() ? API_URL : apiUrl.trim();
    }

    public List<VastAiTemplate> getTemplates() {
        return List.copyOf(templates);
    }

    @DataBoundSetter
    public void setTemplates(List<VastAiTemplate> templates) {
        this.templates = new ArrayList<>(templates == null ? List.of() : templates);
    }

    /** The template of that name. */
    public Optional<VastAiTemplate> template(String templateName) {
        return templates.stream()
                .filter(template -> template.getName().equals(templateName))
                .findFirst();
    }

    /** Most machines of this cloud at a time; 0 for no limit. */
    public int getInstanceCap() {
        return instanceCap;
    }

    @DataBoundSetter
    public void setInstanceCap(int instanceCap) {
        this.instanceCap = instanceCap;
    }

    /** All-in ceiling for a whole machine, $ per hour; null for 5 $ per GPU. */
    @CheckForNull
    public BigDecimal getMaxPricePerHour() {
        return maxPricePerHour;
    }

    @DataBoundSetter
    public void setMaxPricePerHour(@CheckForNull BigDecimal maxPricePerHour) {
        this.maxPricePerHour = maxPricePerHour;
    }

    /** $ that must stay on the account, or nothing is rented; null for none. */
    @CheckForNull
    public BigDecimal getBalanceFloor() {
        return balanceFloor;
    }

    @DataBoundSetter
    public void setBalanceFloor(@CheckForNull BigDecimal balanceFloor) {
        this.balanceFloor = balanceFloor;
    }

    /** Where machines without Java get it; empty for the public address. */
    public String getJavaDownloadUrl() {
        return javaDownloadUrl;
    }

    @DataBoundSetter
    public void setJavaDownloadUrl(String javaDownloadUrl) {
        this.javaDownloadUrl = Util.fixNull(javaDownloadUrl).trim();
    }

    /** Whether machines are ordered at once, instead of when Jenkins' load statistics ask for them. */
    public boolean isNoDelayProvisioning() {
        return noDelayProvisioning;
    }

    @DataBoundSetter
    public void setNoDelayProvisioning(boolean noDelayProvisioning) {
        this.noDelayProvisioning = noDelayProvisioning;
    }

    @Override
    public boolean canProvision(CloudState state) {
        return Provisioning.get().canProvision(this, state.getLabel());
    }

    @Override
    public Collection<PlannedNode> provision(CloudState state, int excessWorkload) {
        return Provisioning.get().provision(this, state.getLabel(), excessWorkload);
    }

    @Override
    public Cloud reconfigure(@NonNull StaplerRequest2 req, JSONObject form) throws Descriptor.FormException {
        Cloud changed = super.reconfigure(req, form);
        if (changed != null && !changed.name.equals(name)) {
            Fleets.get().renamed(name, changed.name);
        }
        return changed;
    }

    @Override
    public String getIcon() {
        return getIconClassName();
    }

    @Override
    public String getIconClassName() {
        return "symbol-hardware-chip-outline plugin-ionicons-api";
    }

    @Override
    public String getIconAltText() {
        return getDescriptor().getDisplayName();
    }

    /** Fields that the file does not mention get their defaults; nothing is judged here, so that loading never fails. */
    private Object readResolve() {
        credentialsId = Util.fixNull(credentialsId);
        apiUrl = Loaded.or(apiUrl, API_URL);
        templates = Loaded.or(templates, new ArrayList<>());
        templates.removeIf(template -> template == null);
        instanceCap = Loaded.or(instanceCap, 10);
        javaDownloadUrl = Util.fixNull(javaDownloadUrl);
        noDelayProvisioning = Loaded.or(noDelayProvisioning, true);
        return this;
    }

    /** Form glue. */
    @Extension
    @Symbol("vastAi")
    public static class DescriptorImpl extends Descriptor<Cloud> {
        @NonNull
        @Override
        public String getDisplayName() {
            return "Vast.ai";
        }
    }
}

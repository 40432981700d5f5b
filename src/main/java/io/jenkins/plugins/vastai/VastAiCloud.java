package io.jenkins.plugins.vastai;

import edu.umd.cs.findbugs.annotations.CheckForNull;
import edu.umd.cs.findbugs.annotations.NonNull;
import hudson.Extension;
import hudson.Util;
import hudson.model.Api;
import hudson.model.Descriptor;
import hudson.model.DescriptorByNameOwner;
import hudson.model.Failure;
import hudson.slaves.Cloud;
import hudson.slaves.NodeProvisioner.PlannedNode;
import hudson.util.FormValidation;
import hudson.util.ListBoxModel;
import io.jenkins.plugins.vastai.api.ApiKey;
import jakarta.servlet.ServletException;
import java.io.IOException;
import java.math.BigDecimal;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import jenkins.model.Jenkins;
import jenkins.security.stapler.StaplerNotDispatchable;
import net.sf.json.JSONObject;
import org.jenkinsci.Symbol;
import org.jenkinsci.plugins.plaincredentials.StringCredentials;
import org.kohsuke.accmod.Restricted;
import org.kohsuke.accmod.restrictions.DoNotUse;
import org.kohsuke.accmod.restrictions.NoExternalUse;
import org.kohsuke.stapler.DataBoundConstructor;
import org.kohsuke.stapler.DataBoundSetter;
import org.kohsuke.stapler.HttpResponse;
import org.kohsuke.stapler.QueryParameter;
import org.kohsuke.stapler.StaplerProxy;
import org.kohsuke.stapler.StaplerRequest2;
import org.kohsuke.stapler.StaplerResponse2;
import org.kohsuke.stapler.verb.POST;

/**
 * The Vast.ai market as a source of agents: whose account, which limits, which kinds of runner. Holds what the admin
 * wrote and nothing that changes while agents run. Owns the field checks of its templates' pages, so that they can ask
 * this cloud's market.
 */
public class VastAiCloud extends Cloud implements DescriptorByNameOwner, StaplerProxy {

    /** Default of {@link #getApiUrl()}. */
    public static final String API_URL = "https://console.vast.ai";

    private String credentialsId;
    private String apiUrl = API_URL;
    // Replaced as a whole and never changed: see CloudEdits.
    private volatile List<VastAiTemplate> templates = new ArrayList<>();
    // Boxed: null tells that a configuration file does not mention the field.
    private Integer instanceCap = 10;

    @CheckForNull
    private BigDecimal maxPricePerHour;

    @CheckForNull
    private BigDecimal balanceFloor;

    private String javaDownloadUrl = "";
    private Boolean noDelayProvisioning = true;
    private List<BlocklistEntry> blocklist = new ArrayList<>();

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

    @StaplerNotDispatchable // their pages are CloudTemplates
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

    /** Machines and hosts that are never rented. */
    public List<BlocklistEntry> getBlocklist() {
        return List.copyOf(blocklist);
    }

    @DataBoundSetter
    public void setBlocklist(List<BlocklistEntry> blocklist) {
        this.blocklist = new ArrayList<>(blocklist == null ? List.of() : blocklist);
    }

    /** Asks for itself who may see it, whichever address leads here; what changes something asks for more. */
    @Override
    @Restricted(DoNotUse.class) // Stapler
    public Object getTarget() {
        CloudPermissions.checkSeeState(this);
        return this;
    }

    /** The pages of a template; null when there is none of that name. */
    @CheckForNull
    @Restricted(DoNotUse.class) // template/<name>
    public TemplatePage getTemplate(String templateName) {
        return template(templateName)
                .map(template -> new TemplatePage(this, template))
                .orElse(null);
    }

    /** What its page shows: the part that the address asks for. */
    @StaplerNotDispatchable
    @Restricted(DoNotUse.class) // main.jelly, live.jelly
    public CloudPage getPage() {
        return new CloudPage(this, CloudPage.asked("alive"), CloudPage.asked("ended"));
    }

    /** The page of a rental, {@code rental/<id>}; null when there is no such rental of this cloud. */
    @CheckForNull
    @Restricted(NoExternalUse.class) // Stapler
    public RentalPage getRental(String id) {
        return Fleets.lookup().stream()
                .flatMap(Fleets::rentals)
                .filter(rental ->
                        rental.id().equals(id) && rental.order().cloud().equals(name))
                .findFirst()
                .map(rental -> new RentalPage(this, rental))
                .orElse(null);
    }

    /** The same as JSON and XML, for programs. */
    @Restricted(NoExternalUse.class) // Stapler
    public Api getApi() {
        return new Api(CloudReport.of(this));
    }

    @Override
    public boolean canProvision(CloudState state) {
        return Provisioning.get().canProvision(this, state.getLabel());
    }

    @Override
    public Collection<PlannedNode> provision(CloudState state, int excessWorkload) {
        return Provisioning.get().provision(this, state.getLabel(), excessWorkload);
    }

    /** Saves the form for the cloud as it is now: its templates may have changed since somebody opened the page. */
    @Override
    @POST
    public HttpResponse doConfigSubmit(StaplerRequest2 req, StaplerResponse2 rsp)
            throws IOException, ServletException, Descriptor.FormException {
        checkPermission(Jenkins.ADMINISTER);
        return CloudEdits.get().alone(() -> {
            if (Jenkins.get().clouds.contains(this)) {
                return super.doConfigSubmit(req, rsp);
            } else if (Jenkins.get().getCloud(name) instanceof VastAiCloud now) {
                return now.doConfigSubmit(req, rsp);
            } else {
                throw new Failure(Messages.Cloud_gone(name));
            }
        });
    }

    @Override
    public Cloud reconfigure(@NonNull StaplerRequest2 req, JSONObject form) throws Descriptor.FormException {
        Cloud changed = super.reconfigure(req, form);
        if (changed instanceof VastAiCloud cloud) {
            cloud.setTemplates(templates); // they have pages of their own
        }
        if (changed != null && !changed.name.equals(name)) {
            // Jenkins would refuse this too, but only after the rentals have been told.
            if (Jenkins.get().getCloud(changed.name) != null) {
                throw new Descriptor.FormException(Messages.Cloud_nameTaken(changed.name), "name");
            }
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
        templates.removeIf(Objects::isNull);
        name = Util.fixNull(name);
        instanceCap = Loaded.or(instanceCap, 10);
        javaDownloadUrl = Util.fixNull(javaDownloadUrl);
        noDelayProvisioning = Loaded.or(noDelayProvisioning, true);
        blocklist = Loaded.or(blocklist, new ArrayList<>());
        blocklist.removeIf(Objects::isNull);
        return this;
    }

    /** Form glue. */
    @Extension
    @Symbol("vastAi")
    public static class DescriptorImpl extends Descriptor<Cloud> {

        /** Longest wait for one answer when somebody tests the connection. */
        private static final Duration PATIENCE = Duration.ofSeconds(10);

        @NonNull
        @Override
        public String getDisplayName() {
            return Messages.Cloud_displayName();
        }

        /**
         * Nothing that cannot work is saved: binding alone would take an unreadable number for 0.
         *
         * @throws FormException names field, value and remedy
         */
        @Override
        public Cloud newInstance(@CheckForNull StaplerRequest2 req, @NonNull JSONObject form) throws FormException {
            if (form.optString("name", "").isBlank()) {
                throw new FormException(Messages.Cloud_nameMissing(), "name");
            }
            Forms.prepare(form, Fields.OF_CLOUD, "");
            form.remove("templates"); // see CloudTemplates
            for (JSONObject entry : Forms.parts(form, "blocklist")) {
                Forms.prepare(entry, Fields.OF_BLOCKLIST_ENTRY, "blocklist.");
            }
            VastAiCloud cloud = (VastAiCloud) super.newInstance(req, form);
            List<Problem> problems = CloudCheck.problems(cloud);
            Optional<String> refusal = CloudCheck.refusal(cloud.getName(), problems);
            if (refusal.isPresent()) {
                throw new FormException(refusal.get(), "name");
            }
            boolean isNew = req == null || req.findAncestorObject(VastAiCloud.class) == null;
            if (isNew && Jenkins.get().getCloud(cloud.getName()) != null) {
                throw new FormException(Messages.Cloud_nameTaken(cloud.getName()), "name");
            }
            return cloud;
        }

        @POST
        public FormValidation doCheckName(@QueryParameter String value) {
            return Forms.check(() -> value.isBlank()
                    ? FormValidation.error(Messages.Cloud_nameMissing())
                    : Problem.shown("name", CloudCheck.problems(new VastAiCloud(value, "any"))));
        }

        @POST
        public FormValidation doCheckCredentialsId(@QueryParameter String value) {
            return Forms.check(() -> Logins.checkApiKey(value));
        }

        @POST
        public FormValidation doCheckApiUrl(@QueryParameter String value) {
            return check("apiUrl", value);
        }

        @POST
        public FormValidation doCheckInstanceCap(@QueryParameter String value) {
            return check("instanceCap", value);
        }

        @POST
        public FormValidation doCheckMaxPricePerHour(@QueryParameter String value) {
            return check("maxPricePerHour", value);
        }

        @POST
        public FormValidation doCheckBalanceFloor(@QueryParameter String value) {
            return check("balanceFloor", value);
        }

        @POST
        public FormValidation doCheckJavaDownloadUrl(@QueryParameter String value) {
            return check("javaDownloadUrl", value);
        }

        @POST
        public ListBoxModel doFillCredentialsIdItems(@QueryParameter String credentialsId) {
            return Logins.items(StringCredentials.class, credentialsId);
        }

        /** Asks the market who the key belongs to and what it may do. Changes nothing there. */
        @POST
        public FormValidation doTestConnection(@QueryParameter String apiUrl, @QueryParameter String credentialsId) {
            Jenkins.get().checkPermission(Jenkins.ADMINISTER);
            String address = Util.fixNull(apiUrl).isBlank() ? API_URL : apiUrl.trim();
            Optional<String> bad = CloudCheck.badApiUrl(address);
            if (bad.isPresent()) {
                return FormValidation.error(bad.get());
            }
            FormValidation credential = Logins.checkApiKey(Util.fixNull(credentialsId));
            Optional<ApiKey> key = Logins.apiKey(Util.fixNull(credentialsId));
            if (credential.kind == FormValidation.Kind.ERROR || key.isEmpty()) {
                return credential;
            }
            return ConnectionTest.run(URI.create(address), key.get(), PATIENCE);
        }

        private static FormValidation check(String field, String value) {
            return Forms.check(() -> {
                VastAiCloud cloud = new VastAiCloud("vast", "any");
                return Forms.field(Fields.OF_CLOUD, "", field, value, cloud, () -> CloudCheck.problems(cloud));
            });
        }
    }
}

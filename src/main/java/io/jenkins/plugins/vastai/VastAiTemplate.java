package io.jenkins.plugins.vastai;

import com.cloudbees.plugins.credentials.common.StandardUsernamePasswordCredentials;
import edu.umd.cs.findbugs.annotations.CheckForNull;
import edu.umd.cs.findbugs.annotations.NonNull;
import hudson.Extension;
import hudson.RelativePath;
import hudson.Util;
import hudson.model.AbstractDescribableImpl;
import hudson.model.AutoCompletionCandidates;
import hudson.model.Descriptor;
import hudson.model.Label;
import hudson.model.Node;
import hudson.model.labels.LabelAtom;
import hudson.util.FormValidation;
import hudson.util.ListBoxModel;
import io.jenkins.plugins.vastai.rental.Hidden;
import io.jenkins.plugins.vastai.rental.Names;
import io.jenkins.plugins.vastai.rental.RunnerSpec;
import java.math.BigDecimal;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import jenkins.model.Jenkins;
import net.sf.json.JSONObject;
import org.jenkinsci.Symbol;
import org.kohsuke.stapler.AncestorInPath;
import org.kohsuke.stapler.DataBoundConstructor;
import org.kohsuke.stapler.DataBoundSetter;
import org.kohsuke.stapler.QueryParameter;
import org.kohsuke.stapler.StaplerRequest2;
import org.kohsuke.stapler.verb.POST;

/**
 * What a runner needs and how it is kept: one kind of agent of a {@link VastAiCloud}. Holds what the admin wrote, also
 * when it makes no sense; the checks speak of that, and nothing is rented for it.
 */
public class VastAiTemplate extends AbstractDescribableImpl<VastAiTemplate> {

    /** Default of {@link #getLaunchTimeoutMinutes()} for a container, minutes. */
    public static final int LAUNCH_MINUTES_CONTAINER = 15;

    /** Default of {@link #getLaunchTimeoutMinutes()} for a virtual machine, minutes. */
    public static final int LAUNCH_MINUTES_VM = 30;

    private String name;
    private String instanceType;
    private String machineImage;
    private String labels = "";
    private transient volatile Set<LabelAtom> labelSet;
    private String region = "";
    private ExtraConfig extraConfig = new ExtraConfig();
    private Node.Mode mode = Node.Mode.EXCLUSIVE;
    // Boxed: null tells that a configuration file does not mention the field.
    private Integer numExecutors = 1;
    private Boolean oneShot = true;
    private Integer idleMinutes = 10;
    private Integer maxLifetimeMinutes = 480;
    private Integer launchTimeoutMinutes = 0;
    private Integer draws = 4;
    private Integer secondMachineMinutes = 0;
    private Integer instanceCap = 0;
    private Integer requeueLimit = 0;

    @CheckForNull
    private BigDecimal maxPricePerHour;

    private Double minReliability = RunnerSpec.MIN_RELIABILITY;
    private Boolean verified = true;
    private Boolean datacenterOnly = false;
    private Integer minDownloadMbps = RunnerSpec.MIN_DOWNLOAD_MBPS;
    private String remoteFs = "/home/jenkins";
    private String jvmOptions = "";
    private String allowedJobs = "";
    private List<EnvironmentVariable> environment = new ArrayList<>();
    private String initScript = "";
    private String registry = "";
    private String registryCredentialsId = "";
    private String runtype = RunnerSpec.RUNTYPE;

    /**
     * @param name unique within the cloud
     * @param instanceType {@code {count}x{model}}, several separated by commas are tried in this order
     * @param machineImage Docker image with tag, or a Vast.ai VM image
     */
    @DataBoundConstructor
    public VastAiTemplate(String name, String instanceType, String machineImage) {
        this.name = Util.fixNull(name).trim();
        this.instanceType = Util.fixNull(instanceType).trim();
        this.machineImage = Util.fixNull(machineImage).trim();
    }

    public String getName() {
        return name;
    }

    public String getInstanceType() {
        return instanceType;
    }

    public String getMachineImage() {
        return machineImage;
    }

    /** Separated by spaces; may be empty. */
    public String getLabels() {
        return labels;
    }

    @DataBoundSetter
    public void setLabels(String labels) {
        this.labels = Util.fixNull(labels).trim();
        labelSet = null;
    }

    /** Country codes and groups; empty for anywhere. */
    public String getRegion() {
        return region;
    }

    @DataBoundSetter
    public void setRegion(String region) {
        this.region = Util.fixNull(region).trim();
    }

    public ExtraConfig getExtraConfig() {
        return extraConfig;
    }

    @DataBoundSetter
    public void setExtraConfig(ExtraConfig extraConfig) {
        this.extraConfig = extraConfig == null ? new ExtraConfig() : extraConfig;
    }

    public Node.Mode getMode() {
        return mode;
    }

    @DataBoundSetter
    public void setMode(Node.Mode mode) {
        this.mode = mode == null ? Node.Mode.EXCLUSIVE : mode;
    }

    /** 1 for a one-shot agent, whatever was written. */
    public int getNumExecutors() {
        return oneShot ? 1 : Math.max(1, numExecutors);
    }

    /** What the admin wrote. */
    int writtenExecutors() {
        return numExecutors;
    }

    @DataBoundSetter
    public void setNumExecutors(int numExecutors) {
        this.numExecutors = numExecutors;
    }

    /** Whether the machine is destroyed after one build. */
    public boolean isOneShot() {
        return oneShot;
    }

    @DataBoundSetter
    public void setOneShot(boolean oneShot) {
        this.oneShot = oneShot;
    }

    /** How long an agent that is not one-shot stays without work, minutes. */
    public int getIdleMinutes() {
        return idleMinutes;
    }

    @DataBoundSetter
    public void setIdleMinutes(int idleMinutes) {
        this.idleMinutes = idleMinutes;
    }

    /** Longest life of a machine, minutes. */
    public int getMaxLifetimeMinutes() {
        return maxLifetimeMinutes;
    }

    @DataBoundSetter
    public void setMaxLifetimeMinutes(int maxLifetimeMinutes) {
        this.maxLifetimeMinutes = maxLifetimeMinutes;
    }

    /** As written, minutes; 0 for the default, see {@link #launchMinutes()}. */
    public int getLaunchTimeoutMinutes() {
        return launchTimeoutMinutes;
    }

    @DataBoundSetter
    public void setLaunchTimeoutMinutes(int launchTimeoutMinutes) {
        this.launchTimeoutMinutes = launchTimeoutMinutes;
    }

    /** How many machines are tried for one agent. */
    public int getDraws() {
        return draws;
    }

    @DataBoundSetter
    public void setDraws(int draws) {
        this.draws = draws;
    }

    /** When a second machine is rented beside one that is not fit yet, minutes from its create call; 0 for never. */
    public int getSecondMachineMinutes() {
        return secondMachineMinutes;
    }

    @DataBoundSetter
    public void setSecondMachineMinutes(int secondMachineMinutes) {
        this.secondMachineMinutes = secondMachineMinutes;
    }

    /** Most machines of this template at a time; 0 for no limit but the cloud's. */
    public int getInstanceCap() {
        return instanceCap;
    }

    @DataBoundSetter
    public void setInstanceCap(int instanceCap) {
        this.instanceCap = instanceCap;
    }

    /** How often a build that is no pipeline is queued again when its machine was lost; 0 for never. */
    public int getRequeueLimit() {
        return requeueLimit;
    }

    @DataBoundSetter
    public void setRequeueLimit(int requeueLimit) {
        this.requeueLimit = requeueLimit;
    }

    /** All-in ceiling for the whole machine, $ per hour; null for the cloud's. */
    @CheckForNull
    public BigDecimal getMaxPricePerHour() {
        return maxPricePerHour;
    }

    @DataBoundSetter
    public void setMaxPricePerHour(@CheckForNull BigDecimal maxPricePerHour) {
        this.maxPricePerHour = maxPricePerHour;
    }

    /** 0 to 1. */
    public double getMinReliability() {
        return minReliability;
    }

    @DataBoundSetter
    public void setMinReliability(double minReliability) {
        this.minReliability = minReliability;
    }

    public boolean isVerified() {
        return verified;
    }

    @DataBoundSetter
    public void setVerified(boolean verified) {
        this.verified = verified;
    }

    public boolean isDatacenterOnly() {
        return datacenterOnly;
    }

    @DataBoundSetter
    public void setDatacenterOnly(boolean datacenterOnly) {
        this.datacenterOnly = datacenterOnly;
    }

    /** Mbit/s. */
    public int getMinDownloadMbps() {
        return minDownloadMbps;
    }

    @DataBoundSetter
    public void setMinDownloadMbps(int minDownloadMbps) {
        this.minDownloadMbps = minDownloadMbps;
    }

    public String getRemoteFs() {
        return remoteFs;
    }

    @DataBoundSetter
    public void setRemoteFs(String remoteFs) {
        this.remoteFs = Util.fixNull(remoteFs).trim();
    }

    public String getJvmOptions() {
        return jvmOptions;
    }

    @DataBoundSetter
    public void setJvmOptions(String jvmOptions) {
        this.jvmOptions = Util.fixNull(jvmOptions).trim();
    }

    public List<EnvironmentVariable> getEnvironment() {
        return List.copyOf(environment);
    }

    @DataBoundSetter
    public void setEnvironment(List<EnvironmentVariable> environment) {
        this.environment = new ArrayList<>(environment == null ? List.of() : environment);
    }

    public String getInitScript() {
        return initScript;
    }

    @DataBoundSetter
    public void setInitScript(String initScript) {
        // Browsers end lines with CR LF, which no shell wants.
        this.initScript = Util.fixNull(initScript).replace("\r\n", "\n");
    }

    /** Host of the registry that {@link #getRegistryCredentialsId()} are for; empty for Docker Hub. */
    public String getRegistry() {
        return registry;
    }

    @DataBoundSetter
    public void setRegistry(String registry) {
        this.registry = Util.fixNull(registry).trim();
    }

    /** Username and password; empty for a public image. */
    public String getRegistryCredentialsId() {
        return registryCredentialsId;
    }

    @DataBoundSetter
    public void setRegistryCredentialsId(String registryCredentialsId) {
        this.registryCredentialsId = Util.fixNull(registryCredentialsId).trim();
    }

    public String getRuntype() {
        return runtype;
    }

    @DataBoundSetter
    public void setRuntype(String runtype) {
        this.runtype = Util.fixNull(runtype).isBlank() ? RunnerSpec.RUNTYPE : runtype.trim();
    }

    /** A copy under another name. */
    VastAiTemplate named(String other) {
        VastAiTemplate copy = (VastAiTemplate) Jenkins.XSTREAM2.fromXML(Jenkins.XSTREAM2.toXML(this));
        copy.name = other;
        return copy;
    }

    /** Changes with every setting: tells whether somebody else saved it while a form was open. */
    public String version() {
        return Util.getDigestOf(Jenkins.XSTREAM2.toXML(this));
    }

    /** Patterns of the full names of jobs that may use it, separated by commas; empty for every job. */
    public String getAllowedJobs() {
        return allowedJobs;
    }

    @DataBoundSetter
    public void setAllowedJobs(String allowedJobs) {
        this.allowedJobs = Util.fixNull(allowedJobs).trim();
    }

    /** Whether a job of that full name may use it. */
    boolean admits(String job) {
        return AllowedJobs.admit(allowedJobs, job);
    }

    /** The launch limit in force, minutes. */
    public int launchMinutes() {
        if (launchTimeoutMinutes > 0) {
            return launchTimeoutMinutes;
        }
        return extraConfig.isVm() ? LAUNCH_MINUTES_VM : LAUNCH_MINUTES_CONTAINER;
    }

    /** Parsed once: it is asked for each waiting item, also under the queue's lock. */
    public Set<LabelAtom> labelSet() {
        Set<LabelAtom> known = labelSet;
        if (known == null) {
            known = Set.copyOf(Label.parse(labels));
            labelSet = known;
        }
        return known;
    }

    /** @param label null for an item that runs anywhere */
    public boolean matches(@CheckForNull Label label) {
        return label == null ? mode == Node.Mode.NORMAL : label.matches(labelSet());
    }

    /**
     * The machine in the words of the engine, the cloud's price where this template states none. Looks the registry's
     * credentials up: no login is asked for when they are gone.
     */
    public RunnerSpec spec(VastAiCloud cloud) {
        Map<String, String> variables = new LinkedHashMap<>();
        environment.forEach(variable -> variables.put(variable.getKey(), variable.getValue()));
        return new RunnerSpec(
                instanceType,
                machineImage,
                region,
                extraConfig.getDiskSpace(),
                extraConfig.getMinRam(),
                extraConfig.isVm(),
                maxPricePerHour == null ? cloud.getMaxPricePerHour() : maxPricePerHour,
                minReliability,
                verified,
                datacenterOnly,
                minDownloadMbps,
                runtype,
                variables,
                initScript,
                registryLogin());
    }

    @CheckForNull
    private Hidden registryLogin() {
        if (registryCredentialsId.isEmpty()) {
            return null;
        }
        return Logins.find(StandardUsernamePasswordCredentials.class, registryCredentialsId)
                // Words are all that the market reads: a space in a password would become options of its own.
                .filter(Logins::isUsable)
                .map(login -> new Hidden("-u " + login.getUsername() + " -p "
                        + login.getPassword().getPlainText() + " " + (registry.isEmpty() ? "docker.io" : registry)))
                .orElse(null);
    }

    /** Fields that the file does not mention get their defaults; nothing is judged here, so that loading never fails. */
    private Object readResolve() {
        VastAiTemplate fresh = new VastAiTemplate("", "", "");
        name = Util.fixNull(name);
        instanceType = Util.fixNull(instanceType);
        machineImage = Util.fixNull(machineImage);
        labels = Loaded.or(labels, fresh.labels);
        region = Loaded.or(region, fresh.region);
        extraConfig = Loaded.or(extraConfig, fresh.extraConfig);
        mode = Loaded.or(mode, fresh.mode);
        numExecutors = Loaded.or(numExecutors, fresh.numExecutors);
        oneShot = Loaded.or(oneShot, fresh.oneShot);
        idleMinutes = Loaded.or(idleMinutes, fresh.idleMinutes);
        maxLifetimeMinutes = Loaded.or(maxLifetimeMinutes, fresh.maxLifetimeMinutes);
        launchTimeoutMinutes = Loaded.or(launchTimeoutMinutes, fresh.launchTimeoutMinutes);
        draws = Loaded.or(draws, fresh.draws);
        secondMachineMinutes = Loaded.or(secondMachineMinutes, fresh.secondMachineMinutes);
        instanceCap = Loaded.or(instanceCap, fresh.instanceCap);
        requeueLimit = Loaded.or(requeueLimit, fresh.requeueLimit);
        minReliability = Loaded.or(minReliability, fresh.minReliability);
        verified = Loaded.or(verified, fresh.verified);
        datacenterOnly = Loaded.or(datacenterOnly, fresh.datacenterOnly);
        minDownloadMbps = Loaded.or(minDownloadMbps, fresh.minDownloadMbps);
        remoteFs = Loaded.or(remoteFs, fresh.remoteFs);
        jvmOptions = Loaded.or(jvmOptions, fresh.jvmOptions);
        allowedJobs = Loaded.or(allowedJobs, fresh.allowedJobs);
        environment = Loaded.or(environment, fresh.environment);
        environment.removeIf(Objects::isNull);
        initScript = Loaded.or(initScript, fresh.initScript);
        registry = Loaded.or(registry, fresh.registry);
        registryCredentialsId = Loaded.or(registryCredentialsId, fresh.registryCredentialsId);
        runtype = Loaded.or(runtype, fresh.runtype);
        return this;
    }

    /** Form glue. */
    @Extension
    @Symbol("gpuTemplate")
    public static class DescriptorImpl extends Descriptor<VastAiTemplate> {

        private static final DateTimeFormatter TIME =
                DateTimeFormatter.ofPattern("HH:mm").withZone(ZoneId.systemDefault());

        @NonNull
        @Override
        public String getDisplayName() {
            return Messages.Template_displayName();
        }

        /**
         * Nothing that cannot work is saved: binding alone would take an unreadable number for 0.
         *
         * @throws FormException names the fields, their values and the remedy
         */
        @Override
        public VastAiTemplate newInstance(@CheckForNull StaplerRequest2 req, @NonNull JSONObject form)
                throws FormException {
            Forms.prepare(form, Fields.OF_TEMPLATE, "");
            for (JSONObject extra : Forms.parts(form, "extraConfig")) {
                Forms.prepare(extra, Fields.OF_EXTRA_CONFIG, "extraConfig.");
            }
            VastAiTemplate template = (VastAiTemplate) super.newInstance(req, form);
            List<Problem> errors = TemplateCheck.problems(template).stream()
                    .filter(problem -> !problem.warning())
                    .toList();
            if (!errors.isEmpty()) {
                throw new FormException(
                        Messages.Template_refused(
                                template.getName(),
                                errors.stream().map(Problem::message).collect(Collectors.joining(" "))),
                        errors.get(0).field());
            }
            return template;
        }

        @POST
        public FormValidation doCheckName(@QueryParameter String value, @QueryParameter String version) {
            return Forms.checkOnceWritten(
                    value,
                    version,
                    () -> Problem.shown(
                            "name", TemplateCheck.problems(new VastAiTemplate(value, "1xRTX_4090", "ubuntu:22.04"))));
        }

        /** Judged by the market's own list where it can be had, and it says which list that was. */
        @POST
        public FormValidation doCheckInstanceType(@AncestorInPath VastAiCloud cloud, @QueryParameter String value) {
            return Forms.check(() -> {
                Names names = Suggestions.names(cloud);
                FormValidation judged = Problem.shown(
                        "instanceType",
                        TemplateCheck.problems(new VastAiTemplate("runner", value, "ubuntu:22.04"), names.catalogue()));
                if (judged.kind != FormValidation.Kind.OK || cloud == null) {
                    return judged;
                }
                return FormValidation.ok(names.asOf()
                        .map(at -> Messages.Template_namesLive(TIME.format(at)))
                        .orElseGet(Messages::Template_namesBuiltIn));
            });
        }

        @POST
        public AutoCompletionCandidates doAutoCompleteInstanceType(
                @AncestorInPath VastAiCloud cloud, @QueryParameter String value) {
            return mayConfigure() ? Suggestions.gpus(value, Suggestions.names(cloud)) : new AutoCompletionCandidates();
        }

        @POST
        public AutoCompletionCandidates doAutoCompleteRegion(
                @AncestorInPath VastAiCloud cloud, @QueryParameter String value) {
            return mayConfigure()
                    ? Suggestions.regions(value, Suggestions.names(cloud))
                    : new AutoCompletionCandidates();
        }

        @POST
        public AutoCompletionCandidates doAutoCompleteMachineImage(@QueryParameter String value) {
            return mayConfigure() ? Suggestions.images(value) : new AutoCompletionCandidates();
        }

        private static boolean mayConfigure() {
            return Jenkins.get().hasPermission(Jenkins.ADMINISTER);
        }

        @POST
        public FormValidation doCheckMachineImage(
                @QueryParameter String value,
                @QueryParameter String version,
                @RelativePath("extraConfig") @QueryParameter boolean vm) {
            return Forms.checkOnceWritten(value, version, () -> {
                VastAiTemplate template = Forms.sample(value);
                template.getExtraConfig().setVm(vm);
                return Problem.shown(Set.of("machineImage", "extraConfig.vm"), TemplateCheck.problems(template));
            });
        }

        @POST
        public FormValidation doCheckLabels(@QueryParameter String value, @QueryParameter String mode) {
            return Forms.check(() -> {
                VastAiTemplate template = Forms.sample();
                template.setLabels(value);
                if (Node.Mode.NORMAL.getName().equals(mode)) {
                    template.setMode(Node.Mode.NORMAL);
                }
                return Problem.shown("labels", TemplateCheck.problems(template));
            });
        }

        @POST
        public FormValidation doCheckNumExecutors(@QueryParameter String value, @QueryParameter boolean oneShot) {
            return check("numExecutors", value, template -> template.setOneShot(oneShot));
        }

        @POST
        public FormValidation doCheckIdleMinutes(@QueryParameter String value) {
            return check("idleMinutes", value, template -> template.setOneShot(false));
        }

        @POST
        public FormValidation doCheckMaxLifetimeMinutes(
                @QueryParameter String value,
                @QueryParameter String launchTimeoutMinutes,
                @RelativePath("extraConfig") @QueryParameter boolean vm) {
            return check("maxLifetimeMinutes", value, template -> launchTime(template, launchTimeoutMinutes, vm));
        }

        private static void launchTime(VastAiTemplate template, String launchTimeoutMinutes, boolean vm) {
            template.getExtraConfig().setVm(vm);
            if (Fields.OF_TEMPLATE
                    .problem("", "launchTimeoutMinutes", launchTimeoutMinutes)
                    .isEmpty()) {
                Fields.OF_TEMPLATE.set(template, "launchTimeoutMinutes", launchTimeoutMinutes);
            }
        }

        @POST
        public FormValidation doCheckRegion(@QueryParameter String value) {
            return check("region", value, template -> {});
        }

        @POST
        public FormValidation doCheckLaunchTimeoutMinutes(@QueryParameter String value) {
            return check("launchTimeoutMinutes", value, template -> {});
        }

        @POST
        public FormValidation doCheckDraws(@QueryParameter String value) {
            return check("draws", value, template -> {});
        }

        @POST
        public FormValidation doCheckSecondMachineMinutes(
                @QueryParameter String value,
                @QueryParameter String launchTimeoutMinutes,
                @RelativePath("extraConfig") @QueryParameter boolean vm) {
            return check("secondMachineMinutes", value, template -> launchTime(template, launchTimeoutMinutes, vm));
        }

        @POST
        public FormValidation doCheckInstanceCap(@QueryParameter String value) {
            return check("instanceCap", value, template -> {});
        }

        @POST
        public FormValidation doCheckRequeueLimit(@QueryParameter String value) {
            return check("requeueLimit", value, template -> {});
        }

        @POST
        public FormValidation doCheckMaxPricePerHour(@QueryParameter String value) {
            return check("maxPricePerHour", value, template -> {});
        }

        @POST
        public FormValidation doCheckMinReliability(@QueryParameter String value) {
            return check("minReliability", value, template -> {});
        }

        @POST
        public FormValidation doCheckMinDownloadMbps(@QueryParameter String value) {
            return check("minDownloadMbps", value, template -> {});
        }

        @POST
        public FormValidation doCheckRemoteFs(@QueryParameter String value) {
            return check("remoteFs", value, template -> {});
        }

        @POST
        public FormValidation doCheckJvmOptions(@QueryParameter String value) {
            return check("jvmOptions", value, template -> {});
        }

        @POST
        public FormValidation doCheckRuntype(
                @QueryParameter String value, @RelativePath("extraConfig") @QueryParameter boolean vm) {
            return check("runtype", value, template -> template.getExtraConfig().setVm(vm));
        }

        @POST
        public FormValidation doCheckRegistry(
                @QueryParameter String value,
                @QueryParameter String machineImage,
                @QueryParameter String registryCredentialsId) {
            return Forms.check(() -> {
                VastAiTemplate template = Forms.sample(machineImage);
                template.setRegistry(value);
                template.setRegistryCredentialsId(registryCredentialsId);
                return Problem.shown("registry", TemplateCheck.problems(template));
            });
        }

        @POST
        public FormValidation doCheckRegistryCredentialsId(@QueryParameter String value) {
            return Forms.check(() -> Logins.checkRegistryLogin(value));
        }

        @POST
        public ListBoxModel doFillRegistryCredentialsIdItems(@QueryParameter String registryCredentialsId) {
            return Logins.items(StandardUsernamePasswordCredentials.class, registryCredentialsId);
        }

        @POST
        public ListBoxModel doFillModeItems() {
            ListBoxModel items = new ListBoxModel();
            items.add(Messages.Mode_exclusive(), Node.Mode.EXCLUSIVE.getName());
            items.add(Messages.Mode_normal(), Node.Mode.NORMAL.getName());
            return items;
        }

        @POST
        public ListBoxModel doFillRuntypeItems() {
            ListBoxModel items = new ListBoxModel();
            TemplateCheck.RUNTYPES.forEach(items::add);
            return items;
        }

        private static FormValidation check(String field, String value, Consumer<VastAiTemplate> rest) {
            return Forms.check(() -> {
                VastAiTemplate template = Forms.sample();
                rest.accept(template);
                return Forms.field(
                        Fields.OF_TEMPLATE, "", field, value, template, () -> TemplateCheck.problems(template));
            });
        }
    }
}

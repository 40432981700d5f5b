package io.jenkins.plugins.vastai;

import edu.umd.cs.findbugs.annotations.CheckForNull;
import edu.umd.cs.findbugs.annotations.NonNull;
import hudson.Extension;
import hudson.Util;
import hudson.model.Action;
import hudson.model.Descriptor;
import hudson.model.Descriptor.FormException;
import hudson.model.Failure;
import hudson.model.Node;
import io.jenkins.plugins.vastai.market.Requirements;
import io.jenkins.plugins.vastai.rental.Rental;
import io.jenkins.plugins.vastai.text.Texts;
import jakarta.servlet.ServletException;
import java.io.IOException;
import java.math.BigDecimal;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import jenkins.model.Jenkins;
import jenkins.model.TransientActionFactory;
import jenkins.security.stapler.StaplerNotDispatchable;
import org.jvnet.localizer.LocaleProvider;
import org.kohsuke.accmod.Restricted;
import org.kohsuke.accmod.restrictions.NoExternalUse;
import org.kohsuke.stapler.HttpResponse;
import org.kohsuke.stapler.HttpResponses;
import org.kohsuke.stapler.QueryParameter;
import org.kohsuke.stapler.Stapler;
import org.kohsuke.stapler.StaplerProxy;
import org.kohsuke.stapler.StaplerRequest2;
import org.kohsuke.stapler.StaplerResponse2;
import org.kohsuke.stapler.verb.POST;

/** The pages {@code templates} of a cloud: which kinds of runner it offers, and the form for a new one. */
@Restricted(NoExternalUse.class) // its views
public final class CloudTemplates implements Action, StaplerProxy {

    /** Every cloud has them. */
    @Extension
    public static final class Factory extends TransientActionFactory<VastAiCloud> {
        @Override
        public Class<VastAiCloud> type() {
            return VastAiCloud.class;
        }

        @NonNull
        @Override
        public Collection<? extends Action> createFor(@NonNull VastAiCloud cloud) {
            return List.of(new CloudTemplates(cloud));
        }
    }

    /**
     * One template.
     *
     * @param url relative to the cloud's page
     * @param price highest price, as it holds
     * @param mode NORMAL or EXCLUSIVE
     * @param state what it is doing
     */
    public record Row(
            String name,
            String url,
            String labels,
            String gpu,
            String image,
            String price,
            String mode,
            String state,
            boolean first,
            boolean last) {}

    private final VastAiCloud cloud;

    CloudTemplates(VastAiCloud cloud) {
        this.cloud = cloud;
    }

    @Override
    public Object getTarget() {
        Jenkins.get().checkPermission(Jenkins.SYSTEM_READ);
        return this;
    }

    @Override
    public String getIconFileName() {
        return "symbol-details";
    }

    @Override
    public String getDisplayName() {
        return Messages.Templates_displayName();
    }

    @Override
    public String getUrlName() {
        return "templates";
    }

    @StaplerNotDispatchable
    public VastAiCloud getCloud() {
        return cloud;
    }

    @StaplerNotDispatchable
    public Descriptor<VastAiTemplate> getTemplateDescriptor() {
        return Jenkins.get().getDescriptorOrDie(VastAiTemplate.class);
    }

    public List<Row> getRows() {
        List<VastAiTemplate> templates = cloud.getTemplates();
        return templates.stream()
                .map(template ->
                        row(template, template == templates.get(0), template == templates.get(templates.size() - 1)))
                .toList();
    }

    private Row row(VastAiTemplate template, boolean first, boolean last) {
        return new Row(
                template.getName(),
                TemplatePage.url(template),
                template.getLabels(),
                template.getInstanceType(),
                template.getMachineImage(),
                price(template),
                template.getMode() == Node.Mode.NORMAL ? "NORMAL" : "EXCLUSIVE",
                state(template),
                first,
                last);
    }

    private String price(VastAiTemplate template) {
        BigDecimal own = template.getMaxPricePerHour();
        if (own != null) {
            return own.toPlainString();
        }
        BigDecimal general = cloud.getMaxPricePerHour();
        return general != null
                ? Messages.Templates_priceOfCloud(general.toPlainString())
                : Messages.Templates_priceDefault(String.valueOf(Requirements.DEFAULT_PRICE_PER_GPU));
    }

    private String state(VastAiTemplate template) {
        long machines = uses(cloud, template);
        Optional<Circuits.Rest> rest =
                Fleets.lookup().flatMap(fleets -> fleets.circuits().resting(cloud, template));
        if (rest.isPresent()) {
            return Messages.Templates_rests(Texts.render(rest.get().why(), LocaleProvider.getLocale()));
        }
        return machines == 0 ? Messages.Templates_free() : Messages.Templates_inUse(String.valueOf(machines));
    }

    /** How many machines of a template are rented or on their way out. */
    static long uses(VastAiCloud cloud, VastAiTemplate template) {
        return Fleets.lookup().stream()
                .flatMap(Fleets::rentals)
                .map(Rental.class::cast)
                .filter(rental -> !rental.state().ended()
                        && rental.order().cloud().equals(cloud.getName())
                        && rental.order().template().equals(template.getName()))
                .count();
    }

    /** Names to copy from. */
    public List<String> getNames() {
        return cloud.getTemplates().stream().map(VastAiTemplate::getName).toList();
    }

    /** What the form for a new template starts from; null for the defaults. */
    @CheckForNull
    @StaplerNotDispatchable
    public VastAiTemplate getBlueprint() {
        return cloud.template(getFrom()).map(template -> template.named("")).orElse(null);
    }

    /** The template that the request wants copied; empty for none. */
    public String getFrom() {
        StaplerRequest2 request = Stapler.getCurrentRequest2();
        return request == null ? "" : Util.fixNull(request.getParameter("from"));
    }

    @POST
    public HttpResponse doCreate(StaplerRequest2 request) throws ServletException, IOException, FormException {
        Jenkins.get().checkPermission(Jenkins.ADMINISTER);
        VastAiTemplate template = getTemplateDescriptor().newInstance(request, request.getSubmittedForm());
        CloudEdits.get().add(cloud.getName(), template);
        return HttpResponses.redirectTo(".");
    }

    @POST
    public HttpResponse doMoveUp(@QueryParameter String template) throws IOException {
        Jenkins.get().checkPermission(Jenkins.ADMINISTER);
        CloudEdits.get().move(cloud.getName(), template, -1);
        return HttpResponses.redirectTo(".");
    }

    @POST
    public HttpResponse doMoveDown(@QueryParameter String template) throws IOException {
        Jenkins.get().checkPermission(Jenkins.ADMINISTER);
        CloudEdits.get().move(cloud.getName(), template, 1);
        return HttpResponses.redirectTo(".");
    }

    /** What would be rented for a form that has not been saved, as a part of a page. */
    @POST
    public void doMatch(StaplerRequest2 request, StaplerResponse2 response) throws ServletException, IOException {
        Jenkins.get().checkPermission(Jenkins.ADMINISTER);
        TemplatePreview preview;
        try {
            preview =
                    TemplatePreview.of(cloud, getTemplateDescriptor().newInstance(request, request.getSubmittedForm()));
        } catch (FormException | Failure e) {
            preview = TemplatePreview.refused(cloud, e.getMessage());
        }
        request.getView(preview, "fragment.jelly").forward(request, response);
    }
}

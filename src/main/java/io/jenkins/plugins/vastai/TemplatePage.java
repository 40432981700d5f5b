package io.jenkins.plugins.vastai;

import hudson.Util;
import hudson.model.Descriptor.FormException;
import hudson.model.ModelObject;
import jakarta.servlet.ServletException;
import java.io.IOException;
import jenkins.model.Jenkins;
import jenkins.security.stapler.StaplerNotDispatchable;
import net.sf.json.JSONObject;
import org.kohsuke.accmod.Restricted;
import org.kohsuke.accmod.restrictions.NoExternalUse;
import org.kohsuke.stapler.HttpResponse;
import org.kohsuke.stapler.HttpResponses;
import org.kohsuke.stapler.StaplerProxy;
import org.kohsuke.stapler.StaplerRequest2;
import org.kohsuke.stapler.verb.POST;

/** The pages {@code template/<name>} of a cloud: a template's form, what would be rented for it, its removal. */
@Restricted(NoExternalUse.class) // its views
public final class TemplatePage implements ModelObject, StaplerProxy {

    private final VastAiCloud cloud;
    private final VastAiTemplate template;

    TemplatePage(VastAiCloud cloud, VastAiTemplate template) {
        this.cloud = cloud;
        this.template = template;
    }

    @Override
    public Object getTarget() {
        Jenkins.get().checkPermission(Jenkins.SYSTEM_READ);
        return this;
    }

    @Override
    public String getDisplayName() {
        return template.getName();
    }

    @StaplerNotDispatchable
    public VastAiCloud getCloud() {
        return cloud;
    }

    @StaplerNotDispatchable
    public VastAiTemplate getTemplate() {
        return template;
    }

    /** Its address, relative to the cloud's page. */
    public String getUrl() {
        return url(template);
    }

    static String url(VastAiTemplate template) {
        return "template/" + Util.rawEncode(template.getName());
    }

    /** How many machines it has; 0 when none. */
    public long getUses() {
        return CloudTemplates.uses(cloud, template);
    }

    /** What somebody has to know before he removes it. */
    public String getRemovalQuestion() {
        long uses = getUses();
        return uses == 0
                ? Messages.Template_remove(template.getName())
                : Messages.Template_removeInUse(template.getName(), String.valueOf(uses));
    }

    /** Asks the market when nobody did lately. */
    public TemplatePreview getPreview() {
        return TemplatePreview.of(cloud, template);
    }

    @POST
    public HttpResponse doConfigSubmit(StaplerRequest2 request) throws ServletException, IOException, FormException {
        Jenkins.get().checkPermission(Jenkins.ADMINISTER);
        JSONObject form = request.getSubmittedForm();
        VastAiTemplate changed = (VastAiTemplate) template.getDescriptor().newInstance(request, form);
        CloudEdits.get().replace(cloud.getName(), template.getName(), form.optString("version", ""), changed);
        return HttpResponses.redirectTo("../../templates/");
    }

    @POST
    public HttpResponse doDoDelete() throws IOException {
        Jenkins.get().checkPermission(Jenkins.ADMINISTER);
        CloudEdits.get().remove(cloud.getName(), template.getName());
        return HttpResponses.redirectTo("../../templates/");
    }
}

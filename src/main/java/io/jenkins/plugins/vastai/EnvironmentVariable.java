package io.jenkins.plugins.vastai;

import hudson.Extension;
import hudson.Util;
import hudson.model.AbstractDescribableImpl;
import hudson.model.Descriptor;
import hudson.util.FormValidation;
import java.util.List;
import org.kohsuke.stapler.DataBoundConstructor;
import org.kohsuke.stapler.QueryParameter;
import org.kohsuke.stapler.verb.POST;

/** A variable that is set on the machine and that builds see. Never a secret: the host's owner can read it. */
public class EnvironmentVariable extends AbstractDescribableImpl<EnvironmentVariable> {

    private String key;
    private String value;

    @DataBoundConstructor
    public EnvironmentVariable(String key, String value) {
        this.key = Util.fixNull(key).trim();
        this.value = Util.fixNull(value);
    }

    public String getKey() {
        return key;
    }

    public String getValue() {
        return value;
    }

    private Object readResolve() {
        key = Util.fixNull(key);
        value = Util.fixNull(value);
        return this;
    }

    /** Form glue. */
    @Extension
    public static class DescriptorImpl extends Descriptor<EnvironmentVariable> {

        @POST
        public FormValidation doCheckKey(@QueryParameter String value) {
            return check(value, "");
        }

        @POST
        public FormValidation doCheckValue(@QueryParameter String value) {
            return check("KEY", value);
        }

        private static FormValidation check(String key, String value) {
            return Forms.check(() -> {
                VastAiTemplate template = Forms.sample();
                template.setEnvironment(List.of(new EnvironmentVariable(key, value)));
                return Problem.shown("environment", TemplateCheck.problems(template));
            });
        }
    }
}

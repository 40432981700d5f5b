package io.jenkins.plugins.vastai;

import edu.umd.cs.findbugs.annotations.CheckForNull;
import hudson.Util;
import hudson.model.Descriptor.FormException;
import hudson.util.FormValidation;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import jenkins.model.Jenkins;
import net.sf.json.JSONArray;
import net.sf.json.JSONObject;

/** What the forms of all settings have in common: who may ask, and texts that are not yet values. */
final class Forms {

    private Forms() {}

    /** Whoever may not configure gets no answer, nor an error that would tell him something. */
    static FormValidation check(Supplier<FormValidation> check) {
        return Jenkins.get().hasPermission(Jenkins.ADMINISTER) ? check.get() : FormValidation.ok();
    }

    /**
     * The same for a field that must not stay empty: it is no mistake yet while a new template is being written. Saving it
     * is refused all the same.
     *
     * @param version of the saved template that the form shows; empty or null in the form of a new one
     */
    static FormValidation checkOnceWritten(
            @CheckForNull String value, @CheckForNull String version, Supplier<FormValidation> check) {
        boolean untouched = Util.fixEmptyAndTrim(value) == null && Util.fixEmptyAndTrim(version) == null;
        return untouched ? FormValidation.ok() : check(check);
    }

    /**
     * Judges one field with everything else in order.
     *
     * @param prefix what stands before the field's name in problems
     * @param target gets the value
     * @param problems of the whole, once the value is set
     */
    static FormValidation field(
            Fields fields, String prefix, String field, String text, Object target, Supplier<List<Problem>> problems) {
        Optional<Problem> unreadable = fields.problem(prefix, field, text);
        if (unreadable.isPresent()) {
            return FormValidation.error(unreadable.get().message());
        }
        fields.set(target, field, text);
        return Problem.shown(prefix + field, problems.get());
    }

    /** A template without problems. */
    static VastAiTemplate sample() {
        return sample("nvidia/cuda:12.0.0-base-ubuntu22.04");
    }

    static VastAiTemplate sample(String machineImage) {
        VastAiTemplate template = new VastAiTemplate("runner", "1xRTX_4090", machineImage);
        template.setLabels("gpu");
        return template;
    }

    /**
     * Prepares a submitted form for binding: blank numbers are dropped, so that the default holds, unreadable ones are
     * refused, which binding would take for 0.
     */
    static void prepare(JSONObject form, Fields fields, String prefix) throws FormException {
        for (Object key : new ArrayList<>(form.keySet())) {
            String field = String.valueOf(key);
            if (!fields.isTyped(field)) {
                continue;
            }
            String text = form.optString(field, "");
            Optional<Problem> unreadable = fields.problem(prefix, field, text);
            if (unreadable.isPresent()) {
                throw new FormException(unreadable.get().message(), field);
            }
            if (text.isBlank() || text.equals("null")) {
                form.remove(field);
            } else {
                form.put(field, text.trim());
            }
        }
    }

    /** The objects of a repeatable part, which is an object itself when there is one alone; not copies. */
    static List<JSONObject> parts(JSONObject form, String field) {
        Object all = form.opt(field);
        List<JSONObject> parts = new ArrayList<>();
        for (Object part : all instanceof JSONArray many ? many : Arrays.asList(all)) {
            if (part instanceof JSONObject object && !object.isNullObject()) {
                parts.add(object);
            }
        }
        return parts;
    }
}

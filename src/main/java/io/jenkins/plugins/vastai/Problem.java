package io.jenkins.plugins.vastai;

import hudson.util.FormValidation;
import java.util.List;
import java.util.Set;

/**
 * A setting that cannot be used as it is.
 *
 * @param field its name in form and YAML, {@code extraConfig.diskSpace}
 * @param message for people; names field, value and remedy
 * @param warning may come right without anybody changing the setting, or is a matter of taste: shown, and saved
 */
record Problem(String field, String message, boolean warning) {

    /** One that stays until somebody changes the setting: saving is refused. */
    static Problem error(String field, String message) {
        return new Problem(field, message, false);
    }

    static Problem warning(String field, String message) {
        return new Problem(field, message, true);
    }

    /** What a form shows beside {@code field}: the first error, else the first warning. */
    static FormValidation shown(String field, List<Problem> problems) {
        return shown(Set.of(field), problems);
    }

    /** The same for a field whose check also speaks of others. */
    static FormValidation shown(Set<String> fields, List<Problem> problems) {
        return problems.stream()
                .filter(problem -> fields.contains(problem.field))
                .min((a, b) -> Boolean.compare(a.warning, b.warning))
                .map(problem -> problem.warning
                        ? FormValidation.warning(problem.message)
                        : FormValidation.error(problem.message))
                .orElseGet(FormValidation::ok);
    }
}

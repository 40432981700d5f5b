package io.jenkins.plugins.vastai.market;

import io.jenkins.plugins.vastai.text.Reason;
import java.util.List;

final class RequirementsCheck {
    private RequirementsCheck() {}

    static List<Reason> problems(Requirements requirements) {
        throw new UnsupportedOperationException();
    }
}

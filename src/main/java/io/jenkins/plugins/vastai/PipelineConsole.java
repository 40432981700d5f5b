package io.jenkins.plugins.vastai;

import hudson.Extension;
import hudson.model.Queue;
import java.io.IOException;
import java.io.PrintStream;
import java.util.Optional;
import org.jenkinsci.plugins.workflow.flow.FlowExecutionOwner;
import org.kohsuke.accmod.Restricted;
import org.kohsuke.accmod.restrictions.NoExternalUse;

/** Logs of pipelines. Optional: not there when the pipeline plugins are not. */
@Extension(optional = true)
@Restricted(NoExternalUse.class)
public final class PipelineConsole extends BuildConsole {

    @Override
    Optional<PrintStream> of(Queue.Executable build) throws IOException {
        FlowExecutionOwner owner =
                build instanceof FlowExecutionOwner.Executable pipeline ? pipeline.asFlowExecutionOwner() : null;
        return owner == null
                ? Optional.empty()
                : Optional.of(owner.getListener().getLogger());
    }
}

package io.jenkins.plugins.vastai;

import edu.umd.cs.findbugs.annotations.CheckForNull;
import hudson.Extension;
import hudson.model.Item;
import hudson.model.Label;
import hudson.model.Node;
import hudson.model.Queue;
import hudson.model.queue.CauseOfBlockage;
import hudson.model.queue.QueueTaskDispatcher;
import io.jenkins.plugins.vastai.text.Reason;
import io.jenkins.plugins.vastai.text.Texts;
import java.io.File;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import jenkins.model.Jenkins;
import org.apache.tools.ant.types.selectors.SelectorUtils;

/**
 * Which jobs may use a template: those whose full name fits one of its patterns, where a folder is {@code team/**}.
 * Nothing is ordered for others ({@link Demand}), none of them gets an agent that is there, and each is told why: here on
 * the queue's page, pipelines by {@link WaitingBuilds} in their own log.
 */
@Extension
public class AllowedJobs extends QueueTaskDispatcher {

    /**
     * Whether the patterns admit a job.
     *
     * @param patterns separated by commas or line ends; empty admits every job
     * @param job full name; empty when jobs are not told apart
     */
    static boolean admit(String patterns, String job) {
        return patterns.isBlank()
                || patterns(patterns).anyMatch(pattern -> SelectorUtils.matchPath(path(pattern), path(job)));
    }

    static Stream<String> patterns(String patterns) {
        return Arrays.stream(patterns.split("[,\\r\\n]+")).map(String::trim).filter(pattern -> !pattern.isEmpty());
    }

    /** Ant's patterns are for files of this machine. */
    private static String path(String name) {
        return name.replace('/', File.separatorChar);
    }

    /** Whether any template admits some jobs only: else jobs need not be told apart. */
    static boolean tellJobsApart() {
        return Fleets.clouds().stream().anyMatch(AllowedJobs::tellJobsApart);
    }

    /** The same for one cloud. */
    static boolean tellJobsApart(VastAiCloud cloud) {
        return cloud.getTemplates().stream()
                .anyMatch(template -> !template.getAllowedJobs().isEmpty());
    }

    /** Full name of the job that the item belongs to; empty when it belongs to none. */
    static String jobOf(Queue.Item item) {
        return item.task.getOwnerTask() instanceof Item job ? job.getFullName() : "";
    }

    /** Why no template that serves the label may be used by the job; empty when one may, or none serves it. */
    static Optional<Reason> refusal(@CheckForNull Label label, String job) {
        if (!tellJobsApart()) {
            return Optional.empty(); // the usual case, asked for each waiting item, also under the queue's lock
        }
        List<VastAiTemplate> serving = Fleets.clouds().stream()
                .map(VastAiCloud::getTemplates)
                .flatMap(Collection::stream)
                .filter(template -> template.matches(label))
                .toList();
        return serving.stream().anyMatch(template -> template.admits(job))
                ? Optional.empty()
                : serving.stream().findFirst().map(template -> why(template, job));
    }

    private static Reason why(VastAiTemplate template, String job) {
        return AgentText.NOT_ALLOWED.of(job, template.getName(), template.getAllowedJobs());
    }

    @Override
    @CheckForNull
    public CauseOfBlockage canTake(Node node, Queue.BuildableItem item) {
        if (!(node instanceof VastAiAgent agent) || agent.admits(jobOf(item))) {
            return null;
        }
        return cause(AgentText.NOT_ON_AGENT.of(jobOf(item), agent.getNodeName()));
    }

    /**
     * A job that nobody else could serve waits with the reason instead of for a node that is never ordered. Pipelines
     * stay as they are, and so does whatever another cloud might serve: those are not asked under the queue lock.
     */
    @Override
    @CheckForNull
    public CauseOfBlockage canRun(Queue.Item item) {
        Label label = item.getAssignedLabel();
        if (label == null || item.task.getOwnerExecutable() != null) {
            return null;
        }
        Optional<Reason> refusal = refusal(label, jobOf(item));
        boolean elsewhere = refusal.isEmpty()
                || Jenkins.get().clouds.stream().anyMatch(cloud -> !(cloud instanceof VastAiCloud))
                || label.getNodes().stream().anyMatch(node -> !(node instanceof VastAiAgent));
        return elsewhere ? null : cause(refusal.get());
    }

    private static CauseOfBlockage cause(Reason why) {
        String text = Texts.render(why);
        return new CauseOfBlockage() {
            @Override
            public String getShortDescription() {
                return text;
            }
        };
    }
}

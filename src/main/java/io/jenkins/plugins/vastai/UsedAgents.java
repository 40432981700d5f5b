package io.jenkins.plugins.vastai;

import edu.umd.cs.findbugs.annotations.CheckForNull;
import hudson.Extension;
import hudson.model.Node;
import hudson.model.Queue;
import hudson.model.Run;
import hudson.model.queue.CauseOfBlockage;
import hudson.model.queue.QueueTaskDispatcher;
import io.jenkins.plugins.vastai.rental.Rental;
import io.jenkins.plugins.vastai.text.Texts;
import java.util.Optional;

/**
 * Keeps a one-shot agent one-shot across a restart: once used, it takes only the rest of the very run that used it. Any
 * other item would find another build's leftovers, and its end would destroy the machine under the build that resumes.
 */
@Extension
public class UsedAgents extends QueueTaskDispatcher {

    @Override
    @CheckForNull
    public CauseOfBlockage canTake(Node node, Queue.BuildableItem item) {
        if (!(node instanceof VastAiAgent agent) || !agent.oneShot()) {
            return null;
        }
        Optional<String> user = agent.rental().map(Rental::usedBy);
        if (user.isEmpty() || resumes(user.get(), agent, item)) {
            return null;
        }
        String why = Texts.render(AgentText.KEPT_FOR.of(agent.getNodeName(), user.get()));
        return new CauseOfBlockage() {
            @Override
            public String getShortDescription() {
                return why;
            }
        };
    }

    private static boolean resumes(String user, VastAiAgent agent, Queue.BuildableItem item) {
        return agent.getSelfLabel().equals(item.getAssignedLabel())
                && item.task.getOwnerExecutable() instanceof Run<?, ?> run
                && run.getExternalizableId().equals(user);
    }
}

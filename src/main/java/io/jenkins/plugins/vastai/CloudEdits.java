package io.jenkins.plugins.vastai;

import hudson.Extension;
import hudson.ExtensionList;
import hudson.model.Descriptor.FormException;
import hudson.model.Failure;
import jakarta.servlet.ServletException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.locks.ReentrantLock;
import jenkins.model.Jenkins;
import org.kohsuke.accmod.Restricted;
import org.kohsuke.accmod.restrictions.NoExternalUse;

/**
 * Changes that people make to clouds and templates on their pages: one at a time, each to the cloud as it is now and not
 * as it was when somebody opened a form. Otherwise a template and its cloud, saved at the same time by two people, would
 * lose one of the two. Held while {@code config.xml} is written and never while anybody is asked over the network.
 */
@Extension
@Restricted(NoExternalUse.class)
public final class CloudEdits {

    private final ReentrantLock lock = new ReentrantLock();

    static CloudEdits get() {
        return ExtensionList.lookupSingleton(CloudEdits.class);
    }

    /** Something that reads clouds and saves them. */
    interface Edit<T> {
        T make() throws IOException, ServletException, FormException;
    }

    /** A change of all templates of a cloud: gets a copy to change. */
    interface TemplatesEdit {
        void change(List<VastAiTemplate> templates);
    }

    <T> T alone(Edit<T> edit) throws IOException, ServletException, FormException {
        lock.lock();
        try {
            return edit.make();
        } finally {
            lock.unlock();
        }
    }

    /** @throws Failure when the cloud is gone, or the change cannot be made: nothing has changed then */
    void templates(String cloudName, TemplatesEdit edit) throws IOException {
        lock.lock();
        try {
            if (!(Jenkins.get().getCloud(cloudName) instanceof VastAiCloud cloud)) {
                throw new Failure(Messages.Cloud_gone(cloudName));
            }
            List<VastAiTemplate> before = cloud.getTemplates();
            List<VastAiTemplate> changed = new ArrayList<>(before);
            edit.change(changed);
            cloud.setTemplates(changed);
            try {
                Jenkins.get().save();
            } catch (IOException | RuntimeException e) {
                cloud.setTemplates(before);
                throw e;
            }
        } finally {
            lock.unlock();
        }
    }

    void add(String cloudName, VastAiTemplate template) throws IOException {
        templates(cloudName, all -> {
            refuseTwins(all, template.getName());
            all.add(template);
        });
    }

    /**
     * @param version what {@link VastAiTemplate#version} was when the form was opened; empty when not known
     * @throws Failure also when somebody else has changed it since
     */
    void replace(String cloudName, String templateName, String version, VastAiTemplate changed) throws IOException {
        templates(cloudName, all -> {
            int place = place(all, cloudName, templateName);
            VastAiTemplate now = all.remove(place);
            if (!version.isEmpty() && !version.equals(now.version())) {
                throw new Failure(Messages.Template_changedMeanwhile(templateName));
            }
            refuseTwins(all, changed.getName());
            all.add(place, changed);
        });
    }

    void remove(String cloudName, String templateName) throws IOException {
        templates(cloudName, all -> all.remove(place(all, cloudName, templateName)));
    }

    /**
     * Of two templates with the same label the upper one is taken.
     *
     * @param by places further down; negative for up. At the end of the list it stays where it is
     */
    void move(String cloudName, String templateName, int by) throws IOException {
        templates(cloudName, all -> {
            int place = place(all, cloudName, templateName);
            int to = Math.max(0, Math.min(all.size() - 1, place + by));
            all.add(to, all.remove(place));
        });
    }

    private static int place(List<VastAiTemplate> all, String cloudName, String templateName) {
        for (int i = 0; i < all.size(); i++) {
            if (all.get(i).getName().equals(templateName)) {
                return i;
            }
        }
        throw new Failure(Messages.Template_gone(templateName, cloudName));
    }

    /** Names become parts of agents' names, and those are files: case must not tell two apart. */
    private static void refuseTwins(List<VastAiTemplate> others, String name) {
        for (VastAiTemplate other : others) {
            if (other.getName().toLowerCase(Locale.ROOT).equals(name.toLowerCase(Locale.ROOT))) {
                throw new Failure(Messages.Template_nameTaken(name));
            }
        }
    }
}

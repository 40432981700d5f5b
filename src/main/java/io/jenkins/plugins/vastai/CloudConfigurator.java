package io.jenkins.plugins.vastai;

import edu.umd.cs.findbugs.annotations.NonNull;
import hudson.Extension;
import io.jenkins.plugins.casc.ConfigurationContext;
import io.jenkins.plugins.casc.ConfiguratorException;
import io.jenkins.plugins.casc.impl.configurators.DataBoundConfigurator;
import io.jenkins.plugins.casc.model.CNode;
import io.jenkins.plugins.casc.model.Mapping;
import io.jenkins.plugins.casc.model.Scalar;
import io.jenkins.plugins.casc.model.Sequence;
import io.jenkins.plugins.casc.model.Source;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.WeakHashMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.logging.Level;
import java.util.logging.Logger;

/**
 * Refuses a cloud in YAML that cannot work, before anything of the file takes effect. Data binding alone would read an
 * unreadable number as 0 and a missing name as a failure of some constructor.
 */
@Extension(optional = true)
public class CloudConfigurator extends DataBoundConfigurator<VastAiCloud> {

    private static final Logger LOGGER = Logger.getLogger(CloudConfigurator.class.getName());

    /**
     * Where each reading of the configuration found each cloud. It binds all of them twice, on trial and in earnest, through
     * the same method. Weak: nobody says when a reading is over.
     */
    private final Map<ConfigurationContext, Map<String, Source>> seen =
            Collections.synchronizedMap(new WeakHashMap<>());

    public CloudConfigurator() {
        super(VastAiCloud.class);
    }

    @Override
    @SuppressWarnings("rawtypes") // as declared
    public boolean canConfigure(Class type) {
        return type == VastAiCloud.class;
    }

    @NonNull
    @Override
    public VastAiCloud configure(CNode node, ConfigurationContext context) throws ConfiguratorException {
        return judged(node, context, () -> super.configure(node, context));
    }

    @Override
    public VastAiCloud check(CNode node, ConfigurationContext context) throws ConfiguratorException {
        // The parent's check leaves out what setters take, so there would be nothing to judge.
        return judged(node, context, () -> super.configure(node, context));
    }

    @Override
    public CNode describe(VastAiCloud instance, ConfigurationContext context) throws Exception {
        return portable(super.describe(instance, context));
    }

    /**
     * Configuration as Code writes a {@code BigDecimal} as {@code !!int '9.5'}, which no other
     * reader of YAML takes. It becomes {@code "9.5"}, as other decimals do.
     */
    private static CNode portable(CNode node) throws ConfiguratorException {
        if (node instanceof Mapping mapping) {
            for (Map.Entry<String, CNode> entry : mapping.entrySet()) {
                entry.setValue(portable(entry.getValue()));
            }
        } else if (node instanceof Sequence sequence) {
            for (int i = 0; i < sequence.size(); i++) {
                sequence.set(i, portable(sequence.get(i)));
            }
        } else if (node instanceof Scalar scalar
                && scalar.getFormat() == Scalar.Format.NUMBER
                && scalar.getValue().contains(".")) {
            return new Scalar(scalar.getValue());
        }
        return node;
    }

    private interface Binding {
        VastAiCloud bind() throws ConfiguratorException;
    }

    private VastAiCloud judged(CNode node, ConfigurationContext context, Binding binding) throws ConfiguratorException {
        texts(node, context);
        boolean again = seenBefore(node, context);
        VastAiCloud cloud = binding.bind();
        List<Problem> problems = CloudCheck.problems(cloud);
        Optional<String> refusal = CloudCheck.refusal(cloud.getName(), problems);
        if (refusal.isPresent()) {
            throw new ConfiguratorException(refusal.get());
        }
        if (again) {
            problems.forEach(problem ->
                    LOGGER.log(Level.WARNING, "Cloud {0}: {1}", new Object[] {cloud.getName(), problem.message()}));
        }
        return cloud;
    }

    /**
     * Whether this reading had the cloud before, on trial.
     *
     * @throws ConfiguratorException if it has another one of the same name
     */
    private boolean seenBefore(CNode node, ConfigurationContext context) throws ConfiguratorException {
        String name = text(node, "name", context).trim();
        Source here = node.getSource();
        if (here == null) {
            return true; // nobody wrote it into a file
        }
        Source before =
                seen.computeIfAbsent(context, key -> new ConcurrentHashMap<>()).putIfAbsent(name, here);
        if (before != null && !before.equals(here)) {
            throw ConfiguratorException.from(node, Messages.Cloud_nameTaken(name));
        }
        return before != null;
    }

    /** Judges what is written, before binding makes values of it. */
    private static void texts(CNode node, ConfigurationContext context) throws ConfiguratorException {
        if (node == null
                || node.getType() != CNode.Type.MAPPING
                || text(node, "name", context).isBlank()) {
            throw ConfiguratorException.from(node, Messages.Cloud_nameMissing());
        }
        Mapping cloud = node.asMapping();
        String name = text(node, "name", context);
        texts(name, cloud, Fields.OF_CLOUD, "", "", context);
        for (CNode entry : maps(name, cloud, "blocklist")) {
            texts(name, entry.asMapping(), Fields.OF_BLOCKLIST_ENTRY, "", "blocklist.", context);
        }
        for (CNode template : maps(name, cloud, "templates")) {
            String templateName = text(template, "name", context);
            texts(name, template.asMapping(), Fields.OF_TEMPLATE, templateName, "", context);
            Optional<CNode> extra = value(template.asMapping(), "extraConfig");
            if (extra.isPresent() && extra.get().getType() != CNode.Type.MAPPING) {
                throw refused(extra.get(), name, templateName, Messages.Field_notMap("extraConfig"));
            }
            if (extra.isPresent()) {
                texts(name, extra.get().asMapping(), Fields.OF_EXTRA_CONFIG, templateName, "extraConfig.", context);
            }
        }
    }

    /** The entries of a list of maps; none if it is not mentioned. */
    private static List<CNode> maps(String cloud, Mapping mapping, String name) throws ConfiguratorException {
        Optional<CNode> list = value(mapping, name);
        if (list.isEmpty()) {
            return List.of();
        }
        if (list.get().getType() != CNode.Type.SEQUENCE) {
            throw refused(list.get(), cloud, "", Messages.Field_notList(name));
        }
        for (CNode entry : list.get().asSequence()) {
            if (entry.getType() != CNode.Type.MAPPING) {
                throw refused(entry, cloud, "", Messages.Field_notMap(name));
            }
        }
        return list.get().asSequence();
    }

    private static void texts(
            String cloud, Mapping mapping, Fields fields, String template, String prefix, ConfigurationContext context)
            throws ConfiguratorException {
        for (Map.Entry<String, CNode> entry : mapping.entrySet()) {
            Optional<String> field = fields.named(entry.getKey()).filter(fields::isTyped);
            if (field.isEmpty() || entry.getValue() == null) {
                continue;
            }
            if (entry.getValue().getType() != CNode.Type.SCALAR) {
                throw refused(
                        entry.getValue(),
                        cloud,
                        template,
                        Messages.Field_notSingle(prefix + field.get(), fields.example(field.get())));
            }
            Optional<Problem> problem = fields.problem(prefix, field.get(), scalar(entry.getValue(), context));
            if (problem.isPresent()) {
                throw refused(entry.getValue(), cloud, template, problem.get().message());
            }
        }
    }

    private static ConfiguratorException refused(CNode node, String cloud, String template, String message) {
        String where = template.isEmpty() ? message : Messages.Cloud_inTemplate(template, message);
        return ConfiguratorException.from(node, Messages.Cloud_refused(cloud, where));
    }

    private static Optional<CNode> value(Mapping mapping, String name) {
        return mapping.entrySet().stream()
                .filter(entry -> entry.getKey().equalsIgnoreCase(name) && entry.getValue() != null)
                .map(Map.Entry::getValue)
                .findFirst();
    }

    /** The text of a setting; empty when it is missing or no single value. */
    private static String text(CNode node, String name, ConfigurationContext context) throws ConfiguratorException {
        Optional<CNode> found = value(node.asMapping(), name);
        return found.isPresent() && found.get().getType() == CNode.Type.SCALAR ? scalar(found.get(), context) : "";
    }

    private static String scalar(CNode node, ConfigurationContext context) throws ConfiguratorException {
        return context.getSecretSourceResolver().resolve(node.asScalar().toString());
    }
}

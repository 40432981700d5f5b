package io.jenkins.plugins.vastai;

import hudson.model.Label;
import hudson.model.Node;
import hudson.model.labels.LabelAtom;
import io.jenkins.plugins.vastai.market.GpuCatalogue;
import io.jenkins.plugins.vastai.market.GpuWish;
import io.jenkins.plugins.vastai.market.Image;
import io.jenkins.plugins.vastai.market.InstanceType;
import io.jenkins.plugins.vastai.market.MarketText;
import io.jenkins.plugins.vastai.market.Regions;
import io.jenkins.plugins.vastai.market.Requirements;
import io.jenkins.plugins.vastai.market.SettingException;
import io.jenkins.plugins.vastai.rental.StartScripts;
import io.jenkins.plugins.vastai.text.Reason;
import io.jenkins.plugins.vastai.text.Texts;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import org.jvnet.localizer.LocaleProvider;

/** Finds everything about a template that cannot work, all at once. Asks nobody: no market, no credentials. */
final class TemplateCheck {

    /** How a container may be started so that there is SSH; source: docs/market.md, Create. */
    static final List<String> RUNTYPES = List.of("ssh_direct", "ssh_proxy", "ssh_direct ssh_proxy");

    /** An agent's name is the template's with a suffix, and is also a name of directories. */
    private static final int LONGEST_NAME = 40;

    private static final int DAY = 24 * 60;
    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?");
    private static final Pattern DIRECTORY = Pattern.compile("(?:/[A-Za-z0-9_+@-][A-Za-z0-9._+@-]*)+/?");
    private static final Pattern VARIABLE = Pattern.compile("[A-Za-z_][A-Za-z0-9_]*");
    private static final Pattern SECRET_VARIABLE =
            Pattern.compile("(?i).*(?:PASSWORD|PASSWD|SECRET|TOKEN|API_?KEY|PRIVATE_?KEY).*");
    private static final Pattern HOST = Pattern.compile("[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::\\d{1,5})?");

    private final VastAiTemplate template;
    private final GpuCatalogue catalogue;
    private final List<Problem> problems = new ArrayList<>();

    private TemplateCheck(VastAiTemplate template, GpuCatalogue catalogue) {
        this.template = template;
        this.catalogue = catalogue;
    }

    /** In the language of the current request. */
    static List<Problem> problems(VastAiTemplate template) {
        return problems(template, GpuCatalogue.builtIn());
    }

    /** @param catalogue GPUs that the market is known to have */
    static List<Problem> problems(VastAiTemplate template, GpuCatalogue catalogue) {
        TemplateCheck check = new TemplateCheck(template, catalogue);
        check.name();
        check.labels();
        check.machine();
        check.keeping();
        check.software();
        check.environment();
        check.initScript();
        check.registry();
        return List.copyOf(check.problems);
    }

    private void name() {
        String name = template.getName();
        if (name.isEmpty()) {
            error("name", Messages.Template_nameMissing());
        } else if (name.length() > LONGEST_NAME) {
            error(
                    "name",
                    Messages.Template_nameLong(name, String.valueOf(name.length()), String.valueOf(LONGEST_NAME)));
        } else if (!isName(name)) {
            error("name", Messages.Template_nameBad(name));
        }
    }

    /** Whether a text can be the name of a cloud or a template: it becomes part of addresses and of agents' names. */
    static boolean isName(String name) {
        return NAME.matcher(name).matches();
    }

    private void labels() {
        for (LabelAtom atom : template.labelSet()) {
            if (!isPlain(atom)) {
                error("labels", Messages.Template_labelBad(atom.getName()));
            }
        }
        if (template.labelSet().isEmpty() && template.getMode() == Node.Mode.EXCLUSIVE) {
            problems.add(Problem.warning("labels", Messages.Template_labelsMissing()));
        }
    }

    /** Whether a job can name it without quoting: {@code a&&b} would be an expression of two labels. */
    private static boolean isPlain(LabelAtom atom) {
        try {
            return atom.getName().equals(atom.getExpression())
                    && atom.getName().matches("\\S+")
                    && Label.parseExpression(atom.getName()) instanceof LabelAtom;
        } catch (IllegalArgumentException e) {
            return false;
        }
    }

    private void machine() {
        ExtraConfig extra = template.getExtraConfig();
        List<GpuWish> wishes = parse("instanceType", () -> InstanceType.parse(template.getInstanceType(), catalogue))
                .orElseGet(() -> List.of(new GpuWish(1, "any")));
        Optional<Image> image = parse("machineImage", () -> Image.parse(template.getMachineImage()));
        Requirements.Builder wanted = Requirements.builder(wishes, image.orElseGet(() -> standIn(extra.isVm())))
                .vm(extra.isVm())
                .diskGb(extra.getDiskSpace())
                .minRamGb(extra.getMinRam())
                .minReliability(template.getMinReliability())
                .minDownloadMbps(template.getMinDownloadMbps())
                .minDuration(Duration.ofHours(1));
        image.ifPresent(this::movingTag);
        parse("region", () -> Regions.parse(template.getRegion())).ifPresent(wanted::countries);
        if (template.getMaxPricePerHour() != null) {
            wanted.maxPricePerHour(template.getMaxPricePerHour());
        }
        for (Reason reason : wanted.build().problems()) {
            error(fieldOf(reason), render(reason));
        }
        if (extra.isVm() && !template.getRuntype().equals("ssh_direct")) {
            problems.add(Problem.warning("runtype", Messages.Template_runtypeVm()));
        } else if (!RUNTYPES.contains(template.getRuntype())) {
            error("runtype", Messages.Template_runtypeBad(template.getRuntype(), String.join(", ", RUNTYPES)));
        }
    }

    /** What is pulled today may not be what was pulled yesterday, and hosts hold different ones. */
    private void movingTag(Image image) {
        if (!image.digest().isEmpty()) {
            return;
        }
        if (image.tag().equals("latest")) {
            problems.add(Problem.warning("machineImage", Messages.Template_imageLatest(image.toString())));
        } else if (image.tag().equals(Image.AUTOMATIC_TAG)) {
            problems.add(Problem.warning("machineImage", Messages.Template_imageAutomatic(image.toString())));
        }
    }

    private static String fieldOf(Reason reason) {
        if (reason.is(MarketText.OUT_OF_RANGE)) {
            return String.valueOf(reason.args().get(0));
        } else if (reason.is(MarketText.RELIABILITY_PERCENT)) {
            return "minReliability";
        } else if (reason.is(MarketText.DISK_BELOW_IMAGE)) {
            return "extraConfig.diskSpace";
        } else if (reason.is(MarketText.VM_NEEDS_VM_IMAGE)) {
            return "extraConfig.vm";
        } else {
            return "machineImage";
        }
    }

    /** An image that fits the mode, so that the rest can be judged while the image itself is wrong. */
    private static Image standIn(boolean vm) {
        return vm ? new Image("", "vastai/kvm", "any", "") : new Image("", "any", "any", "");
    }

    private void keeping() {
        if (template.writtenExecutors() != 1 && template.isOneShot()) {
            error("numExecutors", Messages.Template_oneShotExecutors(String.valueOf(template.writtenExecutors())));
        } else {
            range("numExecutors", template.writtenExecutors(), 1, 64);
        }
        if (!template.isOneShot()) {
            range("idleMinutes", template.getIdleMinutes(), 1, 7 * DAY);
        }
        range("launchTimeoutMinutes", template.getLaunchTimeoutMinutes(), 0, 240);
        range("draws", template.getDraws(), 1, 20);
        range("secondMachineMinutes", template.getSecondMachineMinutes(), 0, 240);
        if (template.getSecondMachineMinutes() >= template.launchMinutes()
                && template.getSecondMachineMinutes() <= 240) {
            error(
                    "secondMachineMinutes",
                    Messages.Template_secondLate(
                            String.valueOf(template.getSecondMachineMinutes()),
                            String.valueOf(template.launchMinutes())));
        }
        range("instanceCap", template.getInstanceCap(), 0, 10_000);
        range("requeueLimit", template.getRequeueLimit(), 0, 10);
        range("maxLifetimeMinutes", template.getMaxLifetimeMinutes(), 1, 90 * DAY);
        if (template.getMaxLifetimeMinutes() >= 1 && template.getMaxLifetimeMinutes() <= template.launchMinutes()) {
            error(
                    "maxLifetimeMinutes",
                    Messages.Template_lifetimeShort(
                            String.valueOf(template.getMaxLifetimeMinutes()),
                            String.valueOf(template.launchMinutes())));
        }
    }

    private void software() {
        if (!DIRECTORY.matcher(template.getRemoteFs()).matches()) {
            error("remoteFs", Messages.Template_remoteFsBad(template.getRemoteFs()));
        }
        if (hasLineEnd(template.getJvmOptions())) {
            error("jvmOptions", Messages.Template_jvmOptionsBad());
        }
    }

    private void environment() {
        Set<String> seen = new HashSet<>();
        for (EnvironmentVariable variable : template.getEnvironment()) {
            String key = variable.getKey();
            if (!VARIABLE.matcher(key).matches()) {
                error("environment", Messages.Template_variableBad(key));
            } else if (!seen.add(key)) {
                error("environment", Messages.Template_variableTwice(key));
            } else if (hasLineEnd(variable.getValue())) {
                error("environment", Messages.Template_variableValueBad(key));
            } else if (SECRET_VARIABLE.matcher(key).matches()) {
                problems.add(Problem.warning("environment", Messages.Template_variableSecret(key)));
            }
        }
    }

    private void initScript() {
        if (!template.getInitScript().isBlank()) {
            StartScripts.tooLong(
                            template.getInitScript(),
                            template.getRemoteFs(),
                            template.getExtraConfig().isVm(),
                            URI.create(VastAiCloud.API_URL))
                    .ifPresent(why -> error("initScript", Texts.render(why, LocaleProvider.getLocale())));
        }
    }

    private void registry() {
        String registry = template.getRegistry();
        if (registry.isEmpty()) {
            return;
        }
        if (!HOST.matcher(registry).matches()) {
            error("registry", Messages.Template_registryBad(registry));
            return;
        }
        if (template.getRegistryCredentialsId().isEmpty()) {
            problems.add(Problem.warning("registry", Messages.Template_registryNoLogin(registry)));
        }
        try {
            String host = Image.parse(template.getMachineImage()).registry();
            String from = host.isEmpty() ? "docker.io" : host;
            if (!from.equalsIgnoreCase(registry)) {
                problems.add(Problem.warning("registry", Messages.Template_registryOther(registry, from)));
            }
        } catch (SettingException e) {
            // said beside the image
        }
    }

    private static boolean hasLineEnd(String text) {
        return text.indexOf('\n') >= 0 || text.indexOf('\r') >= 0;
    }

    private void range(String field, int value, int least, int most) {
        if (value < least || value > most) {
            error(
                    field,
                    Messages.Field_range(field, String.valueOf(value), String.valueOf(least), String.valueOf(most)));
        }
    }

    private void error(String field, String message) {
        problems.add(Problem.error(field, message));
    }

    /** A parser of the market package. */
    private interface Parser<T> {
        T parse() throws SettingException;
    }

    private <T> Optional<T> parse(String field, Parser<T> parser) {
        try {
            return Optional.of(parser.parse());
        } catch (SettingException e) {
            String message = render(e.reason());
            if (e.reason().is(MarketText.GPU_UNKNOWN)) {
                problems.add(Problem.warning(field, Messages.Template_gpuMayAppear(message)));
            } else {
                error(field, message);
            }
            return Optional.empty();
        }
    }

    private static String render(Reason reason) {
        return Texts.render(reason, LocaleProvider.getLocale());
    }
}

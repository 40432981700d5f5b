package io.jenkins.plugins.vastai;

import edu.umd.cs.findbugs.annotations.CheckForNull;
import hudson.model.Api;
import hudson.model.ModelObject;
import io.jenkins.plugins.vastai.api.Offer;
import io.jenkins.plugins.vastai.market.AllInPrice;
import io.jenkins.plugins.vastai.market.Block;
import io.jenkins.plugins.vastai.market.Candidate;
import io.jenkins.plugins.vastai.market.MarketText;
import io.jenkins.plugins.vastai.market.SettingException;
import io.jenkins.plugins.vastai.rental.Fleet;
import io.jenkins.plugins.vastai.rental.Preview;
import io.jenkins.plugins.vastai.rental.RentalText;
import io.jenkins.plugins.vastai.text.Reason;
import io.jenkins.plugins.vastai.text.Texts;
import java.io.IOException;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.logging.Level;
import java.util.logging.Logger;
import jenkins.model.Jenkins;
import jenkins.security.stapler.StaplerNotDispatchable;
import org.jvnet.localizer.LocaleProvider;
import org.kohsuke.accmod.Restricted;
import org.kohsuke.accmod.restrictions.NoExternalUse;
import org.kohsuke.stapler.StaplerProxy;
import org.kohsuke.stapler.export.Exported;
import org.kohsuke.stapler.export.ExportedBean;

/**
 * What would be rented now for a template: page, part of a page, and JSON under {@code api/json}. Waits some seconds for
 * the market and then says so; nothing is held meanwhile.
 */
@ExportedBean
@Restricted(NoExternalUse.class) // its views
public final class TemplatePreview implements ModelObject, StaplerProxy {

    private static final Logger LOGGER = Logger.getLogger(TemplatePreview.class.getName());

    /** The market is asked once, twice when nothing fits, and its limits may put six seconds between the two. */
    private static final Duration PATIENCE = Duration.ofSeconds(9);

    private static final DateTimeFormatter TIME =
            DateTimeFormatter.ofPattern("yyyy-MM-dd HH:mm").withZone(ZoneId.systemDefault());

    /** A machine that would do; prices in $. JSON takes no exact decimals, so these are the nearest. */
    @ExportedBean(defaultVisibility = 2)
    public record Row(
            @Exported int place,
            @Exported long machine,
            @Exported String gpu,
            @Exported String location,
            @Exported double pricePerHour,
            @Exported double gpuPerHour,
            @Exported double diskPerHour,
            @Exported double trafficPerHour,
            @Exported double runCost,
            @Exported @CheckForNull Double reliability,
            @Exported long secondsToReady) {

        public String price() {
            return dollars(pricePerHour);
        }

        public String parts() {
            return Messages.Preview_parts(dollars(gpuPerHour), dollars(diskPerHour), dollars(trafficPerHour));
        }

        public String run() {
            return dollars(runCost);
        }

        public String reliable() {
            return reliability == null
                    ? "?"
                    : BigDecimal.valueOf(reliability * 100)
                                    .setScale(1, RoundingMode.HALF_UP)
                                    .stripTrailingZeros()
                                    .toPlainString()
                            + " %";
        }

        public String ready() {
            return Messages.Preview_minutes(String.valueOf(Math.max(1, Math.round(secondsToReady / 60.0))));
        }
    }

    /** A machine that would do and is left out, and why. */
    @ExportedBean(defaultVisibility = 2)
    public record Left(
            @Exported long machine,
            @Exported String gpu,
            @Exported String location,
            @Exported @CheckForNull Double pricePerHour,
            @Exported String why) {

        public String price() {
            return pricePerHour == null ? "?" : dollars(pricePerHour);
        }
    }

    private final VastAiCloud cloud;
    private final String template;
    private final Optional<Preview.Shown> shown;
    private final String problem;
    private final boolean pending;
    private final String obstacle;
    private final Instant now = Instant.now();

    private TemplatePreview(
            VastAiCloud cloud,
            String template,
            Optional<Preview.Shown> shown,
            String problem,
            boolean pending,
            String obstacle) {
        this.cloud = cloud;
        this.template = template;
        this.shown = shown;
        this.problem = problem;
        this.pending = pending;
        this.obstacle = obstacle;
    }

    /** Asks the fleet that the cloud orders from, in bounded time. */
    static TemplatePreview of(VastAiCloud cloud, VastAiTemplate template) {
        Optional<Fleet> fleet;
        CompletableFuture<Preview> answer;
        try {
            fleet = Fleets.get().fleet(cloud);
            if (fleet.isEmpty()) {
                return problem(cloud, template, Messages.Preview_starting());
            }
            answer = fleet.get()
                    .preview(template.spec(cloud)
                            .requirements(
                                    fleet.get().catalogue(), Duration.ofMinutes(template.getMaxLifetimeMinutes())));
        } catch (SettingException e) {
            return problem(cloud, template, render(e.reason()));
        } catch (IOException | RuntimeException e) {
            // A cloud from a file may hold anything: an address that is none, for example.
            LOGGER.log(Level.WARNING, e, () -> "No preview for template " + template.getName());
            return problem(cloud, template, Messages.Preview_impossible(cloud.getName()));
        }
        try {
            Preview preview = answer.get(PATIENCE.toMillis(), TimeUnit.MILLISECONDS);
            if (preview instanceof Preview.Shown found) {
                return new TemplatePreview(
                        cloud,
                        template.getName(),
                        Optional.of(found),
                        "",
                        false,
                        obstacle(cloud, template, fleet.get()));
            }
            return problem(cloud, template, render(((Preview.Refused) preview).why()));
        } catch (TimeoutException e) {
            answer.cancel(false);
            return new TemplatePreview(
                    cloud,
                    template.getName(),
                    Optional.empty(),
                    Messages.Preview_slow(String.valueOf(PATIENCE.toSeconds())),
                    true,
                    "");
        } catch (ExecutionException e) {
            throw new IllegalStateException(e); // a fleet answers with a reason
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return problem(cloud, template, Messages.Preview_starting());
        }
    }

    /** For a form that cannot be saved as it is. */
    static TemplatePreview refused(VastAiCloud cloud, String why) {
        return new TemplatePreview(cloud, "", Optional.empty(), why, false, "");
    }

    private static TemplatePreview problem(VastAiCloud cloud, VastAiTemplate template, String why) {
        return new TemplatePreview(cloud, template.getName(), Optional.empty(), why, false, "");
    }

    /** Why nothing would be rented although something fits. */
    private static String obstacle(VastAiCloud cloud, VastAiTemplate template, Fleet fleet) {
        // A key that may do less than all rents all the same.
        Optional<Reason> trouble = fleet.trouble().filter(reason -> !reason.is(RentalText.KEY_LIMITED));
        if (trouble.isPresent()) {
            return render(trouble.get());
        }
        return Fleets.get()
                .circuits()
                .resting(cloud, template)
                .map(rest -> render(AgentText.RESTS.of(template.getName(), TIME.format(rest.until()), rest.why())))
                .orElse("");
    }

    @Override
    public Object getTarget() {
        Jenkins.get().checkPermission(Jenkins.SYSTEM_READ);
        return this;
    }

    public Api getApi() {
        return new Api(this);
    }

    @Override
    public String getDisplayName() {
        return Messages.Preview_displayName();
    }

    @Exported(name = "cloud")
    public String getCloudName() {
        return cloud.getName();
    }

    /** Whose side panel the page has; null for a form that has not been saved. */
    @CheckForNull
    @StaplerNotDispatchable
    public TemplatePage getPage() {
        return cloud.template(template)
                .map(saved -> new TemplatePage(cloud, saved))
                .orElse(null);
    }

    @Exported
    public String getTemplate() {
        return template;
    }

    /** Why nothing is shown; empty when something is. */
    @Exported
    public String getProblem() {
        return problem;
    }

    /** Why nothing would be rented all the same; empty when it would. */
    @Exported
    public String getObstacle() {
        return obstacle;
    }

    /** The market has not answered in time: its answer may be there at the next try. */
    @Exported
    public boolean isPending() {
        return pending;
    }

    public boolean isShown() {
        return shown.isPresent();
    }

    /** How many offers were looked at. */
    @Exported
    public int getOffers() {
        return shown.map(Preview.Shown::offers).orElse(0);
    }

    /** How many machines would do. */
    @Exported
    public int getFit() {
        return shown.map(Preview.Shown::fit).orElse(0);
    }

    /** GPUs that were looked for. */
    @Exported
    public String getWish() {
        return shown.map(found -> found.wish().describe()).orElse("");
    }

    /** How old the market's answer is, seconds. */
    @Exported
    public long getAgeSeconds() {
        return shown.map(
                        found -> Math.max(0, Duration.between(found.asOf(), now).toSeconds()))
                .orElse(0L);
    }

    /** One sentence about all of it. */
    public String getSummary() {
        return getFit() == 0
                ? Messages.Preview_none(getWish(), String.valueOf(getOffers()), String.valueOf(getAgeSeconds()))
                : Messages.Preview_some(
                        String.valueOf(getFit()),
                        getWish(),
                        String.valueOf(getOffers()),
                        String.valueOf(getAgeSeconds()));
    }

    /** The first ten that would be rented, the best first. */
    @Exported
    public List<Row> getMachines() {
        return shown.stream()
                .flatMap(found -> found.best().stream())
                .map(TemplatePreview::row)
                .toList();
    }

    /** Machines that would do but are left alone or in use. */
    @Exported
    public List<Left> getWithheld() {
        return shown.stream()
                .flatMap(found -> found.withheld().stream())
                .map(TemplatePreview::left)
                .toList();
    }

    /** When nothing fits: what removed how many offers, and what would help. */
    @Exported
    public List<String> getExplanation() {
        return shown.stream()
                .flatMap(found -> found.explanation().stream())
                .filter(reason -> !reason.is(MarketText.NOTHING_FITS)) // the summary says so
                .map(TemplatePreview::render)
                .toList();
    }

    private static Row row(Candidate candidate) {
        Offer offer = candidate.offer();
        AllInPrice price = candidate.price();
        return new Row(
                candidate.place(),
                offer.machineId(),
                gpu(offer),
                offer.place(),
                price.total().doubleValue(),
                price.gpuPerHour().doubleValue(),
                price.diskPerHour().doubleValue(),
                price.trafficPerHour().doubleValue(),
                candidate.runCost().doubleValue(),
                offer.reliability(),
                candidate.readyIn().toSeconds());
    }

    private static Left left(Preview.Withheld withheld) {
        Offer offer = withheld.offer();
        return new Left(
                offer.machineId(),
                gpu(offer),
                offer.place(),
                withheld.price().map(price -> price.total().doubleValue()).orElse(null),
                why(withheld));
    }

    private static String why(Preview.Withheld withheld) {
        if (withheld.agent().isPresent()) {
            return Messages.Preview_inUse(withheld.agent().get());
        }
        if (withheld.ban().isPresent()) {
            return Messages.Preview_banned(withheld.ban().get().note());
        }
        return withheld.block()
                .map((Block block) -> Messages.Preview_blocked(TIME.format(block.until()), render(block.reason())))
                .orElseGet(() -> Messages.Preview_hostBlocked(
                        String.valueOf(withheld.offer().hostId())));
    }

    private static String dollars(double amount) {
        return AllInPrice.show(BigDecimal.valueOf(amount));
    }

    private static String gpu(Offer offer) {
        return offer.numGpus() + "x " + offer.gpuName();
    }

    private static String render(Reason reason) {
        Locale locale = LocaleProvider.getLocale();
        return Texts.render(reason, locale);
    }
}

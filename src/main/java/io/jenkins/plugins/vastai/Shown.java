package io.jenkins.plugins.vastai;

import hudson.Util;
import io.jenkins.plugins.vastai.market.AllInPrice;
import io.jenkins.plugins.vastai.text.Reason;
import io.jenkins.plugins.vastai.text.Texts;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.Locale;
import org.jvnet.localizer.LocaleProvider;

/**
 * Values in the words of whoever reads the page.
 *
 * @param now one moment for the whole page
 */
record Shown(Instant now, ZoneId zone, Locale locale) {

    private static final DateTimeFormatter TIME = DateTimeFormatter.ofPattern("yyyy-MM-dd HH:mm:ss");

    /** For the request that is being served. */
    static Shown forRequest() {
        return new Shown(Instant.now(), ZoneId.systemDefault(), LocaleProvider.getLocale());
    }

    String text(Reason reason) {
        return Texts.render(reason, locale);
    }

    String time(Instant moment) {
        return TIME.format(moment.atZone(zone));
    }

    /** How long ago that was. */
    String since(Instant moment) {
        return span(Duration.between(moment, now));
    }

    static String span(Duration time) {
        return Util.getTimeSpanString(Math.max(0, time.toMillis()));
    }

    /** $, to the cent. */
    static String sum(BigDecimal dollars) {
        return dollars.setScale(2, RoundingMode.HALF_UP).toPlainString();
    }

    /** $ of one rental or hour, where parts of a cent count. */
    static String price(BigDecimal dollars) {
        return AllInPrice.show(dollars);
    }
}

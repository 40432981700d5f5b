package io.jenkins.plugins.vastai;

import io.jenkins.plugins.vastai.ssh.JavaSource;
import java.math.BigDecimal;
import java.net.InetAddress;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;

/** Finds everything about a cloud and its templates that cannot work. Asks nobody: no market, no credentials. */
final class CloudCheck {

    private static final BigDecimal LEAST_PRICE = new BigDecimal("0.001");
    private static final BigDecimal HIGHEST_PRICE = new BigDecimal("1000");
    private static final BigDecimal HIGHEST_FLOOR = new BigDecimal("1000000");

    private CloudCheck() {}

    /** In the language of the current request. */
    static List<Problem> problems(VastAiCloud cloud) {
        List<Problem> problems = new ArrayList<>();
        if (cloud.getName().isEmpty()) {
            problems.add(Problem.error("name", Messages.Cloud_nameMissing()));
        } else if (!TemplateCheck.isName(cloud.getName())) {
            problems.add(Problem.error("name", Messages.Cloud_nameBad(cloud.getName())));
        }
        if (cloud.getCredentialsId().isEmpty()) {
            problems.add(Problem.error("credentialsId", Messages.Cloud_noCredential()));
        }
        badApiUrl(cloud.getApiUrl()).ifPresent(why -> problems.add(Problem.error("apiUrl", why)));
        if (!cloud.getJavaDownloadUrl().isEmpty() && !isJavaUrl(cloud.getJavaDownloadUrl())) {
            problems.add(Problem.error("javaDownloadUrl", Messages.Cloud_javaUrlBad(cloud.getJavaDownloadUrl())));
        }
        range("instanceCap", BigDecimal.valueOf(cloud.getInstanceCap()), BigDecimal.ZERO, new BigDecimal(10_000))
                .ifPresent(problems::add);
        range("maxPricePerHour", cloud.getMaxPricePerHour(), LEAST_PRICE, HIGHEST_PRICE)
                .ifPresent(problems::add);
        range("balanceFloor", cloud.getBalanceFloor(), BigDecimal.ZERO, HIGHEST_FLOOR)
                .ifPresent(problems::add);
        for (BlocklistEntry entry : cloud.getBlocklist()) {
            blocked(entry, problems);
        }
        templates(cloud, problems);
        return List.copyOf(problems);
    }

    private static void blocked(BlocklistEntry entry, List<Problem> problems) {
        int machine = entry.getMachineId();
        int host = entry.getHostId();
        if (machine < 0 || host < 0 || (machine == 0) == (host == 0)) {
            String message = Messages.Blocklist_oneOfTwo(String.valueOf(machine), String.valueOf(host));
            problems.add(Problem.error("blocklist." + (machine < 0 || host == 0 ? "machineId" : "hostId"), message));
        }
        if (!entry.hasReadableEnd()) {
            problems.add(Problem.error("blocklist.until", Messages.Blocklist_untilBad(entry.getUntil())));
        }
    }

    private static void templates(VastAiCloud cloud, List<Problem> problems) {
        Set<String> names = new HashSet<>();
        for (VastAiTemplate template : cloud.getTemplates()) {
            // Names become parts of agents' names, and those are files: case must not tell two apart.
            if (!template.getName().isEmpty() && !names.add(template.getName().toLowerCase(Locale.ROOT))) {
                problems.add(Problem.error("templates", Messages.Cloud_templateTwice(template.getName())));
            }
            for (Problem problem : TemplateCheck.problems(template)) {
                problems.add(new Problem(
                        "templates." + problem.field(),
                        Messages.Cloud_inTemplate(template.getName(), problem.message()),
                        problem.warning()));
            }
        }
    }

    /** What keeps a cloud from being saved, as one text; empty when nothing does. */
    static Optional<String> refusal(VastAiCloud cloud) {
        return refusal(cloud.getName(), problems(cloud));
    }

    static Optional<String> refusal(String cloudName, List<Problem> problems) {
        List<String> errors = problems.stream()
                .filter(problem -> !problem.warning())
                .map(Problem::message)
                .toList();
        return errors.isEmpty()
                ? Optional.empty()
                : Optional.of(Messages.Cloud_refused(cloudName, String.join(" ", errors)));
    }

    private static Optional<Problem> range(String field, BigDecimal value, BigDecimal least, BigDecimal most) {
        if (value == null || (value.compareTo(least) >= 0 && value.compareTo(most) <= 0)) {
            return Optional.empty();
        }
        return Optional.of(Problem.error(
                field,
                Messages.Field_range(field, value.toPlainString(), least.toPlainString(), most.toPlainString())));
    }

    /**
     * Why the market cannot be asked at that address; empty when it can. The API key goes there, so nothing but https,
     * except to this machine itself.
     */
    static Optional<String> badApiUrl(String text) {
        String why = null;
        try {
            URI address = new URI(text);
            String scheme =
                    address.getScheme() == null ? "" : address.getScheme().toLowerCase(Locale.ROOT);
            if (!scheme.equals("https") && !scheme.equals("http")) {
                why = Messages.Cloud_apiUrlNotHttp();
            } else if (address.getHost() == null || address.getHost().isEmpty()) {
                why = Messages.Cloud_apiUrlNoHost();
            } else if (address.getUserInfo() != null || address.getQuery() != null || address.getFragment() != null) {
                why = Messages.Cloud_apiUrlExtra();
            } else if (scheme.equals("http") && !isThisMachine(address.getHost())) {
                why = Messages.Cloud_apiUrlPlain();
            }
        } catch (URISyntaxException e) {
            why = Messages.Cloud_apiUrlNotHttp();
        }
        return Optional.ofNullable(why)
                .map(reason -> Messages.Cloud_apiUrlBad(withoutUser(text), reason, VastAiCloud.API_URL));
    }

    /** A password in an address is not repeated. */
    private static String withoutUser(String address) {
        return address.replaceFirst("//[^/@]*@", "//…@");
    }

    /** Numbers and {@code localhost} only: asking a name server would let somebody else decide. */
    private static boolean isThisMachine(String host) {
        String bare = host.startsWith("[") ? host.substring(1, host.length() - 1) : host;
        if (bare.equalsIgnoreCase("localhost")) {
            return true;
        }
        if (!bare.matches("127(?:\\.\\d{1,3}){3}|[0-9a-fA-F:]*:[0-9a-fA-F:]*")) {
            return false;
        }
        try {
            return InetAddress.getByName(bare).isLoopbackAddress();
        } catch (UnknownHostException e) {
            return false;
        }
    }

    private static boolean isJavaUrl(String text) {
        try {
            JavaSource.TEMURIN_21.withBase(text);
            return new URI(text).getHost() != null;
        } catch (IllegalArgumentException | URISyntaxException e) {
            return false;
        }
    }
}

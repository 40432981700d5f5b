package io.jenkins.plugins.vastai.ssh;

import io.jenkins.plugins.vastai.ssh.Bootstrap.Gpu;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What nvidia-smi said.
 *
 * @param tool false when the image has no nvidia-smi: the container lacks the "utility" capability, the GPU may work
 */
record GpuCheck(boolean tool, List<Gpu> gpus, Optional<String> driver) {

    private static final Pattern GPU = Pattern.compile("([^,]{1,100}), *(\\d{1,7})(?: MiB)?");
    private static final Pattern MODEL = Pattern.compile("[A-Z]*\\d{2,}");
    private static final int MAX_GPUS = 64;

    static GpuCheck read(String text) {
        List<Gpu> gpus = new ArrayList<>();
        Optional<String> driver = Optional.empty();
        for (String line : text.split("\r?\n")) {
            Matcher matcher = GPU.matcher(line.trim());
            if (line.equals("missing")) {
                return new GpuCheck(false, List.of(), Optional.empty());
            } else if (line.startsWith("driver=")) {
                driver = Optional.of(line.substring("driver=".length())).filter(v -> v.matches("\\d[\\d.]{1,20}"));
            } else if (matcher.matches() && gpus.size() < MAX_GPUS) {
                gpus.add(new Gpu(RemoteText.clean(matcher.group(1)), Integer.parseInt(matcher.group(2))));
            }
        }
        return new GpuCheck(true, gpus, driver);
    }

    /**
     * Whether the driver's name and the market's can mean the same GPU. The two spell differently ("RTX 4080S" is
     * "GeForce RTX 4080 SUPER", "H100 SXM" is "H100 80GB HBM3"), so only the model's number and Ti are compared.
     */
    static boolean fits(String ordered, String found) {
        Matcher model = MODEL.matcher(ordered.toUpperCase(Locale.ROOT));
        if (!model.find()) {
            return true;
        }
        List<String> words = Arrays.asList(found.toUpperCase(Locale.ROOT).split("[^A-Z0-9]+"));
        boolean number = words.stream()
                .anyMatch(word -> word.startsWith(model.group())
                        && (word.length() == model.group().length()
                                || !Character.isDigit(word.charAt(model.group().length()))));
        return number && ti(ordered) == ti(found);
    }

    private static boolean ti(String name) {
        return name.toUpperCase(Locale.ROOT).matches(".*\\d ?S? ?TI\\b.*");
    }
}

package io.jenkins.plugins.vastai.api;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.math.BigDecimal;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;

/**
 * What to run on a rented machine: the body of {@code PUT /asks/{id}/}, docs/market.md, Create. Always asks for a machine
 * that runs now or not at all ({@code target_state} running, {@code cancel_unavail} true); otherwise the market would
 * leave a stopped one behind that costs. Texts that are not wanted are null.
 *
 * @param image with tag; null only with {@code templateHashId}
 * @param diskGb fixed for the instance's life
 * @param label at most 256 characters
 * @param runtype {@code ssh_direct}, {@code ssh_proxy}, {@code ssh}, {@code args}; null leaves it to the template
 * @param vm a virtual machine instead of a container
 * @param env environment, and ports as {@code "-p 22:22" → "1"}; the market shows it to the host: no secrets of worth
 * @param onstart start script
 * @param imageLogin {@code -u USER -p PASSWORD REGISTRY}
 * @param pricePerHour bid in $ per hour for the whole machine, which makes it interruptible; null rents on demand
 * @param user user inside the container
 * @param templateHashId template of the market to start from
 */
public record CreateRequest(
        @JsonProperty("image") String image,
        @JsonProperty("disk") double diskGb,
        @JsonProperty("label") String label,
        @JsonProperty("runtype") String runtype,
        @JsonProperty("vm") Boolean vm,
        @JsonProperty("env") Map<String, String> env,
        @JsonProperty("onstart") String onstart,
        @JsonProperty("image_login") String imageLogin,
        @JsonProperty("price") BigDecimal pricePerHour,
        @JsonProperty("user") String user,
        @JsonProperty("template_hash_id") String templateHashId) {

    public CreateRequest {
        env = Collections.unmodifiableMap(new LinkedHashMap<>(env));
        if (label == null || label.isBlank()) {
            throw new IllegalArgumentException("label"); // an instance without label could never be found again
        }
        if (image == null && templateHashId == null) {
            throw new IllegalArgumentException("image");
        }
        vm = Boolean.TRUE.equals(vm) ? vm : null; // absent is what every container client sends
    }

    @JsonProperty("client_id")
    String clientId() {
        return "me";
    }

    @JsonProperty("target_state")
    String targetState() {
        return "running";
    }

    @JsonProperty("cancel_unavail")
    boolean cancelUnavailable() {
        return true;
    }

    public static Builder builder() {
        return new Builder();
    }

    /** Texts of this request that must not come back in a message. */
    Set<String> secrets() {
        Set<String> secrets = new LinkedHashSet<>();
        if (imageLogin != null) {
            secrets.add(imageLogin);
            String[] words = imageLogin.strip().split("\\s+");
            for (int i = 1; i < words.length; i++) {
                if (words[i - 1].equals("-p") || words[i - 1].equals("--password")) {
                    secrets.add(words[i]);
                }
            }
        }
        env.values().stream().filter(value -> value.length() >= 8).forEach(secrets::add);
        if (onstart != null && !onstart.isBlank()) {
            secrets.add(onstart);
        }
        return secrets;
    }

    /** Names only: values of the environment, the start script and the registry login stay out of logs. */
    @Override
    public String toString() {
        return "CreateRequest[image=" + image + ", diskGb=" + diskGb + ", label=" + label + ", runtype=" + runtype
                + ", vm=" + (vm != null) + ", env=" + env.keySet() + ", pricePerHour=" + pricePerHour + ", user="
                + user + ", templateHashId=" + templateHashId + "]";
    }

    /** Collects a request; image (or template), disk and label are needed. */
    public static final class Builder {
        private String image;
        private double diskGb = 10;
        private String label;
        private String runtype;
        private boolean vm;
        private final Map<String, String> env = new LinkedHashMap<>();
        private String onstart;
        private String imageLogin;
        private BigDecimal pricePerHour;
        private String user;
        private String templateHashId;

        private Builder() {}

        public Builder image(String text) {
            this.image = text;
            return this;
        }

        public Builder diskGb(double gb) {
            this.diskGb = gb;
            return this;
        }

        public Builder label(String text) {
            this.label = text;
            return this;
        }

        public Builder runtype(String text) {
            this.runtype = text;
            return this;
        }

        public Builder vm(boolean wanted) {
            this.vm = wanted;
            return this;
        }

        /** Adds one variable. */
        public Builder env(String name, String value) {
            this.env.put(name, value);
            return this;
        }

        /** Adds variables. */
        public Builder env(Map<String, String> variables) {
            this.env.putAll(variables);
            return this;
        }

        /** Makes a container port reachable from outside; the market chooses the outer port. */
        public Builder port(int containerPort) {
            return env("-p " + containerPort + ":" + containerPort, "1");
        }

        public Builder onstart(String script) {
            this.onstart = script;
            return this;
        }

        public Builder imageLogin(String login) {
            this.imageLogin = login;
            return this;
        }

        public Builder pricePerHour(BigDecimal bid) {
            this.pricePerHour = bid;
            return this;
        }

        public Builder user(String name) {
            this.user = name;
            return this;
        }

        public Builder templateHashId(String hash) {
            this.templateHashId = hash;
            return this;
        }

        /** @throws IllegalArgumentException if label, or both image and template, are missing */
        public CreateRequest build() {
            return new CreateRequest(
                    image, diskGb, label, runtype, vm, env, onstart, imageLogin, pricePerHour, user, templateHashId);
        }
    }
}

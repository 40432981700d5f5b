package io.jenkins.plugins.vastai.api;

import com.fasterxml.jackson.annotation.JsonAlias;
import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.databind.annotation.JsonDeserialize;
import java.math.BigDecimal;
import java.time.Instant;
import java.util.Optional;

/**
 * What the market reports of one contract. Fields it leaves out are null (objects) or 0. Holds none of the secrets of
 * the answer (tokens, environment, start script), so it may be logged. Source: docs/market.md, Instances.
 *
 * @param id contract number, {@code new_contract} of the create answer
 * @param label what was given at create; null when none
 * @param actualStatus container level, null while the host has not reported yet; see {@link #status()}
 * @param intendedStatus what was asked: {@code running}, {@code stopped}, {@code frozen}
 * @param currentState of the contract: {@code running}, {@code stopped}, {@code unloaded}
 * @param nextState of the contract
 * @param statusMessage free text of the host: hostile input, may be null
 * @param sshHost proxy host; null until assigned
 * @param sshPort proxy port; for jupyter runtypes the usable one is the next
 * @param publicIp trimmed; null until known
 * @param directSshPort host port that container port 22 is mapped to; null until mapped
 * @param imageRuntype as stored by the market
 * @param image name with tag as resolved by the market
 * @param startSeconds epoch seconds of the contract's start; null on very new instances
 * @param durationSeconds seconds that the host's contract still lasts
 * @param gpuPricePerHour $ per hour, GPUs alone
 * @param pricePerHour $ per hour with storage
 * @param gpuTotalRamMb memory of all GPUs of the instance, MB
 */
@JsonIgnoreProperties(ignoreUnknown = true)
public record Instance(
        @JsonProperty("id") long id,
        @JsonProperty("label") String label,
        @JsonProperty("machine_id") long machineId,
        @JsonProperty("host_id") long hostId,
        @JsonProperty("actual_status") String actualStatus,
        @JsonProperty("intended_status") String intendedStatus,
        @JsonProperty("cur_state") String currentState,
        @JsonProperty("next_state") String nextState,
        @JsonProperty("status_msg") String statusMessage,
        @JsonProperty("ssh_host") String sshHost,
        @JsonProperty("ssh_port") Integer sshPort,
        @JsonProperty("public_ipaddr") String publicIp,

        @JsonProperty("ports") @JsonDeserialize(using = Json.SshPort.class)
        Integer directSshPort,

        @JsonProperty("image_runtype") String imageRuntype,
        @JsonProperty("image_uuid") String image,
        @JsonProperty("start_date") Double startSeconds,
        @JsonProperty("duration") Double durationSeconds,
        @JsonProperty("gpu_name") String gpuName,
        @JsonProperty("num_gpus") int numGpus,

        @JsonProperty("gpu_totalram") @JsonAlias("gpu_total_ram")
        double gpuTotalRamMb,

        @JsonProperty("geolocation") String geolocation,
        @JsonProperty("disk_space") double diskSpaceGb,
        @JsonProperty("dph_base") BigDecimal gpuPricePerHour,
        @JsonProperty("dph_total") BigDecimal pricePerHour,
        @JsonProperty("storage_total_cost") BigDecimal storagePricePerHour,
        @JsonProperty("inet_down_cost") BigDecimal inetDownCostPerGb,
        @JsonProperty("inet_up_cost") BigDecimal inetUpCostPerGb,
        @JsonProperty("driver_version") String driverVersion,
        @JsonProperty("is_bid") Boolean bid) {

    /** {@link #actualStatus} as a closed case; unknown words are {@link Status#OTHER}. */
    public Status status() {
        return Status.of(actualStatus);
    }

    /** Direct address of the instance's sshd: public address and mapped port; empty until both are known. */
    public Optional<Endpoint> direct() {
        return publicIp == null || publicIp.isBlank() || directSshPort == null || directSshPort <= 0
                ? Optional.empty()
                : Optional.of(new Endpoint(publicIp.trim(), directSshPort));
    }

    /** Address through the market's proxy; empty until assigned. */
    public Optional<Endpoint> proxy() {
        if (sshHost == null || sshHost.isBlank() || sshPort == null || sshPort <= 0) {
            return Optional.empty();
        }
        boolean jupyter = imageRuntype != null && imageRuntype.contains("jupyter");
        return Optional.of(new Endpoint(sshHost.trim(), jupyter ? sshPort + 1 : sshPort));
    }

    public Optional<String> country() {
        return Offer.country(geolocation);
    }

    public Optional<Instant> started() {
        return startSeconds == null
                ? Optional.empty()
                : Optional.of(Instant.ofEpochMilli((long) (startSeconds * 1000)));
    }

    /** Dead on arrival or outbid: nobody but a person would start it again. */
    public boolean stopped() {
        return "stopped".equals(intendedStatus)
                || ("stopped".equals(currentState) && "stopped".equals(nextState) && status() != Status.RUNNING);
    }

    /** An address that ssh can be asked for. */
    public record Endpoint(String host, int port) {
        @Override
        public String toString() {
            return host.contains(":") ? "[" + host + "]:" + port : host + ":" + port;
        }
    }

    /** Values of {@code actual_status}; docs/market.md, Instances. */
    public enum Status {
        /** Not reported yet: null, empty, scheduling, creating, connecting. */
        PROVISIONING,
        CREATED,
        LOADING,
        RUNNING,
        /** rebooting, restarting, recycling */
        RESTARTING,
        EXITED,
        STOPPED,
        FROZEN,
        OFFLINE,
        UNKNOWN,
        /** A word of a newer market. Wait for it, with the usual deadline. */
        OTHER;

        static Status of(String text) {
            if (text == null || text.isBlank()) {
                return PROVISIONING;
            }
            return switch (text) {
                case "scheduling", "creating", "connecting" -> PROVISIONING;
                case "created" -> CREATED;
                case "loading" -> LOADING;
                case "running" -> RUNNING;
                case "rebooting", "restarting", "recycling" -> RESTARTING;
                case "exited" -> EXITED;
                case "stopped" -> STOPPED;
                case "frozen" -> FROZEN;
                case "offline" -> OFFLINE;
                case "unknown" -> UNKNOWN;
                default -> OTHER;
            };
        }
    }
}

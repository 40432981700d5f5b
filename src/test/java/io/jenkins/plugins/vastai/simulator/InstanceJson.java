package io.jenkins.plugins.vastai.simulator;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.math.BigDecimal;
import java.time.Duration;
import java.time.Instant;
import java.util.List;

/** An instance as the API shows it. With the world's lock held. */
final class InstanceJson {
    private static final List<String> FROM_OFFER = List.of(
            "machine_id",
            "host_id",
            "bundle_id",
            "cpu_arch",
            "cpu_cores",
            "cpu_cores_effective",
            "cpu_name",
            "cpu_ram",
            "gpu_name",
            "gpu_arch",
            "num_gpus",
            "gpu_ram",
            "gpu_frac",
            "gpu_lanes",
            "gpu_mem_bw",
            "bw_nvlink",
            "compute_cap",
            "cuda_max_good",
            "driver_version",
            "disk_name",
            "disk_bw",
            "has_avx",
            "static_ip",
            "verification",
            "hosting_type",
            "min_bid",
            "storage_cost",
            "inet_up",
            "inet_down",
            "inet_up_cost",
            "inet_down_cost",
            "reliability2",
            "score",
            "dlperf",
            "total_flops",
            "os_version",
            "mobo_name",
            "pci_gen",
            "pcie_bw",
            "vram_costperhour",
            "credit_discount_max",
            "webpage",
            "logo",
            "direct_port_count",
            "end_date");

    private static final List<String> PULL = List.of(
            "c60621a45423: Pulling fs layer",
            "3f4ca61aafcd: Downloading",
            "1b8aa9ed4bd3: Verifying Checksum",
            "3f4ca61aafcd: Download complete",
            "c60621a45423: Pull complete");

    private InstanceJson() {}

    static ObjectNode of(Contract c, Instant now, Duration loading) {
        boolean up = "running".equals(c.actual) || "rebooting".equals(c.actual);
        ObjectNode made = Json.object();
        made.put("id", c.id).put("label", c.label);
        for (String name : FROM_OFFER) {
            made.set(name, c.offerRow.get(name));
        }
        made.putNull("template_id").putNull("template_hash_id").putNull("template_name");
        made.put("actual_status", c.status()).put("intended_status", c.intended);
        made.put("cur_state", c.current).put("next_state", c.next).put("status_msg", message(c, now, loading));
        made.put("image_uuid", c.order.resolvedImage()).put("image_runtype", c.order.runtype());
        ArrayNode args = made.putArray("image_args");
        c.order.args().forEach(args::add);
        ArrayNode env = made.putArray("extra_env");
        c.order.env().forEach((name, value) -> env.addArray().add(name).add(value));
        made.put("onstart", c.order.onstart()).put("jupyter_token", c.jupyterToken);
        network(c, made, up);
        made.put("start_date", c.created.toEpochMilli() / 1000.0);
        made.put("duration", Duration.between(now, c.host.contractEnd).toMillis() / 1000.0);
        if (c.runningSince == null || !up) {
            made.putNull("uptime_mins");
        } else {
            made.put("uptime_mins", Duration.between(c.runningSince, now).toSeconds() / 60.0);
        }
        usage(c, made, up && !c.offline);
        made.put("geolocation", c.offerRow.path("geolocation").asText("")).putNull("country_code");
        made.put("rentable", true).put("external", false).put("is_bid", c.bid);
        money(c, made);
        made.put("client_run_time", 1.1).put("host_run_time", 2_592_000.0);
        made.put("time_remaining", "").put("time_remaining_isbid", "").putArray("volume_info");
        return made;
    }

    private static void network(Contract c, ObjectNode made, boolean up) {
        made.put("ssh_host", "127.0.0.1").put("ssh_idx", "5");
        // For jupyter types the reported number is one below the port that answers.
        boolean jupyter = c.order.runtype().contains("jupyter");
        made.put("ssh_port", jupyter ? c.proxyPort - 1 : c.proxyPort).put("machine_dir_ssh_port", 21_000);
        made.put("public_ipaddr", "127.0.0.1" + (c.host.machineId % 3 == 0 ? "\n" : ""));
        made.put("local_ipaddrs", "10.0.0.5 172.17.0.1 \n");
        boolean mapped = up && c.portsKnown;
        made.put("direct_port_start", mapped ? c.directPort : -1).put("direct_port_end", mapped ? c.directPort : -1);
        if (!mapped) {
            made.putNull("ports");
            return;
        }
        ObjectNode ports = made.putObject("ports");
        if (c.directPort > 0) {
            port(ports, "22/tcp", c.directPort);
        }
        c.otherPorts.forEach((name, number) -> port(ports, name, number));
    }

    private static void port(ObjectNode ports, String name, int number) {
        ArrayNode addresses = ports.putArray(name);
        addresses.addObject().put("HostIp", "0.0.0.0").put("HostPort", String.valueOf(number));
        addresses.addObject().put("HostIp", "::").put("HostPort", String.valueOf(number));
    }

    private static void usage(Contract c, ObjectNode made, boolean measured) {
        made.put("gpu_totalram", (long) c.host.gpu.ramMb() * c.count);
        made.put("disk_space", c.order.diskGb().doubleValue());
        made.put("cpu_util", measured ? 0.02 : 0.0);
        if (measured) {
            made.put("mem_limit", 64.4).put("mem_usage", 0.61).put("vmem_usage", 0.0);
            made.put("gpu_util", 0.0)
                    .put("gpu_temp", 34.0)
                    .put("disk_util", 0.9)
                    .put("disk_usage", 3.2);
        } else {
            made.putNull("mem_limit").putNull("mem_usage").putNull("vmem_usage");
            made.putNull("gpu_util").putNull("gpu_temp").put("disk_util", -1).put("disk_usage", -1);
        }
    }

    private static void money(Contract c, ObjectNode made) {
        BigDecimal total = c.gpuPerHour.add(c.storagePerHour);
        made.put("dph_base", Json.money(c.gpuPerHour)).put("dph_total", Json.money(total));
        made.put("storage_total_cost", Json.money(c.storagePerHour));
        made.put("dlperf_per_dphtotal", made.path("dlperf").doubleValue() / total.doubleValue());
        made.put("flops_per_dphtotal", made.path("total_flops").doubleValue() / total.doubleValue());
        made.set("search", Listing.costs(c.gpuPerHour, c.storagePerHour));
        made.set(
                "instance",
                Listing.costs(
                        c.gpuBilled() ? c.gpuPerHour : BigDecimal.ZERO,
                        c.storageBilled() ? c.storagePerHour : BigDecimal.ZERO));
        made.putNull("credit_balance").putNull("credit_discount");
    }

    static String message(Contract c, Instant now, Duration loading) {
        if (c.message != null) {
            return c.message;
        }
        if ("loading".equals(c.actual) && c.loadingSince != null) {
            long parts = Math.max(1, loading.toMillis() / PULL.size());
            long line = Duration.between(c.loadingSince, now).toMillis() / parts;
            return PULL.get((int) Math.max(0, Math.min(line, PULL.size() - 1)));
        }
        if ("running".equals(c.actual)) {
            return "success, running " + c.order.resolvedImage().replace(':', '_') + "/ssh";
        }
        return null;
    }
}

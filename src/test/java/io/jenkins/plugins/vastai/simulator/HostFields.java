package io.jenkins.plugins.vastai.simulator;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.math.BigDecimal;
import java.time.Instant;
import java.util.Random;

/** The API fields that all offers of one machine share. */
final class HostFields {
    private static final String[] CPUS = {
        "AMD EPYC 7443 24-Core Processor", "Xeon® Gold 6330", "AMD Ryzen 9 5950X 16-Core Processor", "AMD EPYC 9554"
    };
    private static final String[] DISKS = {"Samsung SSD 990", "KINGSTON SNV2S", "nvme", "Micron 7450"};
    private static final String[][] DRIVERS = {
        {"570.124.06", "570124006", "12.8"}, {"575.57.08", "575057008", "12.9"}, {"580.65.06", "580065006", "13.0"}
    };

    private HostFields() {}

    static ObjectNode of(
            GpuModel gpu, int gpus, long machine, String place, Instant opened, Instant end, Random random) {
        boolean home = gpu.kind() == GpuModel.Kind.HOME;
        boolean arm = gpu.kind() == GpuModel.Kind.ARM;
        boolean amd = gpu.kind() == GpuModel.Kind.AMD;
        int threads = Math.max(16, gpus * (home ? 16 : 24));
        double speed = Math.round(gpu.price().doubleValue() * 2400) / 10.0 + 10;
        String[] driver = gpu.computeCap() < 700
                ? new String[] {"550.54.15", "550054015", "12.4"}
                : DRIVERS[random.nextInt(DRIVERS.length)];
        double down = home ? 300 + random.nextInt(700) : 1000 + random.nextInt(7000);
        boolean traffic = random.nextInt(4) > 0;
        double perGb = traffic ? 0.00195 : 0;
        double reliability = 0.995 + random.nextInt(45) / 10_000.0;
        ObjectNode row = Json.object();
        row.put("bundle_id", machine * 29 + 7).putNull("bundled_results");
        row.put("bw_nvlink", gpu.name().contains("SXM") ? 600.0 : 0.0);
        row.put("compute_cap", gpu.computeCap());
        row.put("cpu_arch", arm ? "arm64" : "amd64");
        row.put("cpu_cores", threads).put("cpu_threads", threads).put("cpu_ghz", 3.7);
        row.put("cpu_name", arm ? "Neoverse-V2" : CPUS[random.nextInt(CPUS.length)]);
        row.put("cpu_ram", gpus * (home ? 64_283 : 128_404));
        row.put("credit_discount_max", 0.4);
        row.put("cuda_max_good", Double.parseDouble(driver[2]));
        row.put("direct_port_count", home ? 100 * gpus : 249);
        row.put("disk_bw", 800 + random.nextInt(4000) + 0.5).put("disk_name", DISKS[random.nextInt(DISKS.length)]);
        row.put("disk_space", gpus * (home ? 200.0 + random.nextInt(400) : 500.0 + random.nextInt(1500)));
        row.put("dlperf_gpu", speed);
        row.put("driver_version", driver[0]).put("driver_vers", Integer.parseInt(driver[1]));
        row.put("end_date", (double) end.getEpochSecond());
        row.putNull("external").put("geolocation", place);
        row.put("geolocode", 100 + random.nextInt(400_000));
        row.put("gpu_arch", amd ? "amd" : "nvidia").put("gpu_display_active", false);
        row.put("gpu_lanes", 16)
                .put("gpu_mem_bw", 896.4)
                .put("gpu_name", gpu.name())
                .put("gpu_ram", gpu.ramMb());
        row.put("gpu_max_power", 450.0).put("gpu_max_temp", 90.0).put("has_avx", arm ? 0 : 1);
        row.put("host_id", 1000 + machine % 977)
                .put("hosting_type", home ? 0 : 1)
                .putNull("hostname");
        row.put("inet_down", down).put("inet_down_cost", perGb);
        row.put("inet_up", Math.round(down * 9) / 10.0).put("inet_up_cost", perGb);
        row.put("internet_down_cost_per_tb", perGb * 1000).put("internet_up_cost_per_tb", perGb * 1000);
        row.put("logo", "/static/logos/vastai_small2.png")
                .put("machine_id", machine)
                .put("mobo_name", "ROMED8-2T");
        row.put("os_version", "22.04").put("pci_gen", 4.0).put("pcie_bw", 24.8);
        // The market's addresses may carry a line end.
        row.put("public_ipaddr", "198.51.100." + machine % 250 + (machine % 3 == 0 ? "\n" : ""));
        row.put("reliability", reliability).put("reliability2", reliability);
        row.put("expected_reliability", reliability - 0.0002).put("reliability_mult", 1.02);
        row.put("rentable", true).put("rented", false);
        row.put("start_date", opened.getEpochSecond() - 86_400.0 * 30).put("static_ip", !home);
        row.put("storage_cost", new BigDecimal(home ? "0.15" : "0.10"));
        row.put("verification", "verified").put("vericode", 1).put("vram_costperhour", 1.4e-05);
        row.putNull("webpage")
                .put("vms_enabled", false)
                .put("is_vm_deverified", false)
                .put("resource_type", "gpu");
        row.putNull("cluster_id")
                .putNull("avail_vol_ask_id")
                .putNull("avail_vol_dph")
                .putNull("avail_vol_size");
        row.putNull("nw_disk_min_bw")
                .putNull("nw_disk_max_bw")
                .putNull("nw_disk_avg_bw")
                .put("rn", 1);
        row.putNull("discount_rate").put("discounted_hourly", 0);
        row.put("time_remaining", "").put("time_remaining_isbid", "");
        return row;
    }
}

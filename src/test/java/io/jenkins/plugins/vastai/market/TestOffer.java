package io.jenkins.plugins.vastai.market;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.jenkins.plugins.vastai.api.Offer;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** An offer as the market would send it, good in every respect until a test says otherwise. */
final class TestOffer {

    private static final JsonMapper JSON = new JsonMapper();
    private static long nextId = 1000;

    private final ObjectNode json = JsonNodeFactory.instance.objectNode();

    private TestOffer(String gpuName) {
        long id = ++nextId;
        with("id", id).with("machine_id", id + 100_000).with("host_id", id + 200_000);
        with("gpu_name", gpuName).with("num_gpus", 1).with("gpu_ram", 24564).with("gpu_frac", 0.25);
        with("cpu_ram", 257614)
                .with("cpu_cores", 64)
                .with("cpu_cores_effective", 16.0)
                .with("cpu_arch", "amd64");
        with("disk_space", 812.4).with("inet_down", 800.0).with("inet_up", 700.0);
        with("inet_down_cost", 0.002).with("inet_up_cost", 0.002);
        with("dph_base", 0.4).with("dph_total", 0.41).with("storage_cost", 0.15).with("min_bid", 0.2);
        with("reliability2", 0.995).with("cuda_max_good", 12.8).with("compute_cap", 890);
        with("driver_version", "570.124.06").with("direct_port_count", 249).with("geolocation", "Texas, US");
        with("hosting_type", 1).with("duration", 5_184_000.5).with("vms_enabled", true);
        with("verification", "verified").with("rentable", true).with("rented", false);
    }

    static TestOffer of(String gpuName) {
        return new TestOffer(gpuName);
    }

    static TestOffer rtx4090() {
        return of("RTX 4090");
    }

    TestOffer with(String field, Object value) {
        json.putPOJO(field, value);
        return this;
    }

    TestOffer price(double gpu) {
        return with("dph_base", gpu).with("dph_total", gpu);
    }

    TestOffer without(String field) {
        json.putNull(field);
        return this;
    }

    Offer build() {
        try {
            return JSON.readValue(json.toString(), Offer.class);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }

    /** A small market with real shapes. */
    static List<Offer> market() {
        List<Offer> offers = new ArrayList<>();
        try (InputStream csv = TestOffer.class.getResourceAsStream("offers.csv")) {
            for (String line : new String(csv.readAllBytes(), StandardCharsets.UTF_8).split("\n")) {
                if (line.startsWith("#") || line.isBlank()) {
                    continue;
                }
                String[] cells = line.split(";");
                offers.add(of(cells[0])
                        .with("num_gpus", Integer.valueOf(cells[1]))
                        .with("gpu_ram", Double.valueOf(cells[2]))
                        .price(Double.parseDouble(cells[3]))
                        .with("geolocation", cells[4])
                        .build());
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return offers;
    }
}

package io.jenkins.plugins.vastai.simulator;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.DoubleNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.math.BigDecimal;
import java.math.MathContext;
import java.math.RoundingMode;
import java.time.Duration;
import java.time.Instant;

/** One offer: some GPUs of a host under a number that is used once. */
final class Listing {
    static final BigDecimal HOURS_PER_MONTH = BigDecimal.valueOf(720);

    final long id;
    final Host host;
    final int first;
    final int count;
    BigDecimal price;
    private ObjectNode row;

    Listing(long id, Host host, int first, int count) {
        this.id = id;
        this.host = host;
        this.first = first;
        this.count = count;
        this.price = host.pricePerGpu.multiply(BigDecimal.valueOf(count));
    }

    void price(BigDecimal dollarsPerHour) {
        price = dollarsPerHour;
        row = null;
    }

    boolean free() {
        return host.taken.get(first, first + count).isEmpty();
    }

    BigDecimal minBid() {
        return price.multiply(new BigDecimal("0.55")).setScale(4, RoundingMode.HALF_UP);
    }

    /** $ per hour for so much disk. */
    BigDecimal storagePerHour(BigDecimal gb) {
        return storagePerHour(host.storagePerGbMonth, gb);
    }

    static BigDecimal storagePerHour(BigDecimal perGbMonth, BigDecimal gb) {
        return perGbMonth.multiply(gb).divide(HOURS_PER_MONTH, MathContext.DECIMAL64);
    }

    SimulatedOffer view() {
        JsonNode place = host.fields.path("geolocation");
        return new SimulatedOffer(
                id,
                host.machineId,
                host.gpu.name(),
                count,
                host.gpu.ramMb(),
                price,
                host.storagePerGbMonth,
                minBid(),
                place.isNull() ? null : place.asText(),
                "verified".equals(host.fields.path("verification").asText()),
                host.flag("vms_enabled"));
    }

    /** The fields that do not depend on the question. Not to be changed by the caller. */
    ObjectNode row() {
        if (row == null) {
            row = build();
        }
        return row;
    }

    private ObjectNode build() {
        ObjectNode made = host.fields.deepCopy();
        double share = (double) count / host.gpus;
        made.put("id", id);
        made.put("ask_contract_id", id);
        made.put("num_gpus", count);
        made.put("gpu_frac", share);
        ArrayNode ids = made.putArray("gpu_ids");
        for (int i = first; i < first + count; i++) {
            ids.add(host.machineId * 16 + i);
        }
        made.put("gpu_total_ram", (long) host.gpu.ramMb() * count);
        made.put(
                "cpu_cores_effective",
                Math.round(host.fields.path("cpu_threads").asDouble(32) * share * 10) / 10.0);
        made.put("disk_space", Math.round(host.diskGb * share * 10) / 10.0);
        made.put("direct_port_count", (int)
                Math.floor(host.fields.path("direct_port_count").asInt() * share));
        made.put("dph_base", Json.money(price));
        made.put("min_bid", minBid().doubleValue());
        double speed = host.fields.path("dlperf_gpu").asDouble(50);
        made.put("dlperf", Math.round(speed * count * 10) / 10.0);
        made.put("total_flops", Math.round(speed * count * 8) / 10.0);
        made.put("score", Math.round(speed * 3 * 10) / 10.0);
        made.remove("cpu_threads");
        made.remove("dlperf_gpu");
        return made;
    }

    /** A field of this offer under a question's disk and pricing; null when it has none. */
    JsonNode field(String name, Terms terms) {
        return switch (name) {
            case "dph_total", "dph_total_adj", "discounted_dph_total" -> DoubleNode.valueOf(terms.total(this));
            case "dph_base" -> DoubleNode.valueOf(Json.money(terms.base(this)));
            case "duration" -> DoubleNode.valueOf(duration(terms.now()));
            case "dlperf_per_dphtotal" -> DoubleNode.valueOf(row().get("dlperf").doubleValue() / terms.total(this));
            case "flops_per_dphtotal" ->
                DoubleNode.valueOf(row().get("total_flops").doubleValue() / terms.total(this));
            default -> row().get(name);
        };
    }

    double duration(Instant now) {
        return Duration.between(now, host.contractEnd).toMillis() / 1000.0;
    }

    /** The whole answer row. */
    ObjectNode answer(Terms terms) {
        ObjectNode made = row().deepCopy();
        BigDecimal base = terms.base(this);
        BigDecimal disk = storagePerHour(terms.storageGb());
        for (String name : new String[] {
            "dph_base",
            "dph_total",
            "dph_total_adj",
            "discounted_dph_total",
            "duration",
            "dlperf_per_dphtotal",
            "flops_per_dphtotal"
        }) {
            made.set(name, field(name, terms));
        }
        made.put("is_bid", terms.bid());
        made.put("storage_total_cost", Json.money(disk));
        made.set("search", costs(base, disk));
        made.set("instance", costs(BigDecimal.ZERO, disk));
        return made;
    }

    static ObjectNode costs(BigDecimal gpu, BigDecimal disk) {
        double total = Json.money(gpu.add(disk));
        return Json.object()
                .put("gpuCostPerHour", Json.money(gpu))
                .put("diskHour", Json.money(disk))
                .put("totalHour", total)
                .put("discountTotalHour", 0)
                .put("discountedTotalPerHour", total);
    }

    /** What the question decides about prices. */
    record Terms(BigDecimal storageGb, boolean bid, Instant now) {
        BigDecimal base(Listing listing) {
            return bid ? listing.minBid() : listing.price;
        }

        double total(Listing listing) {
            return Json.money(base(listing).add(listing.storagePerHour(storageGb)));
        }
    }
}

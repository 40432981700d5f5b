package io.jenkins.plugins.vastai.simulator;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Consumer;

/** All machines and what they offer. Guarded by the world's lock. */
final class SimulatedMarket implements Market {
    /** Places as the market writes them, oddities included; even machines of a model stand in the US. */
    private static final List<String> US = List.of(
            "Texas, US",
            ", US",
            "California, US",
            "Utah, US",
            "Washington, US",
            "Florida, US",
            "Oregon, US",
            "1600 Example Boulevard, Building 7, Council Bluffs, Iowa, US");

    private static final List<String> ELSEWHERE = Arrays.asList(
            "Czechia, CZ",
            "Germany, DE",
            "The Netherlands, NL",
            "Sweden, SE",
            "Taiwan, TW",
            "Quebec, CA",
            "France, FR",
            null,
            "Hong Kong, HK",
            "Spain, ES",
            "Norway, NO",
            "Poland, PL",
            "Slovenia, SI",
            "St.-Petersburg, RU",
            "Viken, NO",
            "Iceland, IS",
            "British Columbia, CA",
            ", SE",
            "Jiangsu, CN",
            "Thailand, TH",
            "Hungary, HU",
            "Romania, RO",
            "Estonia, EE",
            "Portugal, PT",
            "Belgium, BE",
            "Italy, IT",
            "United Kingdom, GB",
            "Japan, JP",
            "South Korea, KR",
            "Australia, AU",
            "India, IN",
            "Bulgaria, BG",
            "Ukraine, UA",
            "Vietnam, VN");

    private final Object lock;
    private final Instant opened;
    private final Random random;
    private final Map<Long, Host> hosts = new LinkedHashMap<>();
    private final Map<Long, Listing> listings = new TreeMap<>();
    private final Map<Long, Listing> past = new HashMap<>();
    private long nextMachine = 40_000;
    private long nextOffer = 29_500_000;

    SimulatedMarket(Object lock, long seed, int scale, Instant opened) {
        this.lock = lock;
        this.opened = opened;
        this.random = new Random(seed);
        for (int round = 0; round < scale; round++) {
            for (GpuModel model : GpuModel.all()) {
                for (int i = 0; i < model.machineSizes().size(); i++) {
                    open(model, model.machineSizes().get(i), i, round);
                }
            }
        }
    }

    private void open(GpuModel model, int gpus, int index, int round) {
        boolean american = index % 2 == 0;
        boolean good = index < 2 || american && index < 8;
        String place =
                american ? US.get((index / 2 + round) % US.size()) : ELSEWHERE.get(random.nextInt(ELSEWHERE.size()));
        // The first machines of a model cost the model's price; later ones scatter around it.
        double factor = index < 2 ? 1 : 0.92 + random.nextDouble() * 0.5;
        BigDecimal price = model.price().multiply(BigDecimal.valueOf(factor)).setScale(4, RoundingMode.HALF_UP);
        add(model, gpus, price, place, fields -> {
            if (!good) {
                boolean verified = random.nextInt(8) > 0;
                fields.put("verification", verified ? "verified" : random.nextInt(4) > 0 ? "unverified" : "deverified");
                fields.put("vericode", verified ? 1 : 0);
                double reliability = 0.9 + Math.round(random.nextDouble() * 990) / 10_000.0;
                fields.put("reliability", reliability).put("reliability2", reliability);
                fields.put("expected_reliability", reliability - 0.001);
                if (random.nextInt(25) == 0) {
                    fields.put("direct_port_count", 0);
                }
                if (random.nextInt(15) == 0) {
                    fields.putNull("cpu_cores");
                }
            }
            fields.put("vms_enabled", index % 3 == 0 && model.kind() != GpuModel.Kind.AMD);
        });
    }

    private Host add(GpuModel model, int gpus, BigDecimal pricePerGpu, String place, Consumer<ObjectNode> change) {
        long machine = nextMachine;
        nextMachine += 1 + random.nextInt(90);
        Instant end = opened.plusSeconds(86_400L * (20 + random.nextInt(300)));
        ObjectNode fields = HostFields.of(model, gpus, machine, place, opened, end, random);
        change.accept(fields);
        Instant contractEnd =
                Instant.ofEpochMilli(Math.round(fields.get("end_date").doubleValue() * 1000));
        Host host = new Host(machine, model, gpus, fields, pricePerGpu, contractEnd);
        hosts.put(machine, host);
        relist(host);
        return host;
    }

    /** Offers what is free: keeps the numbers of untouched offers, gives new ones to new blocks. */
    private void relist(Host host) {
        host.listings.removeIf(listing -> {
            boolean gone = !host.listed || !listing.free();
            if (gone) {
                listings.remove(listing.id);
                past.put(listing.id, listing);
            }
            return gone;
        });
        if (!host.listed) {
            return;
        }
        for (int size : host.sizes()) {
            if (host.listings.stream().anyMatch(l -> l.count == size)) {
                continue;
            }
            int block = host.freeBlock(size);
            if (block >= 0) {
                Listing made = new Listing(nextOffer, host, block, size);
                nextOffer += 1 + random.nextInt(900);
                host.listings.add(made);
                listings.put(made.id, made);
            }
        }
    }

    /** All offers there are now; with the lock held. */
    Collection<Listing> listings() {
        return listings.values();
    }

    Optional<Listing> listing(long id) {
        return Optional.ofNullable(listings.get(id));
    }

    /** An offer that was there once. */
    Optional<Listing> formerly(long id) {
        return Optional.ofNullable(past.get(id));
    }

    /** Occupies the offer's GPUs; overlapping offers go, what is left is offered anew. */
    void take(Listing listing) {
        occupy(listing.host, listing.first, listing.count);
    }

    void occupy(Host host, int first, int count) {
        host.taken.set(first, first + count);
        relist(host);
    }

    void release(Host host, int first, int count) {
        host.taken.clear(first, first + count);
        relist(host);
    }

    List<String> gpuNames() {
        synchronized (lock) {
            TreeSet<String> names = new TreeSet<>();
            hosts.values().forEach(host -> names.add(host.gpu.name()));
            // The live list has such entries too.
            names.add("970");
            names.add("N/A");
            return List.copyOf(names);
        }
    }

    @Override
    public List<SimulatedOffer> offers() {
        synchronized (lock) {
            return listings.values().stream().map(Listing::view).toList();
        }
    }

    @Override
    public Optional<SimulatedOffer> offer(long id) {
        synchronized (lock) {
            return listing(id).map(Listing::view);
        }
    }

    @Override
    public void remove(long offerId) {
        synchronized (lock) {
            Listing gone = listings.remove(offerId);
            if (gone != null) {
                gone.host.listings.remove(gone);
                past.put(offerId, gone);
            }
        }
    }

    @Override
    public void removeMachine(long machineId) {
        synchronized (lock) {
            Host host = hosts.get(machineId);
            if (host != null) {
                host.listed = false;
                relist(host);
            }
        }
    }

    @Override
    public void clear() {
        synchronized (lock) {
            new ArrayList<>(hosts.keySet()).forEach(this::removeMachine);
        }
    }

    @Override
    public void setPrice(long offerId, BigDecimal dollarsPerHour) {
        synchronized (lock) {
            listing(offerId).orElseThrow().price(dollarsPerHour);
        }
    }

    @Override
    public long list(
            String gpuName, int gpus, BigDecimal pricePerGpu, String geolocation, Consumer<ObjectNode> change) {
        synchronized (lock) {
            GpuModel model = GpuModel.all().stream()
                    .filter(m -> m.name().equals(gpuName))
                    .findFirst()
                    .orElseGet(() -> new GpuModel(gpuName, 24_576, pricePerGpu, 890, GpuModel.Kind.DC, List.of(1)));
            return add(model, gpus, pricePerGpu, geolocation, change).machineId;
        }
    }
}

package io.jenkins.plugins.vastai.simulator;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.logging.Level;
import java.util.logging.Logger;

/** Machines that a {@link Hosting} runs. Each has its own line of work, so that a slow one keeps no other waiting. */
final class HostedSite implements Site {
    private static final Logger LOGGER = Logger.getLogger(HostedSite.class.getName());

    private final Hosting hosting;
    private final PortNumbers ports = new PortNumbers();
    private final Map<Contract, Place> places = new HashMap<>();
    private final ExecutorService hands = Executors.newCachedThreadPool(task -> {
        Thread thread = new Thread(task, "simulator-hosting");
        thread.setDaemon(true);
        return thread;
    });

    private static final class Place {
        private final Hosting.Guest guest;
        private CompletableFuture<Void> last = CompletableFuture.completedFuture(null);

        Place(Hosting.Guest guest) {
            this.guest = guest;
        }
    }

    private interface Work {
        void on(Hosting.Guest guest) throws IOException;
    }

    HostedSite(Hosting hosting) {
        this.hosting = hosting;
    }

    private synchronized void later(Contract c, Work work) {
        Place place = places.get(c);
        place.last = place.last.thenRunAsync(
                () -> {
                    try {
                        work.on(place.guest);
                    } catch (IOException | RuntimeException e) {
                        LOGGER.log(Level.WARNING, "machine of instance " + c.id, e);
                    }
                },
                hands);
    }

    @Override
    public synchronized void assignPorts(Contract c) {
        c.proxyPort = ports.free();
        c.directPort = c.order.sshMode() && c.order.direct() ? ports.free() : 0;
        places.put(
                c,
                new Place(hosting.place(new Hosting.Instance(
                        c.id,
                        c.order.image(),
                        c.order.sshMode() ? c.order.onstart() : "",
                        LocalSite.environment(c),
                        c.directPort,
                        c.proxyPort))));
    }

    @Override
    public void boot(Contract c) {
        List<String> keys = new ArrayList<>();
        c.accountKeys.forEach(key -> keys.add(key.line()));
        c.attachedKeys.forEach(key -> keys.add(key.line()));
        later(c, guest -> guest.boot(keys));
    }

    @Override
    public void open(Contract c) {
        later(c, Hosting.Guest::open);
    }

    @Override
    public void shut(Contract c) {
        later(c, Hosting.Guest::shut);
    }

    @Override
    public void halt(Contract c) {
        later(c, Hosting.Guest::halt);
    }

    @Override
    public void wipe(Contract c) {
        later(c, Hosting.Guest::raze);
    }

    @Override
    public void raze(Contract c) {
        later(c, Hosting.Guest::raze);
    }

    @Override
    public void cut(Contract c) {
        later(c, guest -> {
            guest.shut();
            guest.open();
        });
    }

    @Override
    public void authorize(Contract c, SshKey key) {
        later(c, guest -> guest.authorize(key.line()));
    }

    @Override
    public void drain() {
        List<CompletableFuture<Void>> all;
        synchronized (this) {
            all = places.values().stream().map(place -> place.last).toList();
        }
        CompletableFuture.allOf(all.toArray(CompletableFuture[]::new)).join();
    }

    @Override
    public void close() {
        List<Contract> all;
        synchronized (this) {
            all = List.copyOf(places.keySet());
        }
        all.forEach(this::raze);
        drain();
        hands.shutdown();
    }
}

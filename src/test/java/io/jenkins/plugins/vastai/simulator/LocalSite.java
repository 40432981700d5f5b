package io.jenkins.plugins.vastai.simulator;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.PublicKey;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.apache.sshd.common.config.keys.KeyUtils;
import org.apache.sshd.common.config.keys.PublicKeyEntry;

/** Machines on this computer. One thread does all the work, in the order in which it was decided. */
final class LocalSite implements Site {
    private static final Logger LOGGER = Logger.getLogger(LocalSite.class.getName());

    private static final Set<Fault.Kind> OF_SSH = EnumSet.of(
            Fault.Kind.SSH_REFUSES,
            Fault.Kind.SSH_HANGS,
            Fault.Kind.PROXY_ONLY,
            Fault.Kind.DIRECT_ONLY,
            Fault.Kind.KEYS_REFUSED,
            Fault.Kind.KEYS_REFUSED_UNTIL_ATTACHED,
            Fault.Kind.HOST_KEY_CHANGES,
            Fault.Kind.GREETING_STDERR,
            Fault.Kind.GREETING_BANNER);

    private final Object lock;
    private final Simulator.Builder settings;
    private final Faults faults;
    private final Path base;
    private final boolean ownBase;
    private final Tools tools;
    private final OwnView view;
    private final SshFace ssh;
    private final PortNumbers ports = new PortNumbers();
    private final List<Machine> machines = new ArrayList<>();
    private final ExecutorService hands = Executors.newSingleThreadExecutor(task -> {
        Thread thread = new Thread(task, "simulator-machines");
        thread.setDaemon(true);
        return thread;
    });
    /** Whoever forgets to close, or is interrupted, leaves no processes behind. */
    private final Thread lastWill = new Thread(this::abandon);

    private volatile String api = "";

    LocalSite(Object lock, Simulator.Builder settings, Faults faults) throws IOException {
        this.lock = lock;
        this.settings = settings;
        this.faults = faults;
        this.ownBase = settings.workDirectory.isEmpty();
        Path wanted = ownBase ? temporary() : Files.createDirectories(settings.workDirectory.get());
        this.base = wanted.toRealPath();
        this.view = settings.ownView ? OwnView.find(base) : OwnView.none();
        this.tools = new Tools(base.resolve(".tools"));
        this.ssh = new SshFace();
        Runtime.getRuntime().addShutdownHook(lastWill);
    }

    private static Path temporary() throws IOException {
        // Not below a place that machines have as their own.
        Path place = Path.of("/var/tmp");
        return Files.isWritable(place)
                ? Files.createTempDirectory(place, "vastai-simulator-")
                : Files.createTempDirectory("vastai-simulator-");
    }

    @Override
    public void api(String address) {
        api = address;
    }

    private interface Work {
        void run() throws IOException, GeneralSecurityException;
    }

    private void later(Contract c, Work work) {
        hands.execute(() -> {
            try {
                work.run();
            } catch (IOException | GeneralSecurityException | RuntimeException e) {
                LOGGER.log(Level.WARNING, "machine of instance " + c.id, e);
            }
        });
    }

    @Override
    public void drain() {
        CompletableFuture.runAsync(() -> {}, hands).join();
    }

    @Override
    public void assignPorts(Contract c) {
        c.proxyPort = ports.free();
        c.directPort = c.order.sshMode() && c.order.direct() ? ports.free() : 0;
        for (String port : c.order.portMappings()) {
            if (!port.equals("22/tcp")) {
                c.otherPorts.put(port, ports.number());
            }
        }
        c.machine = new Machine(base, base.resolve(String.valueOf(c.id)), tools, view, api, image(c));
        machines.add(c.machine);
    }

    private Machine.Image image(Contract c) {
        String name = c.order.image().toLowerCase(Locale.ROOT);
        boolean javaImage = name.matches(".*(java|jdk|jre|temurin|jenkins/|maven|gradle).*");
        boolean gitImage = javaImage || c.order.vm() || name.contains("vastai/");
        boolean noJava = c.has(Fault.Kind.NO_JAVA);
        boolean noGit = c.has(Fault.Kind.NO_GIT);
        boolean amd = c.host.gpu.kind() == GpuModel.Kind.AMD;
        String noise = c.fault(Fault.Kind.NOISY_SHELL)
                .map(f -> "echo '" + f.text().orElse("Welcome to this image!") + "'\n")
                .orElse("");
        return new Machine.Image(
                environment(c),
                c.order.sshMode() ? c.order.onstart() : "",
                c.order.vm(),
                javaImage && !noJava,
                !noJava,
                gitImage && !noGit,
                !noGit,
                !amd,
                c.has(Fault.Kind.BROKEN_GPU) ? List.of() : gpus(c),
                noise,
                settings.installTime.toMillis() / 1000.0);
    }

    private static List<String> gpus(Contract c) {
        String name = c.fault(Fault.Kind.WRONG_GPU)
                .map(f -> f.text().orElse("NVIDIA GeForce GTX 1060"))
                .orElse(GpuNames.driverName(c.host.gpu.name(), c.host.gpu.ramMb()));
        int memory = c.has(Fault.Kind.WRONG_GPU) ? 6144 : c.host.gpu.ramMb();
        int capability = c.host.gpu.computeCap();
        List<String> lines = new ArrayList<>();
        for (int i = 0; i < c.count; i++) {
            lines.add(String.join(
                    "|",
                    String.valueOf(i),
                    name,
                    String.valueOf(memory),
                    c.host.fields.path("driver_version").asText(),
                    capability / 100 + "." + capability / 10 % 10,
                    String.format(Locale.ROOT, "GPU-%08x-0000-4000-8000-%012x", c.host.machineId, c.first + i)));
        }
        return lines;
    }

    /** What the container has besides what its image brings. */
    static Map<String, String> environment(Contract c) {
        Map<String, String> made = new LinkedHashMap<>();
        c.order.env().forEach((name, value) -> {
            if (!name.startsWith("-")) {
                made.put(name, value);
            }
        });
        made.put("CONTAINER_ID", String.valueOf(c.id));
        made.put("CONTAINER_API_KEY", c.instanceKey);
        made.put("VAST_CONTAINERLABEL", "C." + c.id);
        made.put("PUBLIC_IPADDR", "127.0.0.1");
        made.put(
                "SSH_PUBLIC_KEY",
                c.accountKeys.isEmpty() ? "" : c.accountKeys.get(0).line());
        made.put("GPU_COUNT", String.valueOf(c.count));
        made.put("DATA_DIRECTORY", "/workspace/");
        made.put("JUPYTER_TOKEN", c.jupyterToken);
        if (c.directPort > 0) {
            made.put("VAST_TCP_PORT_22", String.valueOf(c.directPort));
        }
        c.otherPorts.forEach((port, number) -> {
            String[] parts = port.split("/");
            made.put("VAST_" + parts[1].toUpperCase(Locale.ROOT) + "_PORT_" + parts[0], String.valueOf(number));
        });
        return made;
    }

    @Override
    public void boot(Contract c) {
        List<String> keys = new ArrayList<>();
        c.accountKeys.forEach(key -> keys.add(key.line()));
        c.attachedKeys.forEach(key -> keys.add(key.line()));
        later(c, () -> {
            c.machine.prepare(keys);
            KeyPair host = hostKey(c.machine);
            c.machine.publishHostKey(settings.hostKeyType, PublicKeyEntry.toString(host.getPublic()));
            c.machine.runStartScript();
        });
    }

    private final Map<Machine, KeyPair> hostKeys = new ConcurrentHashMap<>();

    private KeyPair hostKey(Machine machine) throws GeneralSecurityException {
        KeyPair known = hostKeys.get(machine);
        if (known == null) {
            known = newHostKey();
            hostKeys.put(machine, known);
        }
        return known;
    }

    private KeyPair newHostKey() throws GeneralSecurityException {
        int size = settings.hostKeyType.equals("ssh-rsa") ? 2048 : 256;
        return KeyUtils.generateKeyPair(settings.hostKeyType, size);
    }

    @Override
    public void open(Contract c) {
        lookAgain(c);
        if (c.offline || !c.order.sshMode() || c.has(Fault.Kind.SSH_REFUSES)) {
            return;
        }
        boolean silent = c.has(Fault.Kind.SSH_HANGS);
        boolean direct = c.directPort > 0 && !c.has(Fault.Kind.PROXY_ONLY);
        // The proxy is said not to reach virtual machines.
        boolean proxy = !c.order.vm() && !c.has(Fault.Kind.DIRECT_ONLY);
        int directPort = c.directPort;
        int proxyPort = c.proxyPort;
        int generation = c.generation;
        MachineDoor door = new MachineDoor(c);
        later(c, () -> {
            synchronized (lock) {
                if (c.generation != generation || !c.alive() || c.offline) {
                    return;
                }
            }
            if (direct) {
                open(directPort, door, silent);
            }
            if (proxy) {
                open(proxyPort, door, silent);
            }
        });
    }

    private void open(int port, MachineDoor door, boolean silent) throws IOException {
        ssh.close(port);
        if (silent) {
            ssh.openSilently(port);
        } else {
            ssh.open(port, door);
        }
    }

    /** Faults that were added for the instance since it was made. */
    private void lookAgain(Contract c) {
        for (Fault.Kind kind : OF_SSH) {
            if (!c.has(kind)) {
                faults.hitSince(c.faultsSeen, kind, Contracts.occasion(Optional.of(Endpoint.CREATE), c))
                        .ifPresent(fault -> c.faults.put(kind, fault));
            }
        }
    }

    @Override
    public void shut(Contract c) {
        later(c, () -> {
            ssh.close(c.directPort);
            ssh.close(c.proxyPort);
        });
    }

    @Override
    public void halt(Contract c) {
        shut(c);
        later(c, c.machine::halt);
    }

    @Override
    public void wipe(Contract c) {
        later(c, () -> {
            c.machine.wipe();
            hostKeys.remove(c.machine);
        });
    }

    @Override
    public void raze(Contract c) {
        shut(c);
        later(c, () -> {
            c.machine.end();
            c.machine.delete();
            hostKeys.remove(c.machine);
        });
    }

    @Override
    public void cut(Contract c) {
        later(c, () -> {
            ssh.cut(c.directPort);
            ssh.cut(c.proxyPort);
        });
    }

    @Override
    public void authorize(Contract c, SshKey key) {
        later(c, () -> c.machine.authorize(List.of(key.line())));
    }

    @Override
    public void revoke(Contract c, SshKey key) {
        later(c, () -> c.machine.revoke(key.identity()));
    }

    @Override
    public void close() throws IOException {
        try {
            hands.shutdown();
            hands.awaitTermination(20, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        ssh.close();
        endAll();
        try {
            Runtime.getRuntime().removeShutdownHook(lastWill);
        } catch (IllegalStateException e) {
            // The program is ending; the hook has nothing left to do.
        }
        for (Machine machine : machines) {
            machine.delete();
        }
        Machine.deleteTree(ownBase ? base : tools.directory());
    }

    private void abandon() {
        endAll();
        try {
            if (ownBase) {
                Machine.deleteTree(base);
            }
        } catch (IOException e) {
            // A temporary directory stays behind; the system clears those away.
        }
    }

    private void endAll() {
        synchronized (lock) {
            machines.forEach(Machine::endStarted);
        }
        Machine.endAll(base);
    }

    /** The door of a contract's machine. */
    private final class MachineDoor implements SshFace.Door {
        private final Contract contract;
        private KeyPair changed;
        private boolean entered;

        MachineDoor(Contract contract) {
            this.contract = contract;
        }

        @Override
        public Machine machine() {
            return contract.machine;
        }

        @Override
        public synchronized List<KeyPair> hostKeys() {
            try {
                if (entered && fault(Fault.Kind.HOST_KEY_CHANGES)) {
                    changed = changed == null ? newHostKey() : changed;
                    return List.of(changed);
                }
                return List.of(hostKey(contract.machine));
            } catch (GeneralSecurityException e) {
                throw new IllegalStateException(e);
            }
        }

        private boolean fault(Fault.Kind kind) {
            synchronized (lock) {
                lookAgain(contract);
                return contract.has(kind);
            }
        }

        @Override
        public boolean accepts(PublicKey key) {
            boolean waiting = fault(Fault.Kind.KEYS_REFUSED_UNTIL_ATTACHED);
            synchronized (lock) {
                if (contract.has(Fault.Kind.KEYS_REFUSED) || waiting && !contract.keyAttachedWhileRunning) {
                    return false;
                }
            }
            List<String> lines = contract.order.vm()
                    ? contract.accountKeys.stream().map(SshKey::line).toList()
                    : contract.machine.authorizedKeys();
            boolean known = lines.stream()
                    .filter(line -> !line.isBlank() && !line.startsWith("#"))
                    .flatMap(line -> SshKey.parse(line).stream())
                    .anyMatch(one -> KeyUtils.compareKeys(one, key));
            if (known) {
                synchronized (this) {
                    entered = true;
                }
            }
            return known;
        }

        @Override
        public String banner() {
            return fault(Fault.Kind.GREETING_BANNER) ? words(Fault.Kind.GREETING_BANNER) : "";
        }

        @Override
        public String greeting() {
            return fault(Fault.Kind.GREETING_STDERR) ? words(Fault.Kind.GREETING_STDERR) : "";
        }

        private String words(Fault.Kind kind) {
            synchronized (lock) {
                return contract.fault(kind)
                        .flatMap(Fault::text)
                        .orElse("Welcome to vast.ai. If authentication fails, try again after a few seconds, and double"
                                + " check your ssh key.\nHave fun!\n");
            }
        }
    }
}

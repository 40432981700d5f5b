package io.jenkins.plugins.vastai.simulator;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.logging.Level;
import java.util.logging.Logger;

/** The HTTP side: routes, keys, limits, and faults that strike calls. Held-back answers hold no thread. */
final class HttpFace implements AutoCloseable {
    private static final Logger LOGGER = Logger.getLogger(HttpFace.class.getName());
    private static final int LARGEST_BODY = 1 << 20;
    private static final int THREADS = 8;

    static {
        // Without it small answers wait for the other side's delayed acknowledgement, 40 ms each.
        System.setProperty("sun.net.httpserver.nodelay", "true");
    }

    private final World world;
    private final HttpServer server;
    private final ExecutorService workers;
    private final ScheduledExecutorService later;
    private final Limits limits = new Limits();
    private final ConcurrentLinkedQueue<Request> requests = new ConcurrentLinkedQueue<>();
    private final OfferCalls offers;
    private final InstanceCalls instances;
    private final AccountCalls account;
    private volatile Duration latency = Duration.ZERO;

    HttpFace(World world) throws IOException {
        this.world = world;
        this.server = HttpServer.create(new InetSocketAddress("127.0.0.1", world.settings.port), 200);
        this.workers = Executors.newFixedThreadPool(THREADS, task -> daemon(task, "simulator-http"));
        this.later = Executors.newSingleThreadScheduledExecutor(task -> daemon(task, "simulator-later"));
        this.offers = new OfferCalls(world);
        this.instances = new InstanceCalls(world, uri().toString());
        this.account = new AccountCalls(world);
        server.setExecutor(workers);
        server.createContext("/", this::handle);
        server.start();
    }

    private static Thread daemon(Runnable task, String name) {
        Thread thread = new Thread(task, name);
        thread.setDaemon(true);
        return thread;
    }

    URI uri() {
        return URI.create("http://127.0.0.1:" + server.getAddress().getPort());
    }

    void latency(Duration value) {
        latency = value;
    }

    List<Request> requests() {
        return List.copyOf(requests);
    }

    @Override
    public void close() {
        server.stop(0);
        workers.shutdownNow();
        later.shutdownNow();
    }

    // ---- one call

    /** How the answer leaves. */
    private record Outcome(Optional<Answer> answer, Duration delay) {
        static Outcome now(Answer answer) {
            return new Outcome(Optional.of(answer), Duration.ZERO);
        }

        static Outcome cut(Duration delay) {
            return new Outcome(Optional.empty(), delay);
        }
    }

    private void handle(HttpExchange exchange) {
        try {
            String body;
            try (InputStream in = exchange.getRequestBody()) {
                body = new String(in.readNBytes(LARGEST_BODY), StandardCharsets.UTF_8);
            }
            String header = exchange.getRequestHeaders().getFirst("Authorization");
            String token = header != null && header.startsWith("Bearer ")
                    ? header.substring(7).trim()
                    : "";
            Call call = Call.of(exchange.getRequestMethod(), exchange.getRequestURI(), body, token);
            Outcome outcome;
            try {
                outcome = outcome(call);
            } catch (RuntimeException e) {
                LOGGER.log(Level.WARNING, "call " + call.endpoint(), e);
                outcome = Outcome.now(Answer.error(500, "server_error", "Something went wrong on the server"));
            }
            requests.add(new Request(
                    world.clock.instant(),
                    call.endpoint(),
                    call.method(),
                    call.path(),
                    outcome.answer.map(Answer::status).orElse(0)));
            leave(exchange, outcome);
        } catch (IOException e) {
            exchange.close();
        }
    }

    private void leave(HttpExchange exchange, Outcome outcome) {
        Duration wait = outcome.delay.plus(latency);
        Runnable send = () -> {
            if (outcome.answer.isEmpty()) {
                exchange.close();
            } else {
                send(exchange, outcome.answer.get());
            }
        };
        if (wait.isZero()) {
            send.run();
        } else {
            later.schedule(() -> workers.execute(send), wait.toMillis(), TimeUnit.MILLISECONDS);
        }
    }

    private static void send(HttpExchange exchange, Answer answer) {
        try (exchange) {
            byte[] bytes = answer.body().getBytes(StandardCharsets.UTF_8);
            exchange.getResponseHeaders().set("Content-Type", answer.type());
            exchange.sendResponseHeaders(answer.status(), bytes.length == 0 ? -1 : bytes.length);
            if (bytes.length > 0) {
                exchange.getResponseBody().write(bytes);
            }
        } catch (IOException e) {
            LOGGER.log(Level.FINE, "client went away", e);
        }
    }

    private Outcome outcome(Call asked) {
        Faults.Occasion occasion = occasion(asked);
        Duration slow = hit(Fault.Kind.SLOW_ANSWER, occasion)
                .map(f -> f.delay().orElse(Duration.ofSeconds(1)))
                .orElse(Duration.ZERO);
        if (hit(Fault.Kind.CONNECTION_CUT, occasion).isPresent()) {
            return Outcome.cut(slow);
        }
        Optional<Fault> held = hit(Fault.Kind.TIMEOUT_BEFORE, occasion);
        if (held.isPresent()) {
            return Outcome.cut(held.get().delay().orElse(Duration.ofSeconds(60)));
        }
        Optional<Answer> early = refusal(asked, occasion);
        if (early.isPresent()) {
            return new Outcome(early, slow);
        }
        Answer answer = perform(asked, occasion);
        return after(answer, occasion, slow);
    }

    /** What comes instead of an effect: broken server, limits, wrong key. */
    private Optional<Answer> refusal(Call call, Faults.Occasion occasion) {
        Optional<Fault> broken = hit(Fault.Kind.SERVER_ERROR, occasion);
        if (broken.isPresent()) {
            return Optional.of(serverError(broken.get()));
        }
        if (hit(Fault.Kind.THROTTLED, occasion).isPresent()) {
            return Optional.of(limits.refusal(call.endpoint().spacing().toMillis() / 1000.0));
        }
        Optional<Fault> refused = hit(Fault.Kind.KEY_REFUSED, occasion);
        if (refused.isPresent()) {
            int status = refused.get().status() == 0 ? 401 : refused.get().status();
            return Optional.of(Answer.error(status, "auth_error", "Invalid user key"));
        }
        if (world.settings.limits) {
            return limits.refuse(call.endpoint(), call.token(), world.clock.instant());
        }
        return Optional.empty();
    }

    private static Answer serverError(Fault fault) {
        if (fault.status() == 0 || fault.status() == 500) {
            return Answer.error(500, "server_error", fault.text().orElse("Something went wrong on the server"));
        }
        String words = fault.status()
                + switch (fault.status()) {
                    case 502 -> " Bad Gateway";
                    case 503 -> " Service Unavailable";
                    case 504 -> " Gateway Time-out";
                    default -> " Error";
                };
        return Answer.text(
                fault.status(),
                "text/html",
                "<html><head><title>" + words + "</title></head><body>" + words + "</body></html>");
    }

    private Outcome after(Answer answer, Faults.Occasion occasion, Duration slow) {
        if (hit(Fault.Kind.LOST_ANSWER, occasion).isPresent()) {
            return Outcome.cut(slow);
        }
        Optional<Fault> held = hit(Fault.Kind.TIMEOUT_AFTER, occasion);
        if (held.isPresent()) {
            return Outcome.cut(held.get().delay().orElse(Duration.ofSeconds(60)));
        }
        Optional<Fault> broken = hit(Fault.Kind.SERVER_ERROR_AFTER, occasion);
        if (broken.isPresent()) {
            return new Outcome(Optional.of(serverError(broken.get())), slow);
        }
        Optional<Fault> garbled = hit(Fault.Kind.NOT_JSON, occasion);
        if (garbled.isPresent()) {
            String text = garbled.get().text().orElse("<html><body>Please enable cookies.</body></html>");
            return new Outcome(Optional.of(Answer.text(200, "text/html", text)), slow);
        }
        return new Outcome(Optional.of(answer), slow);
    }

    private Optional<Fault> hit(Fault.Kind kind, Faults.Occasion occasion) {
        return world.faults.hit(kind, occasion);
    }

    private Faults.Occasion occasion(Call call) {
        Optional<Endpoint> endpoint = Optional.of(call.endpoint());
        synchronized (world.lock) {
            if (call.endpoint() == Endpoint.CREATE) {
                long machine = world.market
                        .listing(call.id())
                        .map(l -> l.host.machineId)
                        .orElse(0L);
                String label =
                        call.object().map(body -> body.path("label").asText("")).orElse("");
                return new Faults.Occasion(endpoint, call.id(), machine, 0, label);
            }
            return world.contracts
                    .find(call.id())
                    .filter(c -> call.path().contains("/instances/"))
                    .map(c -> Contracts.occasion(endpoint, c))
                    .orElseGet(() -> new Faults.Occasion(endpoint, 0, 0, 0, ""));
        }
    }

    // ---- who may

    private Answer perform(Call asked, Faults.Occasion occasion) {
        synchronized (world.lock) {
            Instant now = world.settle();
            boolean open = asked.endpoint().scope().isEmpty();
            Optional<ApiKeys.ApiKey> key = world.keys.find(asked.token());
            if (asked.endpoint() == Endpoint.SEARCH
                    && key.isPresent()
                    && !key.get().may(Endpoint.SEARCH_SCOPE)) {
                return lacking(asked, Endpoint.SEARCH_SCOPE);
            }
            if (open) {
                return answer(key.map(asked::with).orElse(asked), now, occasion);
            }
            if (asked.token().isEmpty()) {
                return Answer.error(403, "auth_error", "This action requires login.");
            }
            if (key.isEmpty()) {
                // Some endpoints say 404 for a key they do not know.
                int status = asked.endpoint() == Endpoint.CHARGES ? 404 : 401;
                return Answer.error(status, "auth_error", "Invalid user key");
            }
            if (key.get().twoFactor()) {
                return Answer.error(401, "auth_error", "Two Factor Authentication required for this action.");
            }
            boolean foreign = key.get().instance() != 0
                    && asked.endpoint() != Endpoint.LIST
                    && (asked.id() != key.get().instance() || asked.endpoint() == Endpoint.CREATE);
            if (foreign || !key.get().may(asked.endpoint().scope())) {
                return lacking(asked, asked.endpoint().scope());
            }
            return answer(asked.with(key.get()), now, occasion);
        }
    }

    private static Answer lacking(Call asked, String scope) {
        int status = asked.method().equals("GET") ? 401 : 403;
        return Answer.error(status, "auth_error", "API key lacks permission " + scope + ".");
    }

    private Answer answer(Call call, Instant now, Faults.Occasion occasion) {
        return switch (call.endpoint()) {
            case SEARCH -> offers.search(call, now);
            case CREATE -> offers.create(call, now);
            case GPU_NAMES -> offers.gpuNames();
            case GPU_TYPES -> offers.gpuTypes();
            case LIST -> spoiled(instances.list(call, now), call, occasion);
            case OLD_LIST -> instances.oldList();
            case SHOW -> instances.show(call, now);
            case MANAGE -> instances.manage(call, now);
            case DESTROY -> instances.destroy(call, now);
            case REBOOT, RECYCLE -> instances.restart(call, now);
            case CHANGE_BID -> instances.changeBid(call, now);
            case REQUEST_LOGS -> instances.requestLogs(call, now);
            case LOG_FILE -> instances.logFile(call, now);
            case INSTANCE_KEYS -> instances.keys(call, now);
            case ATTACH_KEY -> instances.attachKey(call, now);
            case DETACH_KEY -> instances.detachKey(call, now);
            case ACCOUNT_KEYS -> account.sshKeys(call);
            case ADD_ACCOUNT_KEY -> account.addSshKey(call, now);
            case CHANGE_ACCOUNT_KEY -> account.changeSshKey(call, now);
            case DELETE_ACCOUNT_KEY -> account.deleteSshKey(call);
            case USER -> account.user(call, now);
            case API_KEYS -> account.apiKeys();
            case CHARGES -> account.charges(call, now);
            case UNKNOWN -> Answer.error(404, "not_found", "No such endpoint");
        };
    }

    /** Lists that lie. */
    private Answer spoiled(Answer answer, Call call, Faults.Occasion occasion) {
        if (answer.status() != 200) {
            return answer;
        }
        boolean later = !call.query().getOrDefault("after_token", "").isEmpty();
        if (later) {
            Optional<Fault> failing = hit(Fault.Kind.FAILING_PAGE_2, occasion);
            if (failing.isPresent()) {
                return serverError(failing.get());
            }
        }
        boolean empty = hit(Fault.Kind.EMPTY_LIST, occasion).isPresent();
        boolean none = !empty && hit(Fault.Kind.NULL_LIST, occasion).isPresent();
        boolean truncated =
                !empty && !none && hit(Fault.Kind.TRUNCATED_LIST, occasion).isPresent();
        if (!empty && !none && !truncated) {
            return answer;
        }
        ObjectNode body = (ObjectNode) Json.parse(answer.body()).orElseThrow();
        if (empty) {
            body.put("instances_found", 0).put("total_instances", 0).putNull("next_token");
            body.putObject("label_counts");
            body.putArray("instances");
            return Answer.ok(body);
        }
        if (none) {
            body.put("instances_found", 0)
                    .put("total_instances", 0)
                    .putNull("next_token")
                    .putNull("instances");
            body.putObject("label_counts");
            return Answer.ok(body);
        }
        ArrayNode rows = (ArrayNode) body.get("instances");
        int keep = rows.size() / 2;
        while (rows.size() > keep) {
            rows.remove(rows.size() - 1);
        }
        body.put("instances_found", keep).putNull("next_token");
        return Answer.ok(body);
    }
}

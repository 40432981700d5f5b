package io.jenkins.plugins.vastai.api;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import io.jenkins.plugins.vastai.api.VastException.Kind;
import java.math.BigDecimal;
import java.net.URI;
import java.net.URISyntaxException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;
import java.util.logging.Level;
import java.util.logging.Logger;
import okhttp3.HttpUrl;
import okhttp3.OkHttpClient;

/**
 * The Vast.ai market over HTTP; docs/market.md, Calls and pacing. Blocking and thread-safe. Every call waits for its {@link Pacing},
 * and is repeated within {@link Patience} where repeating is harmless. A create is repeated only after the market has
 * refused it as too frequent, so it can have taken effect once at most.
 *
 * <p>A thread that is interrupted gets a {@link VastException} and keeps its interrupt status.
 */
public final class VastClient {

    private static final Logger LOGGER = Logger.getLogger(VastClient.class.getName());
    private static final Map<String, Object> NOTHING = Map.of();

    /** Most instances in one answer of a list. */
    public static final int PAGE = 25;

    private final URI base;
    private final Supplier<ApiKey> key;
    private final OkHttpClient http;
    private final Pacing pacing;
    private final Transport transport;

    /** With {@link Patience#standard()}. */
    public VastClient(URI base, Supplier<ApiKey> key, OkHttpClient http, Pacing pacing) {
        this(base, key, http, pacing, Patience.standard());
    }

    /**
     * @param base {@code https://console.vast.ai}, or a simulator's address
     * @param key asked at every call, so that a changed key takes effect at once; may return null, then calls that
     *     need a key fail with {@link Kind#BAD_KEY}
     * @param http its connection pool, proxy and trust are used; time-outs, redirects and repeating are set here
     * @param pacing shared by all clients of the same key
     * @throws IllegalArgumentException if the address is not plain http or https, or carries a user or a query
     */
    public VastClient(URI base, Supplier<ApiKey> key, OkHttpClient http, Pacing pacing, Patience patience) {
        this.base = base;
        this.key = key;
        this.http = http;
        this.pacing = pacing;
        this.transport = new Transport(base, key, http, pacing, patience);
    }

    /** The same client with other limits; for a page that somebody waits for, {@link Patience#once}. */
    public VastClient with(Patience patience) {
        return new VastClient(base, key, http, pacing, patience);
    }

    /** Where the market's API is. */
    public URI address() {
        return base;
    }

    /** Tells the present key from another, as {@link ApiKey#fingerprint()}; empty if there is none. Asks nobody. */
    public Optional<String> keyFingerprint() {
        return Optional.ofNullable(key.get()).map(ApiKey::fingerprint);
    }

    /** When calls may go out. */
    public Pacing pacing() {
        return pacing;
    }

    /** The account of the key. */
    public User currentUser() throws VastException {
        JsonNode json = send(Call.CURRENT_USER, 0, null);
        require(json.path("id").isNumber(), Call.CURRENT_USER, "id");
        return read(Call.CURRENT_USER, json, User.class);
    }

    /**
     * What is on offer. The market applies filters loosely, so the caller judges each offer again. Rows without number
     * or price are left out.
     */
    public List<Offer> searchOffers(OfferQuery query) throws VastException {
        Map<String, Object> body = new LinkedHashMap<>(query.filters());
        body.put("type", query.type());
        body.put("order", query.order());
        body.put("limit", query.limit());
        body.put("allocated_storage", query.allocatedStorageGb());
        JsonNode offers = send(Call.SEARCH, 0, body).path("offers");
        require(offers.isContainerNode(), Call.SEARCH, "offers");
        List<Offer> found = new ArrayList<>();
        for (JsonNode row : offers.isArray() ? offers : List.of(offers)) {
            try {
                Offer offer = Json.read(row, Offer.class);
                if (offer != null && offer.id() > 0 && offer.pricePerHour() != null) {
                    found.add(offer);
                }
            } catch (JsonProcessingException e) {
                LOGGER.log(Level.FINE, () -> "Offer left out, unreadable: " + e.getOriginalMessage());
            }
        }
        return List.copyOf(found);
    }

    /**
     * Rents an offer. Sent once. After a failure with {@link VastException#mayHaveTakenEffect()} only the list, by
     * label, tells what happened; {@link VastException#createdInstance()} is to be destroyed.
     */
    public Created createInstance(long offerId, CreateRequest request) throws VastException {
        JsonNode json = transport
                .send(Call.CREATE, transport.url(Call.CREATE, offerId).build(), request, request.secrets())
                .json();
        long contract = Json.whole(json.path("new_contract"));
        if (contract <= 0 || !json.path("success").asBoolean(false)) {
            throw VastException.of(
                            Kind.UNREADABLE,
                            ApiText.FIELD_MISSING.of(Call.CREATE, contract <= 0 ? "new_contract" : "success"))
                    .status(200)
                    .mayHaveTakenEffect(true)
                    .createdInstance(contract)
                    .build();
        }
        return new Created(contract, instanceKey(json.path("instance_api_key")));
    }

    private static Optional<ApiKey> instanceKey(JsonNode node) {
        try {
            return node.isTextual() ? Optional.of(ApiKey.of(node.textValue())) : Optional.empty();
        } catch (IllegalArgumentException e) {
            return Optional.empty();
        }
    }

    /**
     * Every instance of the account, ours or not, in the order of their numbers. Complete or a failure: an empty list
     * means that the market has said there is none.
     */
    public List<Instance> listInstances() throws VastException {
        HttpUrl firstPage = firstPage().build();
        Pages pages =
                new Pages(transport, Call.LIST, "instances", "total_instances", row -> Json.whole(row.path("id")));
        List<Instance> instances = new ArrayList<>();
        for (JsonNode row : pages.read(firstPage)) {
            instances.add(instance(Call.LIST, row));
        }
        return List.copyOf(instances);
    }

    /**
     * What the market says of these instances, in one call. Those that the answer leaves out may exist all the same: only
     * {@link #listInstances} proves that something is gone.
     *
     * @param ids at most {@value #PAGE}
     * @return may hold instances that were not asked for, should the market not know the filter any more
     */
    public List<Instance> lookAt(Collection<Long> ids) throws VastException {
        HttpUrl url = firstPage()
                .addQueryParameter("select_filters", Json.write(Map.of("id", Map.of("in", ids))))
                .build();
        JsonNode json = transport.send(Call.LIST, url, null, Set.of()).json();
        require(json.path("success").asBoolean(false), Call.LIST, "success");
        List<Instance> instances = new ArrayList<>();
        for (JsonNode row : json.path("instances")) {
            instances.add(instance(Call.LIST, row));
        }
        return List.copyOf(instances);
    }

    private HttpUrl.Builder firstPage() {
        return transport
                .url(Call.LIST, 0)
                .addQueryParameter("limit", Integer.toString(PAGE))
                .addQueryParameter("order_by", "[{\"col\":\"id\",\"dir\":\"asc\"}]");
    }

    /**
     * One instance; empty if the market knows none of that number (yet: for some seconds after a create).
     */
    public Optional<Instance> showInstance(long id) throws VastException {
        JsonNode json;
        try {
            json = send(Call.SHOW, id, null);
        } catch (VastException e) {
            if (e.kind() == Kind.GONE) {
                return Optional.empty();
            }
            throw e;
        }
        JsonNode row = json.path("instances");
        if (row.isNull() || (row.isArray() && row.isEmpty())) {
            return Optional.empty();
        }
        Instance instance =
                instance(Call.SHOW, row.isArray() ? row.path(0) : row.isMissingNode() && json.has("id") ? json : row);
        require(instance.id() == id, Call.SHOW, "id");
        return Optional.of(instance);
    }

    /**
     * Asks the market to destroy the instance and its disk. That it is gone is seen in the list alone.
     *
     * @return false if the market knows no such instance
     */
    public boolean destroyInstance(long id) throws VastException {
        try {
            send(Call.DESTROY, id, NOTHING);
            return true;
        } catch (VastException e) {
            if (e.kind() == Kind.GONE) {
                return false;
            }
            throw e;
        }
    }

    /** @param label at most 1024 characters */
    public void labelInstance(long id, String label) throws VastException {
        send(Call.LABEL, id, Map.of("label", label));
    }

    /**
     * Does nothing if the key may change instances.
     *
     * @throws VastException with {@link Kind#MISSING_PERMISSION} if it may not
     */
    public void mayWrite() throws VastException {
        try {
            // There is no instance 0: whoever may write is told so, whoever may not is told that.
            labelInstance(0, "jenkins-permission-check");
        } catch (VastException e) {
            if (e.kind() != Kind.GONE && e.kind() != Kind.BAD_REQUEST) {
                throw e;
            }
        }
    }

    /** Restarts the container; it keeps its GPU and disk. */
    public void rebootInstance(long id) throws VastException {
        send(Call.REBOOT, id, NOTHING);
    }

    /**
     * Lets {@code publicKey} log in to a container. No use for virtual machines, whose keys are those of the account at
     * create. A key that is there already is fine.
     *
     * @param publicKey one line in OpenSSH form
     */
    public void attachSshKey(long id, String publicKey) throws VastException {
        try {
            send(Call.ATTACH_KEY, id, Map.of("ssh_key", publicKey));
        } catch (VastException e) {
            if (e.kind() != Kind.BAD_REQUEST || !saysAlready(e)) {
                throw e;
            }
        }
    }

    private static boolean saysAlready(VastException failure) {
        String said = failure.reason().args().toString().toLowerCase(Locale.ROOT);
        return said.contains("already") || said.contains("duplicate");
    }

    /** The keys that may log in to the instance, as far as the market knows. */
    public List<SshKey> instanceSshKeys(long id) throws VastException {
        JsonNode keys = send(Call.INSTANCE_KEYS, id, null).path("ssh_keys");
        return sshKeys(Call.INSTANCE_KEYS, keys);
    }

    /**
     * Asks for the newest lines of an instance's log and waits some seconds for them: the market collects a log in the
     * background. Empty if it is still not there then. The same as {@link #requestLogs} and {@link #downloadLogs} in
     * turn; who must not wait calls these.
     *
     * @param tail number of lines
     * @param daemon the log of the container engine instead of the container's own
     */
    public Optional<String> fetchLogs(long id, int tail, boolean daemon) throws VastException {
        return transport.downloadPatiently(requestLogs(id, tail, daemon));
    }

    /**
     * Asks the market to collect the newest lines of an instance's log.
     *
     * @param tail number of lines
     * @param daemon the log of the container engine instead of the container's own
     * @return where the log will be found in a while; every request has another place
     */
    public URI requestLogs(long id, int tail, boolean daemon) throws VastException {
        Map<String, Object> body = new LinkedHashMap<>();
        body.put("tail", Integer.toString(tail));
        if (daemon) {
            body.put("daemon_logs", "true");
        }
        JsonNode place = send(Call.REQUEST_LOGS, id, body).path("result_url");
        require(place.isTextual(), Call.REQUEST_LOGS, "result_url");
        try {
            return new URI(place.textValue());
        } catch (URISyntaxException e) {
            throw VastException.of(Kind.UNREADABLE, ApiText.LOG_ADDRESS.of("?"))
                    .status(200)
                    .build();
        }
    }

    /**
     * Looks once for a log that was asked for; empty while it is not there. Goes without the key, and only over HTTPS
     * or to the market's own address. What looks like a secret is hidden; all else comes from the machine as it is and
     * is hostile input. At most 2 MiB.
     *
     * @param place from {@link #requestLogs}
     */
    public Optional<String> downloadLogs(URI place) throws VastException {
        return transport.download(place);
    }

    /** The public keys of the account, which the market puts into every new instance. */
    public List<SshKey> accountSshKeys() throws VastException {
        Answer answer;
        try {
            answer = transport.send(
                    Call.ACCOUNT_KEYS, transport.url(Call.ACCOUNT_KEYS, 0).build(), null, Set.of());
        } catch (VastException e) {
            if (e.kind() == Kind.GONE) {
                return List.of(); // how the market says that there are none
            }
            throw e;
        }
        JsonNode json = answer.json();
        return sshKeys(Call.ACCOUNT_KEYS, json.isObject() ? json.path("ssh_keys") : json);
    }

    /**
     * Adds a public key to the account unless it is there. Needs the permission {@code user_write}.
     *
     * @param publicKey one line in OpenSSH form
     */
    public SshKey addAccountSshKey(String publicKey) throws VastException {
        Optional<SshKey> known = accountKey(publicKey);
        if (known.isPresent()) {
            return known.get();
        }
        try {
            JsonNode json = send(Call.ADD_ACCOUNT_KEY, 0, Map.of("ssh_key", publicKey));
            return new SshKey(Json.whole(json.path("key").path("id")), publicKey);
        } catch (VastException e) {
            if (!e.mayHaveTakenEffect()) {
                throw e;
            }
            Optional<SshKey> added = accountKey(publicKey);
            if (added.isEmpty()) {
                throw e;
            }
            return added.get();
        }
    }

    private Optional<SshKey> accountKey(String publicKey) throws VastException {
        return accountSshKeys().stream()
                .filter(known -> known.sameAs(publicKey))
                .findFirst();
    }

    /**
     * What the market charged for instances on the days from {@code from} to {@code to}. Needs the permission
     * {@code billing_read}. Complete or a failure.
     */
    public List<Charge> charges(Instant from, Instant to) throws VastException {
        Map<String, Object> filters = new LinkedHashMap<>();
        filters.put("day", Map.of("gte", from.getEpochSecond(), "lte", to.getEpochSecond()));
        filters.put("type", Map.of("in", List.of("instance")));
        HttpUrl firstPage = transport
                .url(Call.CHARGES, 0)
                .addQueryParameter("select_filters", Json.write(filters))
                .addQueryParameter("limit", "500")
                .addQueryParameter("latest_first", "true")
                .addQueryParameter("format", "table")
                .build();
        List<Charge> charges = new ArrayList<>();
        for (JsonNode row : new Pages(transport, Call.CHARGES, "results", "total", null).read(firstPage)) {
            charges.add(charge(row));
        }
        return List.copyOf(charges);
    }

    private static Charge charge(JsonNode row) throws VastException {
        BigDecimal amount = Json.number(row.path("amount"));
        require(amount != null, Call.CHARGES, "amount");
        List<Charge.Item> items = new ArrayList<>();
        for (JsonNode item : row.path("items")) {
            BigDecimal part = Json.number(item.path("amount"));
            items.add(new Charge.Item(
                    item.path("type").asText(""),
                    item.path("description").asText(""),
                    part == null ? BigDecimal.ZERO : part));
        }
        return new Charge(
                Instant.ofEpochSecond(Json.whole(row.path("start"))),
                Instant.ofEpochSecond(Json.whole(row.path("end"))),
                row.path("type").asText(""),
                row.path("source").asText(""),
                row.path("description").asText(""),
                row.path("metadata").path("label").asText(""),
                amount,
                items);
    }

    /** Names of all GPUs that the market knows, as offers spell them. Needs no key; changes rarely. */
    public List<String> gpuNames() throws VastException {
        JsonNode names = send(Call.GPU_NAMES, 0, null).path("gpu_names");
        require(names.isArray(), Call.GPU_NAMES, "gpu_names");
        List<String> all = new ArrayList<>();
        for (JsonNode name : names) {
            if (name.isTextual() && !name.textValue().isBlank()) {
                all.add(name.textValue().strip());
            }
        }
        return List.copyOf(all);
    }

    private JsonNode send(Call call, long id, Object body) throws VastException {
        JsonNode json = transport
                .send(call, transport.url(call, id).build(), body, Set.of())
                .json();
        require(json.isObject(), call, "{}");
        return json;
    }

    private static List<SshKey> sshKeys(Call call, JsonNode node) throws VastException {
        JsonNode keys = Json.unfold(node);
        require(keys.isArray() || keys.isNull(), call, "ssh_keys");
        List<SshKey> all = new ArrayList<>();
        for (JsonNode row : keys) {
            String text = row.isTextual()
                    ? row.textValue()
                    : row.path(row.hasNonNull("public_key") ? "public_key" : "key")
                            .asText("");
            if (!text.isBlank() && !row.hasNonNull("deleted_at")) {
                all.add(new SshKey(Json.whole(row.path("id")), text.strip()));
            }
        }
        return List.copyOf(all);
    }

    private static Instance instance(Call call, JsonNode row) throws VastException {
        Instance instance = read(call, row, Instance.class);
        require(instance != null && instance.id() > 0, call, "id");
        return instance;
    }

    private static <T> T read(Call call, JsonNode row, Class<T> type) throws VastException {
        require(row.isObject(), call, "{}");
        try {
            return Json.read(row, type);
        } catch (JsonProcessingException e) {
            // Without the cause: its text may quote the answer, which holds tokens.
            throw VastException.of(Kind.UNREADABLE, ApiText.FIELD_MISSING.of(call, type.getSimpleName()))
                    .status(200)
                    .build();
        }
    }

    private static void require(boolean holds, Call call, String field) throws VastException {
        if (!holds) {
            throw VastException.of(Kind.UNREADABLE, ApiText.FIELD_MISSING.of(call, field))
                    .status(200)
                    .mayHaveTakenEffect(true)
                    .build();
        }
    }
}

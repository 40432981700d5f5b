package io.jenkins.plugins.vastai.api;

import com.fasterxml.jackson.databind.JsonNode;
import dev.failsafe.ExecutionContext;
import dev.failsafe.Failsafe;
import dev.failsafe.FailsafeException;
import dev.failsafe.RetryPolicy;
import dev.failsafe.function.CheckedSupplier;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Date;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;
import java.util.logging.Level;
import java.util.logging.Logger;
import okhttp3.Authenticator;
import okhttp3.CookieJar;
import okhttp3.HttpUrl;
import okhttp3.MediaType;
import okhttp3.OkHttpClient;
import okhttp3.Request;
import okhttp3.RequestBody;
import okhttp3.Response;
import okio.Buffer;
import okio.BufferedSink;

/**
 * Sends one call at a time to the market: paces, sends, reads, tries again where that is harmless, and says what went
 * wrong. The key goes into the header and nowhere else.
 */
final class Transport {

    private static final Logger LOGGER = Logger.getLogger(Transport.class.getName());
    private static final MediaType JSON = MediaType.get("application/json");
    private static final long LARGEST_ANSWER = 16L << 20;
    private static final long LARGEST_LOG = 2L << 20;
    private static final int PROXY_LOGIN = 407;
    private static final int LOG_TRIES = 10;
    private static final Duration LOG_PAUSE = Duration.ofSeconds(1);
    private static final Duration CONNECT = Duration.ofSeconds(10);

    private final HttpUrl base;
    private final Supplier<ApiKey> key;
    private final OkHttpClient http;
    private final OkHttpClient httpForCreate;
    private final Pacing pacing;
    private final Patience patience;

    Transport(URI base, Supplier<ApiKey> key, OkHttpClient http, Pacing pacing, Patience patience) {
        HttpUrl url = HttpUrl.get(base);
        if (url == null || !url.username().isEmpty() || url.query() != null) {
            throw new IllegalArgumentException("base");
        }
        this.base = url;
        this.key = key;
        this.http = careful(http, patience.answer());
        this.httpForCreate = careful(http, patience.createAnswer());
        this.pacing = pacing;
        this.patience = patience;
    }

    /**
     * OkHttp by itself sends a request again on a stale connection, on a redirect and for some statuses: after a create
     * that would be a second machine.
     */
    private static OkHttpClient careful(OkHttpClient http, Duration answer) {
        return http.newBuilder()
                .retryOnConnectionFailure(false)
                .followRedirects(false)
                .followSslRedirects(false)
                .authenticator(Authenticator.NONE)
                .cookieJar(CookieJar.NO_COOKIES)
                .cache(null)
                .connectTimeout(answer.compareTo(CONNECT) < 0 ? answer : CONNECT)
                .readTimeout(answer)
                .writeTimeout(answer)
                .callTimeout(answer)
                .addNetworkInterceptor(chain -> {
                    // Connected: from here on the market may see the request.
                    chain.request().tag(Departure.class).departed().set(true);
                    return chain.proceed(chain.request());
                })
                .build();
    }

    /** Where the market is, for messages: scheme, host and port. */
    String address() {
        return base.scheme() + "://" + (base.host().contains(":") ? "[" + base.host() + "]" : base.host()) + ":"
                + base.port();
    }

    /** An address below the base; {@code path} may end in a slash, which is kept. */
    HttpUrl.Builder url(Call call, long id) {
        return base.newBuilder().addPathSegments(call.path().replace("{id}", Long.toString(id)));
    }

    /**
     * @param body sent as JSON; null for none
     * @param secrets texts of the request that must not come back in a message
     * @return an answer that claims success
     */
    Answer send(Call call, HttpUrl url, Object body, Set<String> secrets) throws VastException {
        RetryPolicy<Answer> policy = RetryPolicy.<Answer>builder()
                .handleIf((Throwable failure) -> failure instanceof VastException e && worthAnotherTry(call, e))
                .withMaxAttempts(patience.tries())
                .withMaxDuration(patience.total())
                .withDelayFn(context -> delay(call, context))
                .build();
        return tryAgain(call, policy, () -> once(call, url, body, secrets));
    }

    private static <T> T tryAgain(Call call, RetryPolicy<T> policy, CheckedSupplier<T> action) throws VastException {
        try {
            return Failsafe.with(policy).get(action);
        } catch (FailsafeException e) {
            if (e.getCause() instanceof VastException failure) {
                throw failure;
            }
            if (e.getCause() instanceof InterruptedException) {
                Thread.currentThread().interrupt();
                throw interrupted(call, false, e.getCause());
            }
            throw e;
        }
    }

    private boolean worthAnotherTry(Call call, VastException failure) {
        boolean patientEnough = failure.retryAfter().orElse(Duration.ZERO).compareTo(patience.longestDelay()) <= 0;
        return !Thread.currentThread().isInterrupted()
                && patientEnough
                && switch (failure.kind()) {
                    case THROTTLED -> failure.status() != 0; // 0: our own pacing has waited long enough
                    case UNAVAILABLE, UNREACHABLE -> call.repeatable();
                    default -> false;
                };
    }

    private Duration delay(Call call, ExecutionContext<Answer> context) {
        VastException failure = context.getLastException();
        return delay(call, failure, context.getAttemptCount(), patience);
    }

    /** The doubling pause with up to a quarter on top, but never less than the market asks for. */
    static Duration delay(Call call, VastException failure, int failures, Patience patience) {
        Duration doubled = patience.firstDelay().multipliedBy(1L << Math.min(failures - 1, 16));
        Duration pause = shortest(doubled, patience.longestDelay());
        Duration jitter = Duration.ofMillis(ThreadLocalRandom.current().nextLong(pause.toMillis() / 4 + 1));
        Duration floor = failure.kind() == VastException.Kind.THROTTLED
                ? shortest(call.penalty(), patience.longestDelay())
                : Duration.ZERO;
        return longest(failure.retryAfter().orElse(Duration.ZERO), longest(floor, pause.plus(jitter)));
    }

    private static Duration shortest(Duration a, Duration b) {
        return a.compareTo(b) < 0 ? a : b;
    }

    private static Duration longest(Duration a, Duration b) {
        return a.compareTo(b) > 0 ? a : b;
    }

    private Answer once(Call call, HttpUrl url, Object body, Set<String> secrets) throws VastException {
        Departure departure = new Departure(new AtomicBoolean());
        Set<String> hidden = new HashSet<>(secrets);
        Request request = request(call, url, body, departure, hidden);
        try {
            pacing.await(call);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw interrupted(call, false, e);
        }
        long began = System.nanoTime();
        Answer answer = answer(call, request, departure, hidden);
        LOGGER.log(
                Level.FINE,
                () -> call + ": " + answer + " after "
                        + Duration.ofNanos(System.nanoTime() - began).toMillis() + " ms");
        if (!Refusal.isRefusal(answer)) {
            return answer;
        }
        VastException refusal = Refusal.of(call, answer, address(), hidden);
        if (refusal.kind() == VastException.Kind.THROTTLED) {
            Duration named =
                    Optional.ofNullable(Refusal.threshold(answer.text())).orElse(Duration.ZERO);
            pacing.throttled(
                    call,
                    longest(call.penalty(), longest(named, refusal.retryAfter().orElse(Duration.ZERO))));
        }
        throw refusal;
    }

    private Request request(Call call, HttpUrl url, Object body, Departure departure, Set<String> hidden)
            throws VastException {
        Request.Builder request = new Request.Builder()
                .url(url)
                .header("Accept", "application/json")
                .header("User-Agent", "jenkins-vastai-cloud")
                .tag(Departure.class, departure)
                .method(call.method(), body == null ? null : new OneShot(Json.write(body)));
        if (call != Call.GPU_NAMES) {
            ApiKey current = key.get();
            if (current == null) {
                throw VastException.of(VastException.Kind.BAD_KEY, ApiText.NO_KEY.of())
                        .build();
            }
            hidden.add(current.reveal());
            request.header("Authorization", "Bearer " + current.reveal());
        }
        return request.build();
    }

    private Answer answer(Call call, Request request, Departure departure, Set<String> hidden) throws VastException {
        OkHttpClient client = call == Call.CREATE ? httpForCreate : http;
        try (Response response = client.newCall(request).execute()) {
            Buffer content = new Buffer();
            if (!readInto(content, response, LARGEST_ANSWER)) {
                throw VastException.of(VastException.Kind.UNREADABLE, ApiText.TOO_LARGE.of(call, LARGEST_ANSWER))
                        .status(response.code())
                        .mayHaveTakenEffect(true)
                        .build();
            }
            String text = content.readUtf8();
            JsonNode json = call == Call.SEARCH ? Json.parse(text, Offer.class) : Json.parse(text);
            return new Answer(response.code(), text, json, retryAfter(response));
        } catch (VastException e) {
            throw e;
        } catch (IOException e) {
            if (isProxyLogin(e)) {
                // The proxy's own answer: it has passed nothing on.
                throw VastException.of(
                                VastException.Kind.UNREACHABLE,
                                ApiText.REFUSED_BEFORE_MARKET.of(call, "HTTP 407", address()))
                        .status(PROXY_LOGIN)
                        .cause(e)
                        .build();
            }
            boolean departed = departure.departed().get();
            throw Thread.currentThread().isInterrupted()
                    ? interrupted(call, departed, e)
                    : unreachable(call, address(), departed, e, hidden);
        }
    }

    /** OkHttp makes an exception of HTTP 407, in other words while a tunnel is opened and without a proxy. */
    private static boolean isProxyLogin(IOException e) {
        String said = String.valueOf(e.getMessage());
        return said.contains("HTTP_PROXY_AUTH (" + PROXY_LOGIN + ")") || said.contains("authenticate with proxy");
    }

    /** As {@link #download}, looking again and again for some seconds. */
    Optional<String> downloadPatiently(URI place) throws VastException {
        Duration pause = shortest(patience.firstDelay(), LOG_PAUSE);
        if (pause.isZero()) {
            return download(place);
        }
        RetryPolicy<Optional<String>> policy = RetryPolicy.<Optional<String>>builder()
                .handleResult(Optional.empty())
                .handleIf((Throwable failure) -> false)
                .withDelay(pause)
                .withMaxAttempts(LOG_TRIES)
                .build();
        return tryAgain(Call.REQUEST_LOGS, policy, () -> download(place));
    }

    /**
     * The text behind an address that the market gave for a log; empty while there is none. Sent without the key, and
     * only over HTTPS or to the market's own address.
     */
    Optional<String> download(URI place) throws VastException {
        HttpUrl url = HttpUrl.get(place);
        boolean ownAddress = url != null && url.host().equals(base.host()) && url.port() == base.port();
        if (url == null || !(url.isHttps() || ownAddress)) {
            String host = url == null ? "?" : url.host();
            throw VastException.of(VastException.Kind.UNREADABLE, ApiText.LOG_ADDRESS.of(host))
                    .build();
        }
        Departure departure = new Departure(new AtomicBoolean());
        Request request = new Request.Builder()
                .url(url)
                .header("User-Agent", "jenkins-vastai-cloud")
                .tag(Departure.class, departure)
                .build();
        try (Response response = http.newCall(request).execute()) {
            if (!response.isSuccessful()) {
                return Optional.empty(); // not uploaded yet, whatever status the store has for that
            }
            Buffer content = new Buffer();
            readInto(content, response, LARGEST_LOG);
            ApiKey current = key.get();
            return Optional.of(
                    Redaction.hide(content.readUtf8(), current == null ? Set.of() : Set.of(current.reveal())));
        } catch (IOException e) {
            throw Thread.currentThread().isInterrupted()
                    ? interrupted(Call.REQUEST_LOGS, false, e)
                    : unreachable(Call.REQUEST_LOGS, url.host(), false, e, Set.of());
        }
    }

    /** @return false if there is more than {@code limit} bytes; the first of them are read then */
    private static boolean readInto(Buffer content, Response response, long limit) throws IOException {
        while (content.size() < limit) {
            if (response.body().source().read(content, limit - content.size()) < 0) {
                return true;
            }
        }
        return response.body().source().exhausted();
    }

    private static Duration retryAfter(Response response) {
        String header = response.header("Retry-After");
        if (header == null) {
            return null;
        }
        if (header.strip().matches("\\d{1,6}")) {
            return Duration.ofSeconds(Long.parseLong(header.strip()));
        }
        Date until = response.headers().getDate("Retry-After");
        Date now = response.headers().getDate("Date"); // the market's clock, not ours
        return until == null || now == null ? null : Duration.ofMillis(Math.max(0, until.getTime() - now.getTime()));
    }

    private static VastException interrupted(Call call, boolean departed, Throwable cause) {
        return VastException.of(VastException.Kind.UNREACHABLE, ApiText.INTERRUPTED.of(call))
                .mayHaveTakenEffect(departed)
                .cause(cause)
                .build();
    }

    private static VastException unreachable(
            Call call, String where, boolean departed, IOException cause, Set<String> hidden) {
        String what = cause.getClass().getSimpleName() + " " + (cause.getMessage() == null ? "" : cause.getMessage());
        return VastException.of(
                        VastException.Kind.UNREACHABLE,
                        ApiText.UNREACHABLE.of(call, where, Redaction.line(what, hidden)))
                .mayHaveTakenEffect(departed)
                .cause(cause)
                .build();
    }

    /** Set as soon as a connection stands and the request is about to be written to it. */
    private record Departure(AtomicBoolean departed) {}

    /** A body that OkHttp may not send a second time on its own account, as it does for a 503 with Retry-After 0. */
    private static final class OneShot extends RequestBody {
        private final byte[] content;

        OneShot(String json) {
            this.content = json.getBytes(StandardCharsets.UTF_8);
        }

        @Override
        public MediaType contentType() {
            return JSON;
        }

        @Override
        public long contentLength() {
            return content.length;
        }

        @Override
        public boolean isOneShot() {
            return true;
        }

        @Override
        public void writeTo(BufferedSink sink) throws IOException {
            sink.write(content);
        }
    }
}

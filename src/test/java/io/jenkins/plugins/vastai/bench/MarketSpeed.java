package io.jenkins.plugins.vastai.bench;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.jenkins.plugins.vastai.api.ApiKey;
import io.jenkins.plugins.vastai.api.Offer;
import io.jenkins.plugins.vastai.api.OfferQuery;
import io.jenkins.plugins.vastai.api.Pacing;
import io.jenkins.plugins.vastai.api.VastClient;
import io.jenkins.plugins.vastai.api.VastException;
import io.jenkins.plugins.vastai.market.Blocklist;
import io.jenkins.plugins.vastai.market.GpuCatalogue;
import io.jenkins.plugins.vastai.market.Ranking;
import io.jenkins.plugins.vastai.market.Requirements;
import io.jenkins.plugins.vastai.rental.RunnerSpec;
import io.jenkins.plugins.vastai.simulator.Simulator;
import java.net.URI;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import okhttp3.Interceptor;
import okhttp3.MediaType;
import okhttp3.OkHttpClient;
import okhttp3.Protocol;
import okhttp3.Response;
import okhttp3.ResponseBody;
import okio.Buffer;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

/** Reading and ranking of offers, on an answer of the simulated market; no network while it is measured. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.SampleTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
public class MarketSpeed {

    static final int OFFERS = 10_000;
    private static final Duration LIFETIME = Duration.ofHours(8);
    private static final RunnerSpec SPEC = RunnerSpec.of("1xRTX_4090", "nvidia/cuda:12.0.0-base-ubuntu22.04", false);

    private Requirements wanted;
    private OfferQuery query;
    private VastClient client;
    private List<Offer> offers;
    private Instant now;

    /** Asks the simulator once; from then on the same answer comes from memory. */
    @Setup
    public void setUp() throws Exception {
        now = Instant.now();
        wanted = SPEC.requirements(GpuCatalogue.builtIn(), LIFETIME);
        query = wanted.toBroadQuery(wanted.wishes().get(0));
        byte[][] answer = new byte[1][];
        try (Simulator simulator =
                Simulator.builder().ssh(false).limits(false).scale(20).start()) {
            Interceptor recording = chain -> {
                Response response = chain.proceed(chain.request());
                answer[0] = response.body().bytes();
                return response.newBuilder()
                        .body(ResponseBody.create(answer[0], MediaType.get("application/json")))
                        .build();
            };
            String key = simulator.apiKey();
            new VastClient(
                            simulator.uri(),
                            () -> ApiKey.of(key),
                            new OkHttpClient.Builder().addInterceptor(recording).build(),
                            Pacing.none())
                    .searchOffers(query);
        }
        client = new VastClient(
                URI.create("http://127.0.0.1:9"),
                () -> ApiKey.of("none"),
                new OkHttpClient.Builder()
                        .addInterceptor(chain -> new Response.Builder()
                                .request(chain.request())
                                .protocol(Protocol.HTTP_1_1)
                                .code(200)
                                .message("OK")
                                .body(ResponseBody.create(
                                        new Buffer().write(answer[0]),
                                        MediaType.get("application/json"),
                                        answer[0].length))
                                .build())
                        .build(),
                Pacing.none());
        offers = many(answer[0]);
    }

    /** The answer's offers over and over, with numbers, prices and reliability of their own. */
    private static List<Offer> many(byte[] answer) throws Exception {
        JsonMapper json = new JsonMapper();
        JsonNode rows = json.readTree(answer).path("offers");
        if (rows.size() != 64) {
            throw new IllegalStateException("an answer of " + rows.size() + " offers");
        }
        Random random = new Random(1);
        List<Offer> made = new ArrayList<>();
        for (int i = 0; i < OFFERS; i++) {
            ObjectNode row = rows.get(i % rows.size()).deepCopy();
            row.put("id", 1_000_000L + i).put("machine_id", 2_000_000L + i * 2L / 3);
            row.put("dph_base", 0.2 + random.nextDouble()).put("dph_total", 0.21 + random.nextDouble());
            row.put("reliability2", 0.97 + 0.03 * random.nextDouble());
            made.add(json.treeToValue(row, Offer.class));
        }
        return made;
    }

    /** An answer of 64 offers, from bytes to checked values. */
    @Benchmark
    public List<Offer> readAnswer() throws VastException {
        return client.searchOffers(query);
    }

    /** Ten thousand offers judged, priced and put in order. */
    @Benchmark
    public Ranking rank() {
        return Ranking.rank(offers, wanted, wanted.wishes().get(0), Blocklist.EMPTY, Set.of(1L), now);
    }
}

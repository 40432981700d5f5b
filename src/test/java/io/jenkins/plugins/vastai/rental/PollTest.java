package io.jenkins.plugins.vastai.rental;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jenkins.plugins.vastai.api.ApiKey;
import io.jenkins.plugins.vastai.api.Pacing;
import io.jenkins.plugins.vastai.api.Patience;
import io.jenkins.plugins.vastai.api.VastClient;
import io.jenkins.plugins.vastai.simulator.DrivenClock;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Queue;
import java.util.Random;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import okhttp3.Interceptor;
import okhttp3.MediaType;
import okhttp3.OkHttpClient;
import okhttp3.Protocol;
import okhttp3.Response;
import okhttp3.ResponseBody;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** How a long list is asked for. */
class PollTest {

    private static final int INSTANCES = 30;

    private final DrivenClock clock = new DrivenClock();
    private final Queue<Runnable> inbox = new ArrayDeque<>();
    private boolean ignoresFilters;
    private int looks;

    @Test
    void aFilterThatWasIgnoredOnceIsTriedAgainLater(@TempDir Path home) throws IOException {
        OkHttpClient http =
                new OkHttpClient.Builder().addInterceptor(this::answer).build();
        VastClient client = new VastClient(
                URI.create("http://127.0.0.1:9"),
                () -> ApiKey.of("key"),
                http,
                Pacing.none(),
                Patience.once(Duration.ofSeconds(5)));
        Lanes lanes = new Lanes(Runnable::run, inbox::add, clock, new Supervisor(clock));
        Standing standing = new Standing(client, lanes, Homes.open(home, home, "here", clock, new Random(1)));
        Poll poll = new Poll(client, lanes, Timing.published(), standing);
        passes(poll, Duration.ofMinutes(1));
        assertEquals(INSTANCES, poll.observed().byId().size());
        assertTrue(looks > 5, "looks at two of thirty: " + looks);

        ignoresFilters = true;
        int before = looks;
        passes(poll, Duration.ofMinutes(5));
        assertEquals(before + 1, looks, "of no use while the filter is ignored");

        ignoresFilters = false;
        passes(poll, Duration.ofMinutes(10));
        assertTrue(looks > before + 10, "looks again: " + (looks - before));
    }

    private void passes(Poll poll, Duration time) {
        for (long i = 0; i < time.toSeconds(); i++) {
            poll.pass(clock.instant(), true, false, List.of(1L, 2L), false);
            for (Runnable next = inbox.poll(); next != null; next = inbox.poll()) {
                next.run();
            }
            clock.advance(Duration.ofSeconds(1));
        }
    }

    private Response answer(Interceptor.Chain chain) {
        boolean look = chain.request().url().queryParameter("select_filters") != null;
        looks += look ? 1 : 0;
        int count = look && !ignoresFilters ? 2 : INSTANCES;
        String rows = IntStream.rangeClosed(1, count)
                .mapToObj(id -> "{\"id\": " + id + ", \"machine_id\": " + id
                        + ", \"actual_status\": \"loading\", \"intended_status\": \"running\"}")
                .collect(Collectors.joining(","));
        String body = "{\"success\": true, \"total_instances\": " + count + ", \"instances_found\": " + count
                + ", \"next_token\": null, \"instances\": [" + rows + "]}";
        return new Response.Builder()
                .request(chain.request())
                .protocol(Protocol.HTTP_1_1)
                .code(200)
                .message("OK")
                .body(ResponseBody.create(body, MediaType.get("application/json")))
                .build();
    }
}

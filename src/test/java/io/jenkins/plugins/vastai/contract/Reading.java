package io.jenkins.plugins.vastai.contract;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.jenkins.plugins.vastai.api.ApiKey;
import io.jenkins.plugins.vastai.api.Call;
import io.jenkins.plugins.vastai.api.Pacing;
import io.jenkins.plugins.vastai.api.Patience;
import io.jenkins.plugins.vastai.api.VastClient;
import io.jenkins.plugins.vastai.api.VastException;
import io.jenkins.plugins.vastai.api.VastException.Kind;
import java.net.URI;
import java.time.Duration;
import java.util.EnumSet;
import java.util.Map;
import java.util.Set;
import okhttp3.Interceptor;
import okhttp3.MediaType;
import okhttp3.OkHttpClient;
import okhttp3.Protocol;
import okhttp3.Request;
import okhttp3.Response;
import okhttp3.ResponseBody;

/** Gives the client the answers that the description itself shows: it has to understand each, and refuse the bad ones. */
final class Reading {

    private static final Set<Kind> NOT_UNDERSTOOD = EnumSet.of(Kind.UNREADABLE, Kind.UNREACHABLE);

    private final Description description;
    private final Verdict verdict;
    private int read;

    Reading(Description description, Verdict verdict) {
        this.description = description;
        this.verdict = verdict;
    }

    /** @return number of answers read */
    int readAll() {
        for (Call call : Call.values()) {
            String path = "/" + call.path().replaceAll("/$", "");
            for (Description.Operation operation : description.operations()) {
                if (operation.path().equals(path) && operation.method().equals(call.method())) {
                    read(call, operation);
                }
            }
        }
        return read;
    }

    private void read(Call call, Description.Operation operation) {
        for (int status : operation.statuses()) {
            for (JsonNode example : description.examples(operation, status)) {
                verdict.scenario("the described answer " + status + ", " + call);
                read++;
                read(call, status, plausible(example));
            }
        }
    }

    private void read(Call call, int status, JsonNode example) {
        try {
            Object result = calls(status, example).get(call).run();
            if (status >= 300 && !Boolean.FALSE.equals(result)) {
                verdict.failure("is taken for success");
            }
        } catch (VastException e) {
            if (status < 300 || NOT_UNDERSTOOD.contains(e.kind())) {
                verdict.failure("is not understood, " + e.kind() + ": " + e.getMessage());
            }
        }
    }

    /** The description's numbers of rows belong to longer lists than the one row it shows. */
    private static JsonNode plausible(JsonNode example) {
        if (example instanceof ObjectNode object && object.has("next_token")) {
            ObjectNode whole = object.deepCopy();
            whole.putNull("next_token");
            whole.put(whole.has("instances") ? "total_instances" : "total", 1);
            return whole;
        }
        if (example instanceof ObjectNode object && object.has("result_url")) {
            return object.deepCopy().put("result_url", "https://logs.example.org/1.log");
        }
        return example;
    }

    /** Before it adds an SSH key the client asks for the list, which has another form. */
    private static String body(Request request, int status, JsonNode example) {
        boolean list =
                request.method().equals("GET") && request.url().encodedPath().equals("/api/v0/ssh/");
        return list && status == 200 && !example.isArray() ? "[]" : example.toString();
    }

    private static Map<Call, Conversation.Talk> calls(int status, JsonNode example) {
        Interceptor canned = chain -> new Response.Builder()
                .request(chain.request())
                .protocol(Protocol.HTTP_1_1)
                .code(status)
                .message("canned")
                .body(ResponseBody.create(body(chain.request(), status, example), MediaType.get("application/json")))
                .build();
        VastClient client = new VastClient(
                URI.create("http://127.0.0.1:9"),
                () -> ApiKey.of("k"),
                new OkHttpClient.Builder().addInterceptor(canned).build(),
                Pacing.none(),
                Patience.once(Duration.ofSeconds(20)));
        long shown = example.path("instances").path("id").asLong(1);
        return Conversation.calls(client, shown);
    }
}

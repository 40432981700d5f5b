package io.jenkins.plugins.vastai.contract;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;
import okhttp3.HttpUrl;
import okhttp3.Interceptor;
import okhttp3.Request;
import okhttp3.Response;
import okhttp3.ResponseBody;
import okio.Buffer;

/** Hands every exchange that got an answer to its judge, unchanged. */
record Recorder(Consumer<Exchange> judge) implements Interceptor {

    @Override
    public Response intercept(Chain chain) throws IOException {
        Request request = chain.request();
        Buffer sent = new Buffer();
        if (request.body() != null) {
            request.body().writeTo(sent);
        }
        Response response = chain.proceed(request);
        byte[] received = response.body().bytes();
        judge.accept(new Exchange(
                request.method(),
                request.url().encodedPath(),
                query(request.url()),
                request.body() == null ? headers(request.headers().toMultimap()) : withType(request),
                sent.readUtf8(),
                response.code(),
                headers(response.headers().toMultimap()),
                new String(received, StandardCharsets.UTF_8)));
        return response.newBuilder()
                .body(ResponseBody.create(received, response.body().contentType()))
                .build();
    }

    private static Map<String, List<String>> withType(Request request) {
        Map<String, List<String>> headers = headers(request.headers().toMultimap());
        headers.put("content-type", List.of(String.valueOf(request.body().contentType())));
        return headers;
    }

    private static Map<String, List<String>> headers(Map<String, List<String>> all) {
        Map<String, List<String>> headers = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
        headers.putAll(all);
        return headers;
    }

    private static Map<String, List<String>> query(HttpUrl url) {
        Map<String, List<String>> query = new LinkedHashMap<>();
        for (String name : url.queryParameterNames()) {
            query.put(name, url.queryParameterValues(name));
        }
        return query;
    }
}

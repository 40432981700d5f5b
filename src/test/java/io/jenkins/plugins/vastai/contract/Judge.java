package io.jenkins.plugins.vastai.contract;

import com.atlassian.oai.validator.OpenApiInteractionValidator;
import com.atlassian.oai.validator.model.Request;
import com.atlassian.oai.validator.model.SimpleRequest;
import com.atlassian.oai.validator.model.SimpleResponse;
import com.atlassian.oai.validator.report.LevelResolver;
import com.atlassian.oai.validator.report.ValidationReport;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BiConsumer;

/** Holds an exchange against the description. */
final class Judge {

    private final Description description;
    private final OpenApiInteractionValidator validator;

    Judge(Description description) {
        this.description = description;
        this.validator = OpenApiInteractionValidator.createForInlineApiSpecification(description.asOpenApi30())
                .withStrictOperationPathMatching()
                // The server of the description is the real market; its paths are what counts here.
                .withBasePathOverride("/")
                .withLevelResolver(LevelResolver.create()
                        // By the rules of the description a property that it does not name is allowed.
                        .withLevel("validation.schema.additionalProperties", ValidationReport.Level.IGNORE)
                        .build())
                .build();
    }

    /** Everything that is wrong with the exchange; none for one that is as described. */
    List<Finding> judge(Exchange exchange) {
        List<Finding> findings = new ArrayList<>();
        String path = exchange.path();
        if (path.endsWith("/")
                && path.length() > 1
                && description.operation(exchange.method(), path).isEmpty()) {
            path = path.substring(0, path.length() - 1);
            findings.add(new Finding(name(exchange.method(), path), "request", "path.slash", "", "a slash at its end"));
        }
        String operation = name(exchange.method(), path);
        if (description.operation(exchange.method(), path).isEmpty()) {
            findings.add(new Finding(operation, "request", "path.missing", "", "no such operation is described"));
            return findings;
        }
        add(findings, operation, "request", validator.validateRequest(request(exchange, path)));
        add(
                findings,
                operation,
                "response " + exchange.status(),
                validator.validateResponse(path, Request.Method.valueOf(exchange.method()), response(exchange)));
        return findings;
    }

    private String name(String method, String path) {
        return description
                .operation(method, path)
                .map(Description.Operation::toString)
                .orElse(method + " " + path);
    }

    private static Request request(Exchange exchange, String path) {
        SimpleRequest.Builder request = new SimpleRequest.Builder(exchange.method(), path);
        exchange.query().forEach(request::withQueryParam);
        exchange.requestHeaders().forEach((BiConsumer<String, List<String>>) request::withHeader);
        if (!exchange.requestBody().isEmpty()) {
            request.withBody(exchange.requestBody());
        }
        return request.build();
    }

    private static SimpleResponse response(Exchange exchange) {
        SimpleResponse.Builder response = SimpleResponse.Builder.status(exchange.status());
        exchange.responseHeaders().forEach((BiConsumer<String, List<String>>) response::withHeader);
        if (!exchange.responseBody().isEmpty()) {
            response.withBody(exchange.responseBody());
        }
        return response.build();
    }

    private static void add(List<Finding> findings, String operation, String place, ValidationReport report) {
        for (ValidationReport.Message message : report.getMessages()) {
            if (message.getLevel() == ValidationReport.Level.IGNORE) {
                continue;
            }
            String pointer = message.getContext()
                    .flatMap(ValidationReport.MessageContext::getPointers)
                    .map(ValidationReport.MessageContext.Pointers::getInstance)
                    .map(text -> text.equals("/") ? "" : text)
                    .orElse("");
            findings.add(new Finding(operation, place, message.getKey(), pointer, message.getMessage()));
        }
    }
}

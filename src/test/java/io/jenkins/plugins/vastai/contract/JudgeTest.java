package io.jenkins.plugins.vastai.contract;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The judge condemns what it should. Without this, "no violations" would mean nothing. */
class JudgeTest {

    private static final String DESCRIPTION = """
            openapi: 3.1.0
            info: {title: t, version: '1'}
            servers: [{url: 'https://example.org'}]
            paths:
              /api/v0/things/{id}:
                put:
                  operationId: changeThing
                  parameters:
                  - {name: id, in: path, required: true, schema: {type: integer}}
                  - {name: size, in: query, required: true, schema: {type: integer, maximum: 25}}
                  requestBody:
                    required: true
                    content:
                      application/json:
                        schema:
                          type: object
                          required: [label]
                          properties:
                            label: {type: string}
                            kind: {type: string, enum: [a, b]}
                            level: {type: [number, 'null']}
                  responses:
                    '200':
                      description: ok
                      content:
                        application/json:
                          schema:
                            type: object
                            properties:
                              success: {type: boolean}
                              name: {type: [string, 'null']}
                              rows: {type: array, items: {$ref: '#/components/schemas/Row'}}
                    '404':
                      description: gone
                      content:
                        application/json:
                          schema: {type: object, properties: {msg: {type: string}}}
            components:
              schemas:
                Row: {type: object, required: [id], properties: {id: {type: integer}, price: {type: [number, 'null']}}}
            """;

    private final Judge judge;

    JudgeTest() throws Exception {
        judge = new Judge(new Description(DESCRIPTION));
    }

    private List<Finding> judge(String path, String size, String request, int status, String type, String response) {
        return judge.judge(new Exchange(
                "PUT",
                path,
                Map.of("size", List.of(size)),
                Map.of("content-type", List.of("application/json")),
                request,
                status,
                Map.of("content-type", List.of(type)),
                response));
    }

    @Test
    void whatIsAsDescribedPasses() {
        for (String response : List.of(
                "{\"success\": true, \"name\": null, \"rows\": [{\"id\": 1, \"price\": null}], \"more\": 1}",
                "{\"name\": \"x\", \"rows\": [{\"id\": 1, \"price\": 1.5}]}")) {
            assertEquals(
                    List.of(),
                    judge(
                            "/api/v0/things/7",
                            "25",
                            "{\"label\": \"x\", \"kind\": \"a\", \"level\": null, \"extra\": {}}",
                            200,
                            "application/json",
                            response));
        }
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
            /api/v0/things/7 | 26 | {"label":"x"} | 200 | {} | request |
            /api/v0/things/7 | many | {"label":"x"} | 200 | {} | request |
            /api/v0/things/7 | 5 | {} | 200 | {} | request |
            /api/v0/things/7 | 5 | {"label":5} | 200 | {} | request | /label
            /api/v0/things/7 | 5 | {"label":"x","kind":"c"} | 200 | {} | request | /kind
            /api/v0/things/7 | 5 | {"label":"x","level":"high"} | 200 | {} | request | /level
            /api/v0/things/7 | 5 | {"label":"x"} | 200 | {"success":"yes"} | response 200 | /success
            /api/v0/things/7 | 5 | {"label":"x"} | 200 | {"success":null} | response 200 | /success
            /api/v0/things/7 | 5 | {"label":"x"} | 200 | {"name":5} | response 200 | /name
            /api/v0/things/7 | 5 | {"label":"x"} | 200 | {"rows":[{"price":1}]} | response 200 | /rows/0
            /api/v0/things/7 | 5 | {"label":"x"} | 200 | {"rows":[{"id":1},{"id":2,"price":"1"}]} | response 200 | /rows/1/price
            /api/v0/things/7 | 5 | {"label":"x"} | 200 | {"rows":{"id":1}} | response 200 | /rows
            /api/v0/things/7 | 5 | {"label":"x"} | 200 | [] | response 200 |
            /api/v0/things/7 | 5 | {"label":"x"} | 404 | {"msg":404} | response 404 | /msg
            /api/v0/things/7 | 5 | {"label":"x"} | 418 | {} | response 418 |
            /api/v0/things/7/ | 5 | {"label":"x"} | 200 | {} | request |
            /api/v0/thing/7 | 5 | {"label":"x"} | 200 | {} | request |
            """)
    void whatDeviatesIsFound(
            String path, String size, String request, int status, String response, String place, String pointer) {
        List<Finding> findings = judge(path, size, request, status, "application/json", response);
        assertEquals(1, findings.size(), findings.toString());
        assertEquals(place, findings.get(0).place());
        assertEquals(pointer == null ? "" : pointer, findings.get(0).pointer());
    }

    @Test
    void anAnswerOfAnotherTypeIsFound() {
        List<Finding> findings = judge("/api/v0/things/7", "5", "{\"label\": \"x\"}", 404, "text/plain", "gone");
        assertTrue(findings.stream().anyMatch(finding -> finding.key().contains("contentType")), findings.toString());
    }
}

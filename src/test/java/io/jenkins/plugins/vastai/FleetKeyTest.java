package io.jenkins.plugins.vastai;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class FleetKeyTest {

    @ParameterizedTest
    @ValueSource(
            strings = {
                "https://console.vast.ai/",
                "https://console.vast.ai//",
                "HTTPS://Console.Vast.AI",
                "https://console.vast.ai:443",
                "https://console.vast.ai:443/"
            })
    void oneMarketIsOneFleetHoweverItsAddressIsSpelled(String spelled) {
        assertEquals("https://console.vast.ai", FleetKey.normal(spelled));
    }

    @Test
    void whatIsAnotherAddressStaysOne() {
        assertNotEquals(FleetKey.normal("https://vast.example"), FleetKey.normal("https://vast.example:8443"));
        assertNotEquals(FleetKey.normal("https://vast.example"), FleetKey.normal("https://vast.example/proxy"));
        assertEquals("http://127.0.0.1:8080", FleetKey.normal("http://127.0.0.1:8080/"));
        assertEquals("no address", FleetKey.normal("no address"));
    }
}

package io.jenkins.plugins.vastai.market;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jenkins.plugins.vastai.text.Texts;
import java.util.stream.IntStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class MarketTextTest {

    @ParameterizedTest
    @EnumSource
    void everyCaseHasItsSentence(MarketText text) {
        Object[] args = IntStream.range(0, 13).mapToObj(i -> "<" + i + ">").toArray();
        String sentence = Texts.render(text.of(args));
        assertFalse(sentence.startsWith(text.key()), sentence);
        assertFalse(sentence.contains("{"), sentence);
        assertTrue(sentence.matches(".*[.?]"), sentence);
    }
}

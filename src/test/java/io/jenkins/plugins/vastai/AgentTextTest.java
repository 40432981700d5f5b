package io.jenkins.plugins.vastai;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.jenkins.plugins.vastai.text.Texts;
import java.util.Arrays;
import java.util.ResourceBundle;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

class AgentTextTest {

    @Test
    void everyReasonHasItsTextAndEveryTextItsReason() {
        Set<String> texts = ResourceBundle.getBundle(Texts.class.getName()).keySet().stream()
                .filter(key -> key.startsWith("AgentText."))
                .collect(Collectors.toSet());
        assertEquals(Arrays.stream(AgentText.values()).map(AgentText::key).collect(Collectors.toSet()), texts);
    }
}

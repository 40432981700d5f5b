package io.jenkins.plugins.vastai.market;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.OptionalDouble;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ImageTest {

    private static final String DIGEST = "sha256:" + "0123456789abcdef".repeat(4);

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            nullValues = "-",
            value = {
                "nvidia/cuda:12.0.0-base-ubuntu22.04                 | ''                  | nvidia/cuda     | 12.0",
                "nvcr.io/nvidia/cuda:12.8.1-devel-ubuntu24.04        | nvcr.io             | nvidia/cuda     | 12.8",
                "pytorch/pytorch:2.5.1-cuda12.4-cudnn9-runtime       | ''                  | pytorch/pytorch | 12.4",
                "vastai/base-image:cuda-12.8.1-cudnn-devel-ubuntu22.04 | ''                | vastai/base-image | 12.8",
                "ghcr.io/acme/train:2.4.0-cu121                      | ghcr.io             | acme/train      | 12.1",
                "acme/train:cu118                                    | ''                  | acme/train      | 11.8",
                "acme/train:cuda12                                   | ''                  | acme/train      | 12.0",
                "acme/train:CUDA_12.6                                | ''                  | acme/train      | 12.6",
                "localhost:5000/train:1.0                            | localhost:5000      | train           | -",
                "registry.example.org:5000/a/b/c:v1                  | registry.example.org:5000 | a/b/c     | -",
                "ubuntu:22.04                                        | ''                  | ubuntu          | -",
                "acme/cuda-tools:3.1                                 | ''                  | acme/cuda-tools | -",
                "acme/occult:2024                                    | ''                  | acme/occult     | -",
                "vastai/kvm:ubuntu_cli_22.04-2025-11-21              | ''                  | vastai/kvm      | -",
            })
    void readsReferenceAndCuda(String text, String registry, String repository, Double cuda) throws SettingException {
        Image image = Image.parse("  " + text + " ");
        assertEquals(registry, image.registry());
        assertEquals(repository, image.repository());
        assertEquals(cuda == null ? OptionalDouble.empty() : OptionalDouble.of(cuda), image.cuda());
        assertEquals(text, image.toString());
    }

    @ParameterizedTest
    @CsvSource({
        "vastai/kvm:ubuntu_terminal, true, docker.io/vastai/kvm:ubuntu_terminal",
        "docker.io/vastai/kvm:ubuntu_terminal, true, docker.io/vastai/kvm:ubuntu_terminal",
        "ghcr.io/vastai/kvm:ubuntu_terminal, false, ghcr.io/vastai/kvm:ubuntu_terminal",
        "acme/kvm:1, false, acme/kvm:1",
        "nvidia/cuda:12.0.0-base-ubuntu22.04, false, nvidia/cuda:12.0.0-base-ubuntu22.04",
    })
    void qualifiesVirtualMachinesAlone(String text, boolean virtualMachine, String sent) throws SettingException {
        assertEquals(virtualMachine, Image.parse(text).virtualMachine());
        assertEquals(sent, Image.parse(text).reference());
    }

    @Test
    void acceptsADigestAndTheAutomaticTag() throws SettingException {
        assertEquals(DIGEST, Image.parse("acme/train@" + DIGEST).digest());
        assertEquals(
                "acme/train:1@" + DIGEST, Image.parse("acme/train:1@" + DIGEST).reference());
        assertEquals(
                Image.AUTOMATIC_TAG,
                Image.parse("vastai/base-image:@vastai-automatic-tag").tag());
        assertEquals(
                "vastai/base-image:@vastai-automatic-tag",
                Image.parse("vastai/base-image:@vastai-automatic-tag").reference());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "''                                 | IMAGE_EMPTY",
                "nvidia/cuda                        | IMAGE_NO_TAG",
                "localhost:5000/train               | IMAGE_NO_TAG",
                "vastai/kvm                         | VM_IMAGE_NO_TAG",
                "nvidia/cuda:                       | IMAGE_MALFORMED",
                "nvidia/cuda:12 0                   | IMAGE_MALFORMED",
                "nvidia cuda:12.0                   | IMAGE_MALFORMED",
                "-rf /:1                            | IMAGE_MALFORMED",
                "acme/train@sha256:1234             | IMAGE_MALFORMED",
                "https://hub.docker.com/r/nvidia/cuda:12 | IMAGE_MALFORMED",
                "Acme/Train:1                       | IMAGE_UPPER_CASE",
                "acme/train:@vastai-automatic-tag   | IMAGE_AUTOMATIC_TAG",
                "ghcr.io/vastai/x:@vastai-automatic-tag | IMAGE_AUTOMATIC_TAG",
            })
    void refusesWhatTheMarketWouldNotTake(String text, MarketText expected) {
        SettingException error = assertThrows(SettingException.class, () -> Image.parse(text));
        assertEquals(expected.key(), error.reason().key(), error.getMessage());
        assertTrue(error.getMessage().startsWith("machineImage"), error.getMessage());
    }

    @Test
    void refusesNothingAndEndlessReferences() {
        assertThrows(SettingException.class, () -> Image.parse(null));
        String endless = "a/".repeat(600) + "b:1";
        SettingException error = assertThrows(SettingException.class, () -> Image.parse(endless));
        assertEquals(MarketText.IMAGE_TOO_LONG.key(), error.reason().key());
        assertTrue(error.getMessage().length() < 200);
    }

    @ParameterizedTest
    @CsvSource(
            nullValues = "-",
            value = {
                "nvidia/cuda:12.0.0-base-ubuntu22.04, false, -",
                "vastai/kvm:ubuntu_cli_22.04-2025-11-21, true, -",
                "nvidia/cuda:12.0.0-base-ubuntu22.04, true, VM_NEEDS_VM_IMAGE",
                "vastai/kvm:ubuntu_cli_22.04-2025-11-21, false, VM_IMAGE_NEEDS_VM",
                "vastai/kvm:latest, true, VM_IMAGE_NO_TAG",
            })
    void modeAndImageMustAgree(String text, boolean vm, MarketText problem) throws SettingException {
        List<String> keys = Image.parse(text).contradictions(vm).stream()
                .map(reason -> reason.key())
                .toList();
        assertEquals(problem == null ? List.of() : List.of(problem.key()), keys);
    }
}

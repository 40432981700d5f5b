package io.jenkins.plugins.vastai.ssh;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import org.apache.sshd.common.config.keys.KeyUtils;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class KeysTest {

    @TempDir
    Path dir;

    @ParameterizedTest
    @EnumSource(SshKeyPair.Type.class)
    void aPairSurvivesBeingStoredAsText(SshKeyPair.Type type) {
        SshKeyPair pair = SshKeyPair.generate(type, "jenkins rental");
        SshKeyPair again = SshKeyPair.parse(pair.privateText(), "jenkins rental");
        assertEquals(pair.publicLine(), again.publicLine());
        assertTrue(pair.publicLine().endsWith(" jenkins-rental"));
        assertTrue(pair.privateText().startsWith("-----BEGIN OPENSSH PRIVATE KEY-----\n"));
    }

    @ParameterizedTest
    @EnumSource(SshKeyPair.Type.class)
    void opensshReadsThePrivateText(SshKeyPair.Type type) throws Exception {
        Assumptions.assumeTrue(Files.isExecutable(Path.of("/usr/bin/ssh-keygen")), "ssh-keygen is not installed");
        SshKeyPair pair = SshKeyPair.generate(type, "c");
        Path file = Files.writeString(dir.resolve("key"), pair.privateText());
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-------"));
        Process keygen = new ProcessBuilder("ssh-keygen", "-y", "-f", file.toString()).start();
        String line = new String(keygen.getInputStream().readAllBytes()).trim();
        assertEquals(HostKey.parse(pair.publicLine()), HostKey.parse(line));
    }

    @Test
    void thePrivatePartShowsInNoTextButItsOwn() {
        SshKeyPair pair = SshKeyPair.generate("c");
        assertEquals(pair.publicLine(), pair.toString());
        Access access = new Access(
                new io.jenkins.plugins.vastai.api.Instance.Endpoint("h", 1),
                "root",
                pair,
                HostKey.parse(pair.publicLine()));
        assertFalse(access.toString().contains("PRIVATE"));
        String spoilt = pair.privateText().replace("BEGIN", "BEGUN");
        var refused = assertThrows(IllegalArgumentException.class, () -> SshKeyPair.parse(spoilt, "c"));
        assertFalse(
                refused.toString().contains(pair.privateText().lines().toList().get(1)));
    }

    @Test
    void hostKeysAreComparedByTheirBlobAlone() throws Exception {
        HostKey rsa = HostKey.of(KeyUtils.generateKeyPair("ssh-rsa", 2048).getPublic());
        HostKey negotiated = new HostKey("rsa-sha2-512", rsa.base64());
        assertEquals(rsa, negotiated);
        assertEquals("ssh-rsa", negotiated.type());
        assertEquals(List.of("rsa-sha2-512", "rsa-sha2-256"), negotiated.algorithms());
        assertEquals(rsa, HostKey.parse(rsa + " root@host"));
        assertNotEquals(
                rsa, HostKey.of(KeyUtils.generateKeyPair("ssh-rsa", 2048).getPublic()));
        assertEquals(
                KeyUtils.getFingerPrint(
                                KeyUtils.generateKeyPair("ssh-ed25519", 256).getPublic())
                        .substring(0, 7),
                rsa.fingerprint().substring(0, 7));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "ssh-ed25519", "ssh-ed25519 !!!", "ssh-ed25519 AAAA", "x /////w=="})
    void whatIsNoKeyIsRefused(String line) {
        assertThrows(IllegalArgumentException.class, () -> HostKey.parse(line));
    }

    @ParameterizedTest
    @CsvSource({
        "RTX 4090, NVIDIA GeForce RTX 4090, true",
        "RTX 4080S, NVIDIA GeForce RTX 4080 SUPER, true",
        "RTX 4070S Ti, NVIDIA GeForce RTX 4070 Ti SUPER, true",
        "RTX 3070, NVIDIA GeForce RTX 3070 Ti, false",
        "GTX 1080 Ti, NVIDIA GeForce GTX 1080, false",
        "H100 SXM, NVIDIA H100 80GB HBM3, true",
        "A100 PCIE, NVIDIA A100-PCIE-40GB, true",
        "RTX A6000, NVIDIA RTX A6000, true",
        "RTX A6000, NVIDIA RTX 6000 Ada Generation, false",
        "RTX 6000Ada, NVIDIA RTX 6000 Ada Generation, true",
        "L40S, NVIDIA L40S, true",
        "Q RTX 8000, Quadro RTX 8000, true",
        "A10, NVIDIA A100-SXM4-80GB, false",
        "RTX 4090, NVIDIA GeForce RTX 3090, false",
        "Some New Thing, NVIDIA Anything, true"
    })
    void gpuNamesOfMarketAndDriverAreMatchedByModel(String ordered, String found, boolean fits) {
        assertEquals(fits, GpuCheck.fits(ordered, found));
    }

    @Test
    void textOfAMachineIsOneShortCleanLine() {
        assertEquals("a b?[31mc", RemoteText.clean("a\r\n  b\u001b[31mc\n"));
        assertEquals(200, RemoteText.clean("x".repeat(10_000)).length());
        assertEquals("?", RemoteText.clean("\u202e"));
    }
}

package io.jenkins.plugins.vastai;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.sshd.common.config.VersionProperties;
import org.junit.jupiter.api.Test;

/** The Jenkins-free build must test the very libraries that the plugin meets in Jenkins. */
class VersionsTest {

    @Test
    void jenkinsFreeBuildUsesTheLibrariesOfTheApiPlugins() throws IOException {
        String standalone = Files.readString(Path.of("standalone", "pom.xml"));
        assertEquals(com.fasterxml.jackson.databind.cfg.PackageVersion.VERSION.toString(), of("jackson", standalone));
        assertEquals(okhttp3.OkHttp.VERSION, of("okhttp", standalone));
        assertEquals(
                VersionProperties.getVersionProperties().get(VersionProperties.REPORTED_VERSION),
                "apache-sshd-" + of("sshd", standalone));
        assertEquals(of("failsafe", Files.readString(Path.of("pom.xml"))), of("failsafe", standalone));
    }

    private static String of(String library, String pom) {
        Matcher matcher = Pattern.compile("<" + library + "\\.version>([^<]+)<").matcher(pom);
        return matcher.find() ? matcher.group(1) : "not stated";
    }
}

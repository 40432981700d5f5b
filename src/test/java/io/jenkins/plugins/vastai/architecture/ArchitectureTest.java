package io.jenkins.plugins.vastai.architecture;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.Architectures.layeredArchitecture;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import io.jenkins.plugins.vastai.text.Reason;
import java.util.ResourceBundle;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** What the packages may know of each other, and that every case of theirs has its sentence. */
class ArchitectureTest {

    private static final String ROOT = "io.jenkins.plugins.vastai";
    private static JavaClasses classes;

    @BeforeAll
    static void load() {
        classes = new ClassFileImporter()
                .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
                .importPackages(ROOT);
    }

    @Test
    void dependenciesPointOneWay() {
        layeredArchitecture()
                .consideringOnlyDependenciesInAnyPackage(ROOT + "..")
                .layer("rental")
                .definedBy(ROOT + ".rental..")
                .layer("ssh")
                .definedBy(ROOT + ".ssh..")
                .layer("market")
                .definedBy(ROOT + ".market..")
                .layer("api")
                .definedBy(ROOT + ".api..")
                .layer("text")
                .definedBy(ROOT + ".text..")
                .whereLayer("rental")
                .mayNotBeAccessedByAnyLayer()
                .whereLayer("ssh")
                .mayOnlyBeAccessedByLayers("rental")
                .whereLayer("market")
                .mayOnlyBeAccessedByLayers("rental")
                .whereLayer("api")
                .mayOnlyBeAccessedByLayers("rental", "market", "ssh")
                .check(classes);
    }

    @Test
    void lowerPackagesNeedNoJenkins() {
        noClasses()
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage("hudson..", "jenkins..", "org.kohsuke..")
                .check(classes);
    }

    @Test
    void nobodySleeps() {
        noClasses().should().callMethod(Thread.class, "sleep", long.class).check(classes);
    }

    @Test
    void timeIsAParameterOfTheEngine() {
        noClasses()
                .that()
                .resideInAnyPackage(ROOT + ".rental..", ROOT + ".market..")
                .should()
                .callMethod(java.time.Instant.class, "now")
                .check(classes);
    }

    @Test
    void reasonsAreListedInEnums() {
        classes().that().implement(Reason.Kind.class).should().beEnums().check(classes);
    }

    @Test
    void everyReasonHasItsTextAndEveryTextItsReason() {
        Set<String> kinds = new TreeSet<>();
        for (JavaClass each : classes) {
            if (each.isEnum() && each.isAssignableTo(Reason.Kind.class)) {
                for (Object constant : each.reflect().getEnumConstants()) {
                    kinds.add(((Reason.Kind) constant).key());
                }
            }
        }
        assertFalse(kinds.isEmpty());
        Set<String> texts =
                new TreeSet<>(ResourceBundle.getBundle(ROOT + ".text.Texts").keySet());
        texts.removeIf(key -> key.startsWith("AgentText.")); // the Jenkins face's own, tested in the plugin build
        assertEquals(kinds, texts);
    }
}

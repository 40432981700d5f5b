package io.jenkins.plugins.vastai.machines;

import static io.jenkins.plugins.vastai.machines.Case.Works.AND_ENDS_ITSELF;
import static io.jenkins.plugins.vastai.machines.Case.Works.NOT;
import static io.jenkins.plugins.vastai.machines.Case.Works.UNTIL_RETIRED;
import static io.jenkins.plugins.vastai.machines.Roots.Base.BUSYBOX;
import static io.jenkins.plugins.vastai.machines.Roots.Base.DEBIAN;

import java.time.Duration;
import java.util.List;

/** What is right to happen on each kind of machine. Whoever changes a row changes docs/reliability.md, Real machines. */
final class Cases {

    /** A failure that waiting cannot mend: the attempt ends with the first look or two, on a busy computer. */
    private static final int AT_ONCE = 15;

    /** The key line that the start script was sent with, before the start script has run. */
    private static final String KEY = "k=$(sed -n \"s/^K='\\(.*\\)'$/\\1/p\" /root/onstart.sh); test -n \"$k\"";

    private static final String REMOUNT = "mount --bind %1$s %1$s && mount -o remount,%2$s,bind %1$s";

    private Cases() {}

    static List<Case> all() {
        return List.of(
                // what images are like
                new Case("plain", DEBIAN, AND_ENDS_ITSELF).retired(),
                new Case("watchdog", DEBIAN, AND_ENDS_ITSELF),
                new Case("no curl, git, python", DEBIAN, UNTIL_RETIRED).before("rm /usr/bin/curl"),
                new Case("no Java", DEBIAN, AND_ENDS_ITSELF).withoutJava(),
                new Case("init script", DEBIAN, AND_ENDS_ITSELF).init("#!/bin/sh\necho by init >/tmp/init-was-here\n"),
                new Case("environment", DEBIAN, AND_ENDS_ITSELF)
                        .environment("TOKENIZERS_PARALLELISM", "false")
                        .environment("BYPASS_CACHE", "1")
                        .environment("WORDS", "two words"),
                new Case("environment with quotes", DEBIAN, AND_ENDS_ITSELF)
                        .environment("SINGLE", "it's")
                        .environment("DOUBLE", "a \"b\" c"),
                // shells
                new Case("busybox sh, bash", BUSYBOX, UNTIL_RETIRED),
                new Case("no bash, dash", DEBIAN, AND_ENDS_ITSELF)
                        .before("rm -f /bin/bash /usr/bin/bash; sed -i s,/bin/bash,/bin/sh, /etc/passwd")
                        .refused("bash", AT_ONCE),
                new Case("no bash, busybox", BUSYBOX, UNTIL_RETIRED)
                        .before("rm -f /bin/bash")
                        .refused("bash", AT_ONCE),
                new Case("login shell sh", DEBIAN, AND_ENDS_ITSELF)
                        .before("sed -i 's,^root:.*,root:x:0:0:root:/root:/bin/sh,' /etc/passwd"),
                new Case("login shell nologin", DEBIAN, NOT)
                        .before("sed -i 's,^root:.*,root:x:0:0:root:/root:/usr/sbin/nologin,' /etc/passwd")
                        .refused("not available", AT_ONCE),
                new Case(".bashrc that prints", DEBIAN, AND_ENDS_ITSELF).before("echo 'echo Hello' >/root/.bashrc"),
                new Case("bash.bashrc that prints", DEBIAN, AND_ENDS_ITSELF)
                        .before("echo 'echo Hello' >/etc/bash.bashrc")
                        .refused("Hello", AT_ONCE),
                // file systems
                new Case("/var/lib read-only", DEBIAN, AND_ENDS_ITSELF).before(REMOUNT.formatted("/var/lib", "ro")),
                new Case("/tmp full", DEBIAN, AND_ENDS_ITSELF)
                        .before("mount -t tmpfs -o size=16k full /tmp; cat /dev/zero >/tmp/full 2>/dev/null || true"),
                new Case("noexec", DEBIAN, AND_ENDS_ITSELF)
                        .before(
                                "for d in /tmp /home /root /var/lib; do mount --bind $d $d; mount -o remount,noexec,bind $d;"
                                        + " done"),
                new Case("noexec, init script", DEBIAN, AND_ENDS_ITSELF)
                        .before(REMOUNT.formatted("/var/lib", "noexec"))
                        .init("#!/bin/sh\necho by init >/tmp/init-was-here\n")
                        .refused("126|noexec", AT_ONCE),
                new Case("no /proc", DEBIAN, UNTIL_RETIRED)
                        .before("umount /proc")
                        .refused("java|/proc", 60),
                new Case("home read-only", DEBIAN, AND_ENDS_ITSELF)
                        .before(KEY + "; echo \"$k\" >/root/.ssh/authorized_keys; " + REMOUNT.formatted("/root", "ro"))
                        .refused("/root|read-only", AT_ONCE),
                new Case("work directory read-only", DEBIAN, NOT)
                        .before(REMOUNT.formatted("/home", "ro"))
                        .refused("/home/jenkins cannot be used: .*read-only", AT_ONCE),
                new Case("disk full", DEBIAN, NOT)
                        .before(KEY
                                + "; echo \"$k\" >/root/.ssh/authorized_keys; for d in /root /home /var/lib; do cp -a $d"
                                + " /tmp/kept; mount -t tmpfs -o size=200k full $d; cp -a /tmp/kept/root/. $d/ 2>/dev/null ||"
                                + " cp -a /tmp/kept/. $d/ 2>/dev/null || true; rm -rf /tmp/kept; cat /dev/zero >$d/full"
                                + " 2>/dev/null || true; done")
                        .refused("no space|disk (is )?full|GB", AT_ONCE),
                // sshd
                new Case("banner", DEBIAN, AND_ENDS_ITSELF)
                        .before("echo 'Authorized use only.' >/etc/banner")
                        .sshd("Banner /etc/banner"),
                new Case("prohibit-password", DEBIAN, AND_ENDS_ITSELF).sshd("PermitRootLogin prohibit-password"),
                new Case("root may not log in", DEBIAN, NOT)
                        .sshd("PermitRootLogin no")
                        .refused("does not accept the rental's key for user root", 45),
                new Case("forced command in sshd", DEBIAN, NOT)
                        .sshd("ForceCommand /bin/echo forced")
                        .refused("forced", AT_ONCE),
                new Case("forced command of the key", DEBIAN, NOT)
                        .before(KEY + "; echo \"command=\\\"/bin/echo forced\\\" $k\" >/root/.ssh/authorized_keys")
                        .refused("forced", AT_ONCE),
                new Case("MaxStartups 1", DEBIAN, AND_ENDS_ITSELF).sshd("MaxStartups 1"),
                new Case("MaxSessions 1", DEBIAN, AND_ENDS_ITSELF).sshd("MaxSessions 1"),
                new Case("as OpenSSH 7", DEBIAN, AND_ENDS_ITSELF)
                        .sshd("KexAlgorithms curve25519-sha256@libssh.org,diffie-hellman-group14-sha256\n"
                                + "HostKey /etc/ssh/ssh_host_rsa_key\nHostKeyAlgorithms rsa-sha2-256,rsa-sha2-512\n"
                                + "Ciphers aes128-ctr,aes256-ctr\nMACs hmac-sha2-256"),
                new Case("SHA-1 host key only", DEBIAN, NOT)
                        .sshd("HostKey /etc/ssh/ssh_host_rsa_key\nHostKeyAlgorithms ssh-rsa")
                        .refused("negotiat|algorithm|host key", AT_ONCE),
                new Case("post-quantum only", DEBIAN, AND_ENDS_ITSELF)
                        .sshd("KexAlgorithms sntrup761x25519-sha512@openssh.com")
                        .refused("negotiat|algorithm|key exchange", AT_ONCE),
                new Case("hangs up after login", DEBIAN, NOT)
                        .sshd("ForceCommand kill -9 $PPID")
                        .refused("connection lost|hung up|closed", 60),
                new Case("sshd 10 s late", DEBIAN, AND_ENDS_ITSELF).late(Duration.ofSeconds(10)),
                new Case("another host key after login", DEBIAN, NOT)
                        .init("#!/bin/sh\nsleep 8\n")
                        .changesHostKey()
                        .refused("host key .* changed", AT_ONCE));
    }
}

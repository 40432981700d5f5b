package io.jenkins.plugins.vastai.simulator;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** Links to the computer's own programs that machines may use. What is not here does not exist on a machine. */
final class Tools {
    private static final List<String> ALLOWED = List.of(
            ("[ arch awk b2sum base32 base64 basename bunzip2 bzip2 cat chgrp chmod chown cksum clear cmp comm cp"
                            + " csplit cut date dash dd df diff dir dircolors dirname du echo egrep env expand expr"
                            + " factor false fgrep file find flock fmt fold free gawk getconf getent getopt grep groups"
                            + " gunzip gzip head hexdump hostid hostname iconv id install ionice jq join kill ldconfig"
                            + " ldd less link ln locale logger logname ls lsb_release lscpu make mawk md5sum mkdir"
                            + " mkfifo mknod mktemp more mv nice nl nohup nproc numfmt od openssl paste patch pathchk"
                            + " perl pgrep pinky pr printenv printf ps ptx pwd python3 readlink realpath renice rev rm"
                            + " rmdir sed seq setsid sha1sum sha224sum sha256sum sha384sum sha512sum shred shuf sleep"
                            + " sort split ssh-keygen stat stdbuf stty sum sync tac tail tar tee test time timeout touch"
                            + " tr true truncate tsort tty uname unexpand uniq unlink unxz unzip uptime vdir wc which"
                            + " who whoami xargs xxd xz xzcat yes zcat zgrep zip zstd")
                    .split(" "));

    private final Path directory;

    Tools(Path directory) throws IOException {
        this.directory = Files.createDirectories(directory);
        for (String name : ALLOWED) {
            Optional<Path> found = find(name);
            if (found.isPresent()) {
                Files.createSymbolicLink(directory.resolve(name), found.get());
            }
        }
    }

    Path directory() {
        return directory;
    }

    /** A program of this computer. */
    static Optional<Path> find(String name) {
        return List.of("/usr/bin", "/bin", "/usr/sbin", "/sbin", "/usr/local/bin", "/opt/homebrew/bin").stream()
                .map(place -> Path.of(place, name))
                .filter(Files::isExecutable)
                .findFirst();
    }
}

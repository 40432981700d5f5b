#!/bin/sh
# Makes what is missing below $1: debian (bare, with sshd, curl), busybox (no package manager, no curl), java (of $4).
# $2 = suite and $3 = mirror for debootstrap. Each is made beside its place and moved there when it is complete.
set -eu
cache=$1 suite=$2 mirror=$3 home=$4
mkdir -p "$cache"
cd "$cache"

if [ ! -d debian ]; then
    rm -rf --one-file-system debian.new
    debootstrap --variant=minbase --include=openssh-server,busybox-static,curl,ca-certificates "$suite" debian.new "$mirror"
    # Nothing is to come from the network, and nothing is to be waited for.
    rm -rf debian.new/var/cache/apt/* debian.new/var/lib/apt/lists/* debian.new/usr/share/doc debian.new/usr/share/locale
    rm -f debian.new/etc/apt/sources.list debian.new/etc/apt/sources.list.d/*
    mv debian.new debian
fi

if [ ! -d busybox ]; then
    rm -rf --one-file-system busybox.new
    r=busybox.new
    for d in bin dev etc/ssh home proc root run tmp usr/bin usr/sbin usr/lib/jvm var/lib var/log var/tmp var/empty sys lib; do
        mkdir -p $r/$d
    done
    ln -s bin $r/sbin
    chmod 1777 $r/tmp $r/var/tmp
    chmod 700 $r/root
    cp debian/bin/busybox $r/bin/busybox
    chroot $r /bin/busybox --install -s /bin
    # Debian's own programs, with the libraries that they and a Java runtime need.
    cp debian/usr/sbin/sshd $r/usr/sbin/
    cp debian/usr/bin/ssh-keygen $r/usr/bin/
    cp debian/bin/bash $r/bin/bash
    chroot debian ldd /usr/sbin/sshd /usr/bin/ssh-keygen /bin/bash \
        | sed -n 's/.*[[:space:]]\(\/[^ ]*\) (0x.*/\1/p' | sort -u >libraries
    (cd debian && find lib usr/lib \( -name 'libz.so.1' -o -name 'libdl.so.2' -o -name 'libpthread.so.0' -o -name 'libm.so.6' \
        -o -name 'librt.so.1' -o -name 'libstdc++.so.6' -o -name 'libgcc_s.so.1' \) | sed 's/^/\//') >>libraries
    while read -r f; do
        mkdir -p "$r${f%/*}"
        cp -L "debian$f" "$r$f"
    done <libraries
    rm libraries
    cp debian/etc/ssh/ssh_host_* $r/etc/ssh/
    printf 'root:x:0:0:root:/root:/bin/sh\nsshd:x:100:65534::/run/sshd:/bin/false\nnobody:x:65534:65534::/:/bin/false\n' >$r/etc/passwd
    printf 'root:x:0:\nnogroup:x:65534:\n' >$r/etc/group
    printf 'root:*:19000:0:99999:7:::\nsshd:!:19000::::::\n' >$r/etc/shadow
    printf 'passwd: files\ngroup: files\nshadow: files\nhosts: files dns\n' >$r/etc/nsswitch.conf
    printf 'ID=busybox\nNAME=busybox\n' >$r/etc/os-release
    printf '127.0.0.1 localhost\n' >$r/etc/hosts
    mv $r busybox
fi

if [ ! -d java ]; then
    rm -rf java.new
    mkdir -p java.new/bin
    # Distributions spread a runtime over links; in a machine there is one directory.
    cp -L "$home/bin/java" java.new/bin/
    (cd "$home" && find lib conf -type d) | while read -r d; do mkdir -p "java.new/$d"; done
    (cd "$home" && find lib conf ! -type d ! -name src.zip ! -name ct.sym) | while read -r f; do
        [ ! -f "$home/$f" ] || cp -L "$home/$f" "java.new/$f"
    done
    mv java.new java
fi

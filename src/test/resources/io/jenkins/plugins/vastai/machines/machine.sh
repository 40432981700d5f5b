#!/bin/sh
# The first process of a machine, in mount and pid namespaces of its own: builds the root file system out of $2 (never
# written to) in memory below $1, and starts in it what is in $1/in. $3 = a Java runtime; empty for none.
set -eu
run=$1 base=$2 java=$3
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
mount -t tmpfs -o size=4g,mode=755 machine "$run/disk"
mkdir "$run/disk/upper" "$run/disk/work" "$run/disk/root"
r=$run/disk/root
mount -t overlay -o "lowerdir=$base,upperdir=$run/disk/upper,workdir=$run/disk/work" machine "$r"
mount -t proc proc "$r/proc"
mount -t tmpfs -o mode=755,size=1m dev "$r/dev"
for n in null zero full random urandom tty; do
    : >"$r/dev/$n"
    mount --bind "/dev/$n" "$r/dev/$n"
done
mkdir "$r/dev/pts" "$r/dev/shm"
mount -t devpts -o newinstance,ptmxmode=0666 devpts "$r/dev/pts"
ln -s pts/ptmx "$r/dev/ptmx"
ln -s /proc/self/fd "$r/dev/fd"
if [ -n "$java" ]; then
    mkdir -p "$r/usr/lib/jvm/java"
    mount --bind "$java" "$r/usr/lib/jvm/java"
    mount -o remount,ro,bind "$r/usr/lib/jvm/java"
fi
mkdir -p "$r/run/sshd" "$r/market" "$r/root/.ssh"
chmod 700 "$r/root/.ssh"
cp "$run"/in/* "$r/market/"
cp "$run/in/onstart.sh" "$r/root/onstart.sh"
cp "$run/in/authorized_keys" "$r/root/.ssh/authorized_keys"
chmod 600 "$r/root/.ssh/authorized_keys" "$r/market/authorized_keys"
# Out of the view: what the machine is made of.
exec chroot "$r" /bin/sh /market/init

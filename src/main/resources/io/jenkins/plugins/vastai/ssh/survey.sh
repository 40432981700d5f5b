# One short look at a machine; Survey reads the answer, one fact a line. W is the work directory, M the
# least Java version. POSIX shell.
D=/var/lib/vastai-cloud
[ -f "$D/state" ] || [ ! -d "$HOME/.vastai-cloud" ] || D=$HOME/.vastai-cloud
# The watchdog counts the time since it last found this file.
touch "$D/heard" 2>/dev/null
kill -0 "$(cat "$D/watchdog.pid" 2>/dev/null)" 2>/dev/null && echo "watchdog=$(head -c 20 "$D/watchdog.state")"
echo "machine=$(uname -m)"
if ls /lib/ld-musl-* >/dev/null 2>&1; then echo musl=yes; fi
echo "state=$(head -c 200 "$D/state" 2>/dev/null)"
echo "ready=$(head -c 20 "$D/ready" 2>/dev/null)"
for j in "${JAVA_HOME:-$D}/bin/java" "$(command -v java)" /usr/lib/jvm/*/bin/java "$D/java/bin/java"; do
    [ -x "$j" ] || continue
    v=$("$j" -version 2>&1 </dev/null | grep ' version "' | head -n 1)
    echo "java=$j $v"
    # Each costs its start; the first that will do is enough. Java 8 calls itself 1.8.
    v=${v#*\"} v=${v#1.}
    v=${v%%[!0-9]*}
    [ "${v:-0}" -lt "$M" ] || break
done
echo "git=$(git --version 2>/dev/null)"
t=$W/.vastai-write-test.$$
if e=$({ mkdir -p "$W" && echo ok >"$t" && rm "$t"; } 2>&1); then
    echo "free=$(df -Pk "$W" | tail -n 1)"
else
    echo "unwritable=$(echo "$e" | head -n 1)"
fi
echo end

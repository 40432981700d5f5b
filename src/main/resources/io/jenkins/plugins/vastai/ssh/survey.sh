# One short look at a machine; Survey reads the answer, one fact a line. D is the state directory, W the work directory, M the
# least Java version, N what exports the administrator's environment. POSIX shell.
# The watchdog counts the time since it last found the file "heard".
[ -z "$D" ] || echo >"$D/heard"
[ -n "$D" ] || echo "stateless=$( (mkdir -p "$X" && uname | cat >"$X/heard") 2>&1 | head -n 1)"
command -v bash >/dev/null || echo bash=missing
[ -z "$D" ] || (umask 077 && printf '%s\n' "$N" >"$D/environment.$$" && mv -f "$D/environment.$$" "$D/environment") 2>/dev/null
p=$(cat "$D/watchdog.pid" 2>/dev/null)
[ -n "$p" ] && kill -0 "$p" 2>/dev/null && echo "watchdog=$(head -c 20 "$D/watchdog.state")"
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
# A program of its own, since a shell does not say why it could not write.
if e=$({ mkdir -p "$W" && uname | cat >"$t" && rm "$t"; } 2>&1); then
    echo "free=$(df -Pk "$W" | tail -n 1)"
else
    rm -f "$t"
    echo "unwritable=$(echo "$e" | head -n 1)"
fi
echo end

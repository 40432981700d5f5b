# What StartScript sends, below a head that sets: D state directory (empty: none can be written to), E environment file,
# S sshd's configuration, R sshd's run directory, J installed Java runtimes, X root's home, W work directory, K public key
# line, M least Java version, P Java versions to ask the package manager for, V=1 in a virtual machine, A, Q, L and T as the
# watchdog wants them.
# StartScript drops comment lines and indentation, so no line may begin inside a quoted text. It runs at every start of
# the machine: each part must bear to be repeated.
export HOME="${HOME:-$X}"
H=$HOME
[ -n "$D" ] && cd "$D" || exit
chmod 755 .
rm -f ready

# No tmux, our key, and modes that sshd accepts. HOME may be elsewhere than where sshd looks for root's keys.
login() {
    mkdir -p "$1/.ssh"
    touch "$1/.no_auto_tmux"
    a=$1/.ssh/authorized_keys
    grep -qsF "$K" "$a" || printf '\n%s\n' "$K" >>"$a"
    chmod go-w "$1"
    chmod 700 "$1/.ssh"
    chmod 600 "$a"
    chown root: "$1" "$1/.ssh" "$a"
}
login "$H"
[ "$H" = "$X" ] || [ ! -d "$X" ] || login "$X"
[ "$(id -u)" != 0 ] || install -do root "$R"
mkdir -p "$W"

# The machine's own key, for the watchdog; builds must not see it. A virtual machine has it in the environment file only.
val() {
    ([ -n "${!1}" ] && echo "${!1}" || sed -n "s/^$1=//p" "$E" 2>/dev/null | tail -1) | tr -cd 'A-Za-z0-9._=-'
}
k=$(val CONTAINER_API_KEY)
[ -z "$k" ] || (
    umask 077
    echo "CONTAINER_ID=$(val CONTAINER_ID) CONTAINER_API_KEY=$k" >key
)
unset CONTAINER_API_KEY
# A running file must not be written to, so it is replaced. Where there is systemd, in virtual machines, what the start script
# leaves behind may end with it, and it may run at the first start only: there the watchdog is a service.
{
    echo "D='$D' A='$A' Q=$Q L=$L T=$T V=$V"
    cat <<'END_OF_WATCHDOG'
@WATCHDOG@
END_OF_WATCHDOG
} >new && mv -f new watchdog
(
    s=systemd/system
    [ -d "${R%/*}/$s" ] && printf '[Service]\nExecStart=/bin/sh %s/watchdog\nRestart=always\n[Install]\nWantedBy=multi-user.target\n' "$D" >"${E%/*}/$s/vastai-cloud.service" && systemctl enable --now vastai-cloud || setsid sh watchdog || sh watchdog &
) >>log 2>&1 </dev/null

# Environment for sessions, in the form that pam_env reads: one line, no # and no escapes.
export NVIDIA_DRIVER_CAPABILITIES="${NVIDIA_DRIVER_CAPABILITIES:-all}"
hide() {
    case ${1^^} in *KEY*|*TOKEN*|*SECRET*|*PASS*|*CREDENTIAL*) return 0;; esac
    [ -n "$k" ] && [[ $2 == *"$k"* ]]
}
: >>"$E"
{
    while IFS= read -r l || [ -n "$l" ]; do
        n=${l%%=*}
        n=${n#export }
        hide "$n" "$l" || { [ -z "$V" ] && [[ $n =~ ^[A-Za-z_][A-Za-z0-9_]*$ ]] && [ -n "${!n+x}" ]; } || echo "$l"
    done <"$E"
    [ -n "$V" ] || for n in $(compgen -e); do
        case $n in _|PWD|OLDPWD|SHLVL|HOME|USER|LOGNAME|SHELL|TERM|HOSTNAME) continue;; esac
        v=${!n}
        hide "$n" "$v" || [[ $v == *[\'\#$'\n']* ]] || [ ${#v} -gt 900 ] || echo "$n='$v'"
    done
} >"$E.new"
chmod 644 "$E.new"
mv -f "$E.new" "$E"

# Shell start files that greet would end the agent's launch.
for f in {"$H","$X"}/.{bashrc,bash_profile,profile} "${E%/*}/bash.bashrc"; do
    [ ! -f "$f" ] || grep -q vastai-cloud "$f" || {
        mv "$f" "$f.image"
        echo "case \$- in *i*) . '$f.image';; *) . '$f.image' >/dev/null 2>&1;; esac # vastai-cloud" >"$f"
    }
done
for f in "$S"/ssh_host_*_key.pub; do
    [ ! -f "$f" ] || echo "vastai-cloud: host key $(ssh-keygen -lf "$f" 2>/dev/null || cat "$f")"
done

java_ok() {
    for j in "${JAVA_HOME:-$J}/bin/java" "$(command -v java)" "$J"/*/bin/java "$D/java/bin/java"; do
        v=$([ -x "$j" ] && "$j" -version 2>&1 </dev/null | sed -n 's/.* version "\([0-9]*\).*/\1/p')
        [ "${v:-0}" -lt "$M" ] || return 0
    done
    return 1
}
pkg() {
    if command -v apt-get; then
        o='-qq -oDPkg::Lock::Timeout=180 -oAcquire::http::Timeout=20'
        [ -n "$q" ] || timeout 180 apt-get $o update
        q=1
        apt-get $o -y --no-install-recommends install $1
    elif command -v apk; then
        apk add $2
    else
        dnf -y install $3
    fi
}
echo looking >state
(
    export DEBIAN_FRONTEND=noninteractive
    sh watchdog probe
    ! grep -q noway watchdog.state || {
        pkg 'curl ca-certificates' curl curl
        sh watchdog probe
    }
    java_ok || for p in $P; do
        echo "packages $p" >state
        pkg "openjdk-$p-jre-headless" "openjdk$p-jre-headless" "java-$p-openjdk-headless"
        ! java_ok || break
    done
    java_ok && echo "java $j" >state || echo failed >state
    command -v git || pkg 'git ca-certificates' git git
) >>log 2>&1 </dev/null &

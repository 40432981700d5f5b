# Ends this machine by the key that the market puts inside it: when the controller was not heard of for Q seconds, and at the
# age of L seconds in any case. The start script writes it to the file "watchdog", below a line that sets: D state directory,
# A address of the market, L, Q, T seconds between two looks, V=1 in a virtual machine. POSIX shell, since /bin/sh runs it.
# With the argument "probe" it only tries whether it could, and says so in "watchdog.state". It does not end while the machine
# lives, unless a newer one has taken over.
trap '' HUP
exec 2>/dev/null
cd "$D" || exit

# One call, $1 = GET or DELETE, by the first program t that gets an HTTP status s. The key goes in by standard input: everybody
# can see arguments. The start script left nothing in the file that would mean something to a shell or to Python.
call() {
    [ ! -s key ] || . ./key
    u=$A/api/v0/instances/$CONTAINER_ID/
    h="Authorization: Bearer $CONTAINER_API_KEY"
    for t in curl python3; do
        s=$(case $t in
        curl) echo "header = \"$h\"" | curl -K - -sm20 -A vastai-cloud -o /dev/null -w '%{http_code}' -X "$1" "$u";;
        *) echo "import urllib.request as r;print(r.urlopen(r.Request('$u',None,dict(x.split(': ')for x in['$h','User-Agent: vastai-cloud']),method='$1'),timeout=20).status)" | python3 - 2>&1 | sed -n 's/^\(.*HTTP Error \)*\([1-5]..\).*/\2/p';;
        esac)
        case $s in [1-5]??) return;; esac
    done
    s=
    return 1
}
probe() {
    if [ ! -s key ]; then
        echo nokey
    elif call GET; then
        echo "armed $t"
    else
        echo noway
    fi >"state.$$" && mv -f "state.$$" watchdog.state
}
if [ "$1" ]; then
    probe
    exit
fi

# Seconds that the machine is up: nobody can set this clock, and over a stop of the machine it tells at most the truth.
clock() {
    read -r c x </proc/uptime
    d=$((${c%.*} - l))
    l=${c%.*}
    [ $d -gt 0 ] || d=0
}
# Age and silence are counted in a file, so that a machine which starts again goes on counting. Its downtime is no silence.
read -r a q l <watchdog.count
case $a.$q.$l in
*[!0-9.]* | .* | *..* | *.)
    a=0 q=0 l=0
    clock
    d=0
    ;;
*) clock;;
esac
a=$((a + d))
echo $$ >watchdog.pid
n=0
while p=$(cat watchdog.pid) || :; [ "${p:-$$}" = $$ ]; do
    grep -q armed watchdog.state || probe
    clock
    a=$((a + d)) q=$((q + d))
    # Heard of: the controller looked at the machine, or the connection that carries the agent lives.
    [ ! -e heard ] || { rm heard; q=0; }
    read -r p x <agent && grep -q "^PPid:.$x$" "/proc/$p/status" && q=0
    # Who can write nothing here cannot be heard of either, and that is no silence.
    echo "$a $q $l" >count.new && mv -f count.new watchdog.count || q=0
    if [ $a -lt $L ] && [ $q -lt $Q ]; then
        n=0 w=$T
    else
        call DELETE
        echo "watchdog: age $a s, silence $q s, destroy: $t $s"
        n=$((n + 1)) w=$((n < 8 ? 4 << n : 600))
        # Refused for good. A machine that is off costs its disk only; a container cannot switch itself off.
        case $V$s in 14??) [ $n -lt 8 ] || poweroff;; esac
    fi
    sleep $w
done

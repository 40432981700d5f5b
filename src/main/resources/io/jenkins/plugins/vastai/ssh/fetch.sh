# Lets the machine load a tar.gz of a Java runtime itself; B = address, C = SHA-256. What follows reads it on stdin.
f=$(mktemp) || exit
curl -fsSLm170 -o "$f" "$B" || wget -qO "$f" "$B" || { rm -f "$f"; exit 1; }
echo "$C  $f" | sha256sum -c >&2 || { rm -f "$f"; exit 1; }
exec <"$f"
rm -f "$f"

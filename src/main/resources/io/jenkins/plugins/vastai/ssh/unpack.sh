# Takes a tar.gz of a Java runtime on stdin; D = state directory, L = leading directories to drop. Prints the version it then
# has.
rm -rf "$D/brought" && mkdir "$D/brought" || exit 1
tar xzf - -C "$D/brought" --strip-components=$L || exit 1
rm -rf "$D/java"
mv "$D/brought" "$D/java" || exit 1
"$D/java/bin/java" -version 2>&1 </dev/null

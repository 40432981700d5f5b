# What the command that starts the agent begins with, in the login shell. D = state directory. The watchdog reads the numbers of
# the shell and of its parent, which is the connection: when that ends, the shell ends or has another parent.
[ -n "$D" ] && { echo $$ $PPID >"$D/agent"; } 2>/dev/null || echo "vastai-cloud: the machine cannot note in ${D:-any directory} that its agent is connected" >&2
[ ! -f "$D/environment" ] || . "$D/environment"

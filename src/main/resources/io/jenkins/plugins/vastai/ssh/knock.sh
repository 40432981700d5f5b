# After a login that greets: whether commands run at all, and whether the start script has silenced what it can, which it has
# when it looks for Java. D = state directory. POSIX shell.
echo
echo "vastai-cloud $([ ! -f "$D/state" ] || echo begun)"

# What the driver says of the GPUs. A driver in trouble can hang for ever, so it gets its own time.
t=
if command -v timeout >/dev/null 2>&1; then t="timeout 20"; fi
if ! command -v nvidia-smi >/dev/null 2>&1; then
    echo missing
    exit 0
fi
$t nvidia-smi --query-gpu=name,memory.total --format=csv,noheader || exit
echo "driver=$($t nvidia-smi --query-gpu=driver_version --format=csv,noheader 2>/dev/null | head -n 1)"

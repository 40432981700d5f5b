# Inside the machine: what is special about it, then the start script as the market runs it.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root
set -e
. /market/before
set +e
cd /root
: >/market/booted
bash /root/onstart.sh >/market/container.log 2>&1 </dev/null &
# The first process buries the others.
while :; do
    sleep 1000 &
    wait $!
done

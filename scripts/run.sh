#!/usr/bin/env bash
# The whole appliance on this machine, for trying out: a private broker, the gateway, a small simulated fleet. Ctrl-C stops all of it.
#
# Everything it writes is under run/. RATE (messages a second, default 20) and DEVICES (default 10) shape the fleet.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/common.sh
source scripts/common.sh

install_missing "${build_packages[@]}" "${broker_packages[@]}" curl
build_release

directory=$PWD/run
mkdir -p "$directory"
# One at a time: a second one would write over the first one's files. Held open by this script alone, until it ends.
exec 9>>"$directory/lock"
flock -n 9 || fail 'make run is running already; stop that one first'
broker_port=$(first_free_port 1883 $(seq 18830 18849))
http_port=$(first_free_port 8080 $(seq 18080 18099))
url=http://127.0.0.1:$http_port

pids=()
# The fleet first, then the gateway, which commits and acks what it has, the broker last.
# shellcheck disable=SC2317 # reached through trap
stop() {
    # Nothing may cut the stopping short: not a second Ctrl-C, not a terminal that is gone.
    trap '' INT TERM HUP PIPE
    trap - EXIT
    set +e
    say '' 2>/dev/null
    say 'Stopping...' 2>/dev/null
    local index
    for ((index = ${#pids[@]} - 1; index >= 0; index--)); do
        kill -TERM "${pids[index]}" 2>/dev/null
        wait "${pids[index]}" 2>/dev/null
    done
    say "Stopped. What was stored is in $directory." 2>/dev/null
}
trap 'stop; exit 0' INT TERM HUP
trap stop EXIT

# Each in a session of its own: Ctrl-C reaches this script alone, which then stops them in order.
start() {
    local log=$directory/$1.log
    shift
    setsid "$@" >>"$log" 2>&1 9>&- &
    pids+=($!)
}

write_broker_config "$directory/mosquitto.conf" "$broker_port" "$directory/broker"
start broker "$(mosquitto_bin)" -c "$directory/mosquitto.conf"
wait_for_port "$broker_port" "${pids[-1]}" || fail "the broker did not start; see $directory/broker.log"

start gateway "$gaugehouse_bin" serve --config configs/demo.toml \
    --set "store.path=$directory/store" --set "dead_letters.path=$directory/dead-letters" \
    --set "delivery.0.destination=file://$directory/archive" --set "mqtt.port=$broker_port" --set "http.listen=127.0.0.1:$http_port"
gateway=${pids[-1]}
wait_for_port "$http_port" "$gateway" || fail "the gateway did not start; see $directory/gateway.log"

start fleet "$load_bin" --port "$broker_port" --devices "${DEVICES:-10}" --connections 1 --prefix demo- \
    --rate "${RATE:-20}" --duration 8760h --reconnect

cat <<END

Gaugehouse is running.
  broker        mqtt://127.0.0.1:$broker_port     log: run/broker.log
  gateway       $url     log: run/gateway.log
  dashboard     $url/
  fleet         ${DEVICES:-10} devices, ${RATE:-20} messages a second     log: run/fleet.log
  Parquet       run/archive (a window of a minute is delivered about a minute after its end)

Try, in another terminal:
  mosquitto_pub -p $broker_port -q 1 -t devices/dev-1/telemetry -m '{"ts":$(date +%s)000,"temperature":21.5,"status":"ok"}'
  curl -s '$url/api/v1/devices/dev-1/latest'
  curl -s '$url/api/v1/devices/dev-1/range?start=-1h'
  curl -s '$url/api/v1/devices'
  curl -s '$url/api/v1/stats'
  .build/release/gaugehouse latest dev-1 --url $url

Ctrl-C stops all of it.
END

wait -n "${pids[@]}" || true
fail "a part ended by itself; see the logs in $directory"

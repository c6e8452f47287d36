#!/usr/bin/env bash
# The store benchmark: our store in process, and its peers from Debian, on the same readings.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/common.sh
source scripts/common.sh

# Debian starts the servers that it installs. The benchmark runs its own copies; a server that was there before is left alone.
servers=()
for server in influxdb victoria-metrics; do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$server" 2>/dev/null)" = installed ] || servers+=("$server")
done
install_missing libzstd-dev pkg-config libstdc++-12-dev g++ python3 librocksdb-dev influxdb victoria-metrics
if [ ${#servers[@]} -gt 0 ] && [ -d /run/systemd/system ]; then
    sudo=()
    [ "$(id -u)" -eq 0 ] || sudo=(sudo)
    "${sudo[@]}" systemctl disable --now --quiet "${servers[@]}"
fi

# Through a pipe for the reason given at build_release.
swift build -c release --product gaugehouse-bench-store 2>&1 | cat
exec Benchmarks/store/run --binary "$(swift build -c release --show-bin-path)/gaugehouse-bench-store" "$@"

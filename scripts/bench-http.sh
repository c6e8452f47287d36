#!/usr/bin/env bash
# Reading over HTTP: the gateway beside an empty handler of its web server, InfluxDB and VictoriaMetrics.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/common.sh
source scripts/common.sh

install_missing "${build_packages[@]}" "${broker_packages[@]}" python3 wrk
install_peers
build_release
for product in gaugehouse-bench-http gaugehouse-bench-store; do swift build -c release --product "$product" 2>&1 | cat; done
directory=$(swift build -c release --show-bin-path)
exec Benchmarks/http/run --gateway "$gaugehouse_bin" --load "$load_bin" \
    --empty "$directory/gaugehouse-bench-http" --store-bench "$directory/gaugehouse-bench-store" "$@"

#!/usr/bin/env bash
# The store benchmark: our store in process, and its peers from Debian, on the same readings.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/common.sh
source scripts/common.sh

install_missing libzstd-dev pkg-config libstdc++-12-dev g++ python3 librocksdb-dev
install_peers

# Through a pipe for the reason given at build_release.
swift build -c release --product gaugehouse-bench-store 2>&1 | cat
exec Benchmarks/store/run --binary "$(swift build -c release --show-bin-path)/gaugehouse-bench-store" "$@"

#!/usr/bin/env bash
# The end-to-end benchmark: broker, generator and gateway together on this machine.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/common.sh
source scripts/common.sh

install_missing "${build_packages[@]}" "${broker_packages[@]}" python3
build_release
exec Benchmarks/end-to-end/run --gateway "$gaugehouse_bin" --load "$load_bin" "$@"

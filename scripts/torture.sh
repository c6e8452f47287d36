#!/usr/bin/env bash
# Kills the store hundreds of times, GAUGEHOUSE_TORTURE_SECONDS long; then the whole gateway under load, as often as its test does.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/common.sh
source scripts/common.sh
prepare_tests
export GAUGEHOUSE_TORTURE_SECONDS=${GAUGEHOUSE_TORTURE_SECONDS:-600}
"$GAUGEHOUSE_PYTHON" -m pytest -s Tests/EndToEnd/test_torture.py Tests/EndToEnd/test_kill.py "$@"

#!/usr/bin/env bash
# Installs what the tests need and runs every test: unit and integration tests in Swift, end to end in Python.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/common.sh
source scripts/common.sh

prepare_tests

swift build --build-tests
swift test --skip-build
"$GAUGEHOUSE_PYTHON" -m pytest Tests/EndToEnd "$@"

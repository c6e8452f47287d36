#!/usr/bin/env bash
# Installs what the tests need and runs every test: unit and integration tests in Swift, end to end in Python.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/common.sh
source scripts/common.sh

prepare_tests

swift build --build-tests

# What failed is said once more where it is read: a thousand lines of passed tests stand between.
swift_tests() {
    local log=.build/test.log
    if ! swift test --skip-build "$@" 2>&1 | tee "$log"; then
        echo "Failed:"
        grep -a "✘" "$log" || true
        exit 1
    fi
}

# One after the other: beside tests that compute for minutes, those that wait for sockets would wait for a processor.
computing='^(TelemetryTests|TelemetryStoreTests|DialectsTests|ParquetTests|TidyTests)\.'
serving='^(QueryAPITests|GatewayTests)\.'
swift_tests --filter "$computing"
swift_tests --filter "$serving"
swift_tests --skip "$computing|$serving"
"$GAUGEHOUSE_PYTHON" -m pytest Tests/EndToEnd "$@"

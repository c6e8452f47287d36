#!/usr/bin/env bash
# Installs what the tests need and runs every test: unit and integration tests in Swift, end to end in Python.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/common.sh
source scripts/common.sh

prepare_tests

swift build --build-tests
# What failed is said once more where it is read: a thousand lines of passed tests stand between.
log=.build/test.log
if ! swift test --skip-build 2>&1 | tee "$log"; then
    echo "Failed:"
    grep -a "✘" "$log" || true
    exit 1
fi
"$GAUGEHOUSE_PYTHON" -m pytest Tests/EndToEnd "$@"

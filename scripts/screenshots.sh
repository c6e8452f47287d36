#!/usr/bin/env bash
# Takes the pictures of docs/screenshots anew: a gateway of its own with a fleet of river gauges, looked at in a headless Chromium.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/common.sh
source scripts/common.sh

prepare_tests
"$GAUGEHOUSE_PYTHON" Tests/EndToEnd/screenshots.py docs/screenshots

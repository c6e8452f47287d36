#!/usr/bin/env bash
# Installs what the tests need and runs every test: unit and integration tests in Swift, end to end in Python.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/common.sh
source scripts/common.sh

install_missing "${build_packages[@]}" "${broker_packages[@]}" python3
# Debian keeps what `python3 -m venv` needs in a package of its own.
python3 -c 'import ensurepip, venv' 2>/dev/null || install_missing python3-venv

[ -x .venv/bin/python ] || python3 -m venv .venv
.venv/bin/python -m pip install --quiet --disable-pip-version-check -r Tests/requirements.txt
export GAUGEHOUSE_PYTHON=$PWD/.venv/bin/python

build_release
export GAUGEHOUSE_BIN=$gaugehouse_bin GAUGEHOUSE_LOAD_BIN=$load_bin
export PATH=$PATH:/usr/sbin

swift build --build-tests
swift test --skip-build
"$GAUGEHOUSE_PYTHON" -m pytest Tests/EndToEnd "$@"

#!/usr/bin/env bash
# Fetches the dashboard's chart library, which is not part of this repository, to .vendor/uplot: the build puts it into the program.
# The version and its checksum stand in scripts/chart-library.txt; why this one, in docs/decisions/0014-charts-uplot.md.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/common.sh
source scripts/common.sh

wanted=$(sha256sum scripts/chart-library.txt)
[ "$(cat .vendor/uplot/source 2>/dev/null)" != "$wanted" ] || exit 0

python3 -c 'import ensurepip, venv' 2>/dev/null || install_missing python3 python3-venv
[ -x .venv/bin/python ] || python3 -m venv .venv
wheel=$(mktemp -d)
trap 'rm -rf "$wheel"' EXIT
.venv/bin/python -m pip download --quiet --disable-pip-version-check --no-deps --only-binary :all: --require-hashes \
    --dest "$wheel" -r scripts/chart-library.txt
mkdir -p .vendor/uplot
.venv/bin/python - "$wheel"/*.whl <<'PYTHON'
import pathlib, sys, zipfile

with zipfile.ZipFile(sys.argv[1]) as wheel:
    for name in ("uplot.iife.min.js", "uplot.min.css"):
        pathlib.Path(".vendor/uplot", name).write_bytes(wheel.read(f"youplot/vendor/{name}"))
PYTHON
printf '%s\n' "$wanted" >.vendor/uplot/source
# A build that did not find the files does not know that they have come.
touch Sources/CAssets/assets.c
say 'Fetched the chart library of the dashboard.'

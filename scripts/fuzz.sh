#!/usr/bin/env bash
# Fuzzes the readers of everything that the store keeps on disk, each for some seconds, from the golden files; and those of payloads.
# Usage: scripts/fuzz.sh [seconds [target…]]     default: 60 seconds, every target
# Corpora stay in .build/fuzz/corpus and grow from run to run; inputs that crash are left in .build/fuzz/crashes.
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/common.sh

install_missing libzstd-dev zlib1g-dev libsnappy-dev liblz4-dev libbrotli-dev libsimdjson-dev libstdc++-12-dev pkg-config

seconds=${1:-60}
shift || true
targets=("$@")
[ ${#targets[@]} -gt 0 ] || targets=(log segment catalog checkpoint state ledger dialects text parquet)
[[ $seconds =~ ^[0-9]+$ ]] || fail "usage: scripts/fuzz.sh [seconds [target…]]"

build=$PWD/.build/fuzz
golden=$PWD/Tests/TelemetryStoreTests/Golden
export GAUGEHOUSE_GOLDEN=$golden/store-v1
# The runtime's own crash reporter reads memory that the address sanitizer guards.
export SWIFT_BACKTRACE=enable=no
mkdir -p "$build/crashes"

for target in "${targets[@]}"; do
    [ -d "Tests/Fuzz/$target" ] || fail "no fuzz target $target"
    swift build --package-path Tests/Fuzz --scratch-path "$build" -c release -j 2 --product "fuzz-$target" 2>&1 | cat
done

# Seeds: the golden files, each with the byte behind it that says how it is used (0: checksums made to hold, 1: as it is).
seed() {
    local target=$1 file=$2 suffix=$3 mode
    shift 3
    for mode in "$@"; do
        { cat "$file"; printf '%b' "\\x0$mode"; } >"$build/corpus/$target/seed-$(basename "$(dirname "$file")")-$suffix-$mode"
    done
}
for target in "${targets[@]}"; do
    mkdir -p "$build/corpus/$target"
    case $target in
        log) for file in "$golden"/*/log/*.log; do seed log "$file" log 0 1; done ;;
        segment) for file in "$golden"/*/tables/*/*/*.seg; do seed segment "$file" seg 0 1 2 4 6; done ;;
        state) for file in "$golden"/*/tables/*/*/state; do seed state "$file" state 0 1; done ;;
        catalog | checkpoint) for file in "$golden"/*/"$target"; do seed "$target" "$file" "$target" 0 1; done ;;
        ledger) for file in Tests/Fuzz/Seeds/ledger/*; do seed ledger "$file" "$(basename "$file")" 0 1; done ;;
    esac
    for file in Tests/Fuzz/Seeds/"$target"/*; do
        [ "$target" = ledger ] || [ ! -f "$file" ] || cp "$file" "$build/corpus/$target/"
    done
done

status=0
for target in "${targets[@]}"; do
    say "== $target: $seconds s"
    binary=$(swift build --package-path Tests/Fuzz --scratch-path "$build" -c release --show-bin-path)/fuzz-$target
    # Leaks are not looked for: an input that is refused half-way leaves a thread that ends by itself. 2 GiB and 10 s bound one input.
    if ! "$binary" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -max_len=16384 -detect_leaks=0 -print_final_stats=1 \
        -artifact_prefix="$build/crashes/$target-" "$build/corpus/$target" >"$build/$target.log" 2>&1; then
        status=1
        grep -E 'ERROR|Fatal error|SUMMARY|Test unit written' "$build/$target.log" || tail -n 20 "$build/$target.log"
        artifact=$(sed -n 's/.*Test unit written to //p' "$build/$target.log" | tail -n 1)
        say "again: GAUGEHOUSE_GOLDEN=$GAUGEHOUSE_GOLDEN $binary $artifact"
    else
        grep -E 'stat::number_of_executed_units|cov:' "$build/$target.log" | tail -n 2
    fi
done
exit $status

#!/usr/bin/env bash
# Runs the store's tests under the thread sanitizer, then under the address sanitizer.
#
# Only the store and what it stands on is built with them: a package of symbolic links in .build/sanitize, so that neither the HTTP
# server nor its libraries are. Optimized, or the tests that live on seeds would do a thirtieth of their work.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/common.sh
source scripts/common.sh
install_missing libzstd-dev pkg-config

package=.build/sanitize
sources=(CZstd CChecksum Telemetry TelemetryCodec TelemetryStore)
mkdir -p "$package/Sources" "$package/Tests"
for name in "${sources[@]}"; do ln -sfn "../../../Sources/$name" "$package/Sources/$name"; done
ln -sfn ../../../Tests/TelemetryStoreTests "$package/Tests/TelemetryStoreTests"
cat >"$package/Package.swift" <<'SWIFT'
// swift-tools-version:6.2
import PackageDescription

let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6), .enableUpcomingFeature("ExistentialAny"), .enableUpcomingFeature("MemberImportVisibility"),
    .unsafeFlags(["-O"]),
]

let package = Package(
    name: "gaugehouse",
    platforms: [.macOS(.v15)],
    targets: [
        .systemLibrary(name: "CZstd", pkgConfig: "libzstd", providers: [.apt(["libzstd-dev"])]),
        .target(name: "CChecksum"),
        .target(name: "Telemetry", swiftSettings: settings),
        .target(name: "TelemetryCodec", dependencies: ["CChecksum", "CZstd", "Telemetry"], swiftSettings: settings),
        .target(name: "TelemetryStore", dependencies: ["Telemetry", "TelemetryCodec"], swiftSettings: settings),
        .testTarget(
            name: "TelemetryStoreTests", dependencies: ["Telemetry", "TelemetryCodec", "TelemetryStore"], exclude: ["Golden"],
            swiftSettings: settings),
    ]
)
SWIFT

# XCTest's own, which runs first and finds no test.
echo "leak:libXCTest" >"$package/leaks"

# The sanitizers cost a factor of five to ten: fewer seeds.
export GAUGEHOUSE_SEEDS=${GAUGEHOUSE_SEEDS:-0.05}
sanitizers=("$@")
[ ${#sanitizers[@]} -gt 0 ] || sanitizers=(thread address)
for name in "${sanitizers[@]}"; do
    say "== $name sanitizer"
    # What a sanitizer has to say ends the run, and is its exit code.
    TSAN_OPTIONS="halt_on_error=1 second_deadlock_stack=1" ASAN_OPTIONS="detect_stack_use_after_return=1" \
        LSAN_OPTIONS="suppressions=$PWD/$package/leaks" \
        swift test --package-path "$package" --scratch-path "$package/.build-$name" --sanitize="$name" 2>&1 | grep -v '◇'
done

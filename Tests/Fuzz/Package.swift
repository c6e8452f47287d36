// swift-tools-version:6.2
import PackageDescription

// libFuzzer targets for every reader of bytes from the disk, and of payloads: `make fuzz`. A package of its own, because everything in it
// is built with the fuzzer's coverage and the address sanitizer; under the same name, because readers are `package`.
let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .unsafeFlags(["-sanitize=fuzzer,address", "-parse-as-library", "-enable-testing"]),
]

func module(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: settings)
}

/// One fuzzer: `<name>/Target.swift` has its entry point.
func fuzzer(_ name: String) -> Target {
    .executableTarget(
        name: "fuzz-\(name)",
        dependencies: ["FuzzSupport", "Telemetry", "TelemetryCodec", "TelemetryStore", "Delivery", "Dialects", "Parquet"],
        path: name, swiftSettings: settings, linkerSettings: [.unsafeFlags(["-sanitize=fuzzer,address"])])
}

let package = Package(
    name: "gaugehouse",
    platforms: [.macOS(.v15)],
    targets: [
        .systemLibrary(name: "CZstd", pkgConfig: "libzstd"),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib"),
        .systemLibrary(name: "CSnappy", pkgConfig: "snappy"),
        .systemLibrary(name: "CLz4", pkgConfig: "liblz4"),
        .systemLibrary(name: "CBrotli", pkgConfig: "libbrotlidec"),
        .target(name: "CChecksum", cSettings: [.unsafeFlags(["-fsanitize=fuzzer-no-link,address"])]),
        .target(
            name: "CSimdjson", cxxSettings: [.unsafeFlags(["-fsanitize=fuzzer-no-link,address"])],
            linkerSettings: [.linkedLibrary("simdjson")]),
        module("Telemetry"),
        module("TelemetryCodec", ["CChecksum", "CZstd", "Telemetry"]),
        module("TelemetryStore", ["Telemetry", "TelemetryCodec"]),
        module("Dialects", ["CSimdjson", "Telemetry", "TelemetryCodec"]),
        module("Parquet", ["CBrotli", "CLz4", "CSnappy", "CZlib", "TelemetryCodec"]),
        // The ledger only: the rest of Delivery brings libraries that no fuzzer looks at.
        module("Delivery", ["Telemetry", "TelemetryCodec", "TelemetryStore"]),
        .target(
            name: "FuzzSupport", dependencies: ["Telemetry", "TelemetryCodec", "TelemetryStore"], path: "Support", swiftSettings: settings),
        fuzzer("log"), fuzzer("segment"), fuzzer("catalog"), fuzzer("checkpoint"), fuzzer("state"), fuzzer("ledger"), fuzzer("dialects"),
        fuzzer("text"), fuzzer("parquet"),
    ],
    cxxLanguageStandard: .cxx17
)

// swift-tools-version:6.2
import PackageDescription

let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

/// The store and its tests are optimized in debug builds, too: thirty times as many seeds in the same time. Overflows still trap.
let fastSettings = settings + [.unsafeFlags(["-O"], .when(configuration: .debug))]

/// One module of the product. Arrows point down only; Tests/TidyTests holds the picture in docs/architecture.md to it.
func module(_ name: String, _ dependencies: [Target.Dependency] = [], isFast: Bool = false) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: isFast ? fastSettings : settings)
}

func tests(_ name: String, _ dependencies: [Target.Dependency], exclude: [String] = [], isFast: Bool = false) -> Target {
    .testTarget(name: name, dependencies: dependencies, exclude: exclude, swiftSettings: isFast ? fastSettings : settings)
}

func product(_ name: String, of package: String) -> Target.Dependency {
    .product(name: name, package: package)
}

let package = Package(
    name: "gaugehouse",
    platforms: [.macOS(.v15)],
    products: [
        .executable(name: "gaugehouse", targets: ["gaugehouse"]),
        .executable(name: "gaugehouse-load", targets: ["gaugehouse-load"]),
    ],
    dependencies: [
        .package(url: "https://github.com/hummingbird-project/hummingbird.git", from: "2.28.1", traits: []),
        .package(url: "https://github.com/apple/swift-nio.git", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-extras.git", from: "1.35.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl.git", from: "2.37.6"),
        .package(url: "https://github.com/apple/swift-http-types.git", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-argument-parser.git", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log.git", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-crypto.git", from: "4.5.2"),
        .package(url: "https://github.com/swift-server/async-http-client.git", from: "1.37.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle.git", from: "2.13.0"),
        .package(url: "https://github.com/LebJe/TOMLKit.git", from: "0.6.0"),
        .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift.git", from: "0.2.0"),
    ],
    targets: [
        // C libraries: a module map or a thin shim, nothing else.
        .systemLibrary(name: "CMosquitto", pkgConfig: "libmosquitto", providers: [.apt(["libmosquitto-dev"])]),
        .systemLibrary(name: "CZstd", pkgConfig: "libzstd", providers: [.apt(["libzstd-dev"])]),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        .systemLibrary(name: "CSnappy", pkgConfig: "snappy", providers: [.apt(["libsnappy-dev"])]),
        .systemLibrary(name: "CLz4", pkgConfig: "liblz4", providers: [.apt(["liblz4-dev"])]),
        .systemLibrary(name: "CBrotli", pkgConfig: "libbrotlidec", providers: [.apt(["libbrotli-dev"])]),
        .target(
            name: "CSimdjson",
            cxxSettings: [.unsafeFlags(["-O3"], .when(configuration: .debug))],
            linkerSettings: [.linkedLibrary("simdjson")]),
        .target(name: "CChecksum"),
        // The files of Sources/Dashboard and docs/openapi.yaml, as bytes of the program.
        .target(name: "CAssets"),

        // The house, from the ground up.
        module("Telemetry", isFast: true),
        module("TelemetryCodec", ["CChecksum", "CZstd", "Telemetry"], isFast: true),
        module("TelemetryStore", ["Telemetry", "TelemetryCodec"], isFast: true),
        module("Dialects", ["CSimdjson", "Telemetry", "TelemetryCodec"]),
        module("Parquet", ["CBrotli", "CLz4", "CSnappy", "CZlib", "TelemetryCodec"], isFast: true),
        module(
            "ObjectStorage",
            [
                product("Crypto", of: "swift-crypto"), product("AsyncHTTPClient", of: "async-http-client"),
                product("NIOCore", of: "swift-nio"), product("NIOPosix", of: "swift-nio"), product("NIOHTTP1", of: "swift-nio"),
            ]),
        module(
            "Delivery", ["Telemetry", "TelemetryCodec", "TelemetryStore", "Parquet", "ObjectStorage", product("Logging", of: "swift-log")]),
        module("Ingest", ["CMosquitto", "Dialects", "Telemetry", "TelemetryStore", product("Logging", of: "swift-log")]),
        module(
            "QueryAPI",
            [
                "CAssets", "CZlib", "Dialects", "Telemetry", "TelemetryStore",
                product("Hummingbird", of: "hummingbird"), product("HummingbirdCore", of: "hummingbird"),
                product("NIOCore", of: "swift-nio"), product("NIOPosix", of: "swift-nio"), product("NIOHTTP1", of: "swift-nio"),
                product("NIOHTTPTypes", of: "swift-nio-extras"), product("NIOSSL", of: "swift-nio-ssl"),
                product("Crypto", of: "swift-crypto"),
                product("HTTPTypes", of: "swift-http-types"), product("Logging", of: "swift-log"),
                product("ServiceLifecycle", of: "swift-service-lifecycle"),
            ]),
        module(
            "Gateway",
            [
                "Telemetry", "TelemetryStore", "Dialects", "Ingest", "Delivery", "ObjectStorage", "QueryAPI",
                product("TOMLKit", of: "TOMLKit"), product("Logging", of: "swift-log"),
                product("ServiceLifecycle", of: "swift-service-lifecycle"), product("UnixSignals", of: "swift-service-lifecycle"),
                product("NIOCore", of: "swift-nio"),
            ]),
        .executableTarget(
            name: "gaugehouse",
            dependencies: [
                "Telemetry", "TelemetryStore", "Delivery", "Ingest", "QueryAPI", "Gateway",
                product("ArgumentParser", of: "swift-argument-parser"),
                product("Logging", of: "swift-log"),
            ],
            swiftSettings: settings),
        .executableTarget(
            name: "gaugehouse-load",
            dependencies: [product("ArgumentParser", of: "swift-argument-parser"), product("Histogram", of: "hdrhistogram-swift")],
            path: "loadtest",
            exclude: ["README.md", "scenarios"],
            swiftSettings: settings),
        .executableTarget(
            name: "gaugehouse-bench-store",
            dependencies: ["Telemetry", "TelemetryCodec", "TelemetryStore", product("ArgumentParser", of: "swift-argument-parser")],
            path: "Benchmarks/store",
            exclude: ["harness", "peers", "run", "allocations"],
            swiftSettings: settings),

        .executableTarget(
            name: "gaugehouse-bench-parquet", dependencies: ["Parquet", product("ArgumentParser", of: "swift-argument-parser")],
            path: "Benchmarks/parquet", exclude: ["run"], swiftSettings: settings),
        .executableTarget(
            name: "gaugehouse-bench-http", dependencies: [product("Hummingbird", of: "hummingbird"), product("NIOCore", of: "swift-nio")],
            path: "Benchmarks/http", exclude: ["run", "paced.c", "asking.py", "gateway.py"], swiftSettings: settings),

        // Lives to be killed, for Tests/EndToEnd/test_torture.py.
        .executableTarget(
            name: "gaugehouse-torture", dependencies: ["Telemetry", "TelemetryStore"], path: "Tests/Torture", swiftSettings: settings),

        // Reads and writes Parquet with the libraries that people use, for tests.
        .target(
            name: "IndependentReaders", path: "Tests/IndependentReaders",
            exclude: ["dump_parquet.py", "push_down.py", "spark_reader.py", "table_text.py", "write_parquet.py"],
            swiftSettings: settings),
        // Starts an S3 server, for tests.
        .target(name: "ObjectStores", path: "Tests/ObjectStores", exclude: ["seaweedfs.py"], swiftSettings: settings),
        tests("TelemetryTests", ["Telemetry", "TelemetryCodec"]),
        tests("TelemetryStoreTests", ["Telemetry", "TelemetryCodec", "TelemetryStore"], exclude: ["Golden"], isFast: true),
        tests("ParquetTests", ["Parquet", "TelemetryCodec", "IndependentReaders"], isFast: true),
        tests(
            "ObjectStorageTests",
            [
                "ObjectStorage", "ObjectStores", product("AsyncHTTPClient", of: "async-http-client"),
                product("NIOCore", of: "swift-nio"), product("NIOPosix", of: "swift-nio"), product("NIOHTTP1", of: "swift-nio"),
            ]),
        tests(
            "DeliveryTests",
            [
                "Telemetry", "TelemetryCodec", "TelemetryStore", "Parquet", "ObjectStorage", "Delivery", "IndependentReaders",
                product("Logging", of: "swift-log"),
            ]),
        tests("DialectsTests", ["Telemetry", "Dialects"]),
        tests("IngestTests", ["Telemetry", "TelemetryStore", "Dialects", "Ingest", product("Logging", of: "swift-log")]),
        tests(
            "QueryAPITests",
            [
                "CZlib", "Dialects", "Telemetry", "TelemetryStore", "QueryAPI",
                product("Hummingbird", of: "hummingbird"), product("HummingbirdTesting", of: "hummingbird"),
                product("HTTPTypes", of: "swift-http-types"), product("NIOCore", of: "swift-nio"), product("NIOPosix", of: "swift-nio"),
                product("NIOEmbedded", of: "swift-nio"),
                product("Logging", of: "swift-log"),
            ]),
        tests(
            "GatewayTests",
            [
                "Dialects", "Telemetry", "TelemetryStore", "Ingest", "QueryAPI", "Gateway", product("Logging", of: "swift-log"),
                product("ServiceLifecycle", of: "swift-service-lifecycle"),
            ]),
        tests("CommandLineTests", ["gaugehouse", "Gateway", product("ArgumentParser", of: "swift-argument-parser")]),
        tests("LoadTests", ["gaugehouse-load", product("Histogram", of: "hdrhistogram-swift")]),
        tests("TidyTests", []),
    ],
    cxxLanguageStandard: .cxx17
)

import Testing

/// Arrows point down only (docs/architecture.md).
@Suite struct ImportTests {
    /// Who may import whom; of modules from elsewhere, all that are not named here are free.
    private static let allowed: [String: Set<String>] = [
        "Telemetry": [],
        "TelemetryCodec": ["CChecksum", "CZstd", "Telemetry"],
        "TelemetryStore": ["Telemetry", "TelemetryCodec"],
        "Dialects": ["CSimdjson", "Telemetry", "TelemetryCodec"],
        "Parquet": ["CBrotli", "CLz4", "CSnappy", "CZlib", "TelemetryCodec"],
        "ObjectStorage": [],
        "Delivery": ["Telemetry", "TelemetryCodec", "TelemetryStore", "Parquet", "ObjectStorage"],
        "Ingest": ["CMosquitto", "Dialects", "Telemetry", "TelemetryStore"],
        "QueryAPI": ["CAssets", "CZlib", "Dialects", "Telemetry", "TelemetryStore"],
        "Gateway": ["Telemetry", "TelemetryStore", "Dialects", "Ingest", "Delivery", "ObjectStorage", "QueryAPI"],
        "gaugehouse": ["Telemetry", "TelemetryStore", "Delivery", "Ingest", "QueryAPI", "Gateway"],
    ]
    private static let libraries: Set<String> = [
        "CAssets", "CBrotli", "CChecksum", "CLz4", "CMosquitto", "CSimdjson", "CSnappy", "CZlib", "CZstd",
    ]
    private static let own = Set(allowed.keys).union(libraries)

    @Test(arguments: allowed.keys.sorted()) func aModuleImportsOnlyWhatIsBelowIt(module: String) throws {
        let files = try SourceTree.files(below: "Sources/\(module)")
        #expect(!files.isEmpty)
        for file in files {
            let wrong = file.imports.intersection(Self.own).subtracting(Self.allowed[module, default: []]).subtracting([module])
            #expect(wrong.isEmpty, "\(file.path) imports \(wrong.sorted().joined(separator: ", "))")
        }
    }

    @Test func everyModuleStandsInThePicture() throws {
        let modules = Set(try SourceTree.files(below: "Sources").map { String($0.path.split(separator: "/")[1]) })
        #expect(modules.subtracting(Self.own).isEmpty)
    }

    @Test(arguments: libraries.sorted()) func aCLibraryHasOneWrapper(library: String) throws {
        let importers = try Self.allowed.keys.filter { module in
            try SourceTree.files(below: "Sources/\(module)").contains { $0.imports.contains(library) }
        }
        // zlib packs streams of HTTP, and whole pages of Parquet: the two share no line.
        let wrapperCount = library == "CZlib" ? 2 : 1
        #expect(importers.count == wrapperCount, "\(library) is imported by \(importers.sorted())")
    }

    @Test(arguments: ["Telemetry", "TelemetryCodec", "TelemetryStore", "Dialects", "Parquet", "Ingest"])
    func theHotPathIsFreeOfFoundation(module: String) throws {
        for file in try SourceTree.files(below: "Sources/\(module)") {
            #expect(file.imports.isDisjoint(with: ["Foundation", "FoundationEssentials"]), "\(file.path)")
        }
    }
}

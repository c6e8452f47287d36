import Telemetry
import TelemetryCodec
import Testing

@testable import TelemetryStore

@Suite("Format versions")
struct FormatVersionTests {
    private func filled() throws -> Bench {
        let bench = try Bench()
        try bench.commit(reading("a", Bench.start, ["v": .integer(1)]))
        try bench.seal()
        try bench.commit(reading("a", bench.clock.now(), ["v": .integer(2)]))
        try bench.store.close()
        return bench
    }

    @Test(
        "a file of a newer version is refused as that, not as damage, and its bytes stay",
        arguments: [".log", ".seg", "/state", "/checkpoint", "/catalog"])
    func newerVersion(kind: String) throws {
        let bench = try filled()
        let path = try #require(bench.disk.files.last { $0.hasSuffix(kind) })
        bench.disk.write(path, [9, 0, 0, 0], at: 8)
        // Of a later version only the first bytes are known: nothing else need hold.
        if kind == ".seg" { bench.disk.flip(path, at: bench.disk.contents(path).count - 1) }
        let before = bench.disk.contents(path)
        #expect {
            _ = try bench.reopen()
        } throws: { error in
            guard let error = error as? StoreError else { return false }
            return error.code == .unusable && error.detail.contains(path) && error.detail.contains("version 9")
        }
        #expect(bench.disk.contents(path) == before)
    }

    @Test("no version, version zero and absurd versions are damage", arguments: [[], [0, 0, 0, 0], [0, 1, 0, 0], [255, 255, 255, 255]])
    func damagedVersion(version: [UInt8]) {
        let bytes: [UInt8] = Array("GAUGECAT".utf8) + version
        #expect {
            try bytes.withRawBytes { (bytes) throws(CodecError) in _ = try Catalog(bytes) }
        } throws: { error in
            if case CodecError.newerVersion = error { return false }
            return true
        }
    }
}

import Telemetry
import TelemetryCodec
import Testing

@testable import TelemetryStore

@Suite("Dump of one file")
struct DumpTests {
    private func golden() throws -> SimulatedFileSystem {
        let disk = SimulatedFileSystem()
        try GoldenTests.load(GoldenTests.root + "/store-v1", as: "/store", into: disk)
        return disk
    }

    private func dump(
        _ disk: SimulatedFileSystem, _ suffix: String, rows: Bool = true, limit: Int = .max
    ) throws -> (entries: [FileDump.Entry], error: StoreError?) {
        var options = FileDump.Options()
        (options.showsRows, options.limit) = (rows, limit)
        let path = try #require(disk.files.first { $0.hasSuffix(suffix) })
        var entries: [FileDump.Entry] = []
        do throws(StoreError) {
            try FileDump(path: path, options: options, fileSystem: disk).run { entries.append($0) }
            return (entries, nil)
        } catch {
            return (entries, error)
        }
    }

    private func texts(_ entries: [FileDump.Entry], _ kind: String) -> [String] { entries.filter { $0.kind == kind }.map(\.text) }

    @Test("a log shows its records, names and rows")
    func log() throws {
        let (entries, error) = try dump(try golden(), ".log")
        #expect(error == nil && entries.first?.kind == "log" && entries.last?.kind == "end")
        #expect(texts(entries, "device") == [#"table 0, number 0, "line/1""#, #"table 0, number 1, "line/2""#])
        #expect(texts(entries, "row").first == "device 0, 2025-11-24T16:00:00Z, 0=true, 1=21.5, 2=-5, 3=\"grün\", 4=0x00ff")
        #expect(texts(entries, "record").count == entries.count { $0.kind == "rows" })
    }

    @Test("a segment shows fields, devices, pieces and rows; without --rows no rows")
    func segment() throws {
        let (entries, error) = try dump(try golden(), ".seg")
        #expect(error == nil && entries.first?.kind == "segment")
        #expect(texts(entries, "field").count == 5)
        #expect(texts(entries, "device").contains { $0.contains("line/1") && $0.contains("3 rows (2 new)") })
        #expect(texts(entries, "row").contains { $0.contains("\"s\"=\"grün\"") && $0.contains("committed") })
        #expect(texts(try dump(try golden(), ".seg", rows: false).entries, "row") == [])
    }

    @Test("catalogue, checkpoint and state show what is in them")
    func small() throws {
        let disk = try golden()
        #expect(texts(try dump(disk, "/catalog").entries, "table") == [#"number 0, "telemetry", 4 buckets, partitions of 1m"#])
        let checkpoint = try dump(disk, "/checkpoint")
        #expect(checkpoint.error == nil && texts(checkpoint.entries, "device").count == 2 && texts(checkpoint.entries, "latest").count > 5)
        #expect(texts(try dump(disk, "/state").entries, "task") == [#""archive", delivered through flush 1"#])
    }

    @Test(
        "damaged files show what is before the damage, and where it is", arguments: [".log", ".seg", "/catalog", "/checkpoint", "/state"])
    func damaged(suffix: String) throws {
        let disk = try golden()
        let path = try #require(disk.files.first { $0.hasSuffix(suffix) })
        let whole = try dump(disk, suffix).entries
        // The second record; a frame of rows; the checksum at the end.
        let offset =
            suffix == ".log" ? try #require(whole.filter { $0.kind == "record" }.dropFirst().first).offset + 20 : suffix == ".seg" ? 20 : -1
        disk.flip(path, at: offset < 0 ? disk.contents(path).count + offset : offset)
        let (entries, error) = try dump(disk, suffix)
        let found = try #require(error)
        #expect(found.code == .corruption && found.position?.file == path)
        #expect(!entries.isEmpty && entries.count <= whole.count && entries[0] == whole[0])
    }

    @Test("the limit counts entries", arguments: [".log", ".seg", "/catalog", "/checkpoint", "/state"], [1, 3])
    func limit(suffix: String, limit: Int) throws {
        let disk = try golden()
        let whole = try dump(disk, suffix).entries
        #expect(try dump(disk, suffix, limit: limit).entries == Array(whole.prefix(limit)))
    }

    @Test("files of no store and newer files are refused as that")
    func foreign() throws {
        let disk = try golden()
        disk.write("/store/catalog", [9], at: 8)
        let newer = try #require(try dump(disk, "/catalog").error)
        #expect(newer.code == .unusable && newer.detail.contains("version 9"))
        disk.write("/store/catalog", [0], at: 0)
        #expect(try dump(disk, "/catalog").error?.code == .unusable)
        #expect(throws: StoreError.self) { try FileDump(path: "/store/none", fileSystem: disk).run { _ in } }
    }
}

import Foundation
import Glibc
import ObjectStorage
import Testing

@Suite struct LocalDirectoryDestinationTests {
    private func withDestination(_ body: (LocalDirectoryDestination, String) throws -> Void) throws {
        let directory = FileManager.default.temporaryDirectory.appendingPathComponent("objects-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: directory) }
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        try body(try LocalDirectoryDestination(url: "file://\(directory.path)/new/root/"), directory.path + "/new/root")
    }

    private func put(_ text: String, _ key: String, _ destination: LocalDirectoryDestination) throws {
        let upload = try destination.upload(ObjectKey(key), owner: "task")
        try Array(text.utf8).withUnsafeBytes { bytes in try upload.write(bytes) }
        try upload.commit()
    }

    private func names(_ path: String) throws -> [String] { try FileManager.default.contentsOfDirectory(atPath: path).sorted() }

    @Test func objectsBecomeVisibleAtTheirCommit() throws {
        try withDestination { destination, root in
            try destination.prepare()
            let key = try ObjectKey("a=1/b/c.parquet")
            let upload = try destination.upload(key, owner: "task")
            try [UInt8](0..<10).withUnsafeBytes { bytes in try upload.write(bytes) }
            #expect(try destination.stat(key) == nil)
            #expect(try names(root + "/a=1/b").allSatisfy { $0.hasPrefix(".task-") })
            try upload.commit()
            #expect(try names(root + "/a=1/b") == ["c.parquet"])
            #expect(try destination.stat(key) == ObjectStat(byteCount: 10))
            #expect(try destination.read(key, offset: 2, count: 3) == [2, 3, 4])
            #expect(throws: ObjectError.self) { try destination.read(key, offset: 5, count: 6) }
        }
    }

    @Test func anAbandonedUploadLeavesNothing() throws {
        try withDestination { destination, root in
            _ = try destination.upload(ObjectKey("x"), owner: "task")
            #expect(try names(root) == [])
        }
    }

    @Test func anObjectIsNeverReplaced() throws {
        try withDestination { destination, root in
            try put("first", "x", destination)
            let error = #expect(throws: ObjectError.self) { try put("second", "x", destination) }
            #expect(error?.code == .alreadyExists)
            #expect(try String(contentsOfFile: root + "/x", encoding: .utf8) == "first")
            #expect(try names(root) == ["x"])
        }
    }

    @Test func documentsAreReplacedWhole() throws {
        try withDestination { destination, root in
            let key = try ObjectKey("a=1/manifest.json")
            // What a crash in mid-replacement leaves.
            try destination.replace(key, with: Array("first, which is longer".utf8))
            try Data("torn".utf8).write(to: URL(fileURLWithPath: root + "/a=1/.manifest.json.tmp"))
            for text in ["second, also long", "third", ""] {
                try destination.replace(key, with: Array(text.utf8))
                #expect(try String(contentsOfFile: "\(root)/a=1/manifest.json", encoding: .utf8) == text)
                #expect(try names(root + "/a=1") == ["manifest.json"])
            }
        }
    }

    @Test func aDocumentThatCannotBeReplacedStays() throws {
        try withDestination { destination, root in
            try FileManager.default.createDirectory(atPath: root + "/a/manifest.json/in-the-way", withIntermediateDirectories: true)
            let error = #expect(throws: ObjectError.self) { try destination.replace(ObjectKey("a/manifest.json"), with: [1]) }
            #expect(error?.code == .invalidDestination)
            #expect(try names(root + "/a") == ["manifest.json"])
        }
    }

    @Test(arguments: [
        "", "/x", "x/", "a//b", "..", "../x", "a/../b", ".hidden", "a/.", "a\u{0}b", "a\nb", String(repeating: "x", count: 256),
    ])
    func keysCannotLeadOutOrMeetTemporaryFiles(text: String) {
        let error = #expect(throws: ObjectError.self) { try ObjectKey(text) }
        #expect(error?.code == .invalidDestination)
    }

    @Test(arguments: ["", "file://", "file:///", "file://host/path", "/path", "s3://bucket", "file:///a/../b"])
    func urlsThatNameNoDirectoryAreRefused(url: String) {
        let error = #expect(throws: ObjectError.self) { try LocalDirectoryDestination(url: url) }
        #expect(error?.code == .invalidDestination)
    }

    @Test func aFileOnTheWayIsAnInvalidDestination() throws {
        try withDestination { destination, root in
            try put("file", "a", destination)
            let error = #expect(throws: ObjectError.self) { try put("x", "a/b", destination) }
            #expect(error?.code == .invalidDestination && error?.detail.contains(root + "/a") == true)
        }
    }

    @Test(.enabled(if: geteuid() != 0, "root may write everywhere")) func aDirectoryWithoutPermissionIsUnauthorized() throws {
        try withDestination { destination, root in
            try destination.prepare()
            chmod(root, 0o555)
            defer { chmod(root, 0o755) }
            let prepared = #expect(throws: ObjectError.self) { try destination.prepare() }
            let uploaded = #expect(throws: ObjectError.self) { try put("x", "x", destination) }
            #expect(prepared?.code == .unauthorized && uploaded?.code == .unauthorized)
        }
    }

    @Test func onlyUnfinishedFilesOfTheOwnerAreDiscarded() throws {
        try withDestination { destination, root in
            try put("x", "f/x", destination)
            for name in [".task-1.tmp", ".task-b-1.tmp", "task-1.tmp", ".task-1"] {
                try Data().write(to: URL(fileURLWithPath: "\(root)/f/\(name)"))
            }
            try destination.discardUnfinished(in: "f", owner: "task")
            try destination.discardUnfinished(in: "missing", owner: "task")
            #expect(try names(root + "/f") == [".task-1", ".task-b-1.tmp", "task-1.tmp", "x"])
        }
    }
}

import Glibc
import Synchronization

/// A directory as a destination: `file:///absolute/path`, taken literally. Its file system must know hard links.
///
/// How an object gets there, and what a crash leaves after each step:
/// 1. Missing folders are created. Empty folders.
/// 2. `.<owner>-<n>.tmp` is created in the object's own folder and written. A temp file, removed by `discardUnfinished`.
/// 3. The temp file is fsynced. The same.
/// 4. The temp file is linked under the object's name, which fails if that exists. The object, whole, and the temp file.
/// 5. The temp file's name is removed. The object; a power cut may take 4 and 5 back.
/// 6. The folders from the object's up to the root are fsynced. The object, for good.
package struct LocalDirectoryDestination: ObjectDestination {
    private static let scheme = "file://"
    private static let temporaryNumber = Atomic<UInt64>(0)

    /// Absolute, without a `/` at its end.
    package let root: String

    /// - Throws: `ObjectError.invalidDestination` when `url` is not `file:///…`.
    package init(url: String) throws(ObjectError) {
        guard url.hasPrefix(Self.scheme + "/"), !url.utf8.contains(0) else {
            throw ObjectError(.invalidDestination, "'\(url)' is not of the form file:///absolute/path")
        }
        let path = url.dropFirst(Self.scheme.count).split(separator: "/")
        guard !path.isEmpty, !path.contains("..") else {
            throw ObjectError(.invalidDestination, "'\(url)' must name a directory below /, without '..'")
        }
        root = "/" + path.joined(separator: "/")
    }

    package var description: String { Self.scheme + root }
    package var engineLocation: String { root }

    package func prepare() throws(ObjectError) {
        try DirectoryFiles.create(root)
        guard access(root, W_OK | X_OK) == 0 else { throw ObjectError("write to", root) }
        try syncAncestors()
    }

    package func upload(_ key: ObjectKey, owner: String) throws(ObjectError) -> any ObjectUpload {
        let folder = directory(key.folder)
        try DirectoryFiles.create(folder)
        let number = Self.temporaryNumber.wrappingAdd(1, ordering: .relaxed).newValue
        return try LocalUpload(
            path: path(key), temporaryPath: "\(folder)/\(Self.temporaryPrefix(owner))\(number)\(Self.temporarySuffix)",
            foldersToSync: folders(key))
    }

    package func stat(_ key: ObjectKey) throws(ObjectError) -> ObjectStat? {
        let descriptor = open(path(key), O_RDONLY | O_CLOEXEC)
        if descriptor < 0, errno == ENOENT { return nil }
        guard descriptor >= 0 else { throw ObjectError("open", path(key)) }
        defer { close(descriptor) }
        var status = Glibc.stat()
        guard fstat(descriptor, &status) == 0 else { throw ObjectError("fstat", path(key)) }
        // A crash may have come between the link and the sync of its folder.
        guard fsync(descriptor) == 0 else { throw ObjectError("fsync", path(key)) }
        for folder in folders(key) { try DirectoryFiles.sync(folder) }
        return ObjectStat(byteCount: Int(status.st_size))
    }

    package func read(_ key: ObjectKey, offset: Int, count: Int) throws(ObjectError) -> [UInt8] {
        let descriptor = open(path(key), O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw ObjectError("open", path(key)) }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: count)
        var done = 0
        while done < count {
            let result = bytes.withUnsafeMutableBytes { pread(descriptor, $0.baseAddress! + done, count - done, offset + done) }
            if result < 0, errno == EINTR { continue }
            guard result >= 0 else { throw ObjectError("read", path(key)) }
            guard result > 0 else { throw ObjectError(.internal, "\(path(key)) ends before byte \(offset + count)") }
            done += result
        }
        return bytes
    }

    /// A crash leaves `.<name>.tmp` at most, which the next one overwrites. One at a time and key.
    package func replace(_ key: ObjectKey, with bytes: [UInt8]) throws(ObjectError) {
        let folder = directory(key.folder)
        try DirectoryFiles.create(folder)
        let name = key.text.split(separator: "/").last ?? ""
        try DirectoryFiles.replace(path(key), with: bytes, temporaryPath: "\(folder)/.\(name)\(Self.temporarySuffix)")
        for folder in folders(key) { try DirectoryFiles.sync(folder) }
    }

    package func discardUnfinished(in folder: String, owner: String) throws(ObjectError) {
        let folder = directory(folder)
        let prefix = Self.temporaryPrefix(owner)
        for name in try DirectoryFiles.names(in: folder) where name.hasPrefix(prefix) && name.hasSuffix(Self.temporarySuffix) {
            // `<owner>-` may begin another owner's name; what follows must be a number.
            guard name.dropFirst(prefix.count).dropLast(Self.temporarySuffix.count).allSatisfy(\.isNumber) else { continue }
            guard unlink("\(folder)/\(name)") == 0 || errno == ENOENT else { throw ObjectError("unlink", "\(folder)/\(name)") }
        }
    }

    private static func temporaryPrefix(_ owner: String) -> String { ".\(owner)-" }
    private static let temporarySuffix = ".tmp"

    private func path(_ key: ObjectKey) -> String { "\(root)/\(key.text)" }

    private func directory(_ folder: String) -> String { folder.isEmpty ? root : "\(root)/\(folder)" }

    /// The object's folder and those above it, up to the root.
    private func folders(_ key: ObjectKey) -> [String] {
        var folders = [root]
        for component in key.folder.split(separator: "/") { folders.append("\(folders[folders.count - 1])/\(component)") }
        return folders.reversed()
    }

    /// The directories above the root may be new, too. Those that may not be read were not created here.
    private func syncAncestors() throws(ObjectError) {
        var path = root
        while let parent = DirectoryFiles.parent(of: path) {
            if access(parent, R_OK) == 0 { try DirectoryFiles.sync(parent) }
            path = parent
        }
    }
}

import Foundation
import QueryAPI

/// The operator's file of tokens, read by the server and edited by `gaugehouse token`.
package struct TokenFile: Sendable {
    package struct Failure: Error, Sendable, CustomStringConvertible {
        /// `tokens:3: the hash is not 64 digits of hex`
        package let description: String
        package let exitCode: SystemExitCode
    }

    package let path: String

    /// - Parameter path: of the file, or of a link to it.
    package init(path: String) { self.path = URL(filePath: path).resolvingSymlinksInPath().path }

    /// - Throws: it cannot be read, others can write to it, or a line is wrong.
    package func read() throws(Failure) -> TokenList {
        let text: String
        do throws(FileText.Unreadable) { text = try FileText.read(path) } catch {
            let hint = error.reason == SystemError.text(ENOENT) ? "; gaugehouse token create makes it" : ""
            throw failure(error.reason + hint, .noInput)
        }
        // Whoever may write may let anyone in. To read it is of little use: 256 random bits are not found from their hash.
        guard let owner = FileOwner(path), owner.mode & 0o022 == 0 else {
            throw failure("others can write to it: chmod go-w \(path)", .configuration)
        }
        do throws(TokenList.Malformed) { return try TokenList(text) } catch {
            throw Failure(description: "\(path):\(error.line): \(error.reason)", exitCode: .dataError)
        }
    }

    /// Changes the file by `edit`, or makes it, so that a crash leaves the old one or the new one whole:
    ///
    /// 1. The directory is locked against another edit.
    /// 2. A new file beside it gets the old one's owner and mode, is written and synced. A crash leaves it behind, unread.
    /// 3. It takes the name. 4. The directory is synced: from here on the change lasts.
    package func edit(_ edit: (inout TokenList) throws -> Void) throws {
        let directory = URL(filePath: path).deletingLastPathComponent().path
        let descriptor = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure("\(directory): \(SystemError.text(errno))", .cannotCreate) }
        defer { close(descriptor) }
        guard flock(descriptor, LOCK_EX) == 0 else { throw failure("\(directory): \(SystemError.text(errno))", .cannotCreate) }
        let old = FileOwner(path)
        var list = old == nil ? TokenList() : try read()
        try edit(&list)
        // A new file is of the directory's group, so that the gateway can read what root makes for it.
        let owner = old ?? FileOwner(user: geteuid(), group: FileOwner(directory)?.group ?? getegid(), mode: 0o640)
        try replace(with: list.text, like: owner, in: descriptor)
    }

    private func replace(with text: String, like owner: FileOwner, in directory: Int32) throws(Failure) {
        let temporary = "\(path).new"
        unlink(temporary)
        let file = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw failure("\(temporary): \(SystemError.text(errno))", .cannotCreate) }
        var isInPlace = false
        defer {
            close(file)
            if !isInPlace { unlink(temporary) }
        }
        // Only root may give files away; for anyone else the file is then their own, as a new one would be.
        if fchown(file, owner.user, owner.group) != 0, errno != EPERM { throw failure(SystemError.text(errno), .inputOutput) }
        guard fchmod(file, owner.mode) == 0, Self.writeAll(text, to: file), fsync(file) == 0,
            rename(temporary, path) == 0
        else { throw failure(SystemError.text(errno), .inputOutput) }
        isInPlace = true
        guard fsync(directory) == 0 else { throw failure(SystemError.text(errno), .inputOutput) }
    }

    private static func writeAll(_ text: String, to file: Int32) -> Bool {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { write(file, $0.baseAddress, $0.count) }
            guard count >= 0 || errno == EINTR else { return false }
            rest = rest.dropFirst(max(0, count))
        }
        return true
    }

    private func failure(_ reason: String, _ code: SystemExitCode) -> Failure {
        Failure(description: "\(path): \(reason)", exitCode: code)
    }
}

/// Whose a file is, and who may do what with it.
struct FileOwner {
    let user: uid_t
    let group: gid_t
    let mode: mode_t

    init(user: uid_t, group: gid_t, mode: mode_t) { (self.user, self.group, self.mode) = (user, group, mode) }

    /// Of what a path, links followed, leads to; nil: there is nothing.
    init?(_ path: String) {
        let target = URL(filePath: path).resolvingSymlinksInPath().path
        guard let attributes = try? FileManager.default.attributesOfItem(atPath: target),
            let user = attributes[.ownerAccountID] as? NSNumber, let group = attributes[.groupOwnerAccountID] as? NSNumber,
            let mode = attributes[.posixPermissions] as? NSNumber
        else { return nil }
        self.init(user: user.uint32Value, group: group.uint32Value, mode: mode_t(mode.uint32Value & 0o7777))
    }
}

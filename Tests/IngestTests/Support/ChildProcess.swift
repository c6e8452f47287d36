import Glibc

/// A program started by a test.
///
/// Not Foundation's `Process`: it hands the signal mask of the starting thread down, and on a thread of the concurrency pool that mask
/// blocks SIGTERM, so that the program could not be stopped.
final class ChildProcess {
    struct DidNotStart: Error { var program: String }

    let identifier: pid_t

    /// Output goes nowhere.
    /// - Parameter input: file that becomes standard input.
    init(_ program: String, _ arguments: [String], input: String = "/dev/null") throws {
        var attributes = posix_spawnattr_t()
        var actions = posix_spawn_file_actions_t()
        posix_spawnattr_init(&attributes)
        posix_spawn_file_actions_init(&actions)
        defer {
            posix_spawnattr_destroy(&attributes)
            posix_spawn_file_actions_destroy(&actions)
        }
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
        posix_spawn_file_actions_addopen(&actions, 0, input, O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0)
        var strings: [UnsafeMutablePointer<CChar>?] = ([program] + arguments).map { strdup($0) } + [nil]
        defer { strings.forEach { free($0) } }
        var identifier = pid_t()
        guard posix_spawn(&identifier, program, &actions, &attributes, &strings, environ) == 0 else {
            throw DidNotStart(program: program)
        }
        self.identifier = identifier
    }

    func terminate() { kill(identifier, SIGTERM) }

    /// - Returns: the exit status; −1 for an end by a signal.
    @discardableResult
    func wait() -> Int32 {
        var status: Int32 = 0
        while waitpid(identifier, &status, 0) < 0, errno == EINTR {}
        return status & 0x7F == 0 ? status >> 8 & 0xFF : -1
    }

    /// The program's path; where Debian and others keep it.
    static func path(_ program: String) throws -> String {
        let paths = ["/usr/sbin/", "/usr/bin/", "/usr/local/sbin/", "/usr/local/bin/"].map { $0 + program }
        guard let path = paths.first(where: { access($0, X_OK) == 0 }) else { throw DidNotStart(program: program) }
        return path
    }
}

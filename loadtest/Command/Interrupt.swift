import Glibc
import Synchronization

/// Ctrl-C and SIGTERM: the first one ends the run in order, with its report; the second one kills.
enum Interrupt {
    private static let flag = Atomic<Bool>(false)

    static var isPending: Bool { flag.load(ordering: .relaxed) }

    static func install() {
        // The lazy initialiser must not run inside a signal handler.
        _ = isPending
        for number in [SIGINT, SIGTERM] {
            signal(number) { number in
                Interrupt.flag.store(true, ordering: .relaxed)
                signal(number, SIG_DFL)
            }
        }
        // A broken connection is an error of write(2), not the end of the process.
        signal(SIGPIPE, SIG_IGN)
    }
}

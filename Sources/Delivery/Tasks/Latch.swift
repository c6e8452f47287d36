import Foundation

/// Set once; who waits for it goes on then. `@unchecked Sendable`: `condition` guards `isSet`.
final class Latch: @unchecked Sendable {
    private let condition = NSCondition()
    private var isSet = false

    func set() {
        condition.withLock {
            isSet = true
            condition.broadcast()
        }
    }

    func wait() {
        condition.withLock { while !isSet { condition.wait() } }
    }
}

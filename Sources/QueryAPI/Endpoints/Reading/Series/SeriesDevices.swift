import Telemetry
import TelemetryStore

/// The devices of a query in their order: those of a list, or those of a prefix by id.
struct SeriesDevices: Sendable {
    private enum Source: Sendable {
        case list([String])
        case walk(DeviceWalk)
    }

    private var source: Source
    /// Of a list: the next one.
    private var index = 0
    /// Of a walk: those that it gave and that are still to come.
    private var waiting: ArraySlice<String> = []
    private var lastID = ""
    /// Behind which row the first device begins.
    private var firstAfter: Timestamp?

    init(list: [String]) { source = .list(list) }

    /// - Parameter prefix: nil: none; see `Access.narrowed`.
    init(table: Table, prefix: String?) {
        source = .walk(DeviceWalk(filter: DeviceFilter(table: table, prefix: prefix), after: nil, remaining: .max))
    }

    var isList: Bool { if case .list = source { true } else { false } }

    /// False: `next` gives none.
    var hasNext: Bool {
        switch source {
        case .list(let list): index < list.count
        case .walk(let walk): !waiting.isEmpty || !walk.isAtEnd
        }
    }

    /// The next device, and behind which of its rows to begin.
    mutating func next() -> (id: String, after: Timestamp?)? {
        defer { firstAfter = nil }
        switch source {
        case .list(let list):
            guard index < list.count else { return nil }
            index += 1
            return (list[index - 1], firstAfter)
        case .walk(var walk):
            if waiting.isEmpty, !walk.isAtEnd {
                waiting = walk.next().map(\.id)[...]
                source = .walk(walk)
            }
            guard let id = waiting.popFirst() else { return nil }
            lastID = id
            return (id, firstAfter)
        }
    }

    /// Where the next page begins: behind a row of the device given last, or with the device that follows it.
    func place(after row: Timestamp?) -> PageToken.Series {
        switch source {
        case .list: .list(row == nil ? index : index - 1, after: row)
        case .walk: .walk(lastID, after: row)
        }
    }

    /// Goes on where a page ended. False: the place is another query's.
    mutating func move(to place: PageToken.Series) -> Bool {
        switch (source, place) {
        case (.list(let list), .list(let place, let after)) where list.indices.contains(place):
            index = place
            firstAfter = after
        case (.walk(let walk), .walk(let id, let after)):
            source = .walk(DeviceWalk(filter: walk.filter, after: id, remaining: .max))
            waiting = after == nil ? [] : [id]
            firstAfter = after
        default: return false
        }
        return true
    }
}

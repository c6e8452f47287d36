import Telemetry

/// The deliveries, as the gateway lets the API look at them and change them. Everything here blocks but `list` and `find`.
package struct DeliveryControl: Sendable {
    package var list: @Sendable () -> [DeliverySnapshot] = { [] }
    package var find: @Sendable (_ name: String) -> DeliverySnapshot? = { _ in nil }
    /// Creates a task from a JSON object.
    package var create: @Sendable (_ document: [UInt8]) throws(DeliveryProblem) -> DeliverySnapshot = { _ throws(DeliveryProblem) in
        throw .conflict("this gateway delivers nothing")
    }
    package var delete: @Sendable (_ name: String) throws(DeliveryProblem) -> Void = { name throws(DeliveryProblem) in
        throw .unknown(name: name)
    }
    /// - Returns: false: it is not done yet, and will be.
    package var change: @Sendable (_ name: String, DeliveryChange) throws(DeliveryProblem) -> Bool = { name, _ throws(DeliveryProblem) in
        throw .unknown(name: name)
    }
    /// A statement that makes a table of the objects. `engine` is one of `engines`.
    package var statement: @Sendable (_ name: String, _ engine: String) throws(DeliveryProblem) -> String = {
        name, _ throws(DeliveryProblem) in throw .unknown(name: name)
    }
    package var engines: [String] = []

    package init() {}
}

package enum DeliveryChange: String, Sendable, CaseIterable { case pause, resume, restart }

/// Why a delivery cannot be had as it was asked for.
package enum DeliveryProblem: Error, Sendable, Equatable {
    case unknown(name: String)
    case conflict(String)
    /// A member of the document, and what is wrong with it.
    case invalid(member: String, String)
    /// The disk or the destination did not take it.
    case failed(String)
}

/// One task, as it is now.
package struct DeliverySnapshot: Sendable {
    package struct Event: Sendable {
        package var time: Timestamp
        /// `begun`, `paused`, `resumed`, `restarted`, `failed`, `recovered`, `completed`, `expired`.
        package var kind: String
        /// Of `failed`: as `error`; nil otherwise.
        package var error: String?
        package var detail: String

        package init(time: Timestamp, kind: String, error: String?, detail: String) {
            (self.time, self.kind, self.error, self.detail) = (time, kind, error, detail)
        }
    }

    package var name: String
    package var table: String
    package var mode: String
    /// URL without credentials.
    package var destination: String
    package var prefix: String
    /// `configuration` or `api`.
    package var origin: String
    /// `INIT`, `FULL`, `INCR`, `DONE`.
    package var phase = "INIT"
    /// `idle`, `delivering`, `retrying`, `paused`, `invalid`.
    package var state = "idle"
    /// `OK`, `UNAUTHORIZED`, `INVALID_DESTINATION`, `UNREACHABLE`, `NO_SPACE`, `CONFLICT`, `INTERNAL`.
    package var error = "OK"
    package var detail = ""
    /// See docs/deliveries.md.
    package var syncPoint: Timestamp?
    package var lag = TimeSpan.zero
    /// It is further behind than it should ever be when all is well.
    package var isLate = false
    package var objectCount = 0
    package var rowCount = 0
    package var byteCount = 0
    package var dirtyFieldCount = 0
    package var lastObject: String?
    /// The newest last.
    package var events: [Event] = []

    package init(name: String, table: String, mode: String, destination: String, prefix: String, origin: String) {
        self.name = name
        self.table = table
        self.mode = mode
        self.destination = destination
        self.prefix = prefix
        self.origin = origin
    }
}

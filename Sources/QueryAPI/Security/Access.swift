/// What whoever sent a request may see and do.
///
/// Every handler that names a device asks `allows(device:)`; every list goes through `narrowed(prefix:)`.
package struct Access: Sendable, Equatable {
    package enum Scope: String, CaseIterable, Sendable {
        case read, write
        /// Everything the others may, and what is the operator's.
        case admin
    }

    /// Nil: nobody asked for one.
    package let token: Token?
    package let scopes: Set<Scope>
    /// Only devices whose ids begin so are there; empty: all.
    package let prefix: String

    package init(scopes: Set<Scope>, prefix: String = "", token: Token? = nil) {
        self.token = token
        self.scopes = scopes
        self.prefix = prefix
    }

    /// Of everyone, where there are no tokens.
    package static let unrestricted = Access(scopes: [.admin])

    package func has(_ scope: Scope) -> Bool { scopes.contains(scope) || scopes.contains(.admin) }

    /// Whether the device is there for this request; one that is not is answered like one that does not exist.
    ///
    /// Bytes are compared: `String.hasPrefix` takes canonically equal texts for the same.
    package func allows(device: String) -> Bool { prefix.isEmpty || device.utf8.starts(with: prefix.utf8) }

    package func allows(device: some Sequence<UInt8>) -> Bool { prefix.isEmpty || device.starts(with: prefix.utf8) }

    /// The prefix that a list asked for with `prefix` is really about; nil: no device is visible in it.
    package func narrowed(prefix asked: String) -> String? {
        if asked.utf8.starts(with: prefix.utf8) { return asked }
        return prefix.utf8.starts(with: asked.utf8) ? prefix : nil
    }
}

/// What a route asks of whoever comes. Every route says it: docs/operations/security.md has the table.
package enum Admission: Sendable, Equatable, CaseIterable {
    /// Nothing: probes, and files that hold nothing of this gateway's.
    case open
    /// `read`. A device prefix limits what is seen.
    case read
    /// `read` of the gateway as a whole, where figures cannot be told apart by device: no token with a device prefix.
    case readAll
    /// `write`. A device prefix limits what is taken.
    case write
    case admin

    var scope: Access.Scope? {
        switch self {
        case .open: nil
        case .read, .readAll: .read
        case .write: .write
        case .admin: .admin
        }
    }
}

import TelemetryStore

/// How the program ends: the codes of sysexits(3), which service managers and scripts tell apart.
package enum SystemExitCode: Int32, Sendable {
    /// The command line is wrong.
    case usage = 64
    /// Input or stored data are damaged.
    case dataError = 65
    /// What was asked for does not exist.
    case noInput = 66
    /// Something the gateway needs is not to be had: a port, another gateway.
    case unavailable = 69
    case software = 70
    /// A directory cannot be made or used.
    case cannotCreate = 73
    /// The disk failed; a restart recovers by replay.
    case inputOutput = 74
    /// Try again later.
    case temporaryFailure = 75
    /// The token does not allow it, or there is none.
    case noPermission = 77
    /// The configuration is wrong; a restart does not mend it.
    case configuration = 78
}

/// Why the gateway did not start, or stopped: one message for people, one code for the service manager.
package struct GatewayError: Error, Sendable, CustomStringConvertible {
    package let description: String
    package let exitCode: SystemExitCode

    package init(_ description: String, _ exitCode: SystemExitCode) {
        self.description = description
        self.exitCode = exitCode
    }

    /// - Parameter doing: what was attempted, as the start of a sentence: `cannot open the store /data`.
    package init(_ doing: String, _ error: StoreError) {
        self.init("\(doing): \(error.detail)", SystemExitCode(error.code))
    }
}

extension SystemExitCode {
    init(_ code: StoreError.Code) {
        self =
            switch code {
            case .locked: .temporaryFailure
            case .unusable: .cannotCreate
            case .configuration: .configuration
            case .corruption: .dataError
            case .diskFull, .fatal: .inputOutput
            case .overloaded, .clock: .temporaryFailure
            case .closed, .tooLarge, .invalid, .notInMemory: .software
            }
    }
}

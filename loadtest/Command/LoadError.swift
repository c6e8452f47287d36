/// Why a run or a check could not go on. The code tells the caller what to do; the message is for people.
struct LoadError: Error, CustomStringConvertible, Equatable {
    enum Code: Equatable {
        /// Broker or gateway cannot be reached, or hung up: trying again later may help.
        case unavailable
        /// The broker turned us away: other credentials, client ids or limits are needed.
        case refused
        /// The peer said something the protocol forbids.
        case badPeer
        /// A file could not be read or written, or is not a ledger.
        case file
        /// What was asked for makes no sense.
        case usage
    }

    var code: Code
    var message: String

    init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    var description: String { message }

    /// As in sysexits(3).
    var exitCode: Int32 {
        switch code {
        case .unavailable: 69
        case .refused: 77
        case .badPeer: 76
        case .file: 74
        case .usage: 64
        }
    }
}

/// Who sends what: message k of the fleet is the next reading of device k mod D, and device d lives on connection d mod C.
///
/// Each connection numbers its own messages from 0. These functions translate between the numberings, so that connections need
/// no shared state, and so that a message's device and sequence number can be told from its number alone.
struct Fleet: Sendable, Equatable {
    /// D, at least 1.
    let deviceCount: Int
    /// C, 1...D.
    let connectionCount: Int

    func deviceCount(on connection: Int) -> Int {
        (deviceCount - connection + connectionCount - 1) / connectionCount
    }

    /// How many of the fleet's first `total` messages belong to a connection.
    func messageCount(on connection: Int, ofFirst total: Int) -> Int {
        let devicesLeft = total % deviceCount
        let onConnection = devicesLeft <= connection ? 0 : (devicesLeft - connection + connectionCount - 1) / connectionCount
        return total / deviceCount * deviceCount(on: connection) + onConnection
    }

    /// Device and sequence number of a connection's message.
    func reading(of message: Int, on connection: Int) -> (device: Int, sequence: Int) {
        let (sequence, position) = message.quotientAndRemainder(dividingBy: deviceCount(on: connection))
        return (connection + position * connectionCount, sequence)
    }

    /// A connection's message in the fleet's numbering.
    func fleetMessage(_ message: Int, on connection: Int) -> Int {
        let reading = reading(of: message, on: connection)
        return reading.sequence * deviceCount + reading.device
    }

    /// How many readings a device has sent when its connection has sent `messageCount` messages.
    func readingCount(device: Int, connectionMessageCount messageCount: Int) -> Int {
        let (connection, position) = (device % connectionCount, device / connectionCount)
        let (rounds, rest) = messageCount.quotientAndRemainder(dividingBy: deviceCount(on: connection))
        return rounds + (position < rest ? 1 : 0)
    }
}

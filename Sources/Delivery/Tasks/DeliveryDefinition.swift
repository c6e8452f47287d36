import ObjectStorage

/// A task as somebody defined it.
package struct DeliveryDefinition: Sendable {
    package enum Origin: Sendable, Equatable {
        case configuration
        /// Created while the gateway ran; `document` is what it was created from, a JSON object.
        case api(document: String)
    }

    package var options: DeliveryOptions
    package var destination: any ObjectDestination
    package var origin: Origin
    /// What the destination asks, too.
    package var stop: StopFlag

    package init(options: DeliveryOptions, destination: any ObjectDestination, origin: Origin, stop: StopFlag = StopFlag()) {
        self.options = options
        self.destination = destination
        self.origin = origin
        self.stop = stop
    }
}

/// Why a task cannot be had as it was asked for.
package enum DeliveryRefusal: Error, Sendable, Equatable {
    case unknown(name: String)
    /// It is there already, or it cannot be changed so.
    case conflict(String)
    /// The option of the definition that is wrong, and why.
    case invalid(DeliveryOptionError)
    /// The disk did not take it: try again.
    case failed(String)
}

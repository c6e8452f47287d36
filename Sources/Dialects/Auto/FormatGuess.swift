/// What `auto` took a message for, and the question whose answer decided.
package struct FormatGuess: Sendable, Equatable {
    /// Nil: no format is known that looks like it.
    package var format: PayloadFormat?
    /// Completes "because".
    package var reason: StaticText

    init(_ format: PayloadFormat?, because reason: StaticText) {
        self.format = format
        self.reason = reason
    }
}

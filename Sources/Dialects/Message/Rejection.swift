import Telemetry

/// Why a payload, or one reading of it, was not stored: the counter's label and a sentence for whoever sent it.
package struct Rejection: Error, Sendable, Equatable, CustomStringConvertible {
    package var reason: RejectReason
    package var detail: String

    package init(_ reason: RejectReason, _ detail: String) {
        self.reason = reason
        self.detail = detail
    }

    package var description: String { "\(reason.rawValue): \(detail)" }
}

/// The first characters of a text that a stranger chose.
func excerpt(_ text: UnsafeRawBufferPointer) -> String {
    let shown = String(decoding: text.prefix(80), as: UTF8.self)
    return text.count > 80 ? shown + "…" : shown
}

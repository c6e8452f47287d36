/// Field names that Gaugehouse writes by itself.
package enum ReservedField {
    /// `"online"` or `"offline"`: what a birth, a last will or a death said of the device's connection.
    package static let state: StaticString = "$state"
    package static let online: StaticString = "online"
    package static let offline: StaticString = "offline"
}

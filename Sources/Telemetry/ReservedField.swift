/// Field names that Gaugehouse writes by itself.
public enum ReservedField {
    /// `"online"` or `"offline"`: what a birth, a last will or a death said of the device's connection.
    @inlinable public static var state: StaticString { "$state" }
    @inlinable public static var online: StaticString { "online" }
    @inlinable public static var offline: StaticString { "offline" }
}

import TelemetryCodec

extension CodecError {
    /// What the store says of a file whose bytes do not hold what its format says.
    /// - Returns: `.unusable` for a file of a newer format, which nothing is wrong with; `.corruption` otherwise.
    func storeError(_ path: String, at offset: Int, _ damage: String) -> StoreError {
        if case .newerVersion(let version) = self {
            return StoreError(
                .unusable, "\(path) has format version \(version), made by a newer version of gaugehouse; use that one, or a later one")
        }
        return .damage(path, at: offset, damage)
    }
}

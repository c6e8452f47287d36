/// What of the unsynced changes the next process finds.
enum PowerCut: CaseIterable {
    /// Everything: the process was killed, the machine was not.
    case killed
    /// Nothing.
    case forgetful
    /// Creations, renames and removals, but no bytes: empty files under their final names.
    case namesOnly
    /// Bytes, but no creations, renames or removals.
    case bytesOnly
    /// Each change by itself or not; a write may be torn at any byte. Renames are thereby reordered.
    case torn
    /// As `torn`; of a write any sectors survive, not only its beginning.
    case shredded

    private static let sectorByteCount = 512

    func keepsName(using random: inout some RandomNumberGenerator) -> Bool {
        switch self {
        case .killed, .namesOnly: true
        case .forgetful, .bytesOnly: false
        case .torn, .shredded: Bool.random(using: &random)
        }
    }

    func apply(_ change: FileContent.Change, to content: inout FileContent, using random: inout some RandomNumberGenerator) {
        switch self {
        case .killed, .bytesOnly: content.apply(change)
        case .forgetful, .namesOnly: break
        case .torn, .shredded:
            guard Int.random(in: 0..<3, using: &random) > 0 else { return }
            guard case .write(let offset, let data) = change, Bool.random(using: &random) else { return content.apply(change) }
            if self == .torn {
                content.write(Array(data.prefix(Int.random(in: 0...data.count, using: &random))), at: offset)
            } else {
                shred(data, at: offset, into: &content, using: &random)
            }
        }
    }

    private func shred(
        _ data: [UInt8], at offset: Int, into content: inout FileContent, using random: inout some RandomNumberGenerator
    ) {
        var position = offset
        while position < offset + data.count {
            let end = min(offset + data.count, (position / PowerCut.sectorByteCount + 1) * PowerCut.sectorByteCount)
            if Bool.random(using: &random) { content.write(Array(data[(position - offset)..<(end - offset)]), at: position) }
            position = end
        }
    }
}

import TelemetryCodec

/// A chunk under construction: header, and sections in the order the reader meets them.
struct ChunkBuilder: ~Copyable {
    var header = RawBuffer(capacity: 256)
    var sections = RawBuffer(capacity: 1 << 14)
    var writer: SectionWriter

    init(compressionLevel: Int32) { writer = SectionWriter(compressionLevel: compressionLevel) }

    mutating func begin() {
        header.removeAll()
        sections.removeAll()
        writer.forgetSection()
    }

    /// A place between streams.
    struct Mark {
        var header: Int
        var sections: Int
    }

    var mark: Mark { Mark(header: header.count, sections: sections.count) }

    /// Keeps the smaller of two ways to write the same: from `first` to `second`, and from there.
    mutating func keepSmaller(from first: Mark, _ second: Mark) {
        let firstCount = second.header - first.header + second.sections - first.sections
        let secondCount = header.count - second.header + sections.count - second.sections
        if secondCount < firstCount {
            header.remove(first.header..<second.header)
            sections.remove(first.sections..<second.sections)
        } else {
            (header.count, sections.count) = (second.header, second.sections)
        }
        writer.forgetSection()
    }

    /// - Parameter mayMatch: false when no string of bytes comes again: zstd is spared where bytes look like noise.
    mutating func appendSection(_ bytes: UnsafeRawBufferPointer, mayMatch: Bool = true) {
        writer.append(bytes, mayMatch: mayMatch, into: &sections)
    }

    /// The stored chunk: counted header, sections.
    func finish(into output: inout RawBuffer) {
        header.withBytes { output.append(counted: $0) }
        sections.withBytes { output.append($0) }
    }
}

extension RawBuffer {
    fileprivate mutating func remove(_ range: Range<Int>) {
        UnsafeMutableRawBufferPointer(start: base + range.lowerBound, count: count - range.lowerBound)
            .copyMemory(from: UnsafeRawBufferPointer(start: base + range.upperBound, count: count - range.upperBound))
        count -= range.count
    }
}

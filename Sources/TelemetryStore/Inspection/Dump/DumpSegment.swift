import Telemetry
import TelemetryCodec

/// Dump of a segment: footer, fields, then per index page its devices, and their rows on request.
extension FileDump {
    func dumpSegment(_ fileSystem: any FileSystem, _ output: inout Output) throws(StoreError) {
        let segment = try Segment(path: path, fileSystem: fileSystem, cache: FrameCache(byteBudget: 0))
        let footer = segment.footer
        output.add(
            segment.byteCount - SegmentFormat.footerByteCount, "segment",
            "version \(footer.version), table \(footer.table), window \(footer.window), flushes \(footer.flushes.lowerBound) to "
                + "\(footer.flushes.upperBound), last reading \(footer.lastSequence), \(footer.deviceCount) devices, "
                + "\(footer.rowCount) rows (\(footer.newRowCount) new), "
                + "\(DumpText.time(footer.minTime)) to \(DumpText.time(footer.maxTime))"
                + (footer.hasCommitTimes ? ", with commit times" : ""))
        let index = try segment.index()
        for (local, field) in index.fields.enumerated() {
            let types = FieldType.allCases.filter { field.types & 1 << $0.rawValue != 0 }.map(\.name).joined(separator: ", ")
            output.add(footer.index.offset, "field", "local \(local), number \(field.number), \(field.name.debugDescription): \(types)")
        }
        for page in index.pages where !output.isFull { try dump(page, of: segment, index, &output) }
    }

    private func dump(
        _ page: SparseIndex.Page, of segment: Segment, _ index: SparseIndex, _ output: inout Output
    ) throws(StoreError) {
        let frame = page.frame
        output.add(frame.offset, "page", "\(frame.compressedByteCount) bytes, \(frame.rawByteCount) raw")
        let bytes = try segment.read(frame)
        // Of which the page and its entries are slices.
        defer { withExtendedLifetime(bytes) {} }
        let what = "the index page is malformed"
        var entries = try reading(at: frame.offset, what) { () throws(CodecError) in try segment.page(bytes) }
        for position in 0..<entries.deviceCount where !output.isFull {
            let (bucket, name, entry) = try reading(at: frame.offset, what) { () throws(CodecError) in try entries.entry(position) }
            output.add(
                frame.offset, "device", "bucket \(bucket), \(DumpText.name(name)), \(entry.rowCount) rows (\(entry.newRowCount) new)")
            for piece in entry.pieces where !output.isFull { try dump(piece, of: segment, index, &output) }
        }
    }

    private func dump(
        _ piece: SegmentPiece, of segment: Segment, _ index: SparseIndex, _ output: inout Output
    ) throws(StoreError) {
        if case .frame(let directory, 0, _) = piece.place { dump(directory, index, &output) }
        output.add(
            piece.offset, "piece",
            "\(piece.rowCount) rows, \(DumpText.time(piece.minTime)) to \(DumpText.time(piece.maxTime)), \(piece.placeText)")
        guard options.showsRows else { return }
        var rows = RowBuffer()
        var reader = PieceReader(segment, fields: index.fields, wanted: nil, access: .uncached)
        try reader.read(piece, times: .min ... .max, into: &rows)
        for row in rows.rows where !output.isFull { output.add(piece.offset, "row", text(of: row, in: rows, index.fields)) }
    }

    private func dump(_ directory: FrameDirectory, _ index: SparseIndex, _ output: inout Output) {
        output.add(directory.columns[0].offset, "frame", "\(directory.rowCount) rows, \(directory.pieceCount) pieces")
        for column in directory.columns {
            let name =
                switch column.key {
                case .times: "times"
                case .commitTimes: "commit times"
                case .statistics: "statistics"
                case .field(let local, let type):
                    "\(local < index.fields.count ? index.fields[local].name.debugDescription : "local \(local)") \(type.name)"
                }
            output.add(column.offset, "chunk", "\(name), \(column.byteCount) bytes")
        }
    }

    private func text(of row: RowBuffer.Row, in rows: borrowing RowBuffer, _ fields: [SparseIndex.Field]) -> String {
        var text = DumpText.time(row.time)
        if row.commitTime != 0 { text += ", committed \(DumpText.time(row.commitTime))" }
        for entry in rows.cells(of: row) {
            let name = fields.first { $0.number == entry.field }?.name.debugDescription ?? "\(entry.field)"
            text += ", \(name)=\(rows.bytes.withUnsafeBytes { DumpText.value(entry.cell, in: $0) })"
        }
        return text
    }
}

extension SegmentPiece {
    fileprivate var placeText: String {
        switch place {
        case .frame(_, let ordinal, let firstRow): "piece \(ordinal) of its frame, from row \(firstRow)"
        case .block(_, let offset, let byteCount): "\(byteCount) bytes raw at \(offset) in its frame"
        }
    }
}

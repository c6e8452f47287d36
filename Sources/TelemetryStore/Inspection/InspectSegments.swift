import Telemetry
import TelemetryCodec

/// The insides of segments: every index page, every frame, every row.
extension Inspection {
    mutating func inspectSegments(of table: Int) {
        var meter = UsageMeter()
        for segment in tables[table].segments { inspect(segment, of: tables[table].core, &meter) }
        if options.measuresUsage { report.tables[table].usage = meter.usage(fieldNames: tables[table].core.registry.fieldNames) }
    }

    private mutating func inspect(_ segment: Segment, of core: TableCore, _ meter: inout UsageMeter) {
        let audit: SegmentAudit
        var isComplete = true
        do throws(StoreError) {
            let index = try segment.index()
            var pages = SegmentPages(segment: segment, index: index, audit: SegmentAudit(segment, of: core, knowsNames: knowsNames))
            for problem in pages.audit.problems(of: index.fields) {
                found(.segment, segment.path, at: segment.footer.index.offset, problem)
            }
            for page in index.pages { pages.inspect(page, &self, &meter) }
            isComplete = pages.isComplete
            audit = pages.audit
        } catch {
            return found(error, .segment, segment.path)
        }
        meter.add(segment)
        // Sums of what could not all be read say nothing.
        guard isComplete else { return }
        for problem in audit.problems(readRows: true) {
            found(.segment, segment.path, at: segment.byteCount - SegmentFormat.footerByteCount, problem)
        }
    }
}

/// One segment's pages under inspection. Damage of one page or frame does not keep the others from being read.
private struct SegmentPages {
    let segment: Segment
    let index: SparseIndex
    var audit: SegmentAudit
    var isComplete = true
    private var reader: PieceReader
    private var frames: FrameAudit
    /// Offsets of damage that is reported already: the pieces of a frame share it.
    private var damaged: Set<Int> = []
    private var rows = RowBuffer()

    init(segment: Segment, index: SparseIndex, audit: SegmentAudit) {
        self.segment = segment
        self.index = index
        self.audit = audit
        reader = PieceReader(segment, fields: index.fields, wanted: nil, access: .uncached)
        frames = FrameAudit(segment: segment, fields: index.fields)
    }

    mutating func inspect(_ page: SparseIndex.Page, _ inspection: inout Inspection, _ meter: inout UsageMeter) {
        let file = segment.path
        do throws(StoreError) {
            let bytes = try segment.read(page.frame)
            // Of which the page and its entries are slices.
            defer { withExtendedLifetime(bytes) {} }
            try reading(at: page.frame.offset) { () throws(CodecError) in
                var entries = try segment.page(bytes)
                for position in 0..<entries.deviceCount {
                    let (bucket, name, entry) = try entries.entry(position)
                    if position == 0, bucket != page.bucket || !name.elementsEqual(page.name) {
                        inspection.found(.segment, file, at: page.frame.offset, "the page begins with another device than the index says")
                    }
                    inspect(name, bucket, entry, at: page.frame.offset, &inspection, &meter)
                }
            }
        } catch {
            isComplete = false
            inspection.found(error, .segment, file)
        }
    }

    private func reading(at offset: Int, _ body: () throws(CodecError) -> Void) throws(StoreError) {
        do throws(CodecError) { try body() } catch { throw segment.damage(at: offset, "the index page is malformed") }
    }

    private mutating func inspect(
        _ name: UnsafeRawBufferPointer, _ bucket: Int, _ entry: DeviceEntry, at offset: Int, _ inspection: inout Inspection,
        _ meter: inout UsageMeter
    ) {
        let device = String(decoding: name, as: UTF8.self).debugDescription
        if let problem = audit.problem(ofDevice: name, bucket: bucket, entry) {
            inspection.found(.segment, segment.path, at: offset, "device \(device): \(problem)")
        }
        if !audit.isKnown(name) {
            inspection.found(.unknownDevice, segment.path, at: offset, "device \(device) is known to neither checkpoint nor log")
        }
        var previous: Int64?
        for piece in entry.pieces {
            rows.removeAll()
            do throws(StoreError) {
                try reader.read(piece, times: .min ... .max, into: &rows)
                var problem = audit.problem(ofRows: rows.rows[...], in: piece, behind: previous)
                if problem == nil { problem = try frames.problem(of: piece, rows) }
                if let problem { inspection.found(.segment, segment.path, at: piece.offset, "device \(device): \(problem)") }
                try frames.measure(piece, &meter)
            } catch {
                isComplete = false
                // A reader that failed inside a frame is not one to go on with.
                reader = PieceReader(segment, fields: index.fields, wanted: nil, access: .uncached)
                if damaged.insert(error.position?.offset ?? piece.offset).inserted { inspection.found(error, .segment, segment.path) }
                continue
            }
            previous = rows.rows.last?.time
            meter.count(rows)
        }
    }
}

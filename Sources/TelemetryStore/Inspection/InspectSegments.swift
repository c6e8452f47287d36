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
    private var frame: (reference: FrameReference, bytes: Bytes)?
    /// Offsets of frames that are reported already.
    private var damaged: Set<Int> = []
    private var rows = RowBuffer()

    init(segment: Segment, index: SparseIndex, audit: SegmentAudit) {
        self.segment = segment
        self.index = index
        self.audit = audit
    }

    mutating func inspect(_ page: SparseIndex.Page, _ inspection: inout Inspection, _ meter: inout UsageMeter) {
        let file = segment.path
        do throws(StoreError) {
            let bytes = try segment.read(page.frame)
            try reading(at: page.frame.offset) { () throws(CodecError) in
                let entries = try IndexPage(bytes.buffer)
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
        let device = String(decoding: name, as: UTF8.self)
        if let problem = audit.problem(ofDevice: name, bucket: bucket, entry) {
            inspection.found(.segment, segment.path, at: offset, "device '\(device)': \(problem)")
        }
        if !audit.isKnown(name) {
            inspection.found(.unknownDevice, segment.path, at: offset, "device '\(device)' is known to neither checkpoint nor log")
        }
        var previous: Int64?
        for piece in entry.blocks {
            rows.removeAll()
            do throws(StoreError) { try read(piece, &meter) } catch {
                isComplete = false
                if damaged.insert(piece.frame.offset).inserted { inspection.found(error, .segment, segment.path) }
                continue
            }
            if let problem = audit.problem(ofRows: rows.rows[...], in: piece, behind: previous) {
                inspection.found(.segment, segment.path, at: piece.frame.offset, "device '\(device)': \(problem)")
            }
            previous = rows.rows.last?.time
            meter.count(rows)
        }
    }

    private mutating func read(_ piece: BlockReference, _ meter: inout UsageMeter) throws(StoreError) {
        if frame?.reference != piece.frame { frame = (piece.frame, try segment.read(piece.frame)) }
        guard let frame else { return }
        try segment.decode(piece, in: frame.bytes, times: .min ... .max, wanted: nil, into: &rows)
        let share = Double(piece.frame.compressedByteCount) / Double(max(piece.frame.rawByteCount, 1))
        let block = UnsafeRawBufferPointer(rebasing: frame.bytes.buffer[piece.offsetInFrame..<(piece.offsetInFrame + piece.byteCount)])
        do throws(CodecError) {
            let layout = try BlockLayout(block, hasCommitTimes: segment.footer.hasCommitTimes)
            meter.add(layout, fields: index.fields, share: share)
        } catch {
            throw segment.damage(at: piece.frame.offset, "the block at \(piece.offsetInFrame) in the frame is malformed")
        }
    }
}

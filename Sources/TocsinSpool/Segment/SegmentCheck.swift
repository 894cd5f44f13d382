/// What reading a whole segment at open found: every checksum is tested once, so that damage is known before the first
/// record is used. Costs a sequential read; the checksums themselves run at some 10 GB/s.
struct SegmentCheck {
    var segment: Segment
    var records = 0
    var payloadBytes: Int64 = 0
    var firstRecord: UInt64?
    var lastRecord: UInt64?
    var problems: [String] = []
    /// Length of the file.
    var size: Int64 = 0
    /// The end of the file after the last sound record is not one.
    var tornBytes: Int64 { max(size - segment.end, 0) }
    var hasSoundHeader = true
    /// The disk failed: what comes after is unknown, so nothing may be cut off.
    var isUnreadable = false
    private var damage: [(offset: Int64, bytes: Int64, sequence: UInt64?)] = []

    init(path: String, first: UInt64) {
        segment = Segment(path: path, firstSequence: first, lastSequence: first - 1, end: SegmentHeader.size)
    }

    /// - Parameters:
    ///   - previous: number of the last record before this segment.
    ///   - bound: first number of the next segment.
    ///   - isLast: the tail of the last segment may be torn by a crash; that of any other is damage.
    mutating func run(
        _ file: OpenFile, salt: UInt32, size: Int64, after previous: UInt64, bound: UInt64, isLast: Bool
    ) {
        self.size = size
        var scanner = SegmentScanner(file, salt: salt, limit: size, after: previous, bound: bound)
        do {
            scanning: while true {
                switch try scanner.step() {
                case .record(let header, let payload):
                    records += 1
                    payloadBytes += Int64(payload.count)
                    if firstRecord == nil { firstRecord = header.sequence }
                    lastRecord = header.sequence
                    accept(through: header.sequence, scanner)
                case .passed(let sequence): accept(through: sequence, scanner)
                case .damaged(let offset, let bytes, let sequence): damage.append((offset, bytes, sequence))
                case .end: break scanning
                }
            }
        } catch {
            isUnreadable = true
            segment.isDamaged = true
            problems.append(
                "\(error). The rest of the segment after byte \(scanner.offset) is not used; the file is kept.")
            return
        }
        guard !damage.isEmpty else { return }
        if isLast {
            problems.append(
                "\(segment.name): the \(tornBytes) bytes after record \(segment.lastSequence) are no complete record, "
                    + "as a crash leaves them; they were cut off.")
            damage = []
        } else {
            report(before: bound)
        }
    }

    private mutating func accept(through sequence: UInt64, _ scanner: SegmentScanner) {
        report(before: sequence)
        segment.lastSequence = sequence
        // Records start at multiples of 8, also where the padding of the last one is missing.
        segment.end = (scanner.offset + 7) & ~7
    }

    /// Damage with a sound record after it: that much is lost.
    private mutating func report(before next: UInt64) {
        for part in damage {
            let isAtEnd = next == Sequence64.highest
            let what =
                part.sequence.map { "record \($0)" }
                ?? (isAtEnd
                    ? "what came after record \(segment.lastSequence)"
                    : "something between records \(segment.lastSequence) and \(next)")
            problems.append(
                "\(segment.name): \(part.bytes) bytes at byte \(part.offset) are damaged (\(what)); they were skipped, "
                    + "the rest is used.")
            segment.isDamaged = true
        }
        damage = []
    }
}

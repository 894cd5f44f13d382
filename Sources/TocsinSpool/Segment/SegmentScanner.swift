/// Walks the records of one segment file, whatever its bytes; used to check at open and to read.
struct SegmentScanner {
    enum Step {
        /// A sound record: its payload stands in this range of `window`.
        case record(RecordHeader, payload: Range<Int>)
        /// Passed over: a void record, or one before those wanted.
        case passed(through: UInt64)
        /// `bytes` bytes at `offset` are no sound record. `sequence`: where the header at least is sound.
        case damaged(offset: Int64, bytes: Int64, sequence: UInt64?)
        case end
    }

    private let salt: UInt32
    /// Where the next step looks.
    private(set) var offset: Int64
    /// Where the readable part ends.
    var limit: Int64
    /// Number of the last sound header; the next one's must be greater.
    private(set) var sequence: UInt64
    /// Numbers must be smaller than this.
    let bound: UInt64
    private var content: FileWindow

    /// Holds the payload of the last record given.
    var window: [UInt8] { content.bytes }
    var file: OpenFile { content.file }

    init(_ file: OpenFile, salt: UInt32, limit: Int64, after sequence: UInt64, bound: UInt64 = Sequence64.highest) {
        content = FileWindow(file)
        self.salt = salt
        self.limit = limit
        self.sequence = sequence
        self.bound = bound
        offset = SegmentHeader.size
    }

    /// - Parameter wanted: payloads of records before this number are not read.
    mutating func step(from wanted: UInt64 = 0) throws(FileFailure) -> Step {
        guard offset < limit else { return .end }
        guard let header = try header(at: offset) else { return try damagedStep() }
        let start = offset
        let end = offset + Int64(header.stride)
        // The padding of the last record may be cut off, its payload may not.
        let payloadEnd = offset + Int64(RecordHeader.size + header.length)
        guard payloadEnd <= limit else {
            offset = limit
            return .damaged(offset: start, bytes: limit - start, sequence: header.sequence)
        }
        guard header.sequence >= wanted, !header.isVoid else {
            offset = min(end, limit)
            sequence = header.sequence
            return .passed(through: header.sequence)
        }
        let place = try content.load(at: start, count: RecordHeader.size + header.length, limit: limit)
        offset = min(end, limit)
        sequence = header.sequence
        if let place {
            let payload = place + RecordHeader.size..<place + RecordHeader.size + header.length
            if CRC32C.of(content.bytes, payload) == header.payloadSum { return .record(header, payload: payload) }
        }
        return .damaged(offset: start, bytes: offset - start, sequence: header.sequence)
    }

    /// From bytes that are no header to the next multiple of 8 where one stands.
    private mutating func damagedStep() throws(FileFailure) -> Step {
        let start = offset
        var place = offset + 8
        while place + Int64(RecordHeader.size) <= limit {
            if try header(at: place) != nil { break }
            place += 8
        }
        offset = place + Int64(RecordHeader.size) <= limit ? place : limit
        return .damaged(offset: start, bytes: offset - start, sequence: nil)
    }

    private mutating func header(at offset: Int64) throws(FileFailure) -> RecordHeader? {
        guard let place = try content.load(at: offset, count: RecordHeader.size, limit: limit),
            let header = RecordHeader.read(content.bytes.span, at: place, salt: salt),
            header.sequence > sequence, header.sequence < bound
        else { return nil }
        return header
    }
}

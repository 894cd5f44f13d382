/// Records in memory on their way to disk, framed as they will stand there; written by one call.
struct RecordGroup: Sendable {
    struct Entry: Sendable {
        var start: Int
        var sequence: UInt64
        var length: Int
        var isVoid: Bool
    }

    private(set) var bytes: [UInt8] = []
    private(set) var entries: [Entry] = []

    var isEmpty: Bool { entries.isEmpty }
    var lastSequence: UInt64 { entries.last?.sequence ?? 0 }

    /// Appends a framed record: its memcpy and 20 ns.
    mutating func append(_ payload: Span<UInt8>, sum: UInt32, sequence: UInt64, isVoid: Bool = false, salt: UInt32) {
        entries.append(Entry(start: bytes.count, sequence: sequence, length: payload.count, isVoid: isVoid))
        let header = RecordHeader(isVoid: isVoid, length: payload.count, sequence: sequence, payloadSum: sum)
        header.write(to: &bytes, salt: salt)
        unsafe payload.withUnsafeBytes { source in unsafe bytes.append(contentsOf: source) }
        while bytes.count % 8 != 0 { bytes.append(0) }
    }

    /// Forgets the records and keeps the memory, unless it has become larger than `bound`.
    mutating func removeAll(keeping bound: Int) {
        bytes.removeAll(keepingCapacity: bytes.capacity <= bound)
        entries.removeAll(keepingCapacity: bytes.capacity <= bound)
    }

    /// The first record from `sequence` on.
    func record(from sequence: UInt64) -> SpoolRecord? {
        var low = 0
        var high = entries.count
        while low < high {
            let middle = (low + high) / 2
            if entries[middle].sequence < sequence { low = middle + 1 } else { high = middle }
        }
        while low < entries.count, entries[low].isVoid { low += 1 }
        guard low < entries.count else { return nil }
        let start = entries[low].start + RecordHeader.size
        return SpoolRecord(
            sequence: entries[low].sequence, payload: Array(bytes[start..<start + entries[low].length]))
    }

    /// Where the longest run of records from byte `start` on ends that fits into `room` bytes; at least one record.
    func end(from start: Int, room: Int64) -> (bytes: Int, sequence: UInt64) {
        var low = 0
        var high = entries.count
        while low < high {
            let middle = (low + high) / 2
            if entries[middle].start < start { low = middle + 1 } else { high = middle }
        }
        guard low < entries.count else { return (bytes.count, lastSequence) }
        if Int64(bytes.count - start) <= room { return (bytes.count, lastSequence) }
        var last = low
        while last + 1 < entries.count, Int64(end(of: last + 1) - start) <= room { last += 1 }
        return (end(of: last), entries[last].sequence)
    }

    private func end(of entry: Int) -> Int {
        entry + 1 < entries.count ? entries[entry + 1].start : bytes.count
    }
}

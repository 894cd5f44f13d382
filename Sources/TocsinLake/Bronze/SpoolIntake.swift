internal import TocsinCore
internal import TocsinSpool

/// Reads a spool's batches in order, with ids that are right in this process's table.
struct SpoolIntake: Sendable {
    private let table: SeriesTable
    private let reader: SpoolReader
    /// The last record that stood in the spool when it was opened: ids in those behind it are this process's own.
    private let lastFound: UInt64
    private let decodeAgain: @Sendable (RawInput) -> Batch?
    private(set) var names: NameAgreement
    /// Read and not yet taken.
    private var waiting: ArraySlice<SpoolRecord> = []
    private(set) var notes: [LakeNote] = []
    private(set) var skippedRecords = 0

    /// - Parameter record: the last record that is not wanted.
    init(
        _ spool: Spool, after record: UInt64, names: NameAgreement, lastFound: UInt64, table: SeriesTable,
        decodeAgain: @escaping @Sendable (RawInput) -> Batch?
    ) {
        self.table = table
        self.lastFound = lastFound
        self.decodeAgain = decodeAgain
        self.names = names
        reader = spool.read(from: record + 1)
        if !names.areLost, record < lastFound, !names.holds(in: table) { loseNames(at: record + 1) }
    }

    struct Item {
        var record: UInt64
        /// nil for a record without input, or one that cannot be read.
        var batch: Batch?
    }

    /// The next record; nil when there is none yet, or none up to `limit`.
    mutating func next(through limit: UInt64) async throws -> Item? {
        if waiting.isEmpty {
            waiting = try await reader.nextRecords(limit: 4 << 20)[...]
            let problems = reader.takeProblems()
            skippedRecords += problems.count
            notes += problems.map { LakeNote("Bronze: \($0)", isProblem: true) }
        }
        guard let record = waiting.first, record.sequence <= limit else { return nil }
        waiting.removeFirst()
        return Item(record: record.sequence, batch: batch(of: record))
    }

    mutating func takeNotes() -> [LakeNote] {
        defer { notes = [] }
        return notes
    }

    private mutating func batch(of record: SpoolRecord) -> Batch? {
        if !names.areLost || record.sequence > lastFound {
            var known = names.known
            var entry = SpoolEntry(decoding: record.payload[...], known: &known)
            if record.sequence > lastFound, names.areLost || entry == nil {
                // This process gave these ids: all that its table has are right.
                names.areLost = false
                learn(Self.all(of: table))
                known = names.known
                entry = SpoolEntry(decoding: record.payload[...], known: &known)
            }
            switch entry {
            case .batch(let batch, let new):
                guard let new, !new.isEmpty else { return batch }
                if NameAgreement.agrees(new, with: table) {
                    learn(known)
                    return batch
                }
                loseNames(at: record.sequence)
            case .some:
                // Sensors that were taken over from another process bring names of their own.
                learn(known)
                return nil
            case nil where SpoolEntry.rawInput(of: record.payload[...]) == nil:
                skip(record.sequence)
                return nil
            case nil: loseNames(at: record.sequence)
            }
        }
        guard let raw = SpoolEntry.rawInput(of: record.payload[...]) else {
            var known = KnownNames()
            if SpoolEntry(decoding: record.payload[...], known: &known) == nil { skip(record.sequence) }
            return nil
        }
        let batch = decodeAgain(raw)
        if batch == nil { skip(record.sequence) }
        return batch
    }

    private static func all(of table: SeriesTable) -> KnownNames {
        table.withIndex { KnownNames(sensors: $0.sensorCount, metrics: $0.metricCount, series: $0.seriesCount) }
    }

    private mutating func learn(_ known: KnownNames) { _ = names.extend(to: known, table) }

    private mutating func skip(_ record: UInt64) {
        skippedRecords += 1
        notes.append(LakeNote("Record \(record) of the spool cannot be read: it is not in the lake.", isProblem: true))
    }

    private mutating func loseNames(at record: UInt64) {
        // One of this process's own would be damaged alone.
        guard record <= lastFound else { return }
        names.areLost = true
        notes.append(
            LakeNote(
                "Names are missing in the spool before record \(record): the input from there on is decoded again for the lake.",
                isProblem: true))
    }
}

public import TocsinCore
internal import TocsinSpool

extension KafkaOutput {
    /// Opens the folder, made when missing, and takes up what an earlier process left to be sent.
    ///
    /// Blocks; call it at start. A sequential read of what waits.
    /// - Parameter observer: told of what a person should look at, once when it begins.
    /// - Throws: `TocsinError`: another process uses the folder, the disk fails, the client library is missing, or a
    ///   property of the connection is wrong.
    public static func open(
        folder: String, _ settings: KafkaOutputSettings, table: SeriesTable, clock: any WallClock,
        observer: KafkaObserver = KafkaObserver()
    ) throws -> KafkaOutput {
        // Before the folder is locked: a missing library is the likelier trouble.
        try KafkaLibrary.load(settings.connection.library)
        let (spool, recovery) = try Spool.open(folder: folder + "/spool", settings: settings.spool)
        for problem in recovery.problems { observer.problem(problem) }
        let path = folder + "/position"
        let saved = OutputPosition.load(from: path, spool: spool.id)
        let totals = try totals(spool, recovery)
        var done = saved?.marks ?? totals ?? OutputKind.allCases.map { _ in OutputMark() }
        try find(&done, areKnown: saved != nil, spool, recovery)
        // After a power cut the position may be ahead of the spool: its numbers must not be given again.
        try spool.skip(through: done.map(\.sequence).max() ?? 0)
        let last = spool.figures.nextSequence - 1
        return try KafkaOutput(
            settings, spool, OutputBook(totals ?? done, done: done, last: last), positionPath: path, table: table,
            clock: clock, observer: observer)
    }

    /// Finds the record from which each kind goes on, where the position is lost or from before a power cut: what was carried
    /// forward since then stands behind parts of itself.
    /// - Parameter areKnown: false: all that is kept is to be sent.
    private static func find(
        _ marks: inout [OutputMark], areKnown: Bool, _ spool: Spool, _ recovery: SpoolRecovery
    ) throws {
        guard let first = recovery.firstSequence, !areKnown || marks.contains(where: { $0.sequence + 1 < first })
        else { return }
        var found = [OutputMark?](repeating: nil, count: marks.count)
        let reader = spool.read(from: first)
        while let record = try reader.next() {
            guard let head = OutputBlock(headOf: record.payload, sequence: record.sequence - 1) else { continue }
            let kind = head.kind.index
            let done = areKnown ? marks[kind].messages : 0
            var mark = head.totals[kind]
            guard mark.messages > done else { continue }
            mark.messages = max(mark.messages &- head.count, done)
            mark.bytes = mark.bytes &- head.bytes
            if found[kind].map({ mark.messages < $0.messages }) ?? true { found[kind] = mark }
        }
        for (kind, mark) in found.enumerated() {
            guard let mark else { continue }
            if areKnown {
                marks[kind].sequence = max(marks[kind].sequence, mark.sequence)
            } else {
                marks[kind] = mark
            }
        }
    }

    /// Where each kind stands behind the last record.
    private static func totals(_ spool: Spool, _ recovery: SpoolRecovery) throws -> [OutputMark]? {
        guard let last = recovery.lastSequence else { return nil }
        var totals: [OutputMark]?
        let tail = spool.read(from: last)
        while let record = try tail.next() {
            totals = OutputBlock(headOf: record.payload, sequence: record.sequence)?.totals ?? totals
        }
        return totals
    }
}

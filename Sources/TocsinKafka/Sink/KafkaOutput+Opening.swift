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
        let (before, totals) = try ends(spool, recovery)
        let none = OutputKind.allCases.map { _ in OutputMark() }
        let done = saved?.marks ?? before ?? none
        // After a power cut the position may be ahead of the spool: its numbers must not be given again.
        try spool.skip(through: done.map(\.sequence).max() ?? 0)
        let last = spool.figures.nextSequence - 1
        return try KafkaOutput(
            settings, spool, OutputBook(totals ?? done, done: done, last: last), positionPath: path, table: table,
            clock: clock, observer: observer)
    }

    /// Where each kind stood before the first record that is kept, and behind the last.
    private static func ends(
        _ spool: Spool, _ recovery: SpoolRecovery
    ) throws -> (before: [OutputMark]?, totals: [OutputMark]?) {
        guard let first = recovery.firstSequence, let last = recovery.lastSequence else { return (nil, nil) }
        var before: [OutputMark]?
        let reader = spool.read(from: first)
        while before == nil, let record = try reader.next() {
            guard let head = OutputBlock(headOf: record.payload, sequence: record.sequence) else { continue }
            var marks = head.totals
            marks[head.kind.index].messages &-= head.count
            marks[head.kind.index].bytes &-= head.bytes
            for index in marks.indices { marks[index].sequence = record.sequence - 1 }
            before = marks
        }
        var totals: [OutputMark]?
        let tail = spool.read(from: last)
        while let record = try tail.next() {
            totals = OutputBlock(headOf: record.payload, sequence: record.sequence)?.totals ?? totals
        }
        return (before, totals)
    }
}

internal import GRDB
internal import TocsinCore

/// Writes batch outcomes into the database: the state that lives from one transaction to the next.
struct SQLiteWriter {
    let table: SeriesTable
    let settings: SQLiteSettings

    var rowIDs = RowIDs()
    /// Reused for every event's readings.
    var json = ReadingsText()
    var events = RunProgress(runs: .events)
    var windows: WindowChunkWriter
    private var isLoaded = false
    // Arrival time of the batch with which "last seen" was last written down.
    private var lastFlush: Int64?

    // "Last seen" of ten thousand sensors costs as much as a batch: often enough for people is every five seconds, and
    // every second a part of what is many.
    private static let flushInterval: Int64 = 5_000_000_000
    private static let flushStep: Int64 = 1_000_000_000

    init(table: SeriesTable, settings: SQLiteSettings) {
        self.table = table
        self.settings = settings
        windows = WindowChunkWriter(definitions: settings.windows, unindexedRows: settings.unindexedRows)
    }

    /// One transaction for all outcomes. After a failure the database and this state are as before.
    /// - Returns: for each outcome, the readings that were there before.
    mutating func write(_ outcomes: [BatchOutcome], _ database: Database) throws -> [HeldReadings] {
        var held: [HeldReadings] = []
        let received = outcomes.last?.batch.origin.received.nanoseconds
        let isFlushDue = received.map(isFlushDue) ?? false
        if isFlushDue, !rowIDs.isFlushing { rowIDs.beginFlush() }
        try transaction(database) { writer in
            try writer.rowIDs.resolve(outcomes, table: writer.table, database)
            for outcome in outcomes {
                writer.hear(outcome)
                held.append(writer.settings.storesEvents ? try writer.writeEvents(outcome, database) : HeldReadings())
                try writer.windows.add(outcome.windows, rows: writer.rowIDs.series, database)
                try Self.writeAnomalies(outcome.anomalies, database)
                try Self.writeAlarms(outcome.alarmChanges, database)
                for feedback in outcome.feedback { try Self.writeFeedback(feedback, database) }
                try Self.writeActions(outcome.actions, database)
                try Self.writeDeadLetters(outcome.deadLetters, database)
            }
            try writer.events.sealIfDue(writer.settings.unindexedRows, database)
            try writer.windows.finish(database)
            if isFlushDue { try writer.rowIDs.flush(table: writer.table, database) }
        }
        if isFlushDue {
            rowIDs.flushed(table: table)
            lastFlush = received
        }
        return held
    }

    /// Writes down what is only in memory: call before closing.
    mutating func flush(_ database: Database) throws {
        rowIDs.beginFlush()
        while rowIDs.isFlushing {
            try transaction(database) { writer in try writer.rowIDs.flush(table: writer.table, database) }
            rowIDs.flushed(table: table)
        }
    }

    private mutating func transaction(
        _ database: Database, _ body: (inout SQLiteWriter) throws -> Void
    ) throws {
        do {
            try database.inTransaction(.immediate) {
                if !isLoaded {
                    try events.load(database)
                    try windows.load(database)
                    isLoaded = true
                }
                try body(&self)
                return .commit
            }
        } catch {
            rowIDs.forget()
            windows.discard()
            isLoaded = false
            throw error
        }
    }

    private mutating func hear(_ outcome: BatchOutcome) {
        let batch = outcome.batch
        for event in 0..<batch.eventCount where outcome.fates[event].isWritten {
            rowIDs.hear(batch.sensors[event], at: batch.times[event])
        }
    }

    private func isFlushDue(_ received: Int64) -> Bool {
        guard let lastFlush else { return true }
        let (waited, overflow) = received.subtractingReportingOverflow(lastFlush)
        // A clock that was set back counts as due.
        return overflow || waited < 0 || waited >= (rowIDs.isFlushing ? Self.flushStep : Self.flushInterval)
    }
}

/// How far a large table has been filled and how far it has been indexed.
struct RunProgress {
    let runs: SortedRuns
    /// Ids are given out here and never twice, so that an index entry never meets a stranger's row.
    private(set) var lastID: Int64 = 0
    private var lastIndexedID: Int64 = 0

    init(runs: SortedRuns) { self.runs = runs }

    var nextID: Int64 { lastID + 1 }
    mutating func useNextID() { lastID += 1 }

    mutating func load(_ database: Database) throws {
        lastIndexedID = try runs.lastIndexedID(database)
        lastID = max(lastIndexedID, try runs.lastID(database))
    }

    /// Starts a new run when enough rows wait.
    mutating func sealIfDue(_ rows: Int, _ database: Database) throws {
        guard lastID - lastIndexedID >= Int64(rows) else { return }
        try runs.seal(above: lastIndexedID, database)
        lastIndexedID = lastID
    }
}

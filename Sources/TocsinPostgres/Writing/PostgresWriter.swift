internal import TocsinCore

/// Writes batch outcomes: the state that lives from one transaction to the next. Used on the writing session's queue only.
///
/// The usual case is that nothing of a write is there already: rows go by COPY straight into their partitions. Where the
/// server finds one of them there (a replay, a redelivery), the transaction is given up and done again by way of staging
/// tables and `ON CONFLICT`, which costs about twice as much; that stays so until a few writes met nothing known.
final class PostgresWriter {
    let table: SeriesTable
    let storesEvents: Bool
    let storesPayloads: Bool
    let definitions: [WindowDefinition]
    let schema: String

    var numbers = RowNumbers()
    var heard = HeardSensors()
    /// By table: days that have a partition.
    private var knownDays: [String: Set<Int64>] = [:]
    private var connectionNumber: UInt64 = 0
    private var hasStaging = false
    var buffer = BinaryWriter(capacity: 2 * PostgresConnection.copyPiece)
    private var events = StagingHabit()
    private var windows = StagingHabit()
    private var pending: PendingCommit?

    init(
        table: SeriesTable, storesEvents: Bool, storesPayloads: Bool, definitions: [WindowDefinition], schema: String
    ) {
        self.table = table
        self.storesEvents = storesEvents
        self.storesPayloads = storesPayloads
        self.definitions = definitions
        self.schema = schema
    }

    /// One transaction for all outcomes.
    /// - Returns: for each outcome, the readings that were there before.
    func write(_ outcomes: [BatchOutcome], _ connection: PostgresConnection) throws -> [HeldReadings] {
        try take(connection)
        if let held = try settle(outcomes, connection) { return held }
        try numbers.resolve(outcomes, table: table, connection)
        let plan = WritePlan(
            events: storesEvents ? EventRows(outcomes, numbers) : nil,
            windows: try WindowRows(outcomes, numbers, definitions))
        try makePartitions(plan, received: outcomes.last?.batch.origin.received, connection)
        let held = try transact(outcomes, plan, connection)
        note(outcomes, connection)
        return held
    }

    /// Writes down what is only in memory: call before closing.
    func flush(_ connection: PostgresConnection) throws {
        try take(connection)
        while try heard.flush(&numbers, table: table, received: nil, connection) {}
    }

    /// What was known of the database may not hold on a new connection.
    private func take(_ connection: PostgresConnection) throws {
        guard connection.number != connectionNumber else { return }
        numbers.forget()
        hasStaging = false
        knownDays = [:]
        for table in DayPartitions.both { knownDays[table.table] = Set(try table.days(connection)) }
        connectionNumber = connection.number
    }

    /// After partitions were dropped.
    func forgetPartitions() { connectionNumber = 0 }

    private func note(_ outcomes: [BatchOutcome], _ connection: PostgresConnection) {
        for outcome in outcomes { heard.hear(outcome) }
        guard let received = outcomes.last?.batch.origin.received.nanoseconds, heard.isDue(received) else { return }
        // What was to be written is durable; when sensors were last heard is written down next time.
        do {
            _ = try heard.flush(&numbers, table: table, received: received, connection)
        } catch {
            if connection.isUsable, !connection.isIdle { try? connection.execute("ROLLBACK") }
        }
    }

    private func makePartitions(
        _ plan: WritePlan, received: Timestamp?, _ connection: PostgresConnection
    ) throws {
        for (table, days) in [
            (DayPartitions.events, plan.events?.days ?? [:]), (DayPartitions.windows, plan.windows.days),
        ] {
            for (day, rows) in days.sorted(by: { $0.key < $1.key })
            where knownDays[table.table]?.contains(day) != true {
                let arrival = received.map { DayPartitions.number(of: $0.nanoseconds) } ?? day
                guard DayPartitions.isWorthwhile(day: day, rows: rows, arrival: arrival) else { continue }
                try table.make(day: day, connection)
                knownDays[table.table, default: []].insert(day)
            }
        }
    }

    // MARK: The transaction

    private func transact(
        _ outcomes: [BatchOutcome], _ plan: WritePlan, _ connection: PostgresConnection
    ) throws -> [HeldReadings] {
        // Twice at most: events or windows that are there already, then both by way of staging.
        for _ in 0..<2 {
            let stagesEvents = events.isStaging || (plan.events?.rounds ?? 0) > 1
            let stagesWindows = windows.isStaging
            do {
                let held = try attempt(outcomes, plan, stagesEvents, stagesWindows, connection)
                if events.isStaging { events.note(isKnown: held.contains { $0 != HeldReadings() }) }
                return held
            } catch let failure as ServerFailure where failure.isUniqueViolation {
                try connection.execute("ROLLBACK")
                if failure.table?.hasPrefix(DayPartitions.windows.table) == true {
                    windows.begin()
                } else {
                    events.begin()
                }
            }
        }
        events.begin()
        windows.begin()
        return try attempt(outcomes, plan, true, true, connection)
    }

    /// A partition that another process attaches meanwhile takes over rows that were on their way to the default one: the
    /// server refuses those, and knows the way when it is asked again.
    private func attempt(
        _ outcomes: [BatchOutcome], _ plan: WritePlan, _ stagesEvents: Bool, _ stagesWindows: Bool,
        _ connection: PostgresConnection
    ) throws -> [HeldReadings] {
        for _ in 0..<Self.partitionRaces {
            do {
                return try attemptOnce(outcomes, plan, stagesEvents, stagesWindows, connection)
            } catch let failure as ServerFailure where failure.isPartitionRace {
                try connection.execute("ROLLBACK")
            }
        }
        return try attemptOnce(outcomes, plan, stagesEvents, stagesWindows, connection)
    }

    private static let partitionRaces = 4

    private func attemptOnce(
        _ outcomes: [BatchOutcome], _ plan: WritePlan, _ stagesEvents: Bool, _ stagesWindows: Bool,
        _ connection: PostgresConnection
    ) throws -> [HeldReadings] {
        if stagesEvents || stagesWindows { try makeStaging(connection) }
        var records = RecordStatements(try sensorNumbers(outcomes, connection))
        records.add(outcomes)
        let begun = try connection.pipeline(
            [("BEGIN", []), ("SELECT pg_current_xact_id()::text", [])] + records.statements)
        let transaction = begun.dropFirst().first?.first?.text(0) ?? ""
        var held = outcomes.map { _ in HeldReadings() }
        if let events = plan.events, !events.rows.isEmpty {
            if stagesEvents {
                held = try stage(events, outcomes, connection)
            } else {
                try copy(events, outcomes, connection)
            }
        }
        if !plan.windows.rows.isEmpty {
            if stagesWindows {
                let known = try stage(plan.windows, outcomes, connection)
                windows.note(isKnown: known)
            } else {
                try copy(plan.windows, outcomes, connection)
            }
        }
        do {
            try connection.execute("COMMIT")
        } catch let failure as ServerFailure where !connection.isUsable {
            pending = PendingCommit(transaction: transaction, outcomes: outcomes, held: held)
            throw failure
        }
        return held
    }

    /// When the connection broke during COMMIT, nobody knows whether the transaction is there: the server is asked, so
    /// that what this process has just stored is not taken for a repetition.
    /// - Returns: nil where the outcomes are to be written.
    private func settle(_ outcomes: [BatchOutcome], _ connection: PostgresConnection) throws -> [HeldReadings]? {
        guard let pending else { return nil }
        guard pending.isOf(outcomes) else {
            self.pending = nil
            return nil
        }
        let state: String?
        do {
            state = try connection.query("SELECT pg_xact_status($1::text::xid8)", [.text(pending.transaction)]).first?
                .optionalText(0)
        } catch let failure as ServerFailure where failure.state != nil {
            // "In the future": another server has taken over, and it never saw the transaction.
            state = nil
        }
        if state == "in progress" {
            throw ServerFailure(state: "57014", message: "the last transaction has not ended yet")
        }
        self.pending = nil
        guard state == "committed" else { return nil }
        note(outcomes, connection)
        return pending.held
    }

    private func makeStaging(_ connection: PostgresConnection) throws {
        guard !hasStaging else { return }
        try connection.execute(Self.staging)
        hasStaging = true
    }
}

/// What one write brings, in the order of the tables.
struct WritePlan {
    var events: EventRows?
    var windows: WindowRows
}

/// Whether a table is written by way of staging: from the first known row until eight writes met none.
private struct StagingHabit {
    private static let patience = 8
    private var left = 0

    var isStaging: Bool { left > 0 }
    mutating func begin() { left = Self.patience }
    mutating func note(isKnown: Bool) { left = isKnown ? Self.patience : left - 1 }
}

/// A transaction of which the end was not heard.
private struct PendingCommit {
    var transaction: String
    var held: [HeldReadings]
    private var fingerprint: [Int64]

    init(transaction: String, outcomes: [BatchOutcome], held: [HeldReadings]) {
        self.transaction = transaction
        self.held = held
        fingerprint = Self.fingerprint(outcomes)
    }

    func isOf(_ outcomes: [BatchOutcome]) -> Bool { fingerprint == Self.fingerprint(outcomes) }

    private static func fingerprint(_ outcomes: [BatchOutcome]) -> [Int64] {
        outcomes.flatMap { outcome in
            let batch = outcome.batch
            var hash = StableHash()
            hash.combine(batch.origin.sourceName)
            for time in batch.times { hash.combine(UInt64(bitPattern: time.nanoseconds)) }
            for value in batch.values { hash.combine(value.bitPattern) }
            return [
                batch.origin.position, batch.origin.received.nanoseconds, Int64(batch.eventCount),
                Int64(outcome.windows.count), Int64(bitPattern: hash.value),
            ]
        }
    }
}

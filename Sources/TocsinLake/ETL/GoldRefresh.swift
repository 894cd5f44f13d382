internal import Synchronization
internal import TocsinCore

/// Brings the verdicts of the operational store into gold: rows there are written over those of the lake with the same key;
/// what the store has forgotten stays in the lake.
struct GoldRefresh: Sendable {
    private let run: ETLRun
    private let source: (any GoldSource)?
    /// Hours of the range that have readings, and those that follow them: silence is found later.
    private let hours: [LakePartition]
    private let newest: Timestamp
    private let unmade: Set<LakePartition>

    /// An alarm of that age may still go on; an anomaly of that age is final.
    private static let alarmAge = Span64.hours(24 * 7)
    private static let anomalyAge = Span64.hours(2)
    private static let page = 10_000

    init(_ run: ETLRun, source: (any GoldSource)?, bronze: LakeTableParts, silver: LakeTableParts) {
        self.run = run
        self.source = source
        let (start, end) = (run.settings.start, run.settings.end)
        var found = Set(bronze.partitions(from: start, to: end) + silver.partitions(from: start, to: end))
        unmade = Set(bronze.byPartition.keys.filter { silver[$0].isEmpty }.map(\.wholeDay))
        found.formUnion(found.map { LakePartition(hourOf: $0.end) })
        hours = found.sorted()
        newest = hours.last?.end ?? Timestamp(nanoseconds: 0)
    }

    /// Before silver, which flags readings during alarms.
    func alarms(_ worker: ETLWorker) async throws {
        guard source != nil, wants(.alarms) else { return }
        let parts = try await run.parts(of: GoldTable.alarms.path)
        for day in Set(hours.map(\.wholeDay)).sorted() {
            let isSettled = newest.since(day.end) > Self.alarmAge && !unmade.contains(day)
            if isSettled, !parts[day].isEmpty { continue }
            try await refresh(.alarms, day, worker)
        }
    }

    /// After silver: an hour whose readings have changed is asked for again.
    func anomaliesAndWindows(_ worker: ETLWorker) async throws {
        guard source != nil else { return }
        let changed = run.state.withLock { $0.changed }
        for table in [GoldTable.anomalies, .windows] where wants(table) {
            let parts = try await run.parts(of: table.path)
            for hour in hours {
                let isSettled = newest.since(hour.end) > Self.anomalyAge && !changed.contains(hour)
                if isSettled, !parts[hour].isEmpty { continue }
                try await refresh(table, hour, worker)
            }
        }
    }

    private func wants(_ table: GoldTable) -> Bool {
        run.settings.storeTables.contains(table.path) && (run.settings.tables?.contains(table.path) ?? true)
    }

    private func refresh(_ table: GoldTable, _ partition: LakePartition, _ worker: ETLWorker) async throws {
        run.progress(work: "\(table.path) \(partition.path)")
        try await worker.connection.run { connection in
            try connection.execute("DROP TABLE IF EXISTS fresh")
            try connection.execute(
                table.definition.replacing("CREATE TABLE all_\(table.rawValue) ", with: "CREATE TEMP TABLE fresh "))
        }
        guard try await fetch(table, partition, worker) > 0 else { return }
        let older = try await run.parts(of: table.path)[partition]
        let made = try await worker.connection.run { connection -> (name: String, path: String)? in
            let damaged = older.isEmpty ? [] : try worker.damaged(older)
            guard damaged.isEmpty else {
                // What can still be saved of it is for people to decide.
                run.state.withLock { $0.skipped += damaged }
                return nil
            }
            try merge(table, older, worker, connection)
            let content = try connection.firstRow(
                "SELECT count(*)::VARCHAR || sum(hash(m)::HUGEINT)::VARCHAR FROM merged AS m")
            var hash = StableHash()
            hash.combine(table.path)
            hash.combine(content.first?.text ?? "")
            let name = LakeLayout.partName(hash: hash.hex)
            if older.contains(where: { $0.name == name }) { return (name, "") }
            return (name, try worker.write("FROM merged ORDER BY \(table.order)", table: table.path).path)
        }
        guard let made else { return }
        if made.path.isEmpty {
            let there = older.first { $0.name == made.name }
            try await run.settled(
                there?.path ?? "", table.path, partition, bytes: there?.bytes ?? 0, older: older, isNew: false)
        } else {
            try await run.place(made.path, table.path, partition, name: made.name, insteadOf: older)
        }
    }

    /// Puts the store's rows into the table `fresh`, page by page.
    private func fetch(_ table: GoldTable, _ partition: LakePartition, _ worker: ETLWorker) async throws -> Int {
        guard let source else { return 0 }
        var offset = 0
        while true {
            try Task.checkCancellation()
            let (start, end) = (partition.start, partition.end)
            let rows: (source: any DuckDBTableSource, count: Int)
            switch table {
            case .alarms:
                let page = try await source.alarms(start: start, end: end, limit: Self.page, offset: offset)
                rows = (GoldRows(page), page.count)
            case .anomalies:
                let page = try await source.anomalies(start: start, end: end, limit: Self.page, offset: offset)
                rows = (GoldRows(page), page.count)
            case .windows:
                let page = try await source.windows(start: start, end: end, limit: Self.page, offset: offset)
                rows = (GoldRows(page), page.count)
            }
            let name = "page_of_\(table.rawValue)"
            let page = rows.source
            try await worker.connection.run { connection in
                try connection.register(page, as: name)
                defer { connection.unregister(name) }
                try connection.execute("INSERT INTO fresh FROM \(name)()")
            }
            offset += rows.count
            if rows.count < Self.page { return offset }
        }
    }

    /// The view `merged`: fresh rows, and older ones that are not among them.
    private func merge(_ table: GoldTable, _ older: [LakePart], _ worker: ETLWorker, _ connection: DuckDBConnection)
        throws
    {
        // A row that moved to a later page while another was written comes twice.
        var query =
            "SELECT * FROM fresh QUALIFY row_number() OVER (PARTITION BY \(table.key) ORDER BY rowid DESC) = 1"
        if !older.isEmpty {
            try worker.show(older, as: "older")
            query += " UNION ALL BY NAME SELECT older.* FROM older ANTI JOIN fresh USING (\(table.key))"
        }
        try connection.execute("CREATE OR REPLACE TEMP VIEW merged AS \(query)")
    }
}

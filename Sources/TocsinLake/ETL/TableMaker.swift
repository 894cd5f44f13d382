internal import Synchronization
internal import TocsinCore

/// Makes one file of a partition from the files of its input, unless it is there.
struct TableMaker: Sendable {
    let run: ETLRun
    let table: Transformation
    /// The key under which a file's metadata says how much input it was made of: bronze messages, or files.
    static let amountKey = "tocsin_input_amount"

    /// What a file was or would be made of.
    struct Recipe: Sendable {
        var inputs: [LakePart]
        /// Of everything but the inputs' names.
        var circumstances: UInt64

        func name(_ table: String) -> String {
            var hash = StableHash()
            hash.combine(table)
            hash.combine(circumstances)
            hash.combine(PartIdentity.of(inputs))
            hash.combine(UInt64(inputs.isEmpty ? 0 : 1))
            return LakeLayout.partName(hash: hash.hex)
        }
    }

    /// Makes the file or finds it made; input files that cannot be read are left out and reported.
    /// - Parameters:
    ///   - amount: SQL that counts the view `input`, for what must not become less; nil: the number of input files.
    ///   - inspect: looks at the view `output` of the complete local file.
    func make(
        _ partition: LakePartition, _ recipe: Recipe, _ worker: ETLWorker, amount: String?,
        inspect: @escaping @Sendable (DuckDBConnection) throws -> RuleCounts?
    ) async throws {
        run.progress(work: "\(table.table) \(partition.path)")
        let older = try await run.parts(of: table.table)[partition]
        if try await settle(partition, recipe, older) { return }
        var recipe = recipe
        var made: Made
        do {
            made = try await write(partition, recipe, worker, amount, inspect)
        } catch let error as TocsinError where error.code == .interrupted {
            throw error
        } catch {
            // Either a file is damaged, or the SQL does not go with the data.
            let inputs = recipe.inputs
            let damaged = try await worker.connection.run { _ in try worker.damaged(inputs) }
            guard !damaged.isEmpty else { throw table.failure(error) }
            run.state.withLock { state in
                state.skipped += damaged.filter { one in !state.skipped.contains { $0.name == one.name } }
            }
            recipe.inputs.removeAll { part in damaged.contains { $0.name == part.path } }
            if recipe.inputs.isEmpty { return }
            if try await settle(partition, recipe, older) { return }
            do { made = try await write(partition, recipe, worker, amount, inspect) } catch {
                throw table.failure(error)
            }
        }
        let amountNow = made.amount
        let largest = try await worker.connection.run { _ in
            // A file that cannot be read is no reason to keep it.
            older.compactMap { part in (try? worker.metadata(Self.amountKey, of: part)).flatMap { $0.flatMap(Int.init) }
            }.max()
        }
        if let largest, largest > amountNow {
            // Its input has aged out or is damaged: what was made of all of it is worth more.
            try LocalFiles.remove(made.path)
            run.state.withLock { $0.kept.append("\(table.table)/\(partition.path)") }
            return
        }
        try await run.place(
            made.path, table.table, partition, name: recipe.name(table.table), insteadOf: older)
        if let counts = made.counts {
            let now = run.now
            run.state.withLock { $0.add(counts, partition, run.settings, created: now) }
        }
    }

    /// Whether the file is there already; others beside it are left over from an earlier run that was ended.
    private func settle(_ partition: LakePartition, _ recipe: Recipe, _ older: [LakePart]) async throws -> Bool {
        let path = "\(table.table)/\(partition.path)/\(recipe.name(table.table))"
        guard let there = older.first(where: { $0.path == path }) else { return false }
        try await run.settled(path, table.table, partition, bytes: there.bytes, older: older, isNew: false)
        return true
    }

    private struct Made: Sendable {
        var path: String
        var amount: Int
        var counts: RuleCounts?
    }

    private func write(
        _ partition: LakePartition, _ recipe: Recipe, _ worker: ETLWorker, _ amount: String?,
        _ inspect: @escaping @Sendable (DuckDBConnection) throws -> RuleCounts?
    ) async throws -> Made {
        try await worker.connection.run { connection in
            try worker.show(recipe.inputs, as: "input")
            let size =
                try amount.map { try connection.firstRow($0).first?.integer.map(Int.init) ?? 0 } ?? recipe.inputs.count
            var metadata = [(Self.amountKey, "\(size)")]
            if table.table == Transformation.silver {
                try CodedMessages.show(connection)
                metadata.append((ReportedFigures.key, ReportedFigures.blank))
            }
            var counts: RuleCounts?
            let file = try worker.write(table.query, table: table.table, metadata: metadata) { path in
                try connection.execute(
                    "CREATE OR REPLACE VIEW output AS FROM read_parquet(\(DuckDB.literal(path)), hive_partitioning = false)"
                )
                counts = try inspect(connection)
                if let counts { try ReportedFigures.write(counts, into: path) }
            }
            return Made(path: file.path, amount: size, counts: counts)
        }
    }
}

/// Makes the hours of silver.
struct SilverMaker: Sendable {
    private let maker: TableMaker
    private let quality: Transformation
    private let bronze: LakeTableParts

    init(_ run: ETLRun, _ transformations: Transformations, _ bronze: LakeTableParts) {
        maker = TableMaker(run: run, table: transformations.silver)
        quality = transformations.quality
        self.bronze = bronze
    }

    func make(_ hour: LakePartition, _ worker: ETLWorker) async throws {
        let alarms = try await worker.connection.run { _ in try worker.showAlarms(hour) }
        let settings = maker.run.settings
        var hash = StableHash()
        hash.combine(maker.table.sql)
        hash.combine(quality.sql)
        for span in [settings.lateness, settings.pane, settings.clockSkew, settings.window] {
            hash.combine(UInt64(bitPattern: span.nanoseconds))
        }
        for range in settings.sortedRanges {
            hash.combine(range.metric)
            hash.combine(range.low?.bitPattern ?? 1)
            hash.combine(range.high?.bitPattern ?? 1)
        }
        hash.combine(alarms)
        let recipe = TableMaker.Recipe(inputs: bronze[hour], circumstances: hash.value)
        try await maker.make(hour, recipe, worker, amount: "SELECT count(*) FROM input") { [quality] connection in
            do {
                let counts = RuleCounts(
                    rows: try connection.rows(quality.query).compactMap { row in
                        guard row.count == 2, let rule = row[0].text, let rows = row[1].count else { return nil }
                        return (rule, rows)
                    })
                for rule in ["rows_in", "rows_out"] where !counts.rows.contains(where: { $0.rule == rule }) {
                    throw TocsinError(
                        .lake, "It has no row for \(rule).",
                        remedy: "Let it give two columns, rule and rows, with rows for rows_in and rows_out.")
                }
                return counts
            } catch { throw quality.failure(error) }
        }
    }
}

/// Makes the partitions of one table of gold.
struct GoldMaker: Sendable {
    private let maker: TableMaker

    init(_ run: ETLRun, _ table: Transformation) { maker = TableMaker(run: run, table: table) }

    /// Those of the range that have input, and how much.
    func partitions() async throws -> [(partition: LakePartition, bytes: Int64)] {
        let settings = maker.run.settings
        let input = try await maker.run.parts(of: maker.table.input)
        let touched = input.partitions(from: settings.start, to: settings.end)
        let all = maker.table.isHourly ? touched : Set(touched.map(\.wholeDay)).sorted()
        return all.map { one in (one, input.within(one).reduce(1) { $0 + $1.bytes }) }
    }

    func make(_ partition: LakePartition, _ worker: ETLWorker) async throws {
        let run = maker.run
        // One file an hour or day: where an earlier run was ended there may be two until silver is done again.
        let inputs = try await run.parts(of: maker.table.input).within(partition)
        let anomalies = try await run.parts(of: GoldTable.anomalies.path).within(partition)
        guard !inputs.isEmpty else { return }
        let alarms = try await worker.connection.run { connection in
            let alarms = try worker.showAlarms(partition)
            try connection.execute(
                "CREATE OR REPLACE VIEW anomalies AS SELECT \(ETLWorker.visibleAnomalyColumns) FROM all_anomalies")
            guard !anomalies.isEmpty else { return alarms }
            try worker.show(anomalies, as: "anomaly_files")
            try connection.execute(
                "CREATE OR REPLACE VIEW anomalies AS SELECT \(ETLWorker.visibleAnomalyColumns) FROM anomaly_files")
            return alarms
        }
        var hash = StableHash()
        hash.combine(maker.table.sql)
        hash.combine(UInt64(bitPattern: run.settings.lateness.nanoseconds))
        hash.combine(UInt64(bitPattern: run.settings.window.nanoseconds))
        hash.combine(alarms)
        hash.combine(PartIdentity.of(anomalies))
        let recipe = TableMaker.Recipe(inputs: inputs, circumstances: hash.value)
        try await maker.make(partition, recipe, worker, amount: nil) { _ in nil }
    }
}

extension DuckDBValue {
    /// A number of rows, whatever integer SQL made of it.
    fileprivate var count: Int? {
        switch self {
        case .integer(let value): Int(value)
        case .wideInteger(let value): Int(exactly: value)
        default: double.flatMap { Int(exactly: $0) }
        }
    }
}

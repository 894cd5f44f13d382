#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif
public import Logging
public import TocsinConfiguration
public import TocsinCore
internal import TocsinLake

/// `tocsin etl`: bronze to silver to gold, once, by hand.
public struct ETLCommandRun: Sendable {
    public struct Options: Sendable {
        /// Event times, the end excluded; hours that they touch are done whole.
        public var start: Timestamp?
        public var end: Timestamp?
        /// "silver", "gold"; nil = both.
        public var layer: String?
        /// A file or folder of CSV and NDJSON that becomes bronze first.
        public var input: String?
        /// Puts small files together and applies the retention afterwards.
        public var isTidy = false
        /// Greatest share of the rows by rule, 0 to 1.
        public var limits: [String: Double] = [:]

        public init() {}
    }

    public struct Outcome: Sendable {
        /// What was done, for people.
        public var lines: [String]
        /// The same as one JSON object.
        public var json: String
        public var isSuccess: Bool
    }

    private let configuration: TocsinConfiguration
    private let logger: Logger
    private let progress: @Sendable (_ fraction: Double, _ work: String) -> Void

    public init(
        configuration: TocsinConfiguration, logger: Logger,
        progress: @escaping @Sendable (_ fraction: Double, _ work: String) -> Void
    ) {
        self.configuration = configuration
        self.logger = logger
        self.progress = progress
    }

    /// Works beside a running tocsin.
    /// - Throws: `TocsinError` where DuckDB is missing, the lake cannot be reached, or another ETL is at work.
    public func run(_ options: Options) async throws -> Outcome {
        try DataFolder.create(at: configuration.lakeStatePath)
        let clock = SystemClock()
        let place = try LakePlace(configuration, isOwner: false, clock: clock, logger: logger)
        guard configuration.store.usesPostgres || access(configuration.storePath, F_OK) == 0 else {
            return try await run(options, place, store: nil, clock)
        }
        return try await StoreAccess(configuration).reading { store in
            try await run(options, place, store: store, clock)
        }
    }

    private func run(
        _ options: Options, _ place: LakePlace, store: (any Store)?, _ clock: any WallClock
    ) async throws -> Outcome {
        var outcome = ETLOutcomeText()
        // The running process keeps the record of jobs; this one reads beside it.
        var job = ETLJob(
            configuration, place: place, source: store.map(StoreGoldSource.init), store: nil, clock: clock)
        job.settings.start = options.start
        job.settings.end = options.end
        if let layer = options.layer.flatMap(LakeLayer.init(rawValue:)) { job.settings.layers = [layer] }
        job.settings.maximumShares = options.limits
        try await ETLRun.check(
            job.settings, transforms: configuration.lake.transforms, location: place.storage.location)
        if let input = options.input {
            let settings = ETLSettings(configuration, duckdb: place.duckdb)
            let lock = try await ETLLock.take(configuration, patience: ETLLock.byHand)
            defer { lock.release() }
            let imported = try await PlainInput(
                settings, storage: place.storage, reader: FilePlainReader(configuration: configuration),
                keepsPayload: configuration.lake.keepPayload
            ).run(input, onProgress: report)
            outcome.add(imported)
            job.settings.undecoded = imported.unparsable
        }
        outcome.add(try await job.run(patience: ETLLock.byHand, onProgress: report))
        if options.isTidy {
            outcome.add(
                try await LakeUpkeep(configuration, place: place, clock: clock).run(
                    patience: ETLLock.byHand, onProgress: report))
        }
        return outcome.outcome
    }

    private var report: @Sendable (ETLProgress) -> Void {
        { [progress] in progress($0.fraction, $0.work) }
    }

    /// Writes the built-in SQL into a folder, to be read, changed and added to; files that are there stay.
    /// - Returns: the files written.
    public static func exportTransformations(to folder: String) throws -> [String] {
        var written: [String] = []
        for (path, sql) in Transformations.builtIn {
            let target = folder + "/" + path
            try DataFolder.create(at: String(target[..<(target.lastIndex(of: "/") ?? target.endIndex)]))
            guard access(target, F_OK) != 0 else { continue }
            try FileWriter(path: target).write(Array(sql.utf8))
            written.append(target)
        }
        return written
    }
}

/// What an ETL did, line by line and as JSON.
private struct ETLOutcomeText {
    private var lines: [String] = []
    private var fields: [(String, Int)] = []
    private var problems: [String] = []
    private var isSuccess = true

    mutating func add(_ imported: PlainInputResult) {
        lines.append(
            "imported    \(imported.files) files, \(imported.messages) messages, \(imported.readings) readings: "
                + "\(imported.made) files of bronze made, \(imported.unchanged) unchanged")
        if imported.unparsable > 0 {
            lines.append("            \(imported.unparsable) messages or fields could not be decoded:")
            for one in imported.undecoded { lines.append("            \(one.file):\(one.line): \(one.reason)") }
            let more = imported.unparsable - imported.undecoded.count
            if more > 0 { lines.append("            and \(more) more") }
        }
        fields += [
            ("imported_files", imported.files), ("imported_messages", imported.messages),
            ("imported_readings", imported.readings), ("undecoded", imported.unparsable),
        ]
        add(imported.skipped)
    }

    mutating func add(_ result: ETLResult) {
        for (table, count) in result.made.sorted(by: { $0.key < $1.key }) {
            lines.append("made        \(count) files of \(table)")
        }
        let unchanged = result.unchanged.values.reduce(0, +)
        if unchanged > 0 { lines.append("unchanged   \(unchanged) files") }
        for (rule, count) in result.rows.sorted(by: { $0.key < $1.key }) { fields.append((rule, count)) }
        add("rows", result.rows)
        if let judged = result.judged {
            add("judged", judged)
            for (rule, count) in judged.sorted(by: { $0.key < $1.key }) { fields.append(("judged_" + rule, count)) }
        }
        if !result.unjudged.isEmpty {
            lines.append(
                "unjudged    \(result.unjudged.count) hours, which an earlier version made and whose bronze is gone: "
                    + result.unjudged.prefix(3).joined(separator: ", "))
        }
        fields += [
            ("files_made", result.made.values.reduce(0, +)), ("files_unchanged", unchanged),
            ("bytes_written", Int(result.bytesWritten)),
        ]
        for hour in result.kept { problems.append("kept as it is, because its bronze has become less: \(hour)") }
        add(result.skipped)
        for (_, sentence) in result.exceeded { problems.append(sentence) }
        // A limit that was passed is the job's error too.
        if let error = result.job.error, result.exceeded.isEmpty { problems.append(error) }
        isSuccess = isSuccess && result.isSuccess
    }

    /// Rows by rule.
    private mutating func add(_ title: String, _ rows: [String: Int]) {
        let rules = rows.filter { $0.value > 0 }.sorted { $0.key < $1.key }
        guard !rules.isEmpty else { return }
        let name = title + String(repeating: " ", count: 12 - title.utf8.count)
        lines.append(name + rules.map { "\($0.value) \($0.key.replacing("_", with: " "))" }.joined(separator: ", "))
    }

    mutating func add(_ compaction: CompactionResult) {
        if compaction.hours > 0 {
            lines.append(
                "compacted   \(compaction.hours) hours: \(compaction.filesBefore) files of \(ReplayReport.size(compaction.bytesBefore)) "
                    + "became \(compaction.hours) of \(ReplayReport.size(compaction.bytesAfter))")
        }
        fields.append(("compacted_hours", compaction.hours))
        add(compaction.skipped)
    }

    private mutating func add(_ skipped: [SkippedFile]) {
        for file in skipped { problems.append("left out, because it cannot be read: \(file.name) (\(file.reason))") }
        if !skipped.isEmpty { isSuccess = false }
    }

    var outcome: ETLCommandRun.Outcome {
        var json = JSONWriter()
        json.object { json in
            json.field("success", isSuccess)
            for (name, count) in fields { json.field(name, count) }
            json.key("problems")
            json.array { list in for problem in problems { list.value(problem) } }
        }
        return ETLCommandRun.Outcome(
            lines: lines + problems.map { "problem     \($0)" }, json: String(decoding: json.bytes, as: UTF8.self),
            isSuccess: isSuccess)
    }
}

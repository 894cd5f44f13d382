internal import TocsinCore
internal import TocsinDetect

/// Classifiers of rows, on splits that follow the recording or the time.
enum ClassifierSuites {
    private static let columns: [SuiteReport.Column] = [
        .init("accuracy"), .init("balanced"), .init("MCC"), .init("F1"), .init("AP"), .init("events", 0),
        .init("found", 0), .init("delay rows", 0), .init("false alarm %", 2),
    ]

    private struct Split: Sendable {
        var name: String
        var training: LabelledTable
        var test: LabelledTable
        /// Rows follow one another in time.
        var isOrdered = true
    }

    static func smoke(
        _ path: String, _ names: [String], _ options: Evaluation.Options, _ progress: Evaluation.Progress
    ) throws -> SuiteReport {
        let table = try TableReaders.smoke(path)
        let recordings = Set(table.groups).sorted()
        let rows = recordings.map { name in table.groups.indices.filter { table.groups[$0] == name } }
        var splits: [Split] = []
        for (recording, own) in zip(recordings, rows) {
            let others = table.groups.indices.filter { table.groups[$0] != recording }
            splits.append(
                Split(name: "unseen recording \(recording)", training: table.rows(others), test: table.rows(own)))
        }
        let early = rows.flatMap { $0.prefix($0.count * 7 / 10) }
        for (recording, own) in zip(recordings, rows) {
            splits.append(
                Split(
                    name: "later 30 % of \(recording)", training: table.rows(early),
                    test: table.rows(Array(own.dropFirst(own.count * 7 / 10)))))
        }
        var random = SplitMix64(seed: options.seed)
        let shuffled = Array(0..<table.rowCount).shuffled(using: &random)
        let cut = shuffled.count * 7 / 10
        splits.append(
            Split(
                name: "shuffled: misleads", training: table.rows(Array(shuffled[..<cut])),
                test: table.rows(Array(shuffled[cut...])), isOrdered: false))
        return try run(
            "smoke", splits, names, options, progress, limitsRowSeconds: 1,
            notes: identifying(table) + [
                "Only the splits by recording and by time say what happens at a new place. The shuffled split puts "
                    + "neighbours of the test rows, a second away, into training: it is shown to be disbelieved.",
                "Features: the 12 sensor columns; UTC, CNT, row and recording are left out, they identify the recording.",
                "+ limits: flagged also where a fixed limit or rate of rise of the smoke and fire rules is reached, whatever "
                    + "the model says; limits alone: no model.",
                "Delay: rows (1 s) from the first labelled row to the first flag. False alarm %: share of quiet rows flagged.",
            ])
    }

    static func occupancy(
        _ path: String, _ names: [String], _ options: Evaluation.Options, _ progress: Evaluation.Progress
    ) throws -> SuiteReport {
        let (training, test) = try TableReaders.occupancy(path)
        func without(_ name: String, _ table: LabelledTable) -> LabelledTable {
            let kept = table.columnNames.indices.filter { table.columnNames[$0] != name }
            var result = table
            result.columnNames = kept.map { table.columnNames[$0] }
            result.values = (0..<table.rowCount).flatMap { row in kept.map { table.values[row * table.width + $0] } }
            return result
        }
        return try run(
            "occupancy",
            [
                Split(name: "other days", training: training, test: test),
                Split(name: "other days, no Light", training: without("Light", training), test: without("Light", test)),
            ], names, options, progress, notes: ["One row a minute. Trained on datatraining, judged on datatest."])
    }

    private static func run(
        _ suite: String, _ splits: [Split], _ names: [String], _ options: Evaluation.Options,
        _ progress: Evaluation.Progress, limitsRowSeconds: Int64? = nil, notes: [String]
    ) throws -> SuiteReport {
        let models = try EvaluatedRowModel.choose(names, task: .classify)
        let jobs = models.indices.flatMap { model in splits.indices.map { (model, $0) } }
        let rows = try Work.map(jobs, progress: progress) { job in
            let split = splits[job.1]
            var model = models[job.0].make(options.seed)
            try model.fit(split.training)
            let scores = model.predict(split.test)
            let plain = SuiteReport.Row(models[job.0].name, split.name, figures(scores, split))
            guard let seconds = limitsRowSeconds, split.isOrdered else { return [plain] }
            let limits = limitFlags(split.test, rowSeconds: seconds)
            let name = "\(models[job.0].name) + limits"
            let both = SuiteReport.Row(name, split.name, figures(zip(scores, limits).map { max($0, $1) }, split))
            guard job.0 == models.count - 1 else { return [plain, both] }
            return [plain, both, SuiteReport.Row("limits alone", split.name, figures(limits, split))]
        }.flatMap { $0 }
        return SuiteReport(
            suite: suite,
            tables: [
                .init(
                    "trained and tested apart", columns: columns, rows: rows, references: Published.series[suite] ?? [])
            ], notes: notes)
    }

    /// 1 where a fixed limit or rate of rise is reached.
    private static func limitFlags(_ table: LabelledTable, rowSeconds: Int64) -> [Double] {
        var limits = SafetyLimits(metrics: table.columnNames)
        return (0..<table.rowCount).map { row in
            let values = Array(table.values[row * table.width..<(row + 1) * table.width])
            let time = Timestamp(nanoseconds: Int64(row) * rowSeconds * 1_000_000_000)
            return limits.observe(values, at: time) == nil ? 0 : 1
        }
    }

    /// A warning for the features that name the recording by themselves.
    private static func identifying(_ table: LabelledTable) -> [String] {
        var numbers: [String: Int] = [:]
        let recordings = table.groups.map { group in
            let number = numbers[group] ?? numbers.count
            numbers[group] = number
            return number
        }
        return IdentifyingColumns.find(rows: table.values, names: table.columnNames, recordings: recordings)
            .map { "Warning: \($0.sentence)" }
    }

    private static func figures(_ scores: [Double], _ split: Split) -> [Double?] {
        let labels = split.test.targets.map { $0 >= 0.5 }
        let flags = scores.map { $0 >= 0.5 }
        let counts = PointCounts(predicted: flags, labels: labels)
        let events = EventScore.evaluate(flags: flags, labels: labels, rowsPerDay: 0)
        return [
            counts.accuracy, counts.balancedAccuracy, counts.matthews, counts.f1,
            Ranking.averagePrecision(scores: scores, labels: labels), split.isOrdered ? Double(events.events) : nil,
            split.isOrdered ? Double(events.found) : nil, split.isOrdered ? events.medianDelayRows : nil,
            100 * counts.falseAlarmRate,
        ]
    }
}

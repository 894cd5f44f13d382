internal import TocsinCore

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
        _ progress: Evaluation.Progress, notes: [String]
    ) throws -> SuiteReport {
        let models = try EvaluatedRowModel.choose(names, tasks: [.classify])
        let jobs = models.indices.flatMap { model in splits.indices.map { (model, $0) } }
        let rows = try Work.map(jobs, progress: progress) { job in
            let split = splits[job.1]
            var model = models[job.0].make(options.seed)
            try model.fit(split.training)
            let scores = model.predict(split.test)
            return SuiteReport.Row(models[job.0].name, split.name, figures(scores, split))
        }
        return SuiteReport(
            suite: suite,
            tables: [
                .init(
                    "trained and tested apart", columns: columns, rows: rows, references: Published.series[suite] ?? [])
            ], notes: notes)
    }

    private static func figures(_ scores: [Double], _ split: Split) -> [Double?] {
        let labels = split.test.targets.map { $0 >= 0.5 }
        let flags = scores.map { $0 >= 0.5 }
        let counts = PointCounts(predicted: flags, labels: labels)
        let events = EventScore.evaluate(flags: flags, labels: labels, rowsPerDay: 0)
        return [
            counts.accuracy, counts.balancedAccuracy, counts.matthews, counts.f1,
            Ranking.averagePrecision(scores: scores, labels: labels), Double(events.events),
            Double(events.found), events.medianDelayRows,
            100 * counts.falseAlarmRate,
        ]
    }
}

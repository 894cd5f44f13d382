/// The Skoltech Anomaly Benchmark: fitted on the first 400 rows of each file, scored on the rest.
enum SKABSuite {
    static func run(
        _ path: String, _ names: [String], _ options: Evaluation.Options, _ progress: Evaluation.Progress
    ) throws -> SuiteReport {
        let series = try FittedReaders.skab(path)
        let detectors = try Evaluation.choose(names, fields: .multivariate)
        let runs = try DetectorRun.all(detectors, series, seed: options.seed, progress: progress)
        try DetectorRun.show(runs, of: series, to: options.onAnswers)
        var totals: [SuiteReport.Row] = []
        var files: [SuiteReport.Row] = []
        var changes: [SuiteReport.Row] = []
        for detector in detectors {
            let mine = runs.filter { $0.detector == detector.name }
            var pooled: [String: PointCounts] = [:]
            for run in mine {
                let recording = series[run.series]
                let counts = PointCounts(predicted: run.flags, labels: recording.scoredLabels)
                pooled["all", default: PointCounts()] += counts
                pooled[recording.group, default: PointCounts()] += counts
                let area = Ranking.areaUnderROC(scores: run.scores, labels: recording.scoredLabels)
                files.append(.init(detector.name, recording.name, figures(counts) + [area]))
            }
            for group in ["valve1", "valve2", "other", "all"] {
                guard let counts = pooled[group] else { continue }
                let members = files.filter { $0.name == detector.name && (group == "all" || $0.part.hasPrefix(group)) }
                let area = members.compactMap { $0.figures.last ?? nil }.reduce(0, +) / Double(max(members.count, 1))
                totals.append(.init(detector.name, group == "all" ? "" : group, figures(counts) + [area]))
            }
            let score = SKABChangePoint.score(
                mine.map { run in
                    let recording = series[run.series]
                    var points = Array(repeating: false, count: recording.rowCount)
                    for window in recording.windows where window.lowerBound < points.count {
                        points[window.lowerBound] = true
                    }
                    // The fitted rows belong to the recording, but nothing is predicted there.
                    return .init(
                        times: recording.times, changePoints: points,
                        predicted: SKABChangePoint.changes(
                            of: Array(repeating: false, count: recording.trainingRows) + run.flags))
                })
            changes.append(
                .init(
                    detector.name, "",
                    [
                        score.standard, score.lowFalsePositives, score.lowFalseNegatives, Double(score.missed),
                        Double(score.falsePositives),
                    ]))
        }
        let columns: [SuiteReport.Column] = [
            .init("F1"), .init("FAR %", 1), .init("MAR %", 1), .init("AUROC by file"),
        ]
        return SuiteReport(
            suite: "skab",
            tables: [
                .init(
                    "outliers, counts pooled over \(series.count) files", columns: columns, rows: totals,
                    references: Published.skab),
                .init(
                    "change points",
                    columns: [
                        .init("standard", 1), .init("low FP", 1), .init("low FN", 1), .init("missed", 0),
                        .init("FP", 0),
                    ], rows: changes, references: Published.skabChanges),
                .init("file by file", columns: columns, rows: files, isDetail: true),
            ],
            notes: [
                "F1, FAR and MAR are at the detector's own threshold, which comes from the 400 fitted rows or is fixed; no "
                    + "label is used. AUROC is the mean over the files: what a perfect threshold had to work with.",
                "A predicted change point is a row at which the flag changes. Published: these 17 files (change points: 34).",
            ])
    }

    private static func figures(_ counts: PointCounts) -> [Double?] {
        [counts.f1, 100 * counts.falseAlarmRate, 100 * counts.missedAlarmRate]
    }
}

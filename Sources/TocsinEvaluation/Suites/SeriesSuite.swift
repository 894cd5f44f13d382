/// Series with point labels: a ranking is judged without a threshold, flags at the detector's own.
enum SeriesSuite {
    private static let columns: [SuiteReport.Column] = [
        .init("AUROC"), .init("AP"), .init("VUS-PR"), .init("best F1"), .init("own F1"), .init("own P"),
        .init("own R"), .init("events", 0), .init("found", 0), .init("false/day", 2), .init("delay rows", 1),
    ]

    static func run(
        _ suite: String, _ series: [LabelledSeries], _ names: [String], _ options: Evaluation.Options,
        _ progress: Evaluation.Progress
    ) throws -> SuiteReport {
        let isMultivariate = series.contains { $0.columns.count > 1 }
        let detectors = try Evaluation.choose(names, fields: isMultivariate ? .multivariate : .univariate)
        let runs = try DetectorRun.all(detectors, series, seed: options.seed, progress: progress)
        try DetectorRun.show(runs, of: series, to: options.onAnswers)
        let judged = try Work.map(runs, progress: { _, _ in }) { judge($0, series[$0.series]) }
        var columns = columns
        if suite == "ucr" { columns.append(.init("top in range", 2)) }
        var rows: [SuiteReport.Row] = []
        var totals: [SuiteReport.Row] = []
        for detector in detectors {
            let mine = judged.filter { $0.run.detector == detector.name }
            for part in mine {
                let figures = suite == "ucr" ? part.figures + [top(part.run, series[part.run.series])] : part.figures
                rows.append(.init(detector.name, series[part.run.series].name, figures))
            }
            var groups = [("mean of \(series.count)", mine)]
            let names = Set(series.map(\.group)).sorted()
            if names.count > 1 {
                groups = names.map { name in (name, mine.filter { series[$0.run.series].group == name }) } + groups
            }
            for (name, parts) in groups {
                let members = rows.suffix(mine.count).filter { row in
                    parts.contains { series[$0.run.series].name == row.part }
                }
                totals.append(.init(detector.name, name, means(members.map(\.figures), columns: columns)))
            }
        }
        let isSmall = series.count <= 6
        return SuiteReport(
            suite: suite,
            tables: [
                .init(
                    "means over the files", columns: columns, rows: totals, references: Published.series[suite] ?? []),
                .init("file by file", columns: columns, rows: rows, references: [], isDetail: !isSmall),
            ],
            notes: [
                "AP, VUS-PR and AUROC need no threshold; best F1 picks it on the labels (an upper bound); own F1, P, R, "
                    + "events found, false incidents a day and delay are at the detector's own fixed threshold.",
                "No point adjustment. Flags less than 10 minutes (at least 10 rows) apart count as one incident.",
                "VUS-PR: buffer up to the period of the first metric, 250 thresholds. Events and found are sums.",
            ] + (Published.notes[suite] ?? []))
    }

    private struct Judged: Sendable {
        var run: DetectorRun
        var figures: [Double?]
    }

    private static func judge(_ run: DetectorRun, _ series: LabelledSeries) -> Judged {
        let labels = series.scoredLabels
        let flags = run.flags
        let own = PointCounts(predicted: flags, labels: labels)
        let events = EventScore.evaluate(
            flags: flags, labels: labels, rowsPerDay: series.rowsPerDay,
            joinRows: max(10, Int(min(series.rowsPerDay, 1e9) / 144)))
        let period = VolumeUnderSurface.periodLength(of: series.columns.first ?? [])
        return Judged(
            run: run,
            figures: [
                Ranking.areaUnderROC(scores: run.scores, labels: labels),
                Ranking.averagePrecision(scores: run.scores, labels: labels),
                VolumeUnderSurface.pr(scores: run.scores, labels: labels, maximumBuffer: period),
                Ranking.bestF1(scores: run.scores, labels: labels).f1,
                own.f1, own.precision, own.recall, Double(events.events), Double(events.found),
                series.rowsPerDay > 0 ? events.falseIncidentsPerDay : nil, events.medianDelayRows,
            ])
    }

    /// 1 where the highest score lies in the labelled range, give or take 100 rows.
    private static func top(_ run: DetectorRun, _ series: LabelledSeries) -> Double? {
        guard let range = series.windows.first,
            let top = run.scores.indices.max(by: { run.scores[$0] < run.scores[$1] }), run.scores[top] > 0
        else { return 0 }
        let row = top + series.trainingRows
        return row >= range.lowerBound - 100 && row < range.upperBound + 100 ? 1 : 0
    }

    /// Means of the files that have the figure; sums where the column counts.
    private static func means(_ rows: [[Double?]], columns: [SuiteReport.Column]) -> [Double?] {
        columns.indices.map { column in
            let known = rows.compactMap { column < $0.count ? $0[column] : nil }
            guard !known.isEmpty else { return nil }
            let sum = known.reduce(0, +)
            return ["events", "found"].contains(columns[column].name) ? sum : sum / Double(known.count)
        }
    }
}

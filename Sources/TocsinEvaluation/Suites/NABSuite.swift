/// The Numenta Anomaly Benchmark, in its official mode and without what it tells.
enum NABSuite {
    static func run(
        _ path: String, _ names: [String], _ options: Evaluation.Options, _ progress: Evaluation.Progress
    ) throws -> SuiteReport {
        let series = try StreamReaders.nab(path)
        let detectors = try Evaluation.choose(names, fields: .univariate)
        var best: [SuiteReport.Row] = []
        var own: [SuiteReport.Row] = []
        var files: [SuiteReport.Row] = []
        for (mode, tellsRanges) in [("official", true), ("causal", false)] {
            let runs = try DetectorRun.all(
                detectors, series, seed: options.seed, tellsRanges: tellsRanges, progress: progress)
            if !tellsRanges { try DetectorRun.show(runs, of: series, to: options.onAnswers) }
            for detector in detectors {
                let mine = runs.filter { $0.detector == detector.name }
                let corpus = mine.map { run in
                    NABFile(
                        name: series[run.series].name, scores: run.scores, windows: series[run.series].windows)
                }
                let optima = NABProfile.all.map { NABScorer.optimize(corpus, profile: $0) }
                best.append(
                    .init(detector.name, mode, optima.map(\.normalised) + [optima.first?.threshold]))
                // As flags, since a detector may set its threshold file by file.
                let flagged = mine.map { run in
                    NABFile(
                        name: series[run.series].name, scores: run.flags.map { $0 ? 1 : 0 },
                        windows: series[run.series].windows)
                }
                let fixed = NABProfile.all.map { NABScorer.score(flagged, profile: $0, threshold: 0.5) }
                own.append(.init(detector.name, mode, fixed.map(\.normalised)))
                let tuned = NABScorer.score(corpus, profile: .standard, threshold: optima.first?.threshold ?? 0)
                for (at, of) in zip(tuned.files, fixed.first?.files ?? []) {
                    files.append(
                        .init(
                            "\(detector.name) \(mode)", at.name,
                            [
                                at.raw, Double(at.counts.truePositives), Double(at.counts.falsePositives), of.raw,
                                Double(of.counts.truePositives), Double(of.counts.falsePositives),
                            ]))
                }
            }
        }
        let columns: [SuiteReport.Column] = [
            .init("standard", 1), .init("low FP", 1), .init("low FN", 1), .init("threshold", 4),
        ]
        return SuiteReport(
            suite: "nab",
            tables: [
                .init(
                    "threshold chosen on these files, as NAB does (\(series.count) files)", columns: columns,
                    rows: best,
                    references: Published.nab),
                .init("the detector's own fixed threshold", columns: Array(columns.prefix(3)), rows: own),
                .init(
                    "file by file, standard profile",
                    columns: [
                        .init("best raw", 2), .init("best TP", 0), .init("best FP", 0), .init("own raw", 2),
                        .init("own TP", 0), .init("own FP", 0),
                    ], rows: files, isDetail: true),
            ],
            notes: [
                "official: the detector is told the file's smallest and largest value; causal: it is told nothing.",
                "The published thresholds were chosen on the whole corpus of 58 files; \"shared 30\" are the files of the "
                    + "developers' part under them.",
            ])
    }
}

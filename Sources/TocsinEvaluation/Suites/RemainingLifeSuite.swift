/// Remaining useful life of turbofan engines: trained on engines run to failure, judged at the last row of others.
enum RemainingLifeSuite {
    /// Cycles; early in life nothing shows how much is left, so the target is capped as in the literature.
    static let cap = 125.0

    static func run(
        _ path: String, _ names: [String], _ options: Evaluation.Options, _ progress: Evaluation.Progress
    ) throws -> SuiteReport {
        let (training, test, remaining) = try TableReaders.turbofan(path)
        let models = try EvaluatedRowModel.choose(names, task: .regress)
        var capped = training
        capped.targets = training.targets.map { min($0, cap) }
        let known = capped
        // Units in the order in which they appear, which is that of the answers.
        let last = test.groups.indices.filter { row in
            row + 1 == test.rowCount || test.groups[row + 1] != test.groups[row]
        }
        let units = Array(Set(training.groups)).sorted { ($0.count, $0) < ($1.count, $1) }
        let held = Set(units.enumerated().filter { $0.offset % 5 == 4 }.map(\.element))
        let rows = try Work.map(models, progress: progress) { entry in
            var model = entry.make(options.seed)
            try model.fit(known)
            let predicted = last.isEmpty ? [] : model.predict(test)
            let ends = last.map { min(max(predicted[$0], 0), cap) }
            let truth = remaining.map { min($0, cap) }
            // Cross-check on whole units that were left out.
            var second = entry.make(options.seed)
            try second.fit(known.rows(known.groups.indices.filter { !held.contains(known.groups[$0]) }))
            let rest = known.rows(known.groups.indices.filter { held.contains(known.groups[$0]) })
            let guesses = second.predict(rest).map { min(max($0, 0), cap) }
            return SuiteReport.Row(
                entry.name, "",
                [
                    RemainingLife.rmse(predicted: ends, actual: truth),
                    RemainingLife.nasaScore(predicted: ends, actual: truth),
                    RemainingLife.rmse(predicted: ends, actual: remaining),
                    RemainingLife.rmse(predicted: guesses, actual: rest.targets),
                ])
        }
        return SuiteReport(
            suite: "cmapss",
            tables: [
                .init(
                    "FD001, \(remaining.count) engines, target capped at \(Int(cap)) cycles",
                    columns: [
                        .init("RMSE", 2), .init("NASA score", 0), .init("RMSE uncapped", 2), .init("held-out units", 2),
                    ], rows: rows, references: Published.cmapss)
            ],
            notes: [
                "Judged at each test engine's last row. Held-out units: RMSE over all rows of every fifth training engine."
            ])
    }
}

internal import TocsinCore

/// Remaining useful life of turbofan engines: trained on engines run to failure, judged at the last row of others.
enum RemainingLifeSuite {
    /// Cycles; early in life nothing shows how much is left, so the target is capped as in the literature.
    static let cap = 125.0
    private static let folds = 5
    /// Training engines are judged where the test engines are cut off: not before, and with so much left.
    private static let youngest = 30
    private static let leftWhenCut = 5.0...145.0

    static func run(
        _ path: String, _ names: [String], _ options: Evaluation.Options, _ progress: Evaluation.Progress
    ) throws -> SuiteReport {
        let (training, test, remaining) = try TableReaders.turbofan(path)
        let models = try EvaluatedRowModel.choose(names, tasks: [.regress])
        var capped = training
        capped.targets = training.targets.map { min($0, cap) }
        let known = capped
        // Fold 0 ..< folds are cross-checks on whole units left out; the last one is the test.
        let jobs = models.indices.flatMap { model in (0...folds).map { (model, $0) } }
        let units = unitNumbers(known.groups)
        let answers = try Work.map(jobs, progress: progress) { job in
            var model = models[job.0].make(options.seed)
            if job.1 == folds {
                try model.fit(known)
                return bounded(model.predict(test))
            }
            let isHeld = { (row: Int) in units[row] % folds == job.1 }
            try model.fit(known.rows(known.groups.indices.filter { !isHeld($0) }))
            return bounded(model.predict(known.rows(known.groups.indices.filter(isHeld))))
        }
        // Units in the order in which they appear, which is that of the answers.
        let last = test.groups.indices.filter { row in
            row + 1 == test.rowCount || test.groups[row + 1] != test.groups[row]
        }
        let truth = remaining.map { min($0, cap) }
        let rows = models.indices.map { model in
            let mine = zip(jobs, answers).filter { $0.0.0 == model }
            let ends = mine.last.map { answer in last.map { answer.1[$0] } } ?? []
            let checked = crossCheck(mine.dropLast().map { ($0.0.1, $0.1) }, training, units)
            return SuiteReport.Row(
                models[model].name, "",
                [
                    RemainingLife.rmse(predicted: ends, actual: truth),
                    RemainingLife.nasaScore(predicted: ends, actual: truth),
                    RemainingLife.rmse(predicted: ends, actual: remaining),
                    RemainingLife.rmse(predicted: checked.predicted, actual: checked.actual),
                    100 * RemainingLife.nasaScore(predicted: checked.predicted, actual: checked.actual)
                        / Double(max(checked.actual.count, 1)),
                ])
        }
        return SuiteReport(
            suite: "cmapss",
            tables: [
                .init(
                    "FD001, \(remaining.count) engines, target capped at \(Int(cap)) cycles",
                    columns: [
                        .init("RMSE", 2), .init("NASA score", 0), .init("RMSE uncapped", 2), .init("held-out RMSE", 2),
                        .init("held-out NASA per 100", 0),
                    ], rows: rows, references: Published.cmapss)
            ],
            notes: [
                "Judged at each test engine's last row. Held-out: every training engine by a model that did not see it, at "
                    + "all rows where it could have been cut off (30 rows and more, \(Int(leftWhenCut.lowerBound)) to "
                    + "\(Int(leftWhenCut.upperBound)) cycles left); models were chosen by this alone."
            ])
    }

    private static func bounded(_ predicted: [Double]) -> [Double] { predicted.map { min(max($0, 0), cap) } }

    private static func unitNumbers(_ groups: [String]) -> [Int] {
        var numbers: [String: Int] = [:]
        return groups.map { group in
            let number = numbers[group] ?? numbers.count
            numbers[group] = number
            return number
        }
    }

    /// Joins the folds and keeps the rows at which an engine could have been cut off.
    private static func crossCheck(
        _ answers: [(fold: Int, predicted: [Double])], _ training: LabelledTable, _ units: [Int]
    ) -> (predicted: [Double], actual: [Double]) {
        var result: (predicted: [Double], actual: [Double]) = ([], [])
        for answer in answers {
            let rows = units.indices.filter { units[$0] % folds == answer.fold }
            var age = 0
            for (place, row) in rows.enumerated() where place < answer.predicted.count {
                age = place > 0 && units[rows[place - 1]] == units[row] ? age + 1 : 0
                guard age >= youngest, leftWhenCut.contains(training.targets[row]) else { continue }
                result.predicted.append(answer.predicted[place])
                result.actual.append(min(training.targets[row], cap))
            }
        }
        return result
    }
}

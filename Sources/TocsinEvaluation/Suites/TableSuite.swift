/// Tables with outliers: fitted on all rows without labels, as the literature does, over several seeds.
enum TableSuite {
    static func run(
        _ path: String, _ names: [String], _ options: Evaluation.Options, _ progress: Evaluation.Progress
    ) throws -> SuiteReport {
        let series = try TableReaders.outlierTables(path)
        let detectors = try Evaluation.choose(names, fields: .table)
        let seeds = max(options.seeds, 1)
        let jobs = detectors.indices.flatMap { detector in
            series.indices.flatMap { table in (0..<seeds).map { (detector, table, $0) } }
        }
        let results = try Work.map(jobs, progress: progress) { job in
            let table = series[job.1]
            var detector = detectors[job.0].make(
                SeriesContext(metricNames: table.columnNames, isTable: true, seed: options.seed + UInt64(job.2)))
            let scores = try detector.score(table.rows(0..<table.rowCount))
            return [
                Ranking.areaUnderROC(scores: scores, labels: table.labels),
                Ranking.averagePrecision(scores: scores, labels: table.labels),
            ]
        }
        var rows: [SuiteReport.Row] = []
        for detector in detectors.indices {
            for table in series.indices {
                let mine = zip(jobs, results).filter { $0.0.0 == detector && $0.0.1 == table }.map(\.1)
                let (roc, rocSpread) = moments(mine.map { $0[0] })
                let (precision, precisionSpread) = moments(mine.map { $0[1] })
                rows.append(
                    .init(
                        detectors[detector].name, series[table].name, [roc, rocSpread, precision, precisionSpread]))
            }
        }
        return SuiteReport(
            suite: "adbench",
            tables: [
                .init(
                    "mean and standard deviation over \(seeds) seeds",
                    columns: [.init("AUROC"), .init("sd"), .init("AP"), .init("AP sd")], rows: rows,
                    references: Published.adbench)
            ], notes: ["Fitted on all rows of a table, labels unseen; rows have no order, so the bank does not apply."])
    }

    private static func moments(_ values: [Double]) -> (mean: Double, deviation: Double) {
        let mean = values.reduce(0, +) / Double(max(values.count, 1))
        let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
        return (mean, (squares / Double(max(values.count - 1, 1))).squareRoot())
    }
}

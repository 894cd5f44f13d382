internal import TocsinCore
internal import TocsinDetect

/// Smoke and fire: is the alarm found, how late after its first sign, and how long are the false alarms.
enum SmokeSuite {
    private static let columns: [SuiteReport.Column] = [
        .init("events", 0), .init("with sign", 0), .init("found", 0), .init("after sign s", 0),
        .init("after label s", 0),
        .init("false alarms", 0), .init("false min", 1), .init("false %", 2), .init("balanced"), .init("AP"),
    ]
    /// Parts of each recording's time that are judged by a model of all else.
    private static let blocks = 5

    /// A model trained on some rows judges some rows of one recording.
    private struct Job: Sendable {
        var model: Int
        var training: LabelledTable
        /// The whole recording, so that what watches a stream has its past.
        var recording: LabelledTable
        var judged: Range<Int>
    }

    static func run(
        _ path: String, _ names: [String], _ options: Evaluation.Options, _ progress: Evaluation.Progress
    ) throws -> SuiteReport {
        let table = try TableReaders.smoke(path)
        let models = try EvaluatedRowModel.choose(names, tasks: [.classify, .watchFire])
        let recordings = Set(table.groups).sorted().map { name in
            table.rows(table.groups.indices.filter { table.groups[$0] == name })
        }
        let wholes = recordings.indices.flatMap { own in
            let others = Set(recordings.indices).subtracting([own]).sorted()
            guard !others.isEmpty else { return [Job]() }
            let training = joined(others.map { recordings[$0] })
            return models.indices.map {
                Job(model: $0, training: training, recording: recordings[own], judged: 0..<recordings[own].rowCount)
            }
        }
        let parts = recordings.indices.flatMap { own in
            (0..<blocks).flatMap { block in
                let count = recordings[own].rowCount
                let judged = count * block / blocks..<count * (block + 1) / blocks
                let training = joined(
                    recordings.indices.map { $0 == own ? without(judged, recordings[$0]) : recordings[$0] })
                return models.indices.map {
                    Job(model: $0, training: training, recording: recordings[own], judged: judged)
                }
            }
        }
        let scores = try Work.map(wholes + parts, progress: progress) { job in
            var model = models[job.model].make(options.seed)
            try model.fit(job.training)
            return Array(model.predict(job.recording)[job.judged])
        }
        let unseen = rows("unseen recording", wholes, scores.prefix(wholes.count), models)
        let blocked = rows("fifth by fifth of", parts, scores.suffix(parts.count), models)
        let shuffled = try shuffled(table, models, options, progress)
        let misleading = SuiteReport.Table(
            "rows, shuffled: misleads", columns: shuffledColumns, rows: shuffled,
            references: Published.series["smoke"] ?? [])
        let quietDay = try quietDay(path)
        return SuiteReport(
            suite: "smoke",
            tables: [.init("alarms, trained and tested apart", columns: columns, rows: unseen + blocked)]
                + [quietDay, shuffled.isEmpty ? nil : misleading].compactMap { $0 },
            notes: notes(table, recordings))
    }

    private static func joined(_ tables: [LabelledTable]) -> LabelledTable {
        var result = tables[0].rows([])
        for table in tables {
            result.values += table.values
            result.targets += table.targets
            result.groups += table.groups
        }
        return result
    }

    /// The recording without a block and without the ten minutes around it; what follows it is another recording.
    private static func without(_ block: Range<Int>, _ table: LabelledTable) -> LabelledTable {
        let kept = table.targets.indices.filter { $0 < block.lowerBound - 600 || $0 >= block.upperBound + 600 }
        var result = table.rows(kept)
        for (place, row) in kept.enumerated() where row >= block.upperBound { result.groups[place] += " later" }
        return result
    }

    /// Jobs of one model and recording, in the order of their rows, become one judgement.
    private static func rows(
        _ title: String, _ jobs: [Job], _ scores: ArraySlice<[Double]>, _ models: [EvaluatedRowModel]
    ) -> [SuiteReport.Row] {
        var order: [String] = []
        var whole: [String: (job: Job, scores: [Double])] = [:]
        for (job, part) in zip(jobs, scores) {
            let key = "\(models[job.model].name)/\(job.recording.groups.first ?? "")"
            if whole[key] == nil { order.append(key) }
            whole[key, default: (job, [])].scores += part
        }
        return models.indices.flatMap { model in
            order.compactMap { key in
                guard let (job, scores) = whole[key], job.model == model else { return nil }
                return SuiteReport.Row(
                    models[model].name, "\(title) \(job.recording.groups.first ?? "")", figures(scores, job.recording))
            }
        }
    }

    private static func figures(_ scores: [Double], _ table: LabelledTable) -> [Double?] {
        let labels = table.targets.map { $0 >= 0.5 }
        let flags = scores.map { $0 >= 0.5 }
        let events = FireSign.events(in: table)
        var excused = labels
        var sinceSign: [Int] = []
        var sinceLabel: [Int] = []
        for event in events {
            let first = min(event.sign ?? event.rows.lowerBound, event.rows.lowerBound)
            for row in first..<event.rows.upperBound { excused[row] = true }
            // Only an alarm that begins tells anything: one that always stands does not.
            guard
                let raised = (first..<event.rows.upperBound).first(where: { flags[$0] && ($0 == 0 || !flags[$0 - 1]) })
            else { continue }
            sinceLabel.append(raised - event.rows.lowerBound)
            if let sign = event.sign { sinceSign.append(raised - sign) }
        }
        let alarms = RowRuns.find(in: flags).filter { run in !run.contains { excused[$0] } }
        let falseRows = flags.indices.filter { flags[$0] && !excused[$0] }.count
        let quiet = excused.filter { !$0 }.count
        let counts = PointCounts(predicted: flags, labels: labels)
        return [
            Double(events.count), Double(events.filter { $0.sign != nil }.count), Double(sinceLabel.count),
            middle(sinceSign), middle(sinceLabel), Double(alarms.count), Double(falseRows) / 60,
            quiet > 0 ? 100 * Double(falseRows) / Double(quiet) : nil, counts.balancedAccuracy,
            Ranking.averagePrecision(scores: scores, labels: labels),
        ]
    }

    private static func middle(_ values: [Int]) -> Double? {
        guard !values.isEmpty else { return nil }
        let sorted = values.sorted()
        return Double(sorted[(sorted.count - 1) / 2] + sorted[sorted.count / 2]) / 2
    }

    private static let shuffledColumns: [SuiteReport.Column] = [.init("accuracy"), .init("balanced"), .init("MCC")]

    /// Only for classifiers of rows: what watches a stream has no use for rows out of order.
    private static func shuffled(
        _ table: LabelledTable, _ models: [EvaluatedRowModel], _ options: Evaluation.Options,
        _ progress: Evaluation.Progress
    ) throws -> [SuiteReport.Row] {
        var random = SplitMix64(seed: options.seed)
        let order = Array(0..<table.rowCount).shuffled(using: &random)
        let cut = order.count * 7 / 10
        let (training, test) = (table.rows(Array(order[..<cut])), table.rows(Array(order[cut...])))
        return try Work.map(models.filter { $0.task == .classify }, progress: progress) { choice in
            var model = choice.make(options.seed)
            try model.fit(training)
            let counts = PointCounts(
                predicted: model.predict(test).map { $0 >= 0.5 }, labels: test.targets.map { $0 >= 0.5 })
            return SuiteReport.Row(
                choice.name, "shuffled", [counts.accuracy, counts.balancedAccuracy, counts.matthews])
        }
    }
}

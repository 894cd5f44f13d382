internal import TocsinConnectors
internal import TocsinCore
internal import TocsinEvaluation
internal import TocsinJobs

/// Scores the rows of one batch, readable or not, in the order of the file.
struct BatchScoring {
    private let table: SeriesTable
    private let options: ScoreRun.Options
    /// One of the two: rows are scored as they come, or all at the end.
    private var scorer: RowScorer?
    private var recording: RecordingScoring?
    private var plot: ScorePlot?
    /// By series: its column, found by name once.
    private var columns: [Int] = []
    var summary = ScoreRun.Summary()

    init(options: ScoreRun.Options, model: [UInt8]?, table: SeriesTable) throws {
        self.options = options
        self.table = table
        // As the decoder and `tocsin train` name them: without a unit in brackets.
        let names = options.valueColumns.map { column in
            let name = column.prefix { $0 != "[" && $0 != "(" }
            return String(name.hasSuffix(" ") ? name.dropLast() : name)
        }
        if options.plot != nil { plot = ScorePlot(names: names) }
        switch options.detector {
        case .byRow(let detector):
            scorer = try RowScorer(detector: detector, names: names, trainRows: options.trainRows, model: model)
        case .byRecording(let name):
            guard model == nil else {
                throw TocsinError(
                    .usage, "\(name) takes no --model",
                    remedy: "leave it out: the first --train-rows rows are learnt from")
            }
            recording = try RecordingScoring(
                detector: EvaluatedDetector.named(name), names: names, trainRows: options.trainRows)
        }
    }

    /// What was held until the end.
    mutating func finish(into text: inout [UInt8]) throws {
        if let recording { for scored in try recording.scores() { write(scored, to: &text) } }
        guard let path = options.plot else { return }
        try plot?.write(
            title: FolderListing.stem(of: options.path), subtitle: "detector \(options.detector.name)", to: path)
    }

    mutating func score(_ batch: Batch, rows: [Range<Int>], into text: inout [UInt8]) throws {
        learnColumns()
        var event = 0
        var reject = 0
        let rejects = batch.rejects.sorted { $0.payload.offset < $1.payload.offset }
        for row in rows {
            var readings: [(id: SeriesID, column: Int, value: Double)] = []
            var scored: RowScore? = recording == nil ? .unreadable : nil
            if event < batch.eventCount, row.contains(Int(batch.payloads[event].offset)) {
                for reading in batch.readings(of: event) {
                    let series = batch.series[reading]
                    readings.append((series, columns[Int(series.index)], batch.values[reading]))
                }
                scored = scorer?.score(group: batch.sensors[event], time: batch.times[event], series: readings)
                try plot?.addRow(
                    sensor: batch.sensors[event], time: batch.times[event],
                    values: readings.map { ($0.column, $0.value) })
                recording?.add(
                    sensor: batch.sensors[event], time: batch.times[event],
                    values: readings.map { ($0.column, $0.value) })
                event += 1
            } else {
                summary.unreadable += 1
                recording?.addUnreadable()
            }
            while reject < rejects.count, Int(rejects[reject].payload.offset) < row.upperBound {
                if summary.problems.count < 10 { summary.problems.append(rejects[reject].detail) }
                reject += 1
            }
            summary.rows += 1
            if let scored { write(scored, to: &text) }
        }
    }

    private mutating func learnColumns() {
        let known = columns.count
        let names = table.withIndex { index in
            (known..<max(known, index.seriesCount)).map { index.name(index.metric(of: SeriesID(UInt32($0)))) }
        }
        for name in names { columns.append(Self.column(of: name, in: options.valueColumns)) }
    }

    /// The decoder drops units in brackets from names and keeps the order of the columns.
    private static func column(of metric: String, in names: [String]) -> Int {
        func plain(_ name: String) -> String {
            String(name.prefix { $0 != "[" && $0 != "(" }).lowercased().filter { $0 != " " && $0 != "_" }
        }
        return names.firstIndex { $0 == metric } ?? names.firstIndex { plain($0) == plain(metric) } ?? 0
    }

    private mutating func write(_ row: RowScore, to text: inout [UInt8]) {
        if row.isAnomalous { summary.anomalous += 1 }
        if row.time != nil { plot?.addScore(row) }
        func number(_ value: Double) { if value.isFinite { text.append(contentsOf: "\(value)".utf8) } }
        row.time?.appendISO8601(to: &text)
        text.append(UInt8(ascii: ","))
        number(row.score)
        text.append(UInt8(ascii: ","))
        number(row.pValue)
        text.append(contentsOf: row.isAnomalous ? ",1,".utf8 : ",0,".utf8)
        text.append(contentsOf: (row.kind?.name ?? "").utf8)
        text.append(UInt8(ascii: "\n"))
    }
}

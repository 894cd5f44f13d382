internal import TocsinCore

/// The rows a fire model learns from: features of change, made by running a detector over each recording.
struct FireExamples {
    /// Parts of each recording's time that are judged by a forest of the others.
    static let blocks = 5

    private let settings: FireModel.Training
    private(set) var features: [Double] = []
    /// 1 = fire, 0 = quiet.
    private(set) var targets: [Int] = []
    private var block: [Int] = []
    /// Number of the fire a row belongs to, or nil.
    private var fire: [Int?] = []
    /// Rows that follow one another within a recording, with gaps of `quietStride`.
    private var isFirst: [Bool] = []
    private(set) var onsets = 0
    private(set) var quietSeconds = 0.0

    init(
        rows: [Double], columns: [String], labels: [Bool], recordings: [Int], times: [Timestamp]?,
        settings: FireModel.Training
    ) throws {
        self.settings = settings
        guard !columns.isEmpty, rows.count == labels.count * columns.count, recordings.count == labels.count,
            times.map({ $0.count == labels.count }) ?? true, !labels.isEmpty
        else {
            throw TocsinError(
                .model,
                "A fire model needs whole rows of \(columns.count) columns, with a label and a recording for each.")
        }
        guard let metrics = FireMetrics.recognise(columns) else {
            throw TocsinError(
                .model, "The columns \(columns.joined(separator: ", ")) are those of no smoke or fire sensor.",
                remedy: "Give a column of smoke, or one of particles and one of gas.")
        }
        var start = 0
        while start < labels.count {
            let end = recordings[start...].firstIndex { $0 != recordings[start] } ?? labels.count
            add(start..<end, rows, columns.count, labels, times, metrics)
            start = end
        }
    }

    private mutating func add(
        _ range: Range<Int>, _ rows: [Double], _ width: Int, _ labels: [Bool], _ times: [Timestamp]?,
        _ metrics: FireMetrics
    ) {
        var detector = FireDetector(metrics: metrics, model: nil)
        var row: [Double] = []
        var onset: Timestamp?
        var ended: Timestamp?
        var previous: Timestamp?
        var isAlongside = false
        var isFireRecorded = false
        for place in range {
            let own = place - range.lowerBound
            // 1970 and later: a clock of its own for each recording.
            let time =
                times?[place]
                ?? Timestamp(nanoseconds: Int64((Double(own) * settings.rowSeconds * 1e9).clamped(0, 9e18)))
            _ = detector.observe(Array(rows[place * width..<(place + 1) * width]), at: time)
            row.removeAll(keepingCapacity: true)
            let isReady = detector.appendFeatures(at: time, to: &row)
            if labels[place] {
                if onset == nil {
                    onset = time
                    isFireRecorded = isReady
                    if isReady { onsets += 1 }
                }
            } else if onset != nil {
                (onset, ended) = (nil, time)
            }
            defer { previous = time }
            guard isReady else { continue }
            if let onset {
                guard isFireRecorded, seconds(from: onset, to: time) <= settings.onsetSeconds else { continue }
                append(row, target: 1, own * Self.blocks / range.count, fire: onsets - 1, isFirst: false)
            } else {
                // What follows a fire is no quiet yet.
                if let ended, seconds(from: ended, to: time) < 600 { continue }
                if let previous { quietSeconds += min(seconds(from: previous, to: time), 60) }
                if own % settings.quietStride == 0 {
                    append(row, target: 0, own * Self.blocks / range.count, fire: nil, isFirst: !isAlongside)
                    isAlongside = true
                }
            }
        }
    }

    private func seconds(from start: Timestamp, to end: Timestamp) -> Double {
        Double(end.since(start).nanoseconds) * 1e-9
    }

    private mutating func append(_ row: [Double], target: Int, _ block: Int, fire: Int?, isFirst: Bool) {
        features.append(contentsOf: row)
        targets.append(target)
        self.block.append(block)
        self.fire.append(fire)
        self.isFirst.append(isFirst)
    }

    /// A forest of the rows whose block is wanted.
    func fit(_ isWanted: (Int) -> Bool) throws -> RandomForest.Fit {
        let width = FireDetector.featureNames.count
        let chosen = targets.indices.filter { isWanted(block[$0]) }
        // Leaves of 5 rows, as neighbours are near copies.
        return try RandomForest.classifier(
            rows: chosen.flatMap { features[$0 * width..<($0 + 1) * width] }, names: FireDetector.featureNames,
            labels: chosen.map { targets[$0] }, classes: 2,
            settings: .init(
                trees: settings.trees, minimumLeafRows: 5, classWeights: .balanced, threads: settings.threads),
            seed: settings.seed)
    }

    /// Judges each block by a forest of the others.
    func validate() throws -> (threshold: Double, found: Int, falseAlarms: Int) {
        let width = FireDetector.featureNames.count
        var answers = [Double](repeating: 0, count: targets.count)
        for held in 0..<Self.blocks {
            let judged = targets.indices.filter { block[$0] == held }
            let learnt = targets.indices.filter { block[$0] != held }
            // Without both kinds there is nothing to tell apart: that forest would always say the same.
            guard !judged.isEmpty, learnt.contains(where: { targets[$0] == 1 }),
                learnt.contains(where: { targets[$0] == 0 })
            else { continue }
            let forest = try fit { $0 != held }.forest
            let rows = judged.flatMap { features[$0 * width..<($0 + 1) * width] }
            for (place, answer) in zip(judged, forest.predict(rows: rows, threads: settings.threads)) {
                answers[place] = answer
            }
        }
        // Two readings in a row must agree, here and in the detector.
        var confirmed = answers
        for place in answers.indices.dropFirst() where !isFirst[place] {
            confirmed[place] = min(answers[place], answers[place - 1])
        }
        let highest = targets.indices.filter { targets[$0] == 0 }.map { confirmed[$0] }.max() ?? 0
        let threshold = max(0.5, min(highest + 0.05, 0.95))
        var found: Set<Int> = []
        var falseAlarms = 0
        var wasFlagged = false
        for place in targets.indices {
            let isFlagged = confirmed[place] >= threshold
            if isFlagged, let fire = fire[place] { found.insert(fire) }
            if isFlagged, fire[place] == nil, !wasFlagged { falseAlarms += 1 }
            wasFlagged = isFlagged
        }
        return (threshold, found.count, falseAlarms)
    }
}

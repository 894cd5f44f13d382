internal import TocsinCore
internal import TocsinDetect

/// A fire detector on the rows of each recording, in their order, one second apart.
///
/// The prediction is 0.5 and above while an alarm stands.
struct FireWatch: RowModel {
    enum Kind: Sendable {
        /// Fixed limits and rates of rise; nothing is learnt.
        case limits
        /// And changes of several metrics at once.
        case change
        /// And the forest of change, where the training rows can teach one.
        case forest
    }

    let kind: Kind
    let seed: UInt64
    private var model: FireModel?

    init(_ kind: Kind, seed: UInt64) {
        self.kind = kind
        self.seed = seed
    }

    mutating func fit(_ table: LabelledTable) {
        guard kind == .forest else { return }
        var numbers: [String: Int] = [:]
        let recordings = table.groups.map { group in
            let number = numbers[group] ?? numbers.count
            numbers[group] = number
            return number
        }
        // Labels that teach no change leave limits and change in charge, as in the field.
        model = try? FireModel.train(
            rows: table.values, columns: table.columnNames, labels: table.targets.map { $0 >= 0.5 },
            recordings: recordings, settings: .init(seed: seed, threads: 1)
        ).model
    }

    func predict(_ table: LabelledTable) -> [Double] {
        // A departure that nothing reaches leaves the limits alone.
        let settings = kind == .limits ? FireSettings(departure: .infinity) : FireSettings()
        let metrics = FireMetrics(table.columnNames)
        var detector = FireDetector(metrics: metrics, model: model, settings: settings)
        return (0..<table.rowCount).map { row in
            if row > 0, table.groups[row] != table.groups[row - 1] {
                detector = FireDetector(metrics: metrics, model: model, settings: settings)
            }
            let result = detector.observe(
                Array(table.values[row * table.width..<(row + 1) * table.width]),
                at: Timestamp(nanoseconds: Int64(row) * 1_000_000_000))
            let score = result.score.isNaN ? 0 : result.score
            return result.isAlarming ? max(score, 0.5) : min(score, 0.499)
        }
    }
}

/// An Isolation Forest on the rows without fire, as they are.
struct IsolationForestRows: RowModel {
    let seed: UInt64
    private var forest: IsolationForest?

    init(seed: UInt64) { self.seed = seed }

    mutating func fit(_ table: LabelledTable) throws {
        let quiet = table.rows(table.targets.indices.filter { table.targets[$0] < 0.5 })
        forest = try IsolationForest.train(rows: quiet.values, names: quiet.columnNames, seed: seed)
    }

    func predict(_ table: LabelledTable) -> [Double] {
        guard let forest else { return Array(repeating: 0, count: table.rowCount) }
        var scores: [Double] = []
        forest.score(rows: table.values, into: &scores)
        return scores.map { score in
            ForestRules.event.isAnomalous(score, forest: forest) ? 0.5 + score / 2 : min(max(score, 0), 0.98) / 2
        }
    }
}

extension EvaluatedRowModel {
    /// What the suite `smoke` judges beside the classifiers.
    static let fire: [EvaluatedRowModel] = [
        EvaluatedRowModel(
            name: "isolation-forest", oneLine: "Isolation Forest on the quiet rows as they are", task: .watchFire
        ) { IsolationForestRows(seed: $0) },
        EvaluatedRowModel(
            name: "fire-limits", oneLine: "fixed limits and rates of rise for smoke and fire", task: .watchFire
        ) { FireWatch(.limits, seed: $0) },
        EvaluatedRowModel(
            name: "fire-change", oneLine: "fire-limits and changes of several metrics at once", task: .watchFire
        ) { FireWatch(.change, seed: $0) },
        EvaluatedRowModel(
            name: "fire", oneLine: "fire-change and a random forest of change from other recordings", task: .watchFire
        ) { FireWatch(.forest, seed: $0) },
    ]
}

internal import TocsinCore

extension RandomForest {
    /// Trains a classifier.
    ///
    /// - Parameters:
    ///   - rows: row after row, one value per name; NaN = missing.
    ///   - labels: the class of each row, 0 ..< classes.
    ///   - classes: 2…255; nil = the highest label + 1, at least 2.
    ///   - groups: per row what is drawn together (recording, machine); nil = rows are drawn one by one.
    /// - Throws: `TocsinError(.model)` when sizes or labels do not fit.
    public static func classifier(
        rows: [Double], names: [String], labels: [Int], classes: Int? = nil, groups: [Int]? = nil,
        settings: Settings = Settings(), seed: UInt64
    ) throws -> Fit {
        let classes = classes ?? max(2, (labels.max() ?? 0).addingReportingOverflow(1).partialValue)
        guard (2...255).contains(classes), labels.allSatisfy({ (0..<classes).contains($0) }) else {
            throw TocsinError(.model, "A classifier needs 2 to 255 classes, numbered from 0.")
        }
        var counts = [Double](repeating: 0, count: classes)
        for label in labels { counts[label] += 1 }
        let classWeights: [Double]
        switch settings.classWeights {
        case .equal: classWeights = Array(repeating: 1, count: classes)
        case .balanced:
            classWeights = counts.map { $0 > 0 ? Double(labels.count) / (Double(classes) * $0) : 0 }
        case .given(let given): classWeights = given
        }
        guard classWeights.count == classes, classWeights.allSatisfy({ $0 >= 0 && $0 <= 1e9 }),
            zip(classWeights, counts).contains(where: { $0 > 0 && $1 > 0 })
        else {
            throw TocsinError(
                .model, "Class weights must be \(classes) numbers, 0 to 1e9, one above 0 for a class that is there.")
        }
        let channels = outputs(.classification, classes: classes)
        let trainer = try ForestTrainer(
            rows: rows, names: names, targets: labels.map(Double.init), weights: labels.map { classWeights[$0] },
            groups: groups, task: .classification, classes: classes, channels: channels, settings: settings)
        return trainer.fit(seed: seed)
    }

    /// Trains a regression; `targets` must be finite and within ±1e30. See `classifier` for the rest.
    public static func regression(
        rows: [Double], names: [String], targets: [Double], groups: [Int]? = nil, settings: Settings = Settings(),
        seed: UInt64
    ) throws -> Fit {
        guard targets.allSatisfy({ abs($0) <= 1e30 }) else {
            throw TocsinError(
                .model, "Targets must be finite and within ±1e30.", remedy: "Leave out the rows without a target.")
        }
        let trainer = try ForestTrainer(
            rows: rows, names: names, targets: targets, weights: Array(repeating: 1, count: targets.count),
            groups: groups, task: .regression, classes: 0, channels: 1, settings: settings)
        return trainer.fit(seed: seed)
    }
}

/// Checked input, binned, and what turns grown trees into a forest.
struct ForestTrainer {
    let names: [String]
    let task: RandomForest.Task
    let classes: Int
    let settings: RandomForest.Settings
    let bins: FeatureBins
    let table: BinnedTable
    /// Labels as numbers, or targets.
    let truth: [Double]
    /// Targets are learnt as (target − center) / scale, so that sums of squares keep their digits.
    private let center: Double
    private let scale: Double
    private let limits: TreeGrower.Limits

    init(
        rows: [Double], names: [String], targets: [Double], weights: [Double], groups: [Int]?,
        task: RandomForest.Task, classes: Int, channels: Int, settings: RandomForest.Settings
    ) throws {
        try Self.check(rows, names, targets.count, groups, settings)
        let width = names.count
        let count = targets.count
        self.names = names
        self.task = task
        self.classes = classes
        self.settings = settings
        truth = targets
        let bins = FeatureBins(rows: rows, width: width, threads: settings.threads)
        self.bins = bins
        let columns = ParallelWork.map(width, threads: settings.threads) { feature in
            (0..<count).map { bins.bin(rows[$0 * width + feature], feature) }
        }
        var amounts = targets
        if task == .regression {
            let mean = targets.reduce(0) { $0 + $1 / Double(count) }
            let variance = targets.reduce(0) { $0 + ($1 - mean) * ($1 - mean) / Double(count) }
            let deviation = variance > 0 ? variance.squareRoot() : 1
            center = mean
            scale = deviation
            amounts = targets.map { ($0 - mean) / deviation }
        } else {
            center = 0
            scale = 1
            if channels > 1 { amounts = Array(repeating: 1, count: count) }
        }
        table = BinnedTable(
            bins: Array(columns.joined()), count: count, width: width, channels: channels,
            channelOf: channels > 1 ? targets.map { UInt8($0) } : [], amounts: amounts, weights: weights,
            groups: groups.map { Self.members(of: $0) })
        let usual = task == .regression ? width / 3 : Int(Double(width).squareRoot())
        limits = TreeGrower.Limits(
            tries: (settings.tries ?? usual).clamped(to: 1...width),
            leafRows: (settings.minimumLeafRows ?? (task == .regression ? 5 : 1)).clamped(to: 1...count),
            depth: settings.maximumDepth.clamped(to: 1...64))
    }

    private static func check(
        _ rows: [Double], _ names: [String], _ count: Int, _ groups: [Int]?, _ settings: RandomForest.Settings
    ) throws {
        guard (1...4096).contains(names.count) else {
            throw TocsinError(.model, "A random forest needs 1 to 4096 features, not \(names.count).")
        }
        guard count >= 8, count <= 1 << 30, rows.count == count * names.count, groups.map({ $0.count == count }) ?? true
        else {
            throw TocsinError(
                .model,
                "A random forest needs at least 8 whole rows of \(names.count) features and one answer (and group) "
                    + "for each, got \(rows.count) values and \(count) answers.")
        }
        guard (1...2000).contains(settings.trees) else {
            throw TocsinError(.model, "A random forest has 1 to 2000 trees, not \(settings.trees).")
        }
        // At most two nodes a row: their indices must fit 32 bits.
        guard count <= (1 << 30) / settings.trees else {
            throw TocsinError(
                .model, "\(settings.trees) trees on \(count) rows are too many for one random forest.",
                remedy: "Train on fewer rows or with fewer trees.")
        }
    }

    /// The rows of each group, groups in the order in which they appear.
    private static func members(of groups: [Int]) -> [[UInt32]] {
        var places: [Int: Int] = [:]
        var members: [[UInt32]] = []
        for (row, group) in groups.enumerated() {
            if let place = places[group] {
                members[place].append(UInt32(row))
            } else {
                places[group] = members.count
                members.append([UInt32(row)])
            }
        }
        return members
    }

    func fit(seed: UInt64) -> RandomForest.Fit {
        var random = SplitMix64(seed: seed)
        let seeds = (0..<settings.trees).map { _ in random.next() }
        let table = table
        let limits = limits
        let grown = ParallelWork.map(seeds.count, threads: settings.threads) { tree in
            var grower = TreeGrower(table: table, limits: limits, seed: seeds[tree])
            return grower.grow()
        }
        var forest = joined(grown)
        let sight = OutOfBag(forest: forest, table: table, truth: truth, inBag: grown.map(\.inBag))
        let answers = sight.predictions(threads: settings.threads)
        forest.outOfBagError = sight.error(answers)
        return RandomForest.Fit(
            forest: forest, outOfBag: answers,
            permutationImportance: settings.measuresPermutation
                ? sight.permutationImportance(seeds: seeds, threads: settings.threads) : [])
    }

    /// One array of nodes for all trees.
    private func joined(_ grown: [GrownTree]) -> RandomForest {
        var starts: [UInt32] = []
        var nodes: [UInt64] = []
        var values: [Float] = []
        var gains = [Double](repeating: 0, count: table.width)
        for tree in grown {
            let start = nodes.count
            starts.append(UInt32(truncatingIfNeeded: start))
            // The left child's index is in the low half of a node.
            for node in tree.nodes { nodes.append(node + UInt64(start)) }
            for value in tree.values { values.append(Float(center + value * scale)) }
            for feature in gains.indices { gains[feature] += tree.gains[feature] }
        }
        let all = gains.reduce(0, +)
        return RandomForest(
            task: task, featureNames: names, classes: classes, outOfBagError: .nan,
            impurityImportance: gains.map { all > 0 ? $0 / all : 0 }, bins: bins, starts: starts, nodes: nodes,
            values: values)
    }
}

extension Int {
    fileprivate func clamped(to range: ClosedRange<Int>) -> Int {
        Swift.min(Swift.max(self, range.lowerBound), range.upperBound)
    }
}

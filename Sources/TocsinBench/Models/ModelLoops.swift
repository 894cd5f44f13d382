internal import TocsinCore
internal import TocsinDetect
internal import TocsinMeasure

/// The loops that `ModelBenchmark` measures.
enum ModelLoops {
    private static let trees = 100

    /// Units a second of each run; `body` does one run and says how many units that was.
    static func rates(_ repeats: Int, _ body: () throws -> Int) rethrows -> [Double] {
        var rates: [Double] = []
        for _ in 0..<repeats {
            var watch = StopWatch()
            watch.start()
            let units = try body()
            watch.stop()
            rates.append(Double(units) * 1e9 / Double(max(1, watch.cost.wallNanoseconds)))
        }
        return rates
    }

    static func forest(_ settings: ModelBenchmark.Settings) throws -> [ModelFigure] {
        let width = 6
        let names = (0..<width).map { "feature \($0)" }
        let rows = normal(settings.batch * width, seed: 1)
        let forest = try IsolationForest.train(rows: rows, names: names, seed: 1)
        let single = stride(from: 0, to: min(2000, settings.batch), by: 1).map {
            Array(rows[$0 * width..<($0 + 1) * width])
        }
        var sum = 0.0
        let one = rates(settings.repeats) {
            // As many calls as take a few hundredths of a second.
            for _ in 0..<25 { for row in single { sum += forest.score(row) } }
            return 25 * single.count
        }
        var figures = [ModelFigure("forest_row", "isolation forest, one row a call", rates: one)]
        var scores: [Double] = []
        for threads in [1, 2] {
            let batch = rates(settings.repeats) {
                for _ in 0..<10 { forest.score(rows: rows, into: &scores, threads: threads) }
                return 10 * settings.batch
            }
            figures.append(
                ModelFigure(
                    "forest_batch_\(threads)", "isolation forest, batch of \(Figure.grouped(settings.batch))",
                    rates: batch, threads: threads))
        }
        let many = normal(settings.trainingRows * width, seed: 2)
        let training = try rates(settings.repeats) {
            sum += try IsolationForest.train(rows: many, names: names, seed: 1).score(single[0])
            return settings.trainingRows
        }
        figures.append(
            ModelFigure(
                "forest_training", "isolation forest, training on \(Figure.grouped(settings.trainingRows))",
                rates: training))
        // So that no loop can be optimised away.
        return sum.isNaN ? [] : figures
    }

    static func randomForest(_ settings: ModelBenchmark.Settings) throws -> [ModelFigure] {
        let width = 12
        let (rows, labels) = classes(settings.batch, width: width)
        var forest: RandomForest?
        let names = (0..<width).map { "feature \($0)" }
        let training = try rates(min(settings.repeats, 3)) {
            forest =
                try RandomForest.classifier(
                    rows: rows, names: names, labels: labels, settings: .init(trees: trees), seed: 1
                ).forest
            return settings.batch
        }
        guard let forest else { return [] }
        var figures: [ModelFigure] = []
        for threads in [1, 2] {
            let batch = rates(settings.repeats) {
                for _ in 0..<3 { _ = forest.predict(rows: rows, threads: threads) }
                return 3 * settings.batch
            }
            figures.append(
                ModelFigure(
                    "random_forest_batch_\(threads)", "random forest, batch of \(Figure.grouped(settings.batch))",
                    rates: batch, threads: threads))
        }
        figures.append(
            ModelFigure(
                "random_forest_training", "random forest, training on \(Figure.grouped(settings.batch))",
                rates: training, threads: Machine.current().processors))
        return figures
    }

    /// Nearly normal numbers in 32-bit precision, as the peers get them.
    private static func normal(_ count: Int, seed: UInt64) -> [Double] {
        var random = SplitMix64(seed: seed)
        return (0..<count).map { _ in
            var sum = -6.0
            for _ in 0..<12 { sum += random.nextUnit() }
            return Double(Float(sum))
        }
    }

    /// Two classes that no forest can tell apart without error: its trees grow deep, as on real recordings.
    private static func classes(_ count: Int, width: Int) -> (rows: [Double], labels: [Int]) {
        var random = SplitMix64(seed: 3)
        var rows: [Double] = []
        var labels: [Int] = []
        for _ in 0..<count {
            var row = (0..<width).map { _ in random.nextUnit() }
            let isOne = row[0] * row[1] + 0.5 * row[2] + 0.3 * (random.nextUnit() - 0.5) > 0.5
            if isOne { row[3] += 0.2 }
            rows += row
            labels.append(isOne ? 1 : 0)
        }
        return (rows, labels)
    }
}

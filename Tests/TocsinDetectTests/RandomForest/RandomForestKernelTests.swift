import Testing
import TocsinCore
import TocsinDetect

@Suite struct RandomForestKernelTests {
    /// Values of few and of many kinds, some missing; classes hidden in the first features.
    static func table(_ count: Int, width: Int, classes: Int) -> (rows: [Double], labels: [Int]) {
        var random = SplitMix64(seed: UInt64(width))
        var rows: [Double] = []
        var labels: [Int] = []
        for _ in 0..<count {
            let row = (0..<width).map { feature in
                random.next(below: 20) == 0
                    ? .nan : feature % 3 == 1 ? Double(random.next(below: 4)) : random.nextUnit()
            }
            let sum = row.prefix(3).reduce(0) { $0 + ($1.isNaN ? 0.5 : $1) } + random.nextUnit()
            labels.append(Int(sum * 7) % classes)
            rows += row
        }
        return (rows, labels)
    }

    @Test func everyWayOfPredictingAgrees() throws {
        for (width, classes) in [
            (1, 2), (2, 3), (3, 2), (5, 2), (6, 4), (8, 2), (11, 2), (12, 3), (14, 2), (16, 2), (17, 2),
        ] {
            let (rows, labels) = Self.table(500, width: width, classes: classes)
            let forest = try RandomForest.classifier(
                rows: rows, names: (0..<width).map { "f\($0)" }, labels: labels, settings: .init(trees: 12), seed: 3
            ).forest
            // Also rows and values that training did not see.
            let others = Self.table(300, width: width, classes: classes).rows.map { $0 * 3 - 1 }
            for part in [rows, others, Array(rows.prefix(width)), []] {
                let batch = forest.predict(rows: part, threads: 2)
                #expect(batch == forest.predictPortably(rows: part), "\(width) features")
                let single = stride(from: 0, to: part.count, by: width).flatMap { first in
                    let all = forest.probabilities(Array(part[first..<first + width]))
                    return forest.outputs == 1 ? [all[1]] : all
                }
                #expect(batch == single, "\(width) features")
            }
        }
    }

    @Test func regressionAgreesOverManyTiles() throws {
        let (rows, labels) = Self.table(9000, width: 4, classes: 40)
        let forest = try RandomForest.regression(
            rows: rows, names: ["a", "b", "c", "d"], targets: labels.map(Double.init), settings: .init(trees: 5),
            seed: 3
        ).forest
        #expect(forest.predict(rows: rows) == forest.predictPortably(rows: rows, threads: 1))
    }
}

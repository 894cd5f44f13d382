import Testing
import TocsinCore
import TocsinDetect

@Suite struct RandomForestTests {
    static let names = ["a", "b", "c", "noise"]

    /// Class 1 inside a ring of a and b; c copies a for half of the rows and is missing in the others.
    static func ring(_ count: Int, seed: UInt64) -> (rows: [Double], labels: [Int]) {
        var random = SplitMix64(seed: seed)
        var rows: [Double] = []
        var labels: [Int] = []
        for _ in 0..<count {
            let a = random.nextUnit() * 2 - 1
            let b = random.nextUnit() * 2 - 1
            rows += [a, b, random.nextUnit() < 0.5 ? a : .nan, random.nextUnit()]
            labels.append((0.2...0.7).contains(a * a + b * b) ? 1 : 0)
        }
        return (rows, labels)
    }

    static func wrong(_ forest: RandomForest, _ data: (rows: [Double], labels: [Int])) -> Double {
        let answers = forest.predict(rows: data.rows)
        let errors = zip(answers, data.labels).count { ($0 >= 0.5) != ($1 == 1) }
        return Double(errors) / Double(data.labels.count)
    }

    @Test func learnsARingAndKnowsItsError() throws {
        let training = Self.ring(3000, seed: 1)
        let fit = try RandomForest.classifier(
            rows: training.rows, names: Self.names, labels: training.labels,
            settings: .init(measuresPermutation: true), seed: 7)
        let error = Self.wrong(fit.forest, Self.ring(3000, seed: 2))
        #expect(error < 0.06)
        #expect(abs(fit.forest.outOfBagError - error) < 0.025)
        #expect(fit.outOfBag.count == 3000 && fit.outOfBag.allSatisfy { $0 >= 0 && $0 <= 1 })
        #expect(fit.permutationImportance[0] > 0.05 && fit.permutationImportance[1] > 0.05)
        #expect(abs(fit.permutationImportance[3]) < 0.02)
        #expect(abs(fit.forest.impurityImportance.reduce(0, +) - 1) < 1e-9)
        #expect(fit.forest.impurityImportance[1] > 3 * fit.forest.impurityImportance[3])
    }

    @Test func threadsChangeNothing() throws {
        let data = Self.ring(1500, seed: 3)
        let forests = try [1, 2, 0].map { threads in
            try RandomForest.classifier(
                rows: data.rows, names: Self.names, labels: data.labels,
                settings: .init(trees: 20, measuresPermutation: true, threads: threads), seed: 5)
        }
        #expect(forests[0].forest.saved() == forests[1].forest.saved())
        #expect(forests[0].forest.saved() == forests[2].forest.saved())
        #expect(forests[0].permutationImportance == forests[1].permutationImportance)
        // As bits: a row that every tree saw has none.
        let bits = forests.map { $0.outOfBag.map { $0.isNaN ? 0 : $0.bitPattern } }
        let areEqual = bits[0] == bits[1] && bits[0] == bits[2]
        #expect(areEqual)
        let other = try RandomForest.classifier(
            rows: data.rows, names: Self.names, labels: data.labels, settings: .init(trees: 20), seed: 6)
        #expect(other.forest.saved() != forests[0].forest.saved())
    }

    @Test func batchesOfAnySizeAgreeWithSingleRows() throws {
        let data = Self.ring(2100, seed: 3)
        let forest = try RandomForest.classifier(
            rows: data.rows, names: Self.names, labels: data.labels, settings: .init(trees: 15), seed: 5
        ).forest
        for count in [0, 1, 3, 7, 8, 9, 15, 16, 17, 1023, 1024, 1025, 1031, 2100] {
            let answers = forest.predict(rows: Array(data.rows.prefix(4 * count)))
            #expect(answers.count == count)
            let singles = (0..<count).map { forest.predict(Array(data.rows[4 * $0..<4 * $0 + 4])) }
            #expect(answers == singles)
        }
        #expect(forest.predict([]).isFinite)
        #expect(forest.predict([.infinity, -.infinity, .nan, 1e308, 5]).isFinite)
    }

    @Test func aStepIsFoundExactlyAndMissingValuesGoTheirOwnWay() throws {
        // y = 10 below 3.5, 20 above, 40 where x is missing: one tree of all rows' kinds says so to the digit.
        let x: [Double] = (0..<300).map { $0 % 3 == 0 ? .nan : Double($0 % 8) }
        let y = x.map { $0.isNaN ? 40 : ($0 < 3.5 ? 10.0 : 20.0) }
        let forest = try RandomForest.regression(rows: x, names: ["x"], targets: y, seed: 1).forest
        for (value, answer) in [(0.0, 10.0), (3, 10), (3.4, 10), (3.6, 20), (9, 20), (.nan, 40)] {
            #expect(abs(forest.predict([value]) - answer) < 1e-4)
        }
        #expect(forest.outOfBagError < 1e-4)
    }

    @Test func regressionFollowsASumWithAFarOffset() throws {
        var random = SplitMix64(seed: 8)
        let rows = (0..<8000).map { _ in random.nextUnit() }
        func truth(_ rows: [Double]) -> [Double] {
            (0..<rows.count / 4).map { (row: Int) -> Double in
                let first = rows[4 * row]
                let second = rows[4 * row + 1]
                return 1e6 + 10 * first + 5 * second
            }
        }
        let fit = try RandomForest.regression(rows: rows, names: Self.names, targets: truth(rows), seed: 3)
        #expect(fit.forest.outOfBagError < 1.2)
        let others = (0..<2000).map { _ in random.nextUnit() }
        let errors = zip(fit.forest.predict(rows: others), truth(others)).map { ($0 - $1) * ($0 - $1) }
        #expect((errors.reduce(0, +) / 500).squareRoot() < 1.2)
    }

    @Test func threeClassesHaveProbabilitiesThatSumToOne() throws {
        var random = SplitMix64(seed: 8)
        let rows = (0..<900).map { _ in random.nextUnit() * 3 }
        let labels = rows.map { Int($0) }
        let fit = try RandomForest.classifier(rows: rows, names: ["x"], labels: labels, seed: 3)
        #expect(fit.forest.outputs == 3 && fit.forest.outOfBagError < 0.02)
        for (value, label) in [(0.5, 0), (1.5, 1), (2.5, 2)] {
            let answer = fit.forest.probabilities([value])
            #expect(answer[label] > 0.99 && abs(answer.reduce(0, +) - 1) < 1e-6)
        }
        #expect(fit.forest.predict(rows: rows).count == 2700)
    }

    @Test func balancedWeightsFindTheRareClass() throws {
        var random = SplitMix64(seed: 9)
        var rows: [Double] = []
        var labels: [Int] = []
        for row in 0..<4000 {
            let isRare = row % 50 == 0
            // Four times as dense as the others where it lives, when both count the same.
            rows.append(isRare ? 0.75 + random.nextUnit() / 4 : random.nextUnit())
            labels.append(isRare ? 1 : 0)
        }
        func found(_ weights: RandomForest.ClassWeights) throws -> Int {
            let fit = try RandomForest.classifier(
                rows: rows, names: ["x"], labels: labels,
                settings: .init(minimumLeafRows: 200, classWeights: weights), seed: 3)
            return fit.forest.predict(rows: (0..<100).map { 0.8 + Double($0) / 500 }).count { $0 >= 0.5 }
        }
        #expect(try found(.equal) < 10)
        #expect(try found(.balanced) > 90)
        #expect(try found(.given([1, 49])) > 90)
    }

    @Test func groupsAreDrawnAsAWhole() throws {
        // The answer is the group's number: without seeing the group no tree can know it.
        var random = SplitMix64(seed: 10)
        var rows: [Double] = []
        var groups: [Int] = []
        for row in 0..<600 {
            groups.append(row / 20)
            rows.append(Double(row / 20) + random.nextUnit() * 0.1)
        }
        let targets = groups.map { Double($0 * 7919 % 100) }
        let byRow = try RandomForest.regression(rows: rows, names: ["x"], targets: targets, seed: 3)
        let byGroup = try RandomForest.regression(
            rows: rows, names: ["x"], targets: targets, groups: groups, seed: 3)
        #expect(byRow.forest.outOfBagError < 10)
        #expect(byGroup.forest.outOfBagError > 3 * byRow.forest.outOfBagError)
    }

    @Test func wrongInputIsRefused() {
        let rows = [Double](repeating: 1, count: 16)
        #expect(throws: TocsinError.self) { try RandomForest.classifier(rows: [], names: [], labels: [], seed: 1) }
        #expect(throws: TocsinError.self) {
            try RandomForest.classifier(rows: rows, names: ["a"], labels: [0, 1], seed: 1)
        }
        #expect(throws: TocsinError.self) {
            try RandomForest.classifier(
                rows: rows, names: ["a"], labels: Array(repeating: -1, count: 16), seed: 1)
        }
        #expect(throws: TocsinError.self) {
            try RandomForest.classifier(
                rows: rows, names: ["a"], labels: Array(repeating: .max, count: 16), seed: 1)
        }
        #expect(throws: TocsinError.self) {
            try RandomForest.regression(
                rows: rows, names: ["a"], targets: Array(repeating: .nan, count: 16), seed: 1)
        }
        #expect(throws: TocsinError.self) {
            try RandomForest.regression(
                rows: rows, names: ["a"], targets: rows, settings: .init(trees: 0), seed: 1)
        }
    }

    @Test func rowsThatAreAllTheSameGiveTheirMean() throws {
        let rows = [Double](repeating: .nan, count: 20)
        let fit = try RandomForest.regression(
            rows: rows, names: ["a", "b"], targets: (0..<10).map(Double.init), seed: 1)
        #expect(abs(fit.forest.predict([1, 2]) - 4.5) < 1)
        #expect(fit.forest.impurityImportance == [0, 0])
    }
}

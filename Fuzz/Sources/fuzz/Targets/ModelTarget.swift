internal import TocsinCore
internal import TocsinDetect

/// A saved forest, whose checksum is made to hold. Input: the bytes before the checksum.
enum ModelTarget {
    static func run(_ input: [UInt8]) {
        guard let forest = try? IsolationForest(saved: sealed(input)) else { return }
        use(forest)
        guard let again = try? IsolationForest(saved: forest.saved()) else {
            fatalError("broken promise: a forest that was read can be saved and read")
        }
        check(again.width == forest.width && again.trees == forest.trees, "saving changes nothing")
    }

    /// The bytes with the checksum of a saved forest behind them.
    static func sealed(_ bytes: [UInt8]) -> [UInt8] {
        var hash = StableHash()
        hash.combine(bytes)
        var writer = StateWriter()
        writer.write(raw: bytes)
        writer.write(hash.value)
        return writer.bytes
    }

    static func use(_ forest: IsolationForest) {
        let values: [Double] = [0, 1, -1, .nan, .infinity, -.infinity, 1e308, -1e-300, 21.5]
        var rows: [Double] = []
        for row in 0..<values.count {
            for feature in 0..<forest.width { rows.append(values[(row + feature * row) % values.count]) }
        }
        var expected: [Double] = []
        for row in 0..<values.count {
            let one = Array(rows[row * forest.width..<(row + 1) * forest.width])
            let score = forest.score(one)
            check(score >= 0 && score <= 1, "a score lies in 0...1, not \(score)")
            let pValue = ForestScore(score, forest: forest).pValue
            check(pValue >= 0 && pValue <= 1, "a probability lies in 0...1, not \(pValue)")
            expected.append(score)
            if row < 3 {
                let shares = forest.contributions(of: one)
                check(shares.allSatisfy { $0.share > 0 && $0.share <= 1.000001 }, "shares are shares: \(shares)")
            }
        }
        for kernel in IsolationForest.Kernel.available {
            var scores: [Double] = []
            forest.score(rows: rows, into: &scores, kernel: kernel)
            check(scores == expected, "all kernels agree: \(kernel) \(scores) \(expected)")
        }
        _ = forest.calibration.threshold(pValue: 1e-4)
    }

    static var seeds: [[UInt8]] { [trained(trees: 1, width: 1), trained(trees: 3, width: 2)] }

    /// A small forest without its checksum.
    static func trained(trees: Int, width: Int) -> [UInt8] {
        let rows = (0..<40 * width).map { Double(($0 * 37) % 101) / 4 }
        let names = (0..<width).map { "m\($0)" }
        let settings = IsolationForest.Settings(trees: trees, sampleSize: 4)
        guard let forest = try? IsolationForest.train(rows: rows, names: names, settings: settings, seed: 3) else {
            return []
        }
        return forest.saved().dropLast(8)
    }
}

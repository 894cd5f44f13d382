/// What the trees say of the training rows that they did not see.
struct OutOfBag: Sendable {
    let forest: RandomForest
    let table: BinnedTable
    let truth: [Double]
    /// Per tree one bit a row.
    let inBag: [[UInt64]]

    /// Per row `outputs` values; NaN where every tree saw the row. The same for any number of threads.
    func predictions(threads: Int) -> [Double] {
        let block = 4096
        let outputs = forest.outputs
        let parts = ParallelWork.map((table.count + block - 1) / block, threads: threads) { part in
            let rows = part * block..<min(table.count, (part + 1) * block)
            var sums = [Double](repeating: 0, count: rows.count * outputs)
            var counts = [Double](repeating: 0, count: rows.count)
            for (tree, seen) in inBag.enumerated() {
                for row in rows where isOut(row, seen) {
                    let leaf = leaf(tree, row)
                    counts[row - rows.lowerBound] += 1
                    for output in 0..<outputs {
                        sums[(row - rows.lowerBound) * outputs + output] += Double(forest.values[leaf + output])
                    }
                }
            }
            for place in sums.indices { sums[place] /= counts[place / outputs] }
            return sums
        }
        return Array(parts.joined())
    }

    /// Share of wrong rows, or root mean squared error.
    func error(_ predictions: [Double]) -> Double {
        let outputs = forest.outputs
        var sum = 0.0
        var count = 0.0
        for row in truth.indices where !predictions[row * outputs].isNaN {
            sum += miss(predictions[row * outputs..<(row + 1) * outputs], truth[row])
            count += 1
        }
        let mean = count > 0 ? sum / count : .nan
        return forest.task == .regression ? mean.squareRoot() : mean
    }

    /// Breiman 2001, section 10: each tree judges its own unseen rows, then again with one feature shuffled among them.
    func permutationImportance(seeds: [UInt64], threads: Int) -> [Double] {
        let perTree = ParallelWork.map(inBag.count, threads: threads) { tree in
            let rows = (0..<table.count).filter { isOut($0, inBag[tree]) }
            guard !rows.isEmpty else { return [Double](repeating: 0, count: table.width) }
            // Another sequence than the one the tree was grown from.
            var random = SplitMix64(seed: ~seeds[tree])
            let own = meanMiss(tree, rows, shuffled: -1, from: rows)
            return (0..<table.width).map { feature in
                meanMiss(tree, rows, shuffled: feature, from: rows.shuffled(using: &random)) - own
            }
        }
        return (0..<table.width).map { feature in
            perTree.reduce(0) { $0 + $1[feature] } / Double(max(perTree.count, 1))
        }
    }

    private func meanMiss(_ tree: Int, _ rows: [Int], shuffled: Int, from others: [Int]) -> Double {
        var sum = 0.0
        for (row, other) in zip(rows, others) {
            let leaf = leaf(tree, row, shuffled: shuffled, from: other)
            sum += miss(forest.values[leaf..<leaf + forest.outputs].map(Double.init)[...], truth[row])
        }
        return sum / Double(rows.count)
    }

    /// 1 for a wrong class, or the squared error.
    private func miss(_ answer: ArraySlice<Double>, _ truth: Double) -> Double {
        guard let first = answer.first else { return 0 }
        if forest.task == .regression { return (first - truth) * (first - truth) }
        guard forest.outputs > 1 else { return (first >= 0.5) == (truth >= 0.5) ? 0 : 1 }
        let most = answer.indices.max { answer[$0] < answer[$1] } ?? answer.startIndex
        return Double(most - answer.startIndex) == truth ? 0 : 1
    }

    private func isOut(_ row: Int, _ seen: [UInt64]) -> Bool { seen[row >> 6] >> UInt64(row & 63) & 1 == 0 }

    /// Where the values of the row's leaf start.
    private func leaf(_ tree: Int, _ row: Int, shuffled: Int = -1, from other: Int = 0) -> Int {
        var place = forest.starts[tree]
        while true {
            let node = forest.nodes[Int(place)]
            let feature = PackedNode.feature(node)
            let next = PackedNode.next(node, table.bins[feature * table.count + (feature == shuffled ? other : row)])
            if next == place { return Int(place) * forest.outputs }
            place = next
        }
    }
}

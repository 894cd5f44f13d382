/// The training rows as bins, column after column, with what is to be learnt.
struct BinnedTable: Sendable {
    let bins: [UInt8]
    let count: Int
    let width: Int
    /// Sums a node keeps: 1 for a number (two classes count as 0 and 1), else one per class.
    let channels: Int
    /// Per row the sum it adds to (its class), and how much of it; empty channel list = all to the first.
    let channelOf: [UInt8]
    let amounts: [Double]
    let weights: [Double]
    /// What is drawn together; nil = rows.
    let groups: [[UInt32]]?
}

struct GrownTree: Sendable {
    /// Children as indices inside the tree.
    var nodes: [UInt64] = []
    var values: [Double] = []
    /// Impurity taken away by each feature.
    var gains: [Double]
    /// One bit a row.
    var inBag: [UInt64]
}

/// Grows one tree; everything random comes from its seed.
struct TreeGrower {
    struct Limits: Sendable {
        var tries: Int
        var leafRows: Int
        var depth: Int
    }

    private struct Split {
        var gain = 0.0
        var feature = -1
        var threshold: UInt8 = 0
        var offset: UInt8 = 0
    }

    private let table: BinnedTable
    private let limits: Limits
    private var random: SplitMix64
    private var tree: GrownTree
    private var order: [UInt32] = []
    private var weights: [Double]
    private var amounts: [Double]
    private var features: [Int]
    /// Per bin: rows, weight, sums. All zero between two uses.
    private var histogram: [Double]
    private var totals: [Double]
    private var left: [Double]
    private let stride: Int

    init(table: BinnedTable, limits: Limits, seed: UInt64) {
        self.table = table
        self.limits = limits
        random = SplitMix64(seed: seed)
        tree = GrownTree(
            gains: Array(repeating: 0, count: table.width),
            inBag: Array(repeating: 0, count: (table.count + 63) / 64))
        weights = Array(repeating: 0, count: table.count)
        amounts = weights
        features = Array(0..<table.width)
        stride = table.channels + 2
        histogram = Array(repeating: 0, count: 256 * stride)
        totals = Array(repeating: 0, count: stride)
        left = totals
    }

    mutating func grow() -> GrownTree {
        draw()
        var open = [(node: 0, rows: 0..<order.count, depth: 0)]
        addLeaf()
        while let (node, rows, depth) = open.popLast() {
            total(rows)
            let weight = totals[1]
            for channel in 0..<table.channels {
                tree.values[node * table.channels + channel] = weight > 0 ? totals[2 + channel] / weight : 0
            }
            guard depth < limits.depth, rows.count >= 2 * limits.leafRows, let split = bestSplit(rows) else { continue }
            let middle = part(rows, by: split)
            let child = tree.nodes.count
            tree.nodes[node] = PackedNode.make(
                left: child, feature: split.feature, threshold: split.threshold, offset: split.offset)
            tree.gains[split.feature] += split.gain
            addLeaf()
            addLeaf()
            open.append((child + 1, middle..<rows.upperBound, depth + 1))
            open.append((child, rows.lowerBound..<middle, depth + 1))
        }
        return tree
    }

    private mutating func addLeaf() {
        tree.nodes.append(PackedNode.leaf(tree.nodes.count))
        tree.values.append(contentsOf: repeatElement(0, count: table.channels))
    }

    /// As many draws with replacement as there are rows (or groups).
    private mutating func draw() {
        if let groups = table.groups {
            for _ in 0..<groups.count { for row in groups[random.next(below: groups.count)] { weights[Int(row)] += 1 } }
        } else {
            for _ in 0..<table.count { weights[random.next(below: table.count)] += 1 }
        }
        for row in 0..<table.count where weights[row] > 0 {
            tree.inBag[row >> 6] |= 1 << UInt64(row & 63)
            order.append(UInt32(row))
            weights[row] *= table.weights[row]
            amounts[row] = weights[row] * table.amounts[row]
        }
    }

    private mutating func total(_ rows: Range<Int>) {
        for place in totals.indices { totals[place] = 0 }
        totals[0] = Double(rows.count)
        let channels = !table.channelOf.isEmpty
        for place in rows {
            let row = Int(order[place])
            totals[1] += weights[row]
            totals[2 + (channels ? Int(table.channelOf[row]) : 0)] += amounts[row]
        }
    }

    private mutating func bestSplit(_ rows: Range<Int>) -> Split? {
        var best = Split()
        var tried = 0
        var candidates = features.count
        // Features that do not vary here do not count as tried.
        while candidates > 0, tried < limits.tries {
            let pick = random.next(below: candidates)
            candidates -= 1
            features.swapAt(pick, candidates)
            if scan(features[candidates], rows, &best) { tried += 1 }
        }
        // Sums are of unit variance or of shares: below this it is rounding.
        return best.gain > 1e-10 * totals[1] ? best : nil
    }

    /// Looks for a better split by one feature; false when all rows are in one bin.
    private mutating func scan(_ feature: Int, _ rows: Range<Int>, _ best: inout Split) -> Bool {
        let (low, high) = fill(feature, rows)
        defer { clear(low, high) }
        let hasMissing = histogram[0] > 0
        guard low <= high, low < high || hasMissing else { return false }
        for place in left.indices { left[place] = 0 }
        if hasMissing { weigh(feature, 0, missingLeft: true, &best) }
        for bin in low...high where histogram[bin * stride] > 0 {
            for place in 0..<stride { left[place] += histogram[bin * stride + place] }
            if hasMissing {
                weigh(feature, bin, missingLeft: true, &best)
                weigh(feature, bin, missingLeft: false, &best)
            } else if bin < high {
                // A value that will be missing later goes where most rows go.
                weigh(feature, bin, missingLeft: left[1] * 2 >= totals[1], &best)
            }
        }
        return true
    }

    /// Compares the split behind `bin` with the best so far: Σ sums² / weight of both sides is what splits add to, for
    /// Gini and for variance alike.
    @inline(__always)
    private func weigh(_ feature: Int, _ bin: Int, missingLeft: Bool, _ best: inout Split) {
        let missing = missingLeft ? 1.0 : 0.0
        let rows = left[0] + missing * histogram[0]
        let weight = left[1] + missing * histogram[1]
        let rest = totals[1] - weight
        let least = Double(limits.leafRows)
        guard rows >= least, totals[0] - rows >= least, weight > 0, rest > 0 else { return }
        var gain = 0.0
        for place in 2..<stride {
            let sum = left[place] + missing * histogram[place]
            let other = totals[place] - sum
            gain += sum * sum / weight + other * other / rest - totals[place] * totals[place] / totals[1]
        }
        guard gain > best.gain else { return }
        best = Split(
            gain: gain, feature: feature, threshold: UInt8(truncatingIfNeeded: missingLeft ? bin : bin - 1),
            offset: missingLeft ? 0 : 1)
    }

    /// Adds the rows up by bin; the lowest and highest bin of a value that is there.
    private mutating func fill(_ feature: Int, _ rows: Range<Int>) -> (low: Int, high: Int) {
        let column = feature * table.count
        let stride = stride
        let hasChannels = !table.channelOf.isEmpty
        var low = 256
        var high = 0
        unsafe histogram.withUnsafeMutableBufferPointer { histogram in
            unsafe table.bins.withUnsafeBufferPointer { bins in
                unsafe order.withUnsafeBufferPointer { order in
                    unsafe weights.withUnsafeBufferPointer { weights in
                        unsafe amounts.withUnsafeBufferPointer { amounts in
                            for place in rows {
                                let row = unsafe Int(order[place])
                                let bin = unsafe Int(bins[column + row])
                                if bin > 0 {
                                    low = min(low, bin)
                                    high = max(high, bin)
                                }
                                unsafe histogram[bin * stride] += 1
                                unsafe histogram[bin * stride + 1] += weights[row]
                                let channel = hasChannels ? Int(table.channelOf[row]) : 0
                                unsafe histogram[bin * stride + 2 + channel] += amounts[row]
                            }
                        }
                    }
                }
            }
        }
        return (low, high)
    }

    private mutating func clear(_ low: Int, _ high: Int) {
        for place in 0..<stride { histogram[place] = 0 }
        guard low <= high else { return }
        for place in low * stride..<(high + 1) * stride { histogram[place] = 0 }
    }

    /// Brings the rows that go left to the front; where the others begin.
    private mutating func part(_ rows: Range<Int>, by split: Split) -> Int {
        let column = split.feature * table.count
        var middle = rows.lowerBound
        for place in rows where table.bins[column + Int(order[place])] &- split.offset <= split.threshold {
            order.swapAt(place, middle)
            middle += 1
        }
        return middle
    }
}

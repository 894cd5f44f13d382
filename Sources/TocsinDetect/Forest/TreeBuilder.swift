/// Grows trees into the complete-tree arrays.
struct TreeBuilder {
    let scaler: FeatureScaler
    let width: Int
    let sample: Int
    let depth: Int
    var features: [Int32] = []
    var thresholds: [Float] = []
    var lengths: [Float] = []
    var leafSizes: [UInt16] = []
    private var base = 0
    private var order: [Int32] = []
    /// The scaled rows of the sample, row after row, and which of them a node has.
    private var table: [Float] = []
    private var places: [Int32] = []

    init(scaler: FeatureScaler, width: Int, sample: Int) {
        self.scaler = scaler
        self.width = width
        self.sample = sample
        depth = Self.depth(of: sample)
    }

    /// ceil(log2(sample)): the average height, beyond which a row is normal anyway.
    static func depth(of sample: Int) -> Int { max(1, Int.bitWidth - max(sample - 1, 1).leadingZeroBitCount) }

    /// Adds a tree on rows drawn from the pool without replacement, whose order changes.
    mutating func grow(_ rows: [Double], pool: inout [Int32], random: inout SplitMix64) {
        let slots = 1 << depth
        base = features.count
        features.append(contentsOf: repeatElement(0, count: slots))
        thresholds.append(contentsOf: repeatElement(.infinity, count: slots))
        lengths.append(contentsOf: repeatElement(0, count: slots))
        leafSizes.append(contentsOf: repeatElement(0, count: slots))
        order = Array(0..<Int32(width))
        // The first `sample` entries become a sample without replacement (Fisher–Yates, stopped early).
        for place in 0..<sample { pool.swapAt(place, place + random.next(below: pool.count - place)) }
        table.removeAll(keepingCapacity: true)
        for place in 0..<sample {
            let row = Int(pool[place]) * width
            for feature in 0..<width { table.append(scaler.scaled(rows[row + feature], feature)) }
        }
        places = Array(0..<Int32(sample))
        split(0..<sample, node: 1, level: 0, random: &random)
        let drawn = Array(pool[..<sample])
        for place in 0..<sample { pool[place] = drawn[Int(places[place])] }
    }

    private mutating func split(_ range: Range<Int>, node: Int, level: Int, random: inout SplitMix64) {
        guard level < depth, range.count > 1, let (feature, low, high) = cuttable(range, &random) else {
            // The row goes left to the bottom from here (thresholds stay infinite).
            let leaf = node << (depth - level) - (1 << depth)
            lengths[base + leaf] = Float(Double(level) + IsolationForest.meanPathLength(range.count))
            leafSizes[base + leaf] = UInt16(clamping: range.count)
            return
        }
        // In (low, high]: both sides get at least one row.
        let cut = max(min(low + (high - low) * Float(random.nextUnit()), high), low.nextUp)
        features[base + node] = feature
        thresholds[base + node] = cut
        var middle = range.lowerBound
        for place in range where table[Int(places[place]) * width + Int(feature)] < cut {
            places.swapAt(place, middle)
            middle += 1
        }
        split(range.lowerBound..<middle, node: 2 * node, level: level + 1, random: &random)
        split(middle..<range.upperBound, node: 2 * node + 1, level: level + 1, random: &random)
    }

    /// A feature drawn at random among those that vary in these rows, with its range; nil when all rows are equal.
    private mutating func cuttable(
        _ range: Range<Int>, _ random: inout SplitMix64
    ) -> (feature: Int32, low: Float, high: Float)? {
        var candidates = width
        while candidates > 0 {
            let pick = random.next(below: candidates)
            let feature = order[pick]
            var low = Float.infinity
            var high = -Float.infinity
            for place in range {
                let value = table[Int(places[place]) * width + Int(feature)]
                low = min(low, value)
                high = max(high, value)
            }
            if low < high { return (feature, low, high) }
            candidates -= 1
            order.swapAt(pick, candidates)
        }
        return nil
    }
}

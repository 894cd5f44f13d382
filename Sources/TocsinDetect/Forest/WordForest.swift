internal import CTocsinKernels

/// The trees of a forest in 16-bit words, as the kernel of registers and permutations wants them (`tk_word_forest`).
///
/// Thresholds become their rank among all thresholds of the feature, so that comparing words says the same as comparing
/// the numbers. Derived from the forest and never saved; about 200 KB and 1 ms for 100 trees of 256 samples.
struct WordForest: Sendable {
    static let mostFeatures = 16
    private static let depth = 8
    private static let slots = 1 << depth
    /// A threshold that no rank is above.
    private static let never = UInt16.max

    private let trees: Int
    private let width: Int
    private var thresholds: [UInt16]
    private var features: [UInt16]
    private var leaves: [UInt16]
    private var cuts: [Float] = []
    private var cutStarts: [UInt32] = []
    private var cutLevels: [UInt8] = []

    /// nil where the processor lacks the instructions or the forest does not fit: more than 16 features, deeper than 8
    /// levels, more than 65,534 thresholds of one feature.
    init?(trees: Int, depth: Int, width: Int, features source: [Int32], thresholds cut: [Float], lengths: [Int32]) {
        guard tk_has_word_forest() != 0, width <= Self.mostFeatures, depth <= Self.depth else { return nil }
        self.trees = trees
        self.width = width
        var sorted = [[Float]](repeating: [], count: width)
        for slot in cut.indices where cut[slot] < .infinity { sorted[Int(source[slot])].append(cut[slot]) }
        for feature in 0..<width {
            sorted[feature].sort()
            sorted[feature] = Self.distinct(sorted[feature])
            guard sorted[feature].count < Int(Self.never) else { return nil }
        }
        thresholds = Array(repeating: Self.never, count: trees * Self.slots)
        features = Array(repeating: 0, count: trees * Self.slots)
        leaves = Array(repeating: 0, count: trees * Self.slots)
        for list in sorted { append(list) }
        for tree in 0..<trees {
            let from = tree << depth
            let to = tree << Self.depth
            for node in 1..<1 << depth where cut[from + node] < .infinity {
                let feature = Int(source[from + node])
                features[to + node] = UInt16((feature >> 1) << 6 | (feature & 1) << 5)
                thresholds[to + node] = UInt16(Self.count(sorted[feature], below: cut[from + node]))
            }
            // A shallow tree goes on to the left, where no threshold is.
            for leaf in 0..<1 << depth {
                leaves[to + leaf << (Self.depth - depth)] = UInt16(truncatingIfNeeded: lengths[from + leaf])
            }
        }
    }

    private static func distinct(_ sorted: [Float]) -> [Float] {
        var distinct: [Float] = []
        for value in sorted where distinct.last != value { distinct.append(value) }
        return distinct
    }

    private static func count(_ sorted: [Float], below value: Float) -> Int {
        var low = 0
        var high = sorted.count
        while low < high {
            let middle = (low + high) / 2
            if sorted[middle] < value { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// The cuts of one feature as `tk_cuts_floats` describes them.
    private mutating func append(_ sorted: [Float]) {
        let levels = max(6, Int.bitWidth - sorted.count.leadingZeroBitCount)
        let padded = sorted + Array(repeating: .infinity, count: 1 << levels - sorted.count)
        cutStarts.append(UInt32(cuts.count))
        cutLevels.append(UInt8(levels))
        cuts.append(.infinity)
        for node in 1..<64 {
            let level = Int.bitWidth - 1 - node.leadingZeroBitCount
            let half = 1 << (levels - level - 1)
            cuts.append(padded[(node - 1 << level) * 2 * half + half - 1])
        }
        cuts.append(contentsOf: padded)
    }

    /// Sums of path lengths of the scaled rows; `rows` is a multiple of 32, `ranks` has room for all values.
    func walk(_ columns: [Float], stride: Int, rows: Int, ranks: inout [UInt16], sums: inout [UInt32]) {
        unsafe withKernelForest { forest in
            unsafe withUnsafePointer(to: forest) { forest in
                unsafe columns.withUnsafeBufferPointer { columns in
                    unsafe ranks.withUnsafeMutableBufferPointer { ranks in
                        unsafe sums.withUnsafeMutableBufferPointer { sums in
                            guard let columns = columns.baseAddress, let ranks = ranks.baseAddress,
                                let sums = sums.baseAddress
                            else { return }
                            unsafe tk_word_forest_ranks(forest, columns, stride, rows, ranks)
                            unsafe tk_word_forest_lengths(forest, ranks, rows, sums)
                        }
                    }
                }
            }
        }
    }

    /// The arrays as the kernel sees them, valid inside `body` only.
    private func withKernelForest(_ body: (tk_word_forest) -> Void) {
        unsafe thresholds.withUnsafeBufferPointer { thresholds in
            unsafe features.withUnsafeBufferPointer { features in
                unsafe leaves.withUnsafeBufferPointer { leaves in
                    unsafe cuts.withUnsafeBufferPointer { cuts in
                        unsafe cutStarts.withUnsafeBufferPointer { starts in
                            unsafe cutLevels.withUnsafeBufferPointer { levels in
                                unsafe body(
                                    tk_word_forest(
                                        thresholds: thresholds.baseAddress, features: features.baseAddress,
                                        lengths: leaves.baseAddress, cuts: cuts.baseAddress,
                                        cut_starts: starts.baseAddress, cut_levels: levels.baseAddress,
                                        trees: Int32(trees), width: Int32(width)))
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Cuts that sort each feature's values into at most 255 bins of about equally many training rows.
///
/// Trees are grown and walked on bins, one byte a value: bin 0 is a missing value (NaN), bin b > 0 holds the values
/// above cut b − 2 and up to cut b − 1.
struct FeatureBins: Sendable, Equatable {
    static let most = 255
    /// Cuts of a feature start at `feature * stride`; behind them +infinity.
    static let stride = 256
    private(set) var cuts: [Double]
    private(set) var counts: [Int]

    var width: Int { counts.count }

    /// Measures the columns of flat rows. Beyond 200,000 rows every k-th is looked at.
    init(rows: [Double], width: Int, threads: Int) {
        let count = rows.count / width
        let step = max(1, count / 200_000)
        let found = ParallelWork.map(width, threads: threads) { feature in
            var column: [Double] = []
            column.reserveCapacity(count / step + 1)
            for row in Swift.stride(from: 0, to: count, by: step) {
                let value = rows[row * width + feature]
                if value.isFinite { column.append(value) }
            }
            column.sort()
            return Self.cuts(ofSorted: column)
        }
        self.init(cuts: found)
    }

    init(cuts found: [[Double]]) {
        counts = found.map(\.count)
        cuts = Array(repeating: .infinity, count: found.count * Self.stride)
        for (feature, list) in found.enumerated() {
            for (place, cut) in list.prefix(Self.most - 1).enumerated() { cuts[feature * Self.stride + place] = cut }
        }
    }

    func cuts(of feature: Int) -> ArraySlice<Double> {
        cuts[feature * Self.stride..<feature * Self.stride + counts[feature]]
    }

    /// Midway between neighbouring values, so that a new value goes where the nearer training value went.
    private static func cuts(ofSorted column: [Double]) -> [Double] {
        var distinct: [(value: Double, upTo: Int)] = []
        for (place, value) in column.enumerated() {
            if let last = distinct.last, last.value == value {
                distinct[distinct.count - 1].upTo = place + 1
            } else {
                distinct.append((value, place + 1))
            }
        }
        var cuts: [Double] = []
        var next = 1
        for place in 0..<max(distinct.count - 1, 0) {
            let (value, upTo) = distinct[place]
            guard distinct.count <= most || upTo * most >= next * column.count else { continue }
            next = max(next, upTo * most / max(column.count, 1)) + 1
            let middle = value / 2 + distinct[place + 1].value / 2
            cuts.append(middle >= value && middle < distinct[place + 1].value ? middle : value)
            if cuts.count == most - 1 { break }
        }
        return cuts
    }

    /// Branch-free binary search in 255 cuts.
    @inline(__always) func bin(_ value: Double, _ feature: Int) -> UInt8 {
        var place = feature * Self.stride
        unsafe cuts.withUnsafeBufferPointer { cuts in
            var step = 128
            while step > 0 {
                place &+= unsafe cuts[place &+ step &- 1] < value ? step : 0
                step >>= 1
            }
        }
        return value.isNaN ? 0 : UInt8(truncatingIfNeeded: min(place &- feature &* Self.stride, 254) &+ 1)
    }
}

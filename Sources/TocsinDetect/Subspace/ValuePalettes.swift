internal import TocsinCore

/// The values that each metric of an asset has ever shown, while they are few: what tells a switch, a lamp or an
/// operating mode from a quantity. 17 bytes a metric.
struct ValuePalettes: Sendable {
    /// A metric with no more values than these has states, and no distance from a mean.
    static let most = 2

    private var values: [Double]
    private var counts: [UInt8]

    init(width: Int) {
        values = .init(repeating: 0, count: Self.most * width)
        counts = .init(repeating: 0, count: width)
    }

    /// Nothing but states so far.
    @inline(__always) func isDiscrete(_ metric: Int) -> Bool { counts[metric] <= Self.most }

    /// Takes a value in; a missing one (NaN) is none. True at the value with which a metric turns out to be a quantity.
    @inline(__always) mutating func learn(_ value: Double, _ metric: Int) -> Bool {
        isDiscrete(metric) && value.isFinite && add(value, metric)
    }

    private mutating func add(_ value: Double, _ metric: Int) -> Bool {
        let count = Int(counts[metric])
        let start = metric * Self.most
        for place in 0..<count where values[start + place] == value { return false }
        counts[metric] += 1
        guard count < Self.most else { return true }
        values[start + count] = value
        return false
    }
}

extension ValuePalettes {
    func save(to writer: inout StateWriter) {
        writer.write(column: values)
        writer.write(column: counts)
    }

    init?(restoring reader: inout StateReader, width: Int) {
        guard let values = reader.readColumn(of: Double.self), values.count == Self.most * width,
            values.allSatisfy(\.isFinite), let counts = reader.readColumn(of: UInt8.self), counts.count == width,
            counts.allSatisfy({ $0 <= Self.most + 1 })
        else { return nil }
        (self.values, self.counts) = (values, counts)
    }

    /// Every metric is a quantity: what a chart assumed that was saved before there were palettes.
    static func quantities(width: Int) -> ValuePalettes {
        var palettes = ValuePalettes(width: width)
        palettes.counts = .init(repeating: UInt8(most + 1), count: width)
        return palettes
    }
}

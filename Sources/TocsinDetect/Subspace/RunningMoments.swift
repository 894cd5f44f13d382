internal import TocsinCore

/// Mean and deviation that forget, and the tail they suggest.
struct RunningMoments: Sendable {
    private static let memory = 4096.0
    private(set) var mean = 0.0
    private var variance = 0.0
    private var count = 0.0

    init() {}

    var deviation: Double { variance.squareRoot() }

    /// West's update with a weight that falls to 1 / 4,096.
    @inline(__always) mutating func learn(_ value: Double) {
        count = min(count + 1, Self.memory)
        let step = value - mean
        mean += step / count
        variance += (step * (value - mean) - variance) / count
    }

    /// −ln P(beyond value) under an exponential tail from the mean on: (value − mean) / deviation, at least 0; 0 while
    /// fewer than 20 were learned.
    @inline(__always) func tailSurprise(_ value: Double) -> Double {
        guard count >= 20, variance > 0 else { return 0 }
        return max((value - mean) / deviation, 0)
    }
}

extension RunningMoments {
    func save(to writer: inout StateWriter) {
        writer.write(mean)
        writer.write(variance)
        writer.write(count)
    }

    init?(restoring reader: inout StateReader) {
        guard let mean = reader.readDouble(), mean.isFinite, let variance = reader.readDouble(), variance >= 0,
            variance.isFinite, let count = reader.readDouble(), count >= 0, count.isFinite
        else { return nil }
        self.init()
        (self.mean, self.variance, self.count) = (mean, variance, count)
    }
}

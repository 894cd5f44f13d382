internal import TocsinCore

/// Compares the histogram of the last 52 readings with the histograms the series has shown before.
///
/// The distance is Kullback and Leibler's relative entropy; twice the readings times it is about chi-square
/// distributed for a window that belongs to a known histogram. A window farther than 15 from all known ones is new: it
/// is told once with half that distance, in nats, and remembered (at most 64; the one seldom met gives way). Wang,
/// Viswanathan, Choudur, Talwar, Satterfield and Schwan, "Statistical techniques for online anomaly detection in data
/// centers" (2011). 10 bins; 1.1 KB; at most 640 additions an observation, fewer for a series of few shapes.
struct HistogramEntropy: Sendable {
    static let window = 52
    static let bins = 10
    private static let limit = 15.0
    private static let mostShapes = 64

    private var recent = [UInt8](repeating: 0, count: window)
    private var filled = 0
    private var next = 0
    private var counts: InlineArray<10, UInt8> = .init(repeating: 0)
    /// Histograms known, one after the other, and how often each was met.
    private var shapes: [InlineArray<10, UInt8>] = []
    private var met: [UInt32] = []

    /// ln of 0 … 52 readings in a bin; an empty bin counts as a hundredth of a reading.
    private static let logarithms: [Double] = (0...window).map { naturalLog($0 == 0 ? 0.01 : Double($0)) }

    init() {
        shapes.reserveCapacity(Self.mostShapes)
        met.reserveCapacity(Self.mostShapes)
    }

    /// Learns a position; 0 while the window looks as before, else the surprise in nats (at least 7.5).
    mutating func observe(position: Double) -> Double {
        let bin = UInt8((position * Double(Self.bins - 1)).clamped(0, Double(Self.bins - 1)))
        if filled == Self.window { counts[Int(recent[next])] -= 1 } else { filled += 1 }
        recent[next] = bin
        counts[Int(bin)] += 1
        next = next + 1 == Self.window ? 0 : next + 1
        guard filled == Self.window else { return 0 }
        guard !shapes.isEmpty else {
            remember()
            return 0
        }
        let (nearest, distance) = nearestShape()
        if distance < Self.limit {
            met[nearest] &+= 1
            return 0
        }
        if shapes.count == Self.mostShapes { forgetRarest() }
        remember()
        return 0.5 * distance
    }

    private func nearestShape() -> (Int, Double) {
        var own = 0.0
        for bin in 0..<Self.bins { own += Double(counts[bin]) * Self.logarithms[Int(counts[bin])] }
        var (nearest, most) = (0, -Double.infinity)
        for place in shapes.indices {
            var likelihood = 0.0
            for bin in 0..<Self.bins {
                likelihood += Double(counts[bin]) * Self.logarithms[Int(shapes[place][bin])]
            }
            if likelihood > most { (nearest, most) = (place, likelihood) }
        }
        return (nearest, 2 * (own - most))
    }

    private mutating func remember() {
        shapes.append(counts)
        met.append(1)
    }

    private mutating func forgetRarest() {
        var rarest = 0
        for place in met.indices where met[place] < met[rarest] { rarest = place }
        shapes.remove(at: rarest)
        met.remove(at: rarest)
    }

    /// Forgets shapes and window: the scale means something else now.
    mutating func forget() {
        shapes.removeAll(keepingCapacity: true)
        met.removeAll(keepingCapacity: true)
        counts = .init(repeating: 0)
        (filled, next) = (0, 0)
    }
}

extension HistogramEntropy {
    func save(to writer: inout StateWriter) {
        // In order of time, so that the place in the ring need not be kept.
        for offset in 0..<filled { writer.write(recent[(next + Self.window - filled + offset) % Self.window]) }
        for _ in filled..<Self.window { writer.write(UInt8.max) }
        writer.write(UInt8(shapes.count))
        for place in shapes.indices {
            for bin in 0..<Self.bins { writer.write(shapes[place][bin]) }
            writer.write(met[place])
        }
    }

    init?(restoring reader: inout StateReader) {
        self.init()
        guard let bins = reader.readRaw(count: Self.window) else { return nil }
        for bin in bins where bin != UInt8.max {
            guard bin < Self.bins else { return nil }
            recent[filled] = bin
            counts[Int(bin)] += 1
            filled += 1
        }
        next = filled % Self.window
        guard let count = reader.read(UInt8.self), count <= Self.mostShapes else { return nil }
        for _ in 0..<count {
            guard let raw = reader.readRaw(count: Self.bins), let times = reader.read(UInt32.self),
                raw.allSatisfy({ $0 <= Self.window })
            else { return nil }
            var shape = InlineArray<10, UInt8>(repeating: 0)
            for (bin, number) in raw.enumerated() { shape[bin] = number }
            shapes.append(shape)
            met.append(times)
        }
    }
}

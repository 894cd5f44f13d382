internal import TocsinCore

/// How often a score was as high before: a conformal p-value from counts (Vovk, Gammerman and Shafer, "Algorithmic
/// learning in a random world", 2005), exact but for the width of a bin. 132 bytes.
struct ScoreHistory: Sendable {
    private static let bins = 32
    /// By the square root of the score in steps of an eighth, so that the limit, 1, is bin 8; the last one is open.
    private var counts = InlineArray<32, UInt32>(repeating: 0)
    private var total: UInt32 = 0

    private static func bin(_ score: Double) -> Int {
        Int((max(score, 0).squareRoot() * 8).clamped(0, Double(bins - 1)))
    }

    /// Counts a score and gives the share of all counted ones in its bin and above.
    @inline(__always) mutating func observe(_ score: Double) {
        guard score >= 0 else { return }
        counts[Self.bin(score)] &+= 1
        total &+= 1
        // The counts fade: halved after two million rows.
        if total >= 1 << 21 { halve() }
    }

    func pValue(_ score: Double) -> Double {
        guard total > 0 else { return 1 }
        var beyond: UInt32 = 0
        for bin in Self.bin(score)..<Self.bins { beyond &+= counts[bin] }
        return min((Double(beyond) + 1) / (Double(total) + 1), 1)
    }

    private mutating func halve() {
        total = 0
        for bin in 0..<Self.bins {
            counts[bin] /= 2
            total &+= counts[bin]
        }
    }

    func save(to writer: inout StateWriter) {
        for bin in 0..<Self.bins { writer.write(counts[bin]) }
    }

    init() {}

    init?(restoring reader: inout StateReader) {
        for bin in 0..<Self.bins {
            guard let count = reader.read(UInt32.self), count < 1 << 21, total < 1 << 21 else { return nil }
            counts[bin] = count
            total += count
        }
        guard total < 1 << 21 else { return nil }
    }
}

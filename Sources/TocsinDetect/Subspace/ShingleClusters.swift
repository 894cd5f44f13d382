public import TocsinCore

/// Knows the recurring regimes of one series: online k-means on windows of its readings, and the distance of the
/// newest window from the nearest regime.
///
/// Windows are standardised by a running mean and deviation. The nearest centre moves towards each window (MacQueen
/// 1967) with a weight that falls to 1 / 1,024; a window beyond the usual distances takes over the centre that has won
/// least lately. Best of its kind on sensor recordings of the TSB-AD benchmark (KMeansAD). 8 · window · (centres + 2)
/// bytes: 3.5 KB for 24 and 16; window · centres multiplications a reading.
public struct ShingleClusters: Sendable {
    /// Readings in a window.
    public var window: Int { ring.window }
    private let most: Int
    private var ring: ShingleRing
    private var centres: [Double] = []
    private var wins: [Double] = []
    private var distances = RunningMoments()

    /// - Parameters:
    ///   - window: readings, 2 … 128; default 24.
    ///   - centres: regimes, 1 … 64; default 16.
    public init(window: Int = 24, centres: Int = 16) {
        ring = ShingleRing(window: min(max(window, 2), 128))
        most = min(max(centres, 1), 64)
        self.centres.reserveCapacity(most * ring.window)
        wins.reserveCapacity(most)
    }

    /// Scores the window that ends with this reading, then learns it: the surprise in nats, about ln(1/p); 0 while
    /// learning (two windows) and for values that are not finite.
    public mutating func observe(_ value: Double) -> Double {
        guard ring.observe(value) else { return 0 }
        guard !wins.isEmpty else {
            add()
            return 0
        }
        let (nearest, squared) = nearestCentre()
        let distance = squared.squareRoot()
        let surprise = distances.tailSurprise(distance)
        distances.learn(min(distance, distances.mean + 6 * distances.deviation + 1e-9))
        for centre in wins.indices { wins[centre] *= 1 - 1.0 / 4096 }
        if surprise > 3 || (wins.count < most && distance > distances.mean) { add() } else { move(nearest) }
        return surprise
    }

    private func nearestCentre() -> (Int, Double) {
        var (nearest, least) = (0, Double.infinity)
        for centre in wins.indices {
            var sum = 0.0
            let start = centre * window
            for offset in 0..<window {
                let difference = centres[start + offset] - ring.shingle[offset]
                sum += difference * difference
            }
            if sum < least { (nearest, least) = (centre, sum) }
        }
        return (nearest, least)
    }

    private mutating func move(_ centre: Int) {
        wins[centre] += 1
        let weight = 1 / min(wins[centre] + 1, 1024)
        let start = centre * window
        for offset in 0..<window {
            centres[start + offset] += weight * (ring.shingle[offset] - centres[start + offset])
        }
    }

    private mutating func add() {
        if wins.count < most {
            centres.append(contentsOf: ring.shingle)
            wins.append(1)
            return
        }
        var rarest = 0
        for centre in wins.indices where wins[centre] < wins[rarest] { rarest = centre }
        for offset in 0..<window { centres[rarest * window + offset] = ring.shingle[offset] }
        wins[rarest] = 1
    }
}

extension ShingleClusters {
    private static let version: UInt8 = 2

    /// Writes everything: a restored detector answers as this one would.
    public func save(to writer: inout StateWriter) {
        writer.write(Self.version)
        writer.write(UInt8(most))
        ring.save(to: &writer)
        writer.write(column: centres)
        writer.write(column: wins)
        distances.save(to: &writer)
    }

    /// nil for bytes that `save` did not write.
    public init?(restoring reader: inout StateReader) {
        guard reader.read(UInt8.self) == Self.version, let most = reader.read(UInt8.self), (1...64).contains(most),
            let ring = ShingleRing(restoring: &reader, windows: 2...128),
            let centres = reader.readColumn(of: Double.self), let wins = reader.readColumn(of: Double.self),
            wins.count <= most, centres.count == wins.count * ring.window, centres.allSatisfy(\.isFinite),
            wins.allSatisfy({ $0.isFinite && $0 >= 0 }), let distances = RunningMoments(restoring: &reader)
        else { return nil }
        self.init(window: ring.window, centres: Int(most))
        self.ring = ring
        self.centres.append(contentsOf: centres)
        self.wins.append(contentsOf: wins)
        self.distances = distances
    }
}

public import TocsinCore

/// Judges the shape of the last readings of one series against the shapes it has had: the Mahalanobis distance of a
/// window (shingle) under a covariance that forgets.
///
/// The streaming relative of Sub-PCA: instead of keeping some principal components and measuring the rest, all
/// directions count by the inverse of their variance, so that a move in a direction with little variance (a new shape)
/// weighs most. Windows are standardised by a running mean and deviation of the series; distances are brought to
/// comparable surprises, in nats, by an exponential tail fitted to their own past.
///
/// 8 · (2 · window² + 4 · window) bytes: 9.9 KB for 24; about 2 · window² multiplications a reading, and every 64
/// readings a matrix is inverted.
public struct ShingleSubspace: Sendable {
    /// Readings in a window.
    public var window: Int { ring.window }
    private var ring: ShingleRing
    private var covariance: SymmetricMatrix
    private var precision: SymmetricMatrix?
    private var distances = RunningMoments()
    private static let refit = 64
    private static let memory = 4096.0

    /// - Parameter window: readings, 4 … 128; default 24.
    public init(window: Int = 24) {
        ring = ShingleRing(window: min(max(window, 4), 128))
        covariance = SymmetricMatrix(size: ring.window)
    }

    /// Scores the window that ends with this reading, then learns it: the surprise in nats, about ln(1/p); 0 while
    /// learning (four windows) and for values that are not finite.
    public mutating func observe(_ value: Double) -> Double {
        guard ring.observe(value) else { return 0 }
        var surprise = 0.0
        if let precision {
            let distance = Self.distance(ring.shingle, precision).squareRoot()
            surprise = distances.tailSurprise(distance)
            // A far window is learned as a near one would be, or it would hide the next.
            distances.learn(min(distance, distances.mean + 6 * distances.deviation + 1e-9))
        }
        let weight = max(1 / Double(ring.seen - 2 * window), 1 / Self.memory)
        covariance.scale(by: 1 - weight)
        covariance.addOuter(of: ring.shingle, from: 0, weight: weight)
        if ring.seen % Self.refit == 0, ring.seen >= 4 * window {
            var estimate = covariance
            estimate.shrink(by: 0.02, floor: 1e-3)
            precision = estimate.inverse() ?? precision
        }
        return surprise
    }

    private static func distance(_ values: [Double], _ precision: SymmetricMatrix) -> Double {
        var sum = 0.0
        for row in 0..<precision.size {
            var product = 0.0
            let start = row * precision.size
            for column in 0..<precision.size { product += precision.elements[start + column] * values[column] }
            sum += product * values[row]
        }
        return max(sum, 0)
    }
}

extension ShingleSubspace {
    private static let version: UInt8 = 2

    /// Writes everything: a restored detector answers as this one would.
    public func save(to writer: inout StateWriter) {
        writer.write(Self.version)
        ring.save(to: &writer)
        writer.write(column: covariance.elements)
        writer.write(column: precision?.elements ?? [])
        distances.save(to: &writer)
    }

    /// nil for bytes that `save` did not write.
    public init?(restoring reader: inout StateReader) {
        guard reader.read(UInt8.self) == Self.version, let ring = ShingleRing(restoring: &reader, windows: 4...128),
            let covariance = reader.readColumn(of: Double.self), covariance.count == ring.window * ring.window,
            covariance.allSatisfy(\.isFinite), let precision = reader.readColumn(of: Double.self),
            precision.isEmpty || precision.count == covariance.count, precision.allSatisfy(\.isFinite),
            let distances = RunningMoments(restoring: &reader)
        else { return nil }
        self.init(window: ring.window)
        self.ring = ring
        self.covariance.elements = covariance
        if !precision.isEmpty {
            var matrix = SymmetricMatrix(size: window)
            matrix.elements = precision
            self.precision = matrix
        }
        self.distances = distances
    }
}

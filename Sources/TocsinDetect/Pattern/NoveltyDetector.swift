public import TocsinCore

/// Finds what a series has never shown before: values, steps, short-term distributions and shapes, on any series,
/// without a setting to make and without looking ahead.
///
/// ```swift
/// var detector = NoveltyDetector()
/// let novelty = detector.observe(value)
/// if novelty.score >= NoveltyDetector.defaultThreshold { … }
/// ```
/// The score is the mean surprise of the pattern memories in nats plus a small part of the surprises of the histogram
/// (`HistogramEntropy`) and of the window's shape (`ShingleClusters`), shown only at the leading edge of an event. It
/// learns for `warmUp` readings and keeps learning afterwards: what has been seen once is known. A detector costs about
/// 31 KB: 16.4 pattern memory, 8 history, 3.5 shapes, 1.2 edge, 1.1 histogram.
public struct NoveltyDetector: Sendable {
    /// A mean surprise of 1.75 nats: all memories met something new where they do so once in six readings, or half of
    /// them something as rare as one in 33. In the middle of the plateau (1.6 … 1.8) on the shared part of the Numenta
    /// benchmark. For a series read every second it is too eager: stationary noise gets ten marks in its first day,
    /// see `quietThreshold`.
    public static let defaultThreshold = 1.75
    /// For fast series: 7 nats. Stationary noise of 86,400 readings gets no mark, or one in five days where readings
    /// are so coarse that a new value is a rare event; give the detector a `warmUp` of an hour or more as well.
    public static let quietThreshold = 7.0
    /// Readings after an event in which only something worse is told.
    static let defaultQuiet = 100
    /// What the histogram's nats count for: its windows overlap, so that 52 readings say what one pattern says.
    private static let entropyWeight = 0.04
    private static let mostEntropy = 50.0
    /// What the shape's nats count for, up to half a nat.
    private static let shapeWeight = 0.05
    private static let mostShape = 10.0

    var grid: ValueGrid
    var patterns = PatternMemory()
    var entropy = HistogramEntropy()
    var shapes = ShingleClusters()
    var edge: LeadingEdge

    /// - Parameters:
    ///   - warmUp: readings before the first score, 2 … `history`; default 100.
    ///   - history: readings kept to learn again when the range grows; 8 bytes each; default 1,024.
    ///   - quiet: readings after an event in which only something worse is told; default 100.
    public init(warmUp: Int = 100, history: Int = 1024, quiet: Int = 100) {
        grid = ValueGrid(warmUp: warmUp, history: min(history, 1 << 20))
        edge = LeadingEdge(span: quiet)
    }

    /// The band in which the kept readings lie, but for the share `tail` at either end; NaN before the first. For
    /// findings, which are rare: it sorts up to `history` readings.
    public func usualBand(tail: Double = 0.01) -> (low: Double, high: Double) {
        let sorted = grid.history.sorted()
        return (quantile(sorted: sorted, tail), quantile(sorted: sorted, 1 - tail))
    }

    /// False until `warmUp` readings were seen: scores are 0 until then.
    public var isReady: Bool { grid.isReady }

    /// Scores one reading, then learns it. A value that is not finite or beyond ±1e150 is passed
    /// over. About 0.45 µs.
    public mutating func observe(_ value: Double) -> Novelty {
        var novelty = Novelty()
        guard abs(value) <= ValueGrid.largest else { return novelty }
        let shape = shapes.observe(value)
        if grid.isReady {
            let position = grid.position(of: value)
            let surprise = patterns.observe(position: position)
            novelty.value = surprise.value
            novelty.step = surprise.step
            novelty.distribution = Self.entropyWeight * min(entropy.observe(position: position), Self.mostEntropy)
            novelty.shape = Self.shapeWeight * min(shape, Self.mostShape)
            novelty.score = edge.observe(novelty.raw)
        }
        if grid.observe(value) == .relaid { relearn() }
        return novelty
    }

    private mutating func relearn() {
        patterns.forget()
        entropy.forget()
        grid.replay { value in
            let position = grid.position(of: value)
            _ = patterns.observe(position: position)
            _ = entropy.observe(position: position)
        }
    }
}

/// What was new about one reading, in nats; 0 everywhere for the familiar.
public struct Novelty: Sendable, Equatable {
    /// `raw` at the leading edge of an event, 0 elsewhere.
    public var score = 0.0
    /// A value in a range never visited.
    public var value = 0.0
    /// A step from one range to another never made.
    public var step = 0.0
    /// The last 52 readings together are distributed as never before.
    public var distribution = 0.0
    /// The last 24 readings run in a shape far from all recurring ones; at most half a nat.
    public var shape = 0.0

    /// Nothing new.
    public init() {}

    /// The sum of the parts, also within an event.
    public var raw: Double { value + step + distribution + shape }
}

extension NoveltyDetector {
    private static let version: UInt8 = 2

    /// Writes everything: a restored detector answers as this one would.
    public func save(to writer: inout StateWriter) {
        writer.write(Self.version)
        grid.save(to: &writer)
        patterns.save(to: &writer)
        entropy.save(to: &writer)
        shapes.save(to: &writer)
        edge.save(to: &writer)
    }

    /// nil for bytes that `save` did not write.
    public init?(restoring reader: inout StateReader) {
        guard reader.read(UInt8.self) == Self.version, let grid = ValueGrid(restoring: &reader),
            let patterns = PatternMemory(restoring: &reader), let entropy = HistogramEntropy(restoring: &reader),
            let shapes = ShingleClusters(restoring: &reader), let edge = LeadingEdge(restoring: &reader)
        else { return nil }
        (self.grid, self.patterns, self.entropy, self.edge) = (grid, patterns, entropy, edge)
        self.shapes = shapes
    }
}

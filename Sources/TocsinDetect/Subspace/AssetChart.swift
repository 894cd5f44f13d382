public import TocsinCore

/// Watches all metrics of one asset together: an exponentially weighted T² chart (MEWMA) that forgives the directions
/// in which the asset wanders by itself.
///
/// ```swift
/// var chart = try AssetChart(fitting: rows, width: 8)       // normal operation, row after row
/// let reading = chart.observe(row)
/// if reading.isAlarm { chart.contributions(into: &shares) }
/// ```
/// T² = e · C⁻¹ · e of the smoothed, standardised row e. C is the covariance of smoothed fitting rows plus `wander`
/// times that of the means of `blocks` consecutive parts of them: a motor that warms up during the fit has said that
/// its temperature moves, and further warming is no alarm, while a correlation that breaks still is. The limit is a
/// multiple of the 99.5 % quantile of the fitting rows' own T². Lowry, Woodall, Champ and Rigdon, "A multivariate
/// exponentially weighted moving average control chart" (1992); the wander term is ours.
///
/// 8 · width² + 40 · width bytes; width² multiplications a row.
public struct AssetChart: Sendable {
    public struct Settings: Sendable, Equatable {
        /// Readings over which the row is smoothed (weight 2 / (span + 1)). Default 16.
        public var span = 16.0
        /// How much the drift between parts of the fitting rows is forgiven. Default 10; 0 is the plain chart.
        public var wander = 10.0
        /// Parts into which the fitting rows are cut to see them drift. Default 8.
        public var blocks = 8
        /// Shrinkage of correlations towards independence, 0 … 1. Default 0.1.
        public var shrinkage = 0.1
        /// The alarm begins above this multiple of the fitting rows' 99.5 % quantile. Default 4.5.
        public var limit = 4.5
        /// … and ends below this share of the limit (dead band). Default 0.4.
        public var release = 0.4

        public init() {}
    }

    /// What one row says.
    public struct Reading: Sendable, Equatable {
        /// T² over its limit: 1 and above is an alarm.
        public var score: Double
        /// On from score 1 until the score falls below `Settings.release`.
        public var isAlarm: Bool
    }

    public let settings: Settings
    /// Metrics in a row.
    public var width: Int { scaler.width }
    var scaler: RowScaler
    var precision: SymmetricMatrix
    /// T² at which the score is 1.
    var limit: Double
    var smoothed: [Double]
    var products: [Double]
    var isAlarm = false
    private(set) var statistic = 0.0

    /// Learns normal operation.
    ///
    /// - Parameters:
    ///   - rows: normal rows in order of time, row after row; at least 20 and 4 times `blocks`.
    ///   - width: metrics in a row.
    /// - Throws: `TocsinError(.model)` for too few rows.
    public init(fitting rows: [Double], width: Int, settings: Settings = Settings()) throws {
        let count = width > 0 ? rows.count / width : 0
        let blocks = max(settings.blocks, 2)
        guard count >= max(20, 4 * blocks), width <= 1024 else {
            throw TocsinError(
                .model, "\(count) rows of \(width) metrics are too few to learn how the metrics move together.",
                remedy: "Give at least \(max(20, 4 * blocks)) rows of normal operation and at most 1,024 metrics.")
        }
        self.settings = settings
        let scaler = RowScaler(fitting: rows, width: width)
        self.scaler = scaler
        smoothed = .init(repeating: 0, count: width)
        products = smoothed
        limit = 1
        precision = Self.precision(rows, count: count, scaler: scaler, settings: settings)
        // The first rows of the average are not settled yet.
        let settling = min(Int(settings.span.clamped(1, 1e6)), count / 4)
        var statistics: [Double] = []
        statistics.reserveCapacity(count)
        for row in 0..<count {
            for metric in 0..<width { smooth(rows[row * width + metric], metric) }
            let statistic = quadraticForm()
            if row >= settling { statistics.append(statistic) }
        }
        statistics.sort()
        limit = max(quantile(sorted: statistics, 0.995), 1e-9) * max(settings.limit, 1e-9)
        restart()
    }

    private static func precision(
        _ rows: [Double], count: Int, scaler: RowScaler, settings: Settings
    ) -> SymmetricMatrix {
        let width = scaler.width
        let blocks = max(settings.blocks, 2)
        let weight = 2 / (max(settings.span, 1) + 1)
        let settling = min(Int(settings.span.clamped(1, 1e6)), count / 4)
        var covariance = SymmetricMatrix(size: width)
        var between = SymmetricMatrix(size: width)
        var (average, mean, block) = (
            [Double](repeating: 0, count: width), [Double](repeating: 0, count: width),
            [Double](repeating: 0, count: width)
        )
        var begin = 0
        for row in 0..<count {
            for metric in 0..<width {
                let value = scaler.scaled(rows[row * width + metric], metric)
                average[metric] += weight * (value - average[metric])
                block[metric] += value
                if row >= settling { mean[metric] += average[metric] }
            }
            if row >= settling { covariance.addOuter(of: average, from: 0, weight: 1) }
            // Parts of equal length but for one row, the last one to the end.
            if (row + 1) * blocks / count > row * blocks / count {
                for metric in 0..<width { block[metric] /= Double(row + 1 - begin) }
                between.addOuter(of: block, from: 0, weight: 1)
                for metric in 0..<width { block[metric] = 0 }
                begin = row + 1
            }
        }
        let settled = Double(count - settling)
        covariance.scale(by: 1 / settled)
        for metric in 0..<width { mean[metric] /= settled }
        covariance.addOuter(of: mean, from: 0, weight: -1)
        // The blocks' means have mean 0 but for the cutting of far values: the rows were centred.
        between.scale(by: max(settings.wander, 0) / Double(blocks - 1))
        for place in covariance.elements.indices { covariance.elements[place] += between.elements[place] }
        covariance.shrink(by: settings.shrinkage.clamped(0, 1), floor: 1e-3 * weight)
        if let inverse = covariance.inverse() { return inverse }
        // Only the diagonal is left: every metric for itself.
        var diagonal = SymmetricMatrix(size: width)
        for metric in 0..<width { diagonal[metric, metric] = 1 / max(covariance[metric, metric], 1e-3 * weight) }
        return diagonal
    }

    @inline(__always) private mutating func smooth(_ value: Double, _ metric: Int) {
        smoothed[metric] += 2 / (max(settings.span, 1) + 1) * (scaler.scaled(value, metric) - smoothed[metric])
    }

    private mutating func quadraticForm() -> Double {
        let width = width
        var sum = 0.0
        for row in 0..<width {
            var product = 0.0
            let start = row * width
            for column in 0..<width { product += precision.elements[start + column] * smoothed[column] }
            products[row] = product
            sum += product * smoothed[row]
        }
        return max(sum, 0)
    }

    /// Judges one row of `width` metrics; a missing metric (NaN) is taken at its mean, a short row likewise.
    public mutating func observe(_ row: Span<Double>) -> Reading {
        for metric in 0..<width { smooth(metric < row.count ? row[metric] : .nan, metric) }
        statistic = quadraticForm()
        let score = statistic / limit
        isAlarm = isAlarm ? score >= settings.release : score >= 1
        return Reading(score: score, isAlarm: isAlarm)
    }

    /// Judges one row given as an array.
    public mutating func observe(_ row: [Double]) -> Reading { observe(row.span) }

    /// The share of each metric in the last row's statistic: exact, summing to 1 (to 0 before the first row).
    ///
    /// Metric j has e_j · (C⁻¹ e)_j of T². A share may be negative: that metric, moving with the others, made the row
    /// more normal.
    public func contributions(into shares: inout [Double]) {
        shares.removeAll(keepingCapacity: true)
        let inverse = statistic > 0 ? 1 / statistic : 0
        for metric in 0..<width { shares.append(smoothed[metric] * products[metric] * inverse) }
    }

    /// Begins a new stretch of the same asset: forgets the smoothed row, not the model.
    public mutating func restart() {
        for metric in 0..<width { (smoothed[metric], products[metric]) = (0, 0) }
        statistic = 0
        isAlarm = false
    }
}

extension AssetChart {
    private static let version: UInt8 = 1

    /// Writes model and place: a restored chart answers as this one would.
    public func save(to writer: inout StateWriter) {
        writer.write(Self.version)
        let numbers = [settings.span, settings.wander, settings.shrinkage, settings.limit, settings.release]
        for number in numbers { writer.write(number) }
        writer.write(UInt32(clamping: settings.blocks))
        scaler.save(to: &writer)
        writer.write(column: precision.elements)
        writer.write(column: smoothed)
        writer.write(limit)
        writer.write(isAlarm)
    }

    /// nil for bytes that `save` did not write.
    public init?(restoring reader: inout StateReader) {
        guard reader.read(UInt8.self) == Self.version else { return nil }
        var settings = Settings()
        guard let span = reader.readDouble(), let wander = reader.readDouble(), let shrinkage = reader.readDouble(),
            let limit = reader.readDouble(), let release = reader.readDouble(), let blocks = reader.read(UInt32.self)
        else { return nil }
        (settings.span, settings.wander, settings.shrinkage) = (span, wander, shrinkage)
        (settings.limit, settings.release, settings.blocks) = (limit, release, Int(blocks))
        guard let scaler = RowScaler(restoring: &reader), scaler.width <= 1024,
            let elements = reader.readColumn(of: Double.self), elements.count == scaler.width * scaler.width,
            elements.allSatisfy({ abs($0) <= 1e60 }), let smoothed = reader.readColumn(of: Double.self),
            smoothed.count == scaler.width, smoothed.allSatisfy({ abs($0) <= 1e12 }),
            let threshold = reader.readDouble(),
            threshold > 0, threshold.isFinite, let isAlarm = reader.readFlag()
        else { return nil }
        self.settings = settings
        self.scaler = scaler
        precision = SymmetricMatrix(size: scaler.width)
        precision.elements = elements
        self.smoothed = smoothed
        products = .init(repeating: 0, count: scaler.width)
        self.limit = threshold
        self.isAlarm = isAlarm
        statistic = quadraticForm()
    }
}

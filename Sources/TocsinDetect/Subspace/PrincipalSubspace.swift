public import TocsinCore

/// The linear subspace in which an asset's metrics normally move: Hotelling's T² within it, the squared prediction
/// error Q across it.
///
/// ```swift
/// var subspace = try PrincipalSubspace(fitting: rows, width: 38)
/// let reading = subspace.observe(row)
/// ```
/// Principal components of the standardised metrics that hold `variance` of the total. T² is large for more of the
/// usual movement than was ever seen, Q for a movement of another kind (a broken correlation). Jackson and Mudholkar,
/// "Control procedures for residuals associated with principal component analysis" (1979); the limits here are the
/// 99.9 % quantiles of the fitting rows, which need no normal distribution.
///
/// 8 · width · (components + 5) bytes; 2 · width · components multiplications a row.
public struct PrincipalSubspace: Sendable {
    /// What one row says; each statistic is over its own limit, 1 and above is beyond it.
    public struct Reading: Sendable, Equatable {
        /// Within the subspace.
        public var tSquared: Double
        /// Across the subspace.
        public var residual: Double
        /// The mean of both: evidence of either kind, half for one alone.
        public var score: Double { 0.5 * (tSquared + residual) }
        /// `score` averaged over the last rows (weight 2 / (span + 1)), over its own limit: what lasts counts more than
        /// one row. The value to alarm on.
        public var smoothed: Double
    }

    /// Metrics in a row.
    public var width: Int { scaler.width }
    /// Components kept.
    public var components: Int { inverseVariances.count }
    var scaler: RowScaler
    /// Unit vectors, one row a component.
    var basis: [Double]
    var inverseVariances: [Double]
    var tSquaredLimit = 1.0
    var residualLimit = 1.0
    let span: Double
    private var average = 0.0
    private var smoothedLimit = 1.0
    var scaled: [Double]
    /// The row's part within the subspace, and C⁻¹ of it: for contributions.
    var within: [Double]
    var weighted: [Double]

    /// Learns the subspace.
    ///
    /// - Parameters:
    ///   - rows: normal rows, row after row, at least 20.
    ///   - width: metrics in a row, at most 1,024.
    ///   - variance: share of the variance the components hold, 0 … 1; default 0.9.
    ///   - span: rows the score is averaged over; default 16.
    /// - Throws: `TocsinError(.model)` for too few rows.
    public init(fitting rows: [Double], width: Int, variance: Double = 0.9, span: Double = 16) throws {
        let count = width > 0 ? rows.count / width : 0
        guard count >= 20, width <= 1024 else {
            throw TocsinError(
                .model, "\(count) rows of \(width) metrics are too few to learn how the metrics move together.",
                remedy: "Give at least 20 rows of normal operation and at most 1,024 metrics.")
        }
        self.span = span.clamped(1, 1e6)
        scaler = RowScaler(fitting: rows, width: width)
        scaled = .init(repeating: 0, count: width)
        (within, weighted) = (scaled, scaled)
        var covariance = SymmetricMatrix(size: width)
        for row in 0..<count {
            for metric in 0..<width { scaled[metric] = scaler.scaled(rows[row * width + metric], metric) }
            covariance.addOuter(of: scaled, from: 0, weight: 1 / Double(count))
        }
        let (values, vectors) = covariance.eigen()
        let total = values.reduce(0) { $0 + max($1, 0) }
        var (kept, held) = (0, 0.0)
        while kept < width - 1, held < variance * total {
            held += max(values[kept], 0)
            kept += 1
        }
        kept = max(kept, 1)
        basis = Array(vectors[..<(kept * width)])
        inverseVariances = values[..<kept].map { 1 / max($0, 1e-6) }
        var (squares, residuals): ([Double], [Double]) = ([], [])
        for row in 0..<count {
            let (square, residual) = statistics { rows[row * width + $0] }
            squares.append(square)
            residuals.append(residual)
        }
        tSquaredLimit = max(quantile(sorted: squares.sorted(), 0.999), 1e-9)
        residualLimit = max(quantile(sorted: residuals.sorted(), 0.999), 1e-9)
        // The rows' own averages, now that both limits are known.
        var averages: [Double] = []
        averages.reserveCapacity(count)
        for row in 0..<count {
            learnAverage(0.5 * (squares[row] / tSquaredLimit + residuals[row] / residualLimit))
            averages.append(average)
        }
        smoothedLimit = max(quantile(sorted: averages.sorted(), 0.999), 1e-9)
        average = 0
    }

    /// (T², Q) of one row.
    @inline(__always) private mutating func statistics(_ value: (Int) -> Double) -> (Double, Double) {
        let width = width
        for metric in 0..<width {
            scaled[metric] = scaler.scaled(value(metric), metric)
            within[metric] = 0
            weighted[metric] = 0
        }
        var square = 0.0
        for component in 0..<inverseVariances.count {
            let start = component * width
            var projection = 0.0
            for metric in 0..<width { projection += basis[start + metric] * scaled[metric] }
            let share = projection * inverseVariances[component]
            square += projection * share
            for metric in 0..<width {
                within[metric] += projection * basis[start + metric]
                weighted[metric] += share * basis[start + metric]
            }
        }
        var residual = 0.0
        for metric in 0..<width {
            let rest = scaled[metric] - within[metric]
            residual += rest * rest
        }
        return (square, residual)
    }

    /// Judges one row of `width` metrics; a missing metric (NaN) is taken at its mean, a short row likewise.
    public mutating func observe(_ row: Span<Double>) -> Reading {
        let (square, residual) = statistics { $0 < row.count ? row[$0] : .nan }
        var reading = Reading(tSquared: square / tSquaredLimit, residual: residual / residualLimit, smoothed: 0)
        learnAverage(reading.score)
        reading.smoothed = average / smoothedLimit
        return reading
    }

    /// Judges one row given as an array.
    public mutating func observe(_ row: [Double]) -> Reading { observe(row.span) }

    @inline(__always) private mutating func learnAverage(_ score: Double) {
        average += 2 / (span + 1) * (score - average)
    }

    /// Begins a new stretch of the same asset: forgets the average, not the model.
    public mutating func restart() { average = 0 }

    /// Each metric's part of the last row's `score`: exact, summing to the score.
    ///
    /// Of T² metric j has z_j · (V Λ⁻¹ Vᵀ z)_j, which may be negative; of Q its squared residual.
    public func contributions(into parts: inout [Double]) {
        parts.removeAll(keepingCapacity: true)
        for metric in 0..<width {
            let rest = scaled[metric] - within[metric]
            parts.append(0.5 * (scaled[metric] * weighted[metric] / tSquaredLimit + rest * rest / residualLimit))
        }
    }
}

extension PrincipalSubspace {
    private static let version: UInt8 = 1

    /// Writes model and average.
    public func save(to writer: inout StateWriter) {
        writer.write(Self.version)
        scaler.save(to: &writer)
        writer.write(column: basis)
        writer.write(column: inverseVariances)
        writer.write(tSquaredLimit)
        writer.write(residualLimit)
        writer.write(span)
        writer.write(average)
        writer.write(smoothedLimit)
    }

    /// nil for bytes that `save` did not write. Numbers within what fitting gives, so that no score overflows.
    public init?(restoring reader: inout StateReader) {
        guard reader.read(UInt8.self) == Self.version, let scaler = RowScaler(restoring: &reader),
            scaler.width <= 1024, let basis = reader.readColumn(of: Double.self),
            let inverse = reader.readColumn(of: Double.self), inverse.count <= scaler.width,
            basis.count == inverse.count * scaler.width, basis.allSatisfy({ abs($0) <= 1.01 }),
            inverse.allSatisfy({ $0 > 0 && $0 < 1e7 }), let tSquaredLimit = reader.readDouble(), tSquaredLimit >= 1e-9,
            let residualLimit = reader.readDouble(), residualLimit >= 1e-9, let span = reader.readDouble(), span >= 1,
            let average = reader.readDouble(), abs(average) < 1e30, let smoothedLimit = reader.readDouble(),
            smoothedLimit >= 1e-9
        else { return nil }
        self.span = span
        self.average = average
        self.smoothedLimit = smoothedLimit
        self.scaler = scaler
        self.basis = basis
        inverseVariances = inverse
        (self.tSquaredLimit, self.residualLimit) = (tSquaredLimit, residualLimit)
        scaled = .init(repeating: 0, count: scaler.width)
        (within, weighted) = (scaled, scaled)
    }
}

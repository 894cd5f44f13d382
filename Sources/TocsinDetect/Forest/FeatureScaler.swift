/// Centres and scales features robustly: (value − median) / interquartile range of the training rows.
struct FeatureScaler: Sendable {
    var centers: [Double]
    /// 1 / interquartile range; 0 for a feature that is ignored.
    var inverseScales: [Double]

    init(centers: [Double], inverseScales: [Double]) {
        self.centers = centers
        self.inverseScales = inverseScales
    }

    /// Measures the columns of flat rows; not-a-number and infinities are left out.
    init(rows: [Double], width: Int) {
        centers = []
        inverseScales = []
        let count = rows.count / width
        for feature in 0..<width {
            var column: [Double] = []
            column.reserveCapacity(count)
            for row in 0..<count {
                let value = rows[row * width + feature]
                if value.isFinite { column.append(value.clamped(-1e300, 1e300)) }
            }
            column.sort()
            let center = column.isEmpty ? 0 : quantile(sorted: column, 0.5)
            var scale = quantile(sorted: column, 0.75) - quantile(sorted: column, 0.25)
            // A feature that mostly rests at one value has no quartiles apart.
            if !(scale > 0) { scale = quantile(sorted: column, 0.975) - quantile(sorted: column, 0.025) }
            if !(scale > 0), let first = column.first, let last = column.last { scale = last - first }
            centers.append(center)
            inverseScales.append(scale > 0 && scale.isFinite ? min(1 / scale, 1e300) : 0)
        }
    }

    /// The scaled value: 0 (the median) for a missing one, never beyond ±1e30.
    @inline(__always) func scaled(_ value: Double, _ feature: Int) -> Float {
        let scaled = (value - centers[feature]) * inverseScales[feature]
        return scaled.isNaN ? 0 : Float(scaled.clamped(-1e30, 1e30))
    }
}

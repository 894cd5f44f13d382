extension VolumeUnderSurface {
    /// The period of a series in rows: the highest local maximum of its autocorrelation over lags 3 to 400; 125 when
    /// there is none or it lies outside of 6...303. TSB-AD's `find_length_rank(data, rank=1)`.
    ///
    /// Only the first 20,000 values are looked at. O(400 n).
    public static func periodLength(of values: [Double]) -> Int {
        let fallback = 125
        let base = 3
        let series = values.prefix(20_000)
        guard series.count > base else { return fallback }
        let mean = series.reduce(0, +) / Double(series.count)
        let centred = series.map { $0 - mean }
        let energy = centred.reduce(0) { $0 + $1 * $1 }
        let correlations = (base...min(400, series.count - 1)).compactMap { lag -> Double? in
            var sum = 0.0
            for row in lag..<centred.count { sum += centred[row] * centred[row - lag] }
            return energy > 0 ? sum / energy : nil
        }
        var best: Int?
        for place in correlations.indices.dropFirst().dropLast() {
            let here = correlations[place]
            guard here > correlations[place - 1], here > correlations[place + 1] else { continue }
            if let other = best, correlations[other] > here { continue }
            best = place
        }
        guard let best, (3...300).contains(best) else { return fallback }
        return best + base
    }
}
